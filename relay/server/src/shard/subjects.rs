use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use parvis_forwarding::Quota;
use parvis_quic::ConnectionKey;
use parvis_session::{Bucket, Rate};
use rustc_hash::FxHashMap;

/// A session, and the number of its shard.
pub(super) type SessionAt = (u8, ConnectionKey);

/// The participants that have shown a token, on all shards: what one may have, it may have once, by
/// however many sessions it comes.
#[derive(Debug)]
pub(crate) struct Subjects {
    limits: SubjectLimits,
    /// Locked once as a session comes and as it goes.
    participants: Mutex<FxHashMap<String, Arc<Participant>>>,
}

/// What one participant may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubjectLimits {
    pub(crate) sessions: usize,
    /// By the numbers of the quotas.
    pub(crate) uses: [usize; Quota::ALL.len()],
    pub(crate) requests: Rate,
}

/// A participant. Locked at its requests and their ends, never for an object.
#[derive(Debug)]
pub(super) struct Participant {
    subject: String,
    limits: SubjectLimits,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// That there for longest first.
    sessions: VecDeque<Member>,
    requests: Bucket,
}

#[derive(Debug)]
struct Member {
    at: SessionAt,
    uses: [usize; Quota::ALL.len()],
}

/// Whether a participant may have one more of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Granted,
    /// This older session has to go for it: it may well be dead, and its successor this one.
    InPlaceOf(SessionAt),
    Refused,
}

impl Subjects {
    pub(crate) fn new(limits: SubjectLimits) -> Self {
        Self {
            limits,
            participants: Mutex::default(),
        }
    }

    /// Adds a session; returns also the one that has to go for it, if there are too many.
    pub(super) fn add(
        &self,
        subject: &str,
        session: SessionAt,
    ) -> (Arc<Participant>, Option<SessionAt>) {
        let mut all = lock(&self.participants);
        let participant = all.entry(subject.to_owned()).or_insert_with(|| {
            Arc::new(Participant {
                subject: subject.to_owned(),
                limits: self.limits,
                state: Mutex::new(State {
                    sessions: VecDeque::new(),
                    requests: Bucket::new(self.limits.requests),
                }),
            })
        });
        let surplus = participant.enter(session);
        (participant.clone(), surplus)
    }

    /// A session is over.
    pub(super) fn remove(&self, participant: &Participant, session: SessionAt) {
        let mut all = lock(&self.participants);
        if participant.leave(session) {
            all.remove(&participant.subject);
        }
    }
}

impl Participant {
    fn enter(&self, at: SessionAt) -> Option<SessionAt> {
        let sessions = &mut lock(&self.state).sessions;
        sessions.push_back(Member {
            at,
            uses: [0; Quota::ALL.len()],
        });
        if sessions.len() > self.limits.sessions {
            sessions.pop_front().map(|member| member.at)
        } else {
            None
        }
    }

    /// Says whether it was the last one.
    fn leave(&self, at: SessionAt) -> bool {
        let sessions = &mut lock(&self.state).sessions;
        sessions.retain(|member| member.at != at);
        sessions.is_empty()
    }

    /// Counts a request, or says how long to wait for the next one.
    pub(super) fn ask(&self, now: Instant) -> Result<(), Duration> {
        lock(&self.state).requests.take(now)
    }

    /// A session wants one more.
    pub(super) fn take(&self, at: SessionAt, quota: Quota) -> Verdict {
        let sessions = &mut lock(&self.state).sessions;
        let place = quota as usize;
        let Some(own) = sessions.iter().position(|member| member.at == at) else {
            // It has to go already.
            return Verdict::Refused;
        };
        let used: usize = sessions.iter().map(|member| member.uses[place]).sum();
        if used < self.limits.uses[place] {
            sessions[own].uses[place] += 1;
            return Verdict::Granted;
        }
        let mut older = sessions.iter().take(own);
        let Some(oldest) = older.position(|member| member.uses[place] > 0) else {
            return Verdict::Refused;
        };
        sessions[own].uses[place] += 1;
        match sessions.remove(oldest) {
            Some(member) => Verdict::InPlaceOf(member.at),
            None => Verdict::Granted,
        }
    }

    /// A session was given one more, whether there was room or not.
    pub(super) fn give(&self, at: SessionAt, quota: Quota) {
        self.change(at, |uses| uses[quota as usize] += 1);
    }

    /// A session has one less.
    pub(super) fn give_back(&self, at: SessionAt, quota: Quota) {
        self.change(at, |uses| {
            let uses = &mut uses[quota as usize];
            *uses = uses.saturating_sub(1);
        });
    }

    fn change(&self, at: SessionAt, change: impl FnOnce(&mut [usize; Quota::ALL.len()])) {
        let sessions = &mut lock(&self.state).sessions;
        if let Some(member) = sessions.iter_mut().find(|member| member.at == at) {
            change(&mut member.uses);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Poisoned: another thread panicked, which changes nothing in here.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SubjectLimits = SubjectLimits {
        sessions: 3,
        uses: [2, 2, 2, 2],
        requests: Rate {
            per_second: 1,
            burst: 2,
        },
    };

    fn session(number: u64) -> SessionAt {
        (0, ConnectionKey::from_u64(number))
    }

    #[test]
    fn an_older_session_goes_for_a_newer_one_and_not_the_other_way_round() {
        let subjects = Subjects::new(LIMITS);
        let (zoe, surplus) = subjects.add("zoe", session(1));
        assert_eq!(surplus, None);
        let (same, _) = subjects.add("zoe", session(2));
        let quota = Quota::Subscriptions;
        assert_eq!(zoe.take(session(1), quota), Verdict::Granted);
        assert_eq!(same.take(session(2), quota), Verdict::Granted);
        assert_eq!(zoe.take(session(1), quota), Verdict::Refused);
        assert_eq!(
            zoe.take(session(2), quota),
            Verdict::InPlaceOf(session(1)),
            "the older has one"
        );
        assert_eq!(zoe.take(session(1), quota), Verdict::Refused, "it is gone");
        assert_eq!(zoe.take(session(2), quota), Verdict::Refused);
        zoe.give_back(session(2), quota);
        assert_eq!(zoe.take(session(2), quota), Verdict::Granted);
        // Other things are counted by themselves.
        assert_eq!(zoe.take(session(2), Quota::Prefixes), Verdict::Granted);
    }

    #[test]
    fn the_oldest_of_too_many_sessions_goes_and_nobody_is_remembered() {
        let subjects = Subjects::new(LIMITS);
        let add = |number| subjects.add("zoe", session(number));
        let (zoe, _) = add(1);
        add(2);
        add(3);
        assert_eq!(add(4).1, Some(session(1)));
        for number in [2, 3, 4] {
            subjects.remove(&zoe, session(number));
        }
        assert!(lock(&subjects.participants).is_empty());
    }

    #[test]
    fn all_sessions_ask_from_one_bucket() {
        let subjects = Subjects::new(LIMITS);
        let (one, _) = subjects.add("zoe", session(1));
        let (other, _) = subjects.add("zoe", session(2));
        let now = Instant::now();
        assert_eq!(one.ask(now), Ok(()));
        assert_eq!(other.ask(now), Ok(()));
        assert_eq!(one.ask(now), Err(Duration::from_secs(1)));
        assert_eq!(other.ask(now + Duration::from_secs(1)), Ok(()));
    }
}
