use crate::{
    CaptureKind, Change, Done, EndReason, Identity, LeaveReason, Notice, Order, Output,
    ParticipantId, PerSource, Quality, SessionId, Source, UnixMillis, View, tracks::CHAT_GROUP,
};

use super::{
    Room, Timer,
    memory::{Phase, Place},
};

/// Of so many who were given up it is known what they wrote.
const WRITERS: usize = 256;

impl Room {
    /// A connection is gone.
    pub(super) fn lose(&mut self, who: &ParticipantId) {
        let Some(person) = self.memory.people.get_mut(who) else {
            return;
        };
        if !std::mem::replace(&mut person.connected, false) {
            return;
        }
        let now = self.memory.now;
        match person.place {
            Place::In => {
                self.set_grace(who, Some(now.plus(self.settings.reconnection_grace)));
                self.set_quality(who, Quality::Lost);
            }
            Place::Lobby(_) => {
                self.set_grace(who, Some(now.plus(self.settings.lobby_grace)));
            }
            Place::Outside | Place::Denied | Place::TimedOut => self.forget(who),
        }
    }

    /// A connection did not come back.
    pub(super) fn give_up(&mut self, who: &ParticipantId) {
        let Some(person) = self.memory.people.get_mut(who) else {
            return;
        };
        person.grace = None;
        person.connected = false;
        match person.place {
            Place::In => self.exit(who, LeaveReason::Lost),
            Place::Lobby(_) => self.leave_lobby(who),
            Place::Outside | Place::Denied | Place::TimedOut => {}
        }
        self.forget(who);
    }

    pub(super) fn leave(&mut self, who: &ParticipantId) -> Done {
        match self.memory.people.get(who).map(|person| person.place) {
            Some(Place::In) => self.exit(who, LeaveReason::Left),
            Some(Place::Lobby(_)) => {
                self.leave_lobby(who);
                self.tell_place(who);
            }
            Some(Place::Outside | Place::Denied | Place::TimedOut) | None => {}
        }
        Done::default()
    }

    /// Takes somebody out of the meeting; the last one ends the session.
    pub(super) fn exit(&mut self, who: &ParticipantId, reason: LeaveReason) {
        let Some(person) = self.memory.people.get_mut(who) else {
            return;
        };
        person.place = Place::Outside;
        let stopped = std::mem::take(&mut person.stopped);
        let was_full = self.is_full();
        let participant = who.clone();
        self.change(Change::Left {
            participant,
            reason,
        });
        for source in Source::ALL.into_iter().filter(|s| *stopped.of(*s)) {
            if reason != LeaveReason::Removed {
                self.allow_at_relay(who, source);
            }
        }
        let closed = self.count_out(who);
        let last = self.memory.view.is_empty() || !self.is_service(who);
        if self.persons_in == 0 && last {
            self.end_session();
        } else if closed || was_full {
            self.look_at_lobby();
        }
    }

    pub(super) fn allow_at_relay(&mut self, who: &ParticipantId, source: Source) {
        let participant = who.clone();
        self.outputs.push_back(Output::Order(Order::Allow {
            participant,
            source,
        }));
    }

    fn is_service(&self, who: &ParticipantId) -> bool {
        let person = self.memory.people.get(who);
        person.is_some_and(|p| matches!(p.identity, Identity::Service { .. }))
    }

    /// Takes from the counts of those who are in; whether it was the last agent.
    fn count_out(&mut self, who: &ParticipantId) -> bool {
        if self.is_service(who) {
            return false;
        }
        self.persons_in -= 1;
        self.hosts.remove(who);
        let person = self.memory.people.get(who);
        let Some(account) = person.and_then(|p| p.identity.account().cloned()) else {
            return false;
        };
        self.agents_in -= 1;
        if let Some(devices) = self.devices.get_mut(&account) {
            devices.remove(who);
            if devices.is_empty() {
                self.devices.remove(&account);
            }
        }
        self.agents_in == 0
    }

