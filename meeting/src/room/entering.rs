use crate::{
    AccessLevel, Change, Done, ErrorKind, Identity, LobbyStatus, MediaState, Notice, Order, Output,
    Participant, ParticipantId, PerSource, Quality, Role, Source, display_name,
};

use super::{
    Room,
    answering::Answer,
    memory::{Person, Phase, Place},
};

/// How somebody who knocks is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Enter,
    WaitForHost,
    Wait,
}

impl Room {
    /// Somebody came or came back.
    pub(super) fn arrive(&mut self, who: ParticipantId, identity: Identity) {
        if self.memory.removed.contains(&who) {
            return;
        }
        if self.memory.phase == Phase::Over {
            if self.memory.people.contains_key(&who) {
                self.notify(&who, Notice::RoomEnded);
            } else {
                self.tell_stranger(who, Notice::RoomEnded);
            }
            return;
        }
        let Some(person) = self.memory.people.get_mut(&who) else {
            let most = self.settings.room_size + 2 * self.settings.lobby_size;
            if self.memory.people.len() >= most {
                self.tell_stranger(who, Notice::Lobby(LobbyStatus::LobbyFull));
            } else {
                let mut person = Person::new(identity, self.memory.first_number());
                person.chats = self.memory.chats.remove(&who).unwrap_or_default();
                self.memory.people.insert(who, person);
            }
            return;
        };
        // A participant is one person: somebody else under its id is not heard.
        if person.identity.key() != identity.key() {
            return;
        }
        person.connected = true;
        self.confirm(&who);
        match self.memory.people[&who].place {
            Place::In => {
                if !self.memory.view.is_connected(&who) {
                    self.set_quality(&who, Quality::Good);
                }
                self.give_token(&who);
                self.show_lobby(&who);
            }
            Place::Outside | Place::Denied | Place::TimedOut | Place::Lobby(_) => {
                self.tell_place(&who);
            }
        }
    }

    pub(super) fn knock(&mut self, who: &ParticipantId, name: Option<&str>) -> Answer {
        let person = self.memory.people.get_mut(who);
        let Some(person) = person else {
            return Err(ErrorKind::NotPresent.into());
        };
        match person.place {
            Place::In => {
                self.give_token(who);
                return Ok(Done::default());
            }
            Place::Lobby(_) => {
                self.tell_place(who);
                return Ok(Done::default());
            }
            Place::Outside | Place::Denied | Place::TimedOut => {}
        }
        if let Some(name) = name {
            person.name = display_name(name)?;
        }
        let key = person.identity.key();
        if let Err(refusal) = self.check_denials(&key) {
            let retry_after_ms = refusal.retry_after_ms;
            self.notify(who, Notice::Lobby(LobbyStatus::Denied { retry_after_ms }));
            return Err(refusal);
        }
        match self.verdict(who) {
            Verdict::Enter if self.is_full() => {
                self.notify(who, Notice::Lobby(LobbyStatus::LobbyFull));
                Err(ErrorKind::RoomFull.into())
            }
            Verdict::Enter => {
                self.enter(who);
                Ok(Done::default())
            }
            Verdict::WaitForHost | Verdict::Wait if self.is_lobby_full() => {
                self.notify(who, Notice::Lobby(LobbyStatus::LobbyFull));
                Err(ErrorKind::LobbyFull.into())
            }
            verdict => {
                self.join_lobby(who, verdict == Verdict::Wait);
                Ok(Done::default())
            }
        }
    }

    pub(super) fn verdict(&self, who: &ParticipantId) -> Verdict {
        let memory = &self.memory;
        let Some(person) = memory.people.get(who) else {
            return Verdict::Wait;
        };
        if matches!(person.identity, Identity::Service { .. }) {
            return Verdict::Enter;
        }
        let account = person.identity.account();
        let policy = memory.view.policy();
        if account.is_none() && policy.host_gate && self.agents_in == 0 {
            return Verdict::WaitForHost;
        }
        if memory.expelled.contains(&person.identity.key()) {
            return Verdict::Wait;
        }
        let role = account.map(|a| memory.roles.role(a)).unwrap_or_default();
        let enters = role.is_host()
            || !memory.view.is_locked()
                && (memory.admitted.contains(who)
                    || role >= Role::Member
                    || match policy.access {
                        AccessLevel::Public => true,
                        AccessLevel::Trusted => match (&person.identity, &policy.organisation) {
                            (Identity::Agent { organisations, .. }, Some(only)) => {
                                organisations.contains(only)
                            }
                            (Identity::Agent { .. }, None) => true,
                            _ => false,
                        },
                        AccessLevel::Restricted => false,
                    });
        if enters {
            Verdict::Enter
        } else {
            Verdict::Wait
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.memory.view.len() >= self.settings.room_size
    }

    pub(super) fn is_lobby_full(&self) -> bool {
        self.waiting.len() >= self.settings.lobby_size
    }

    /// Lets somebody in, from the lobby or from outside.
    pub(super) fn enter(&mut self, who: &ParticipantId) {
        self.leave_lobby(who);
        let (now, grace) = (self.memory.now, self.settings.reconnection_grace);
        let Some(person) = self.memory.people.get_mut(who) else {
            return;
        };
        person.place = Place::In;
        let connected = person.connected;
        let account = person.identity.account().cloned();
        let service = match person.identity {
            Identity::Service { service, .. } => Some(service),
            Identity::Agent { .. } | Identity::Guest { .. } => None,
        };
        let role = account.as_ref().map(|a| self.memory.roles.role(a));
        let participant = Participant {
            id: who.clone(),
            name: person.name.clone(),
            verified: person.is_verified(),
            signed_in: person.is_signed_in(),
            role: role.unwrap_or_default(),
            service,
            joined: now,
            hand: None,
            media: PerSource::<MediaState>::default(),
            quality: if connected {
                Quality::Good
            } else {
                Quality::Lost
            },
        };
        if self.memory.phase == Phase::Idle {
            self.memory.phase = Phase::Running;
            let session = self.memory.view.session();
            self.outputs.push_back(Output::Began { session });
            self.open_group();
        }
        self.change(Change::Joined { participant });
        let opened = self.count_in(who);
        let host = self.hosts.contains(who);
        for source in Source::ALL {
            if *self.memory.view.forbidden().of(source) && !host {
                self.stop_at_relay(who, source);
            }
        }
        self.give_token(who);
        self.show_lobby(who);
        if !connected {
            self.set_grace(who, Some(now.plus(grace)));
        }
        if opened {
            self.look_at_lobby();
        }
    }

    /// Adds to the counts of those who are in; whether it is the first agent.
    pub(super) fn count_in(&mut self, who: &ParticipantId) -> bool {
        let Some(person) = self.memory.people.get(who) else {
            return false;
        };
        if matches!(person.identity, Identity::Service { .. }) {
            return false;
        }
        self.persons_in += 1;
        let Some(account) = person.identity.account().cloned() else {
            return false;
        };
        self.agents_in += 1;
        if self.memory.roles.role(&account).is_host() {
            self.hosts.insert(who.clone());
        }
        self.devices.entry(account).or_default().insert(who.clone());
        self.agents_in == 1
    }

    pub(super) fn stop_at_relay(&mut self, who: &ParticipantId, source: Source) {
        if let Some(person) = self.memory.people.get_mut(who)
            && !std::mem::replace(person.stopped.of_mut(source), true)
        {
            let participant = who.clone();
            let order = Order::Stop {
                participant,
                source,
            };
            self.outputs.push_back(Output::Order(order));
        }
    }
}
