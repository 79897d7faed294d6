use std::collections::VecDeque;

use parvis_quic::ConnectionKey;
use rustc_hash::FxHashMap;

/// The sessions of each participant that has shown a token. More of them than a few would be a way
/// around what a session may grow.
#[derive(Debug)]
pub(super) struct Subjects {
    /// Those there for longest first.
    sessions: FxHashMap<String, VecDeque<ConnectionKey>>,
    most: usize,
}

impl Subjects {
    /// most: sessions of one participant.
    pub(super) fn new(most: usize) -> Self {
        Self {
            sessions: FxHashMap::default(),
            most,
        }
    }

    /// Adds a session; returns the one that has to go for it, if there are too many.
    pub(super) fn add(&mut self, subject: &str, session: ConnectionKey) -> Option<ConnectionKey> {
        let sessions = self.sessions.entry(subject.to_owned()).or_default();
        sessions.push_back(session);
        if sessions.len() > self.most {
            sessions.pop_front()
        } else {
            None
        }
    }

    /// A session is over.
    pub(super) fn remove(&mut self, subject: &str, session: ConnectionKey) {
        let Some(sessions) = self.sessions.get_mut(subject) else {
            return;
        };
        sessions.retain(|other| *other != session);
        if sessions.is_empty() {
            self.sessions.remove(subject);
        }
    }
}
