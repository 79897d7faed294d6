use crate::{LobbyStatus, Notice, ParticipantId, UnixMillis, Waiter};

use super::{
    Room, Timer,
    entering::Verdict,
    memory::{Person, Place, Wait},
};

impl Room {
    pub(super) fn join_lobby(&mut self, who: &ParticipantId, counts: bool) {
        let now = self.memory.now;
        let ticket = self.memory.next_ticket;
        self.memory.next_ticket += 1;
        let wait = Wait {
            ticket,
            since: now,
            waited: 0,
            counting: None,
        };
        if let Some(person) = self.memory.people.get_mut(who) {
            person.place = Place::Lobby(wait);
        }
        self.waiting.insert(ticket, who.clone());
        if counts {
            self.set_counting(who, true);
        } else {
            self.tell_place(who);
        }
    }

    /// Lets the time of a wait run, or stops it while there is no agent.
    fn set_counting(&mut self, who: &ParticipantId, counts: bool) {
        let now = self.memory.now;
        let Some(person) = self.memory.people.get_mut(who) else {
            return;
        };
        let Place::Lobby(wait) = &mut person.place else {
            return;
        };
        match (wait.counting, counts) {
            (None, true) => {
                wait.counting = Some(now);
                if let Some(deadline) = wait.deadline(&self.settings) {
                    self.timers.insert((deadline, Timer::Wait(who.clone())));
                }
                let waiter = waiter(who, person);
                self.notify_hosts(&Notice::LobbyJoined { waiter });
            }
            (Some(since), false) => {
                if let Some(deadline) = wait.deadline(&self.settings) {
                    self.timers.remove(&(deadline, Timer::Wait(who.clone())));
                }
                wait.waited += now.since(since).as_millis() as u64;
                wait.counting = None;
                let participant = who.clone();
                self.notify_hosts(&Notice::LobbyLeft { participant });
            }
            (None, false) | (Some(_), true) => return,
        }
        self.tell_place(who);
    }

    /// Takes somebody out of the lobby, if it is there.
    pub(super) fn leave_lobby(&mut self, who: &ParticipantId) {
        let Some(person) = self.memory.people.get_mut(who) else {
            return;
        };
        let Place::Lobby(wait) = person.place else {
            return;
        };
        person.place = Place::Outside;
        self.waiting.remove(&wait.ticket);
        if let Some(deadline) = wait.deadline(&self.settings) {
            self.timers.remove(&(deadline, Timer::Wait(who.clone())));
        }
        if !wait.is_gated() {
            let participant = who.clone();
            self.notify_hosts(&Notice::LobbyLeft { participant });
        }
    }

    /// Receives everybody who waits anew, since something changed.
    pub(super) fn look_at_lobby(&mut self) {
        let waiting: Vec<ParticipantId> = self.waiting.values().cloned().collect();
        for who in waiting {
            let Some(person) = self.memory.people.get(&who) else {
                continue;
            };
            if !matches!(person.place, Place::Lobby(_)) {
                continue;
            }
            match self.verdict(&who) {
                Verdict::Enter if !self.is_full() => self.enter(&who),
                Verdict::Enter | Verdict::Wait => self.set_counting(&who, true),
                Verdict::WaitForHost => self.set_counting(&who, false),
            }
        }
    }

    /// Nobody answered in time.
    pub(super) fn time_out(&mut self, who: &ParticipantId) {
        self.leave_lobby(who);
        self.put_outside(who, Place::TimedOut);
    }

    /// Puts somebody who waited before the door, and forgets it if nobody is there.
    pub(super) fn put_outside(&mut self, who: &ParticipantId, place: Place) {
        let Some(person) = self.memory.people.get_mut(who) else {
            return;
        };
        person.place = place;
        if person.connected {
            self.tell_place(who);
        } else {
            self.forget(who);
        }
    }

    /// Tells somebody who is not in where it is.
    pub(super) fn tell_place(&mut self, who: &ParticipantId) {
        let Some(person) = self.memory.people.get(who) else {
            return;
        };
        let status = match person.place {
            Place::In => return,
            Place::Outside => LobbyStatus::Outside,
            Place::TimedOut => LobbyStatus::TimedOut,
            Place::Lobby(wait) if wait.is_gated() => LobbyStatus::WaitingForHost,
            Place::Lobby(wait) => LobbyStatus::Waiting { since: wait.since },
            Place::Denied => LobbyStatus::Denied {
                retry_after_ms: match self.check_denials(&person.identity.key()) {
                    Ok(()) => Some(0),
                    Err(refusal) => refusal.retry_after_ms,
                },
            },
        };
        self.notify(who, Notice::Lobby(status));
    }

    /// Shows the lobby to a host.
    pub(super) fn show_lobby(&mut self, who: &ParticipantId) {
        if !self.hosts.contains(who) {
            return;
        }
        let mut waiters = Vec::new();
        for id in self.waiting.values() {
            if let Some(person) = self.memory.people.get(id)
                && matches!(person.place, Place::Lobby(wait) if !wait.is_gated())
            {
                waiters.push(waiter(id, person));
            }
        }
        self.notify(who, Notice::LobbySnapshot { waiters });
    }
}

fn waiter(who: &ParticipantId, person: &Person) -> Waiter {
    let since = match person.place {
        Place::Lobby(wait) => wait.since,
        Place::Outside | Place::Denied | Place::TimedOut | Place::In => UnixMillis::default(),
    };
    Waiter {
        participant: who.clone(),
        name: person.name.clone(),
        verified: person.is_verified(),
        signed_in: person.is_signed_in(),
        since,
    }
}
