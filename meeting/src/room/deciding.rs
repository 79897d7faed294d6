use crate::{Act, Done, ErrorKind, ParticipantId, Refusal, Target};

use super::{
    Room,
    answering::Answer,
    memory::{Denial, Place},
};

impl Room {
    pub(super) fn admit(&mut self, host: &ParticipantId, whom: &Target) -> Answer {
        let deciding = self.deciding(whom)?;
        if self.is_full() && !deciding.is_empty() {
            return Err(ErrorKind::RoomFull.into());
        }
        let mut admitted = 0;
        for who in deciding {
            // The one before may have been the agent whom this one waited for.
            if self.is_in(&who) {
                admitted += 1;
                continue;
            }
            // First come, first served; the others keep their places.
            if self.is_full() {
                break;
            }
            admitted += 1;
            let name = self.decide(&who);
            let (key, most) = (
                self.memory.people[&who].identity.key(),
                self.settings.remembered,
            );
            self.memory.denials.remove(&key);
            self.memory.expelled.remove(&key);
            self.memory.admitted.insert(who.clone(), (), most);
            self.audit(
                host,
                Act::Admitted {
                    whom: who.clone(),
                    name,
                },
            );
            self.enter(&who);
        }
        Ok(Done {
            admitted: Some(admitted),
            waiting: Some(self.waiting.len() as u32),
            ..Done::default()
        })
    }

    pub(super) fn deny(&mut self, host: &ParticipantId, whom: &Target) -> Answer {
        for who in self.deciding(whom)? {
            let name = self.decide(&who);
            let key = self.memory.people[&who].identity.key();
            let before = self.memory.denials.get(&key).map_or(0, |d| d.count);
            let denial = Denial {
                count: before.saturating_add(1),
                last: self.memory.now,
            };
            let most = self.settings.remembered;
            self.memory.denials.insert(key, denial, most);
            self.audit(
                host,
                Act::Denied {
                    whom: who.clone(),
                    name,
                },
            );
            self.leave_lobby(&who);
            self.put_outside(&who, Place::Denied);
        }
        Ok(Done::default())
    }

    /// Those of whom is decided.
    fn deciding(&self, whom: &Target) -> Result<Vec<ParticipantId>, Refusal> {
        let Target::One(who) = whom else {
            return Ok(self.waiting.values().cloned().collect());
        };
        let place = self.memory.people.get(who).map(|person| person.place);
        match place {
            Some(Place::Lobby(_)) => Ok(vec![who.clone()]),
            Some(Place::In) => Err(ErrorKind::AlreadyDecided.into()),
            _ if self.memory.decided.contains(who) => Err(ErrorKind::AlreadyDecided.into()),
            _ => Err(ErrorKind::NotPresent.into()),
        }
    }

    /// Remembers that a host decided; the name of whom.
    fn decide(&mut self, who: &ParticipantId) -> String {
        let most = self.settings.remembered;
        self.memory.decided.insert(who.clone(), (), most);
        let person = self.memory.people.get(who);
        person.map(|p| p.name.clone()).unwrap_or_default()
    }

    pub(super) fn check_denials(&self, key: &str) -> Result<(), Refusal> {
        let Some(denial) = self.memory.denials.get(key) else {
            return Ok(());
        };
        if denial.count >= self.settings.denials {
            return Err(ErrorKind::Denied.into());
        }
        let again = denial.last.plus(self.settings.denial_pause);
        let wait = again.since(self.memory.now);
        if wait.is_zero() {
            return Ok(());
        }
        Err(Refusal {
            retry_after_ms: Some(wait.as_millis() as u64),
            ..ErrorKind::Denied.into()
        })
    }
}
