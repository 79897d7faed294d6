use std::time::Duration;

use parvis_meeting::{
    CaptureFailure, CaptureOrder, CaptureStatus, Change, ChatSeq, HistoryPolicy, Input, Message,
    Order, Output, Participant, ParticipantId, Progress, Reactions, Source, StateMessage, tracks,
};

use super::RoomTask;
use crate::{
    clock,
    outlets::Outlets,
    relay_orders::{OneSource, RelayOrder},
};

impl RoomTask {
    /// Has the relay stop and allow, and take back the tokens of those who left, before anybody is told so.
    pub(super) async fn obey_first(&mut self, outputs: &[Output]) {
        let mut subjects = Vec::new();
        for output in outputs {
            for order in self.orders(output) {
                subjects.push(order.subject());
                self.court.orders.give(order, Duration::ZERO);
            }
        }
        if !subjects.is_empty() {
            let obeyed = self.court.orders.obeyed(&subjects);
            // It obeys later; nobody waits for a relay that hangs.
            let _ = tokio::time::timeout(self.court.limits.obedience, obeyed).await;
        }
    }

    fn orders(&mut self, output: &Output) -> Vec<RelayOrder> {
        let one = |who: &ParticipantId, source| OneSource {
            code: *self.key.code(),
            who: who.clone(),
            source,
        };
        match output {
            Output::Order(Order::Stop {
                participant,
                source,
            }) => vec![RelayOrder::Stop(one(participant, *source))],
            Output::Order(Order::Allow {
                participant,
                source,
            }) => vec![RelayOrder::Allow(one(participant, *source))],
            // Its session ends after its farewell; nobody hears it meanwhile.
            Output::Order(Order::Remove { participant }) if self.is_here(participant) => {
                let stop = |source| RelayOrder::Stop(one(participant, source));
                Source::ALL.into_iter().map(stop).collect()
            }
            Output::State { message, .. } => self.note_stays(message),
            _ => Vec::new(),
        }
    }

    fn is_here(&self, who: &ParticipantId) -> bool {
        self.people.get(who).is_some_and(|person| person.here)
    }

    /// Who comes and goes; the token of somebody who left would read on, seen by nobody.
    fn note_stays(&mut self, message: &StateMessage) -> Vec<RelayOrder> {
        let stay = |p: &Participant| (p.id.clone(), format!("{}-{}", p.id, p.joined));
        let change = match message {
            StateMessage::Snapshot { snapshot } => {
                self.stays.extend(snapshot.participants.iter().map(stay));
                return Vec::new();
            }
            StateMessage::Delta { delta } => &delta.change,
        };
        let gone = match change {
            Change::Joined { participant } => {
                self.stays.extend([stay(participant)]);
                return Vec::new();
            }
            Change::Left { participant, .. } => {
                self.stays.remove(participant).into_iter().collect()
            }
            Change::Ended { .. } => std::mem::take(&mut self.stays).into_values().collect(),
            _ => Vec::new(),
        };
        let until = self.court.passes.all_expired(clock::now());
        let revoke = |id| RelayOrder::Revoke(id, until);
        gone.into_iter().map(revoke).collect()
    }

    pub(super) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Began { .. } => self.open_outlets(false),
            Output::State {
                group,
                object,
                message,
            } => {
                if self.outlets.is_none() {
                    self.open_outlets(true);
                }
                if let Some(outlets) = &mut self.outlets {
                    outlets.state(group, object, &message);
                }
            }
            Output::Chat {
                session,
                message,
                history,
            } => {
                if let (Some(outlets), HistoryPolicy::Session) = (&self.outlets, history) {
                    outlets.chat(session, &message);
                }
            }
            Output::Reactions(reactions) => {
                if let Some(outlets) = &mut self.outlets {
                    outlets.reactions(&reactions, clock::now());
                }
            }
            Output::Message { to, message } => self.say(&to, &message),
            Output::Admit { to, n } => self.admit(&to, n),
            Output::Order(Order::Remove { participant }) => {
                let until = self.court.passes.all_expired(clock::now());
                let farewell = self.court.limits.farewell;
                let order = RelayOrder::Deny(participant, until);
                self.court.orders.give(order, farewell);
            }
            Output::Capture(order) => self.refuse_capture(&order),
            Output::Ended { .. } => {
                if let Some(outlets) = &self.outlets {
                    outlets.close_archive();
                }
            }
            // Done already: by the relay, and by the store.
            Output::Order(Order::Stop { .. } | Order::Allow { .. })
            | Output::Audit(_)
            | Output::RoleChanged { .. }
            | Output::PolicyChanged(_) => {}
        }
    }

    /// Says how far the state is: the last change is followed by nothing that would show that it was missed.
    pub(super) fn tell_revision(&mut self) {
        let view = self.sitting.room().view();
        let (session, revision) = (view.session(), view.revision());
        if !view.is_empty()
            && let Some(outlets) = &mut self.outlets
        {
            let state = Reactions::State { session, revision };
            outlets.reactions(&state, clock::now());
        }
    }

    /// Publishes what members read, of a session that begins or was restored.
    fn open_outlets(&mut self, restored: bool) {
        let Some((session, key, messages)) = self.sitting.session() else {
            return;
        };
        if self.outlets.is_none() {
            let last = messages.checked_sub(1).filter(|_| restored);
            let last = last.map(|seq| tracks::chat_location(session, ChatSeq(seq)));
            let (link, store) = (&self.court.link, &self.court.store);
            match Outlets::publish(link, store, self.key.code(), last) {
                Ok(outlets) => self.outlets = Some(outlets),
                Err(error) => {
                    tracing::error!(code = %self.key.code(), %error, "a room is not published");
                    return;
                }
            }
        }
        if let Some(outlets) = &self.outlets {
            outlets.open_archive(session, key);
        }
    }

    fn say(&self, to: &ParticipantId, message: &Message) {
        let person = self.people.get(to);
        // Whoever comes later asks for what it missed.
        if let Some(replies) = person.and_then(|person| person.replies.upgrade()) {
            replies.say(message);
        }
    }

    fn admit(&self, to: &ParticipantId, n: u64) {
        let code = self.key.code();
        let Some(stay) = self.stays.get(to).cloned() else {
            // It left in the same moment.
            return;
        };
        match self.court.passes.admission(code, to, stay, clock::now()) {
            Ok((token, expires)) => self.say(to, &Message::admitted(n, token, Some(expires))),
            Err(error) => tracing::error!(%code, %error, "a token is not signed"),
        }
    }

    /// No service takes part that records or transcribes.
    fn refuse_capture(&mut self, order: &CaptureOrder) {
        let (kind, id, status) = match order {
            CaptureOrder::Start { kind, id, .. } => (*kind, *id, CaptureStatus::FailedToStart),
            CaptureOrder::Stop { kind, id } => (*kind, *id, CaptureStatus::Aborted),
        };
        let progress = Progress {
            kind,
            id,
            status,
            failure: Some(CaptureFailure::ServiceUnavailable),
        };
        self.sitting
            .take(Some(Input::Progress { progress }), clock::now());
    }
}
