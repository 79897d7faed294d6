use crate::{
    AccessLevel, Act, Change, Done, ErrorKind, HistoryPolicy, Identity, LeaveReason, MediaState,
    Notice, Order, OrganisationId, Output, ParticipantId, Policy, Refusal, Role, Roles, Source,
    Target, display_name,
};

use super::{Room, answering::Answer, memory::Place};

impl Room {
    pub(super) fn set_media(
        &mut self,
        who: &ParticipantId,
        states: [Option<MediaState>; 3],
    ) -> Answer {
        let Some(shown) = self.memory.view.participant(who) else {
            return Err(ErrorKind::NotPresent.into());
        };
        let mut media = shown.media;
        let host = shown.role.is_host();
        let named = Source::ALL.into_iter().zip(states);
        let named: Vec<(Source, MediaState)> = named
            .filter_map(|(source, state)| Some((source, state?)))
            .collect();
        for (source, state) in &named {
            if *state == MediaState::On && !host && *self.memory.view.forbidden().of(*source) {
                return Err(ErrorKind::Forbidden.into());
            }
            *media.of_mut(*source) = *state;
        }
        if media != shown.media {
            let participant = who.clone();
            self.change(Change::Media { participant, media });
        }
        for (source, state) in named {
            if state != MediaState::On {
                continue;
            }
            let person = self.memory.people.get_mut(who);
            let stopped = person.is_some_and(|p| std::mem::take(p.stopped.of_mut(source)));
            if stopped {
                self.allow_at_relay(who, source);
            }
        }
        Ok(Done::default())
    }

    /// Stops a source of somebody who is in, whatever it says that it does.
    fn stop(&mut self, who: &ParticipantId, source: Source) {
        self.stop_at_relay(who, source);
        let Some(shown) = self.memory.view.participant(who) else {
            return;
        };
        let mut media = shown.media;
        let state = media.of_mut(source);
        *state = source.stopped(*state);
        if media != shown.media {
            let participant = who.clone();
            self.change(Change::Media { participant, media });
        }
    }

    pub(super) fn mute(&mut self, host: &ParticipantId, whom: &Target) -> Answer {
        let muted: Vec<ParticipantId> = match whom {
            Target::One(who) if self.is_person_in(who) => vec![who.clone()],
            Target::One(_) => return Err(ErrorKind::NotPresent.into()),
            Target::All => {
                let everybody = self.memory.view.participants();
                let persons = everybody.filter(|p| p.service.is_none() && p.id != *host);
                persons.map(|p| p.id.clone()).collect()
            }
        };
        self.audit(
            host,
            match whom {
                Target::One(whom) => Act::Muted { whom: whom.clone() },
                Target::All => Act::MutedAll,
            },
        );
        for who in muted {
            let shown = self.memory.view.participant(&who);
            let was_on = shown.is_some_and(|p| p.media.microphone == MediaState::On);
            self.stop(&who, Source::Microphone);
            if was_on {
                let (source, by) = (Source::Microphone, host.clone());
                self.notify(&who, Notice::Muted { source, by });
            }
        }
        Ok(Done::default())
    }

    pub(super) fn forbid(&mut self, host: &ParticipantId, source: Source, forbid: bool) -> Done {
        let mut forbidden = *self.memory.view.forbidden();
        if std::mem::replace(forbidden.of_mut(source), forbid) == forbid {
            return Done::default();
        }
        self.audit(
            host,
            Act::Forbade {
                source,
                forbidden: forbid,
            },
        );
        self.change(Change::Forbidden { forbidden });
        if forbid {
            let guests = self.memory.view.participants();
            let guests = guests.filter(|p| p.service.is_none() && !p.role.is_host());
            let guests: Vec<ParticipantId> = guests.map(|p| p.id.clone()).collect();
            for who in guests {
                self.stop_at_relay(&who, source);
            }
        }
        Done::default()
    }

    pub(super) fn rename(
        &mut self,
        who: &ParticipantId,
        whom: Option<ParticipantId>,
        name: &str,
    ) -> Answer {
        let participant = whom.unwrap_or_else(|| who.clone());
        let others = participant != *who;
        if others && !self.hosts.contains(who) {
            return Err(ErrorKind::Forbidden.into());
        }
        let name = display_name(name)?;
        if others {
            self.outranks(who, &participant)?;
        }
        let Some(person) = self.memory.people.get_mut(&participant) else {
            return Err(ErrorKind::NotPresent.into());
        };
        let from = std::mem::replace(&mut person.name, name.clone());
        let verified = person.is_verified();
        if from == name {
            return Ok(Done::default());
        }
        if others {
            let act = Act::Renamed {
                whom: participant.clone(),
                from,
                to: name.clone(),
            };
            self.audit(who, act);
        }
        self.change(Change::Renamed {
            participant,
            name,
            verified,
        });
        Ok(Done::default())
    }

    pub(super) fn is_person_in(&self, who: &ParticipantId) -> bool {
        let shown = self.memory.view.participant(who);
        shown.is_some_and(|p| p.service.is_none())
    }

    /// Refuses what is done to somebody with a higher role, or to nobody.
    fn outranks(&self, who: &ParticipantId, whom: &ParticipantId) -> Result<(), Refusal> {
        if !self.is_person_in(whom) {
            Err(ErrorKind::NotPresent.into())
        } else if self.role(whom) > self.role(who) {
            Err(ErrorKind::Forbidden.into())
        } else {
            Ok(())
        }
    }

