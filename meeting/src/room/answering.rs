use std::time::Duration;

use crate::{
    Act, AuditEntry, Body, Change, CommandId, Delta, Done, ErrorKind, Message, Notice, Outcome,
    Output, ParticipantId, Refusal, Request, Revision, StateMessage,
};

use super::{
    Room,
    memory::{Person, Phase},
};

/// What came of a command.
pub(super) type Answer = Result<Done, Refusal>;

/// Refusals for too many commands each second; what is beyond them gets no answer.
const REFUSALS: u32 = 5;

impl Room {
    pub(super) fn request(&mut self, who: &ParticipantId, request: Request) {
        let Request { id, command } = request;
        if !self.listen(who, Some(&id)) {
            return;
        }
        let Some(person) = self.memory.people.get(who) else {
            return;
        };
        if let Some((_, outcome)) = person.answers.iter().find(|(known, _)| *known == id) {
            let outcome = outcome.clone();
            self.say(who, Body::Reply { re: id, outcome });
            return;
        }
        let outcome = match self.execute(who, command) {
            Ok(done) => Outcome::Done(done),
            Err(refusal) => Outcome::Refused(refusal),
        };
        self.answer(who, id, outcome);
    }

    pub(super) fn malformed(&mut self, who: &ParticipantId, id: Option<CommandId>, detail: String) {
        if !self.listen(who, id.as_ref()) {
            return;
        }
        let now = self.memory.now;
        let Some(person) = self.memory.people.get_mut(who) else {
            return;
        };
        if person.refusal_rate.take(REFUSALS, REFUSALS, now).is_err() {
            return;
        }
        let Some(re) = id else {
            self.notify(who, Notice::Malformed { detail });
            return;
        };
        let outcome = Outcome::Refused(Refusal {
            detail: Some(detail),
            ..ErrorKind::Malformed.into()
        });
        self.say(who, Body::Reply { re, outcome });
    }

    /// Whether somebody is there and may ask again so soon; a refusal is said seldom.
    fn listen(&mut self, who: &ParticipantId, id: Option<&CommandId>) -> bool {
        let (now, rate) = (self.memory.now, self.settings.commands_per_second);
        let Some(person) = self.memory.people.get_mut(who) else {
            return false;
        };
        if !person.connected {
            return false;
        }
        let taken = person.command_rate.take(rate, rate.saturating_mul(2), now);
        let Err(wait) = taken else {
            self.confirm(who);
            return true;
        };
        if let Some(id) = id
            && person.refusal_rate.take(REFUSALS, REFUSALS, now).is_ok()
        {
            let outcome = Outcome::Refused(too_soon(wait));
            let re = id.clone();
            self.say(who, Body::Reply { re, outcome });
        }
        false
    }

    /// Remembers an answer, but for one that says to try again, and says it.
    fn answer(&mut self, who: &ParticipantId, re: CommandId, outcome: Outcome) {
        let most = self.settings.answers;
        let Some(person) = self.memory.people.get_mut(who) else {
            return;
        };
        let again = matches!(&outcome, Outcome::Refused(r) if r.error == ErrorKind::RateLimited);
        if !again {
            remember(&mut person.answers, (re.clone(), outcome.clone()), most);
        }
        self.say(who, Body::Reply { re, outcome });
    }

    pub(super) fn notify(&mut self, who: &ParticipantId, notice: Notice) {
        self.say(who, Body::Notice { notice });
    }

    pub(super) fn notify_hosts(&mut self, notice: &Notice) {
        let hosts: Vec<ParticipantId> = self.hosts.iter().cloned().collect();
        for host in hosts {
            self.notify(&host, notice.clone());
        }
    }

    fn say(&mut self, who: &ParticipantId, body: Body) {
        if let Some(person) = self.memory.people.get_mut(who) {
            let message = Message {
                n: person.next_number(),
                body,
            };
            let to = who.clone();
            self.outputs.push_back(Output::Message { to, message });
        }
    }

    /// Tells somebody of whom nothing is kept.
    pub(super) fn tell_stranger(&mut self, to: ParticipantId, notice: Notice) {
        let n = self.memory.first_number() + 1;
        self.memory.numbered = n;
        let body = Body::Notice { notice };
        let message = Message { n, body };
        self.outputs.push_back(Output::Message { to, message });
    }

    pub(super) fn give_token(&mut self, who: &ParticipantId) {
        if let Some(person) = self.memory.people.get_mut(who) {
            let n = person.next_number();
            let to = who.clone();
            self.outputs.push_back(Output::Admit { to, n });
        }
    }

    /// Changes what everybody sees and says so, once somebody is in; nothing else changes it.
    pub(super) fn change(&mut self, change: Change) {
        if self.memory.phase == Phase::Over {
            return;
        }
        let revision = Revision(self.memory.view.revision().0 + 1);
        let message = StateMessage::from(Delta { revision, change });
        self.memory
            .view
            .apply(message.clone())
            .expect("the next revision follows");
        if self.memory.phase == Phase::Idle {
            return;
        }
        self.publish_state(message);
        let full = self.settings.deltas.max(self.memory.view.len()) as u64;
        if self.memory.object > full {
            self.open_group();
        }
    }

    /// Begins a group of the state track with all of it.
    pub(super) fn open_group(&mut self) {
        self.memory.group += u64::from(self.memory.object > 0);
        self.memory.object = 0;
        self.publish_state(self.memory.view.snapshot().into());
    }

    fn publish_state(&mut self, message: StateMessage) {
        let (group, object) = (self.memory.group, self.memory.object);
        self.memory.object += 1;
        self.outputs.push_back(Output::State {
            group,
            object,
            message,
        });
    }

    pub(super) fn audit(&mut self, actor: &ParticipantId, act: Act) {
        let person = self.memory.people.get(actor);
        self.outputs.push_back(Output::Audit(AuditEntry {
            at: self.memory.now,
            actor: actor.clone(),
            account: person.and_then(|p| p.identity.account().cloned()),
            name: person.map(|p| p.name.clone()).unwrap_or_default(),
            act,
        }));
    }
}

impl Person {
    fn next_number(&mut self) -> u64 {
        self.n += 1;
        self.n
    }
}

/// Keeps the last `most`.
pub(super) fn remember<T>(queue: &mut std::collections::VecDeque<T>, entry: T, most: usize) {
    while queue.len() >= most.max(1) {
        queue.pop_front();
    }
    queue.push_back(entry);
}

pub(super) fn too_soon(wait: Duration) -> Refusal {
    Refusal {
        retry_after_ms: Some(wait.as_millis() as u64),
        ..ErrorKind::RateLimited.into()
    }
}