    pub(super) fn forget(&mut self, who: &ParticipantId) {
        self.set_grace(who, None);
        if let Some(person) = self.memory.people.remove(who) {
            self.memory.numbered = self.memory.numbered.max(person.n);
            if !person.chats.is_empty() {
                let (who, chats) = (who.clone(), person.chats);
                self.memory.chats.insert(who, chats, WRITERS);
            }
        }
    }

    /// Sets or takes back the time when somebody is given up.
    pub(super) fn set_grace(&mut self, who: &ParticipantId, grace: Option<UnixMillis>) {
        let Some(person) = self.memory.people.get_mut(who) else {
            return;
        };
        let timer = |at| (at, Timer::Grace(who.clone()));
        if let Some(before) = std::mem::replace(&mut person.grace, grace) {
            self.timers.remove(&timer(before));
        }
        if let Some(grace) = grace {
            self.timers.insert(timer(grace));
        }
    }

    /// Somebody is certainly there.
    pub(super) fn confirm(&mut self, who: &ParticipantId) {
        if self
            .memory
            .people
            .get(who)
            .is_some_and(|p| p.grace.is_some())
        {
            self.set_grace(who, None);
        }
    }

    /// The last person left: what follows is another session, for those who wait.
    fn end_session(&mut self) {
        self.close(EndReason::Empty);
        let memory = &mut self.memory;
        let before = memory.view.session().0 + memory.next_chat / CHAT_GROUP;
        let next = memory.now.0.max(before + 1).max(memory.group + 1);
        let policy = memory.view.policy().clone();
        memory.view = View::empty(SessionId(next), policy);
        memory.phase = Phase::Idle;
        (memory.group, memory.object) = (next, 0);
        (memory.next_hand, memory.next_chat) = (0, 0);
        for person in memory.people.values_mut() {
            person.chats.clear();
        }
        memory.denials.clear();
        memory.expelled.clear();
        memory.admitted.clear();
        memory.decided.clear();
        memory.chats.clear();
        self.look_at_lobby();
    }

    /// Ends the meeting for everybody.
    pub(super) fn end(&mut self) {
        if self.memory.phase == Phase::Over {
            return;
        }
        let people: Vec<ParticipantId> = self.memory.people.keys().cloned().collect();
        let members: Vec<ParticipantId> = self
            .memory
            .view
            .participants()
            .map(|p| p.id.clone())
            .collect();
        self.close(EndReason::Ended);
        for who in people {
            let person = self.memory.people.get_mut(&who);
            let waited = person.is_some_and(|p| {
                matches!(
                    std::mem::replace(&mut p.place, Place::Outside),
                    Place::Lobby(_)
                )
            });
            if waited {
                self.notify(&who, Notice::RoomEnded);
            }
        }
        for participant in members {
            self.outputs
                .push_back(Output::Order(Order::Remove { participant }));
        }
        self.memory.phase = Phase::Over;
        self.waiting.clear();
        self.timers.clear();
    }

    /// Says that the session is over and puts everybody who is in outside.
    fn close(&mut self, reason: EndReason) {
        for kind in [CaptureKind::Recording, CaptureKind::Transcription] {
            self.stop_running(kind);
        }
        let members: Vec<ParticipantId> = self
            .memory
            .view
            .participants()
            .map(|p| p.id.clone())
            .collect();
        if self.memory.phase == Phase::Running {
            self.change(Change::Ended { reason });
        }
        for who in members {
            if let Some(person) = self.memory.people.get_mut(&who) {
                person.place = Place::Outside;
                person.stopped = PerSource::default();
            }
            self.notify(&who, Notice::RoomEnded);
            let connected = self.memory.people.get(&who).is_some_and(|p| p.connected);
            if !connected {
                self.forget(&who);
            }
        }
        self.hosts.clear();
        self.devices.clear();
        (self.persons_in, self.agents_in) = (0, 0);
        self.memory.counts.clear();
        if let Some(due) = self.memory.counts_due.take() {
            self.timers.remove(&(due, Timer::Reactions));
        }
        let session = self.memory.view.session();
        self.outputs.push_back(Output::Ended { session, reason });
    }
}