    pub(super) fn set_role(
        &mut self,
        who: &ParticipantId,
        whom: &ParticipantId,
        role: Role,
    ) -> Answer {
        if !self.is_person_in(whom) {
            return Err(ErrorKind::NotPresent.into());
        }
        let account = |id| {
            self.memory
                .people
                .get(id)
                .and_then(|p| p.identity.account())
        };
        let Some(account_of_whom) = account(whom).cloned() else {
            return Err(ErrorKind::NotSignedIn.into());
        };
        let from = self.memory.roles.role(&account_of_whom);
        if account(who) == Some(&account_of_whom) {
            let last = from == Role::Owner && self.memory.roles.owners() == 1;
            let error = if last {
                ErrorKind::LastOwner
            } else {
                ErrorKind::Forbidden
            };
            return Err(error.into());
        }
        let owns = self.role(who) == Role::Owner;
        if !owns && (from == Role::Owner || role == Role::Owner) {
            return Err(ErrorKind::Forbidden.into());
        }
        if from == role {
            return Ok(Done::default());
        }
        self.memory.roles.set(account_of_whom.clone(), role)?;
        let act = Act::SetRole {
            whom: account_of_whom.clone(),
            from,
            to: role,
        };
        self.audit(who, act);
        self.outputs.push_back(Output::RoleChanged {
            account: account_of_whom.clone(),
            role,
        });
        let devices = self.devices.get(&account_of_whom).cloned();
        for device in devices.unwrap_or_default() {
            self.show_role(&device, role);
        }
        self.look_at_lobby();
        Ok(Done::default())
    }

    /// Shows that somebody who is in has another role, and what follows from it.
    fn show_role(&mut self, who: &ParticipantId, role: Role) {
        if self.role(who) == role {
            return;
        }
        let participant = who.clone();
        self.change(Change::Role { participant, role });
        if role.is_host() {
            if self.hosts.insert(who.clone()) {
                self.show_lobby(who);
            }
            return;
        }
        if self.hosts.remove(who) {
            self.notify(who, Notice::LobbyClosed);
            for source in Source::ALL {
                if *self.memory.view.forbidden().of(source) {
                    self.stop(who, source);
                }
            }
        }
    }

    /// Roles were changed outside of the meeting.
    pub(super) fn replace_roles(&mut self, roles: Roles) {
        self.memory.roles = roles;
        let present = self.devices.iter().flat_map(|(account, devices)| {
            let role = self.memory.roles.role(account);
            devices.iter().map(move |device| (device.clone(), role))
        });
        for (device, role) in present.collect::<Vec<_>>() {
            self.show_role(&device, role);
        }
        self.look_at_lobby();
    }

    pub(super) fn set_access(
        &mut self,
        who: &ParticipantId,
        level: AccessLevel,
        organisation: Option<OrganisationId>,
    ) -> Answer {
        if let Some(organisation) = &organisation {
            if level != AccessLevel::Trusted {
                return Err(Refusal {
                    detail: Some("only trusted access has an organisation".to_owned()),
                    ..ErrorKind::Malformed.into()
                });
            }
            let identity = self.memory.people.get(who).map(|p| &p.identity);
            let belongs = matches!(identity, Some(Identity::Agent { organisations, .. })
                if organisations.contains(organisation));
            if !belongs {
                return Err(ErrorKind::Forbidden.into());
            }
        }
        let act = Act::SetAccess {
            level,
            organisation: organisation.clone(),
        };
        let mut policy = self.memory.view.policy().clone();
        (policy.access, policy.organisation) = (level, organisation);
        Ok(self.set_policy_as(who, policy, act))
    }

    pub(super) fn set_host_gate(&mut self, who: &ParticipantId, on: bool) -> Done {
        let mut policy = self.memory.view.policy().clone();
        policy.host_gate = on;
        self.set_policy_as(who, policy, Act::SetHostGate { on })
    }

    pub(super) fn set_history(&mut self, who: &ParticipantId, history: HistoryPolicy) -> Done {
        let mut policy = self.memory.view.policy().clone();
        policy.history = history;
        self.set_policy_as(who, policy, Act::SetHistory { history })
    }

    fn set_policy_as(&mut self, who: &ParticipantId, policy: Policy, act: Act) -> Done {
        if policy != *self.memory.view.policy() {
            self.audit(who, act);
            self.outputs
                .push_back(Output::PolicyChanged(policy.clone()));
            self.set_policy(policy);
        }
        Done::default()
    }

    pub(super) fn set_policy(&mut self, policy: Policy) {
        if policy != *self.memory.view.policy() {
            self.change(Change::Policy { policy });
            self.look_at_lobby();
        }
    }

    pub(super) fn lock(&mut self, who: &ParticipantId, locked: bool) -> Done {
        if locked != self.memory.view.is_locked() {
            self.audit(who, Act::Locked { locked });
            self.change(Change::Locked { locked });
            self.look_at_lobby();
        }
        Done::default()
    }

    pub(super) fn remove(&mut self, host: &ParticipantId, whom: &ParticipantId) -> Answer {
        if host == whom {
            return Err(ErrorKind::Forbidden.into());
        }
        self.outranks(host, whom)?;
        let Some(person) = self.memory.people.get(whom) else {
            return Err(ErrorKind::NotPresent.into());
        };
        debug_assert_eq!(person.place, Place::In);
        let (key, most) = (person.identity.key(), self.settings.remembered);
        let act = Act::Removed {
            whom: whom.clone(),
            account: person.identity.account().cloned(),
            name: person.name.clone(),
        };
        self.audit(host, act);
        self.memory.expelled.insert(key, (), most);
        self.memory.removed.insert(whom.clone(), (), most);
        self.notify(whom, Notice::Removed);
        self.exit(whom, LeaveReason::Removed);
        self.forget(whom);
        let participant = whom.clone();
        self.outputs
            .push_back(Output::Order(Order::Remove { participant }));
        Ok(Done::default())
    }
}
