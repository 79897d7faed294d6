use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use parvis_quic::ConnectionKey;
use rustc_hash::FxHashMap;

/// A session, and the number of its shard.
pub(super) type SessionAt = (u8, ConnectionKey);

/// The sessions of each participant that has shown a token, on all shards. More of them than a few
/// would be a way around what a session may grow.
#[derive(Debug)]
pub(crate) struct Subjects {
    /// Those there for longest first. Locked once as a session comes and as it goes.
    sessions: Mutex<FxHashMap<String, VecDeque<SessionAt>>>,
    most: usize,
}

impl Subjects {
    /// most: sessions of one participant.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            sessions: Mutex::default(),
            most,
        }
    }

    /// Adds a session; returns the one that has to go for it, if there are too many.
    pub(super) fn add(&self, subject: &str, session: SessionAt) -> Option<SessionAt> {
        let mut all = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = all.entry(subject.to_owned()).or_default();
        sessions.push_back(session);
        if sessions.len() > self.most {
            sessions.pop_front()
        } else {
            None
        }
    }

    /// A session is over.
    pub(super) fn remove(&self, subject: &str, session: SessionAt) {
        let mut all = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sessions) = all.get_mut(subject) else {
            return;
        };
        sessions.retain(|other| *other != session);
        if sessions.is_empty() {
            all.remove(subject);
        }
    }
}
