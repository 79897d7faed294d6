use std::sync::{Arc, Mutex, PoisonError};

use parvis::{
    PublishError,
    data::{DataLink, DataOptions, DataPublisher, FetchQuery, GroupId, Location},
};
use parvis_meeting::{
    ChatMessage, ChatSeq, Reactions, RoomCode, SessionId, StateMessage, UnixMillis, to_json, tracks,
};
use parvis_store::{SessionKey, Store};
use tokio::sync::mpsc;

use crate::record;

/// The tracks that all members of a room read.
#[derive(Debug)]
pub(crate) struct Outlets {
    state: DataPublisher,
    chat: DataPublisher,
    reactions: DataPublisher,
    state_group: Option<GroupId>,
    last_reaction: u64,
    archive: Archive,
}

/// Answers who asks for chat that the relay and the track have no more.
#[derive(Debug, Clone, Default)]
struct Archive(Arc<Mutex<Option<(SessionId, SessionKey)>>>);

/// A snapshot of the largest room, and the deltas until the next one.
const STATE_KEPT: usize = 1024;
const STATE_KEPT_BYTES: usize = 1 << 20;
const CHAT_KEPT: usize = 256;
/// Questions for old chat that wait; others are refused.
const QUERIES: usize = 16;
/// Messages of one answer.
const ANSWER: u64 = 1024;

impl Outlets {
    pub(crate) fn publish(
        link: &DataLink,
        store: &Store,
        code: &RoomCode,
        last_chat: Option<Location>,
    ) -> Result<Self, PublishError> {
        let track = |name| tracks::track(tracks::control(code), name);
        let (queries, asked) = mpsc::channel(QUERIES);
        let archive = Archive::default();
        let state = DataOptions {
            keep_objects: STATE_KEPT,
            keep_bytes: STATE_KEPT_BYTES,
            ..DataOptions::default()
        };
        let chat = DataOptions {
            keep_objects: CHAT_KEPT,
            queries: Some(queries),
            largest: last_chat,
            ..DataOptions::default()
        };
        let reactions = DataOptions {
            keep_objects: 1,
            ..DataOptions::default()
        };
        let outlets = Self {
            state: link.publish(track(tracks::STATE), state)?,
            chat: link.publish(track(tracks::CHAT), chat)?,
            reactions: link.publish(track(tracks::REACTIONS), reactions)?,
            state_group: None,
            last_reaction: 0,
            archive: archive.clone(),
        };
        // It ends with the track.
        tokio::spawn(archive.answer(store.clone(), asked));
        Ok(outlets)
    }

    /// Gives chat of this session to who asks for it.
    pub(crate) fn open_archive(&self, session: SessionId, key: SessionKey) {
        self.archive.set(Some((session, key)));
    }

    pub(crate) fn close_archive(&self) {
        self.archive.set(None);
    }

    pub(crate) fn state(&mut self, group: u64, object: u64, message: &StateMessage) {
        let group = GroupId(group);
        if let Some(before) = self.state_group.replace(group)
            && before != group
        {
            self.state.end_group(before);
        }
        self.state
            .send(Location::new(group.0, object), to_json(message));
    }

    pub(crate) fn chat(&self, session: SessionId, message: &ChatMessage) {
        let location = tracks::chat_location(session, message.seq);
        self.chat.send(location, to_json(message));
        if location.object.0 + 1 == tracks::CHAT_GROUP {
            self.chat.end_group(location.group);
        }
    }

    pub(crate) fn reactions(&mut self, reactions: &Reactions, now: UnixMillis) {
        // Without a gap, so that nobody waits for what is missing; and behind those of an authority before.
        self.last_reaction = match self.last_reaction {
            0 => now.0,
            last => last + 1,
        };
        let group = GroupId(self.last_reaction);
        self.reactions
            .send(Location::new(group.0, 0), to_json(reactions));
        self.reactions.end_group(group);
    }
}

impl Archive {
    fn set(&self, session: Option<(SessionId, SessionKey)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = session;
    }

    async fn answer(self, store: Store, mut asked: mpsc::Receiver<FetchQuery>) {
        while let Some(query) = asked.recv().await {
            let session = self
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let Some((id, key)) = session else {
                continue;
            };
            let Some((from, to)) = range(id, query.start, query.end) else {
                continue;
            };
            let mut objects = Vec::new();
            let mut from = from;
            while from < to {
                let lines = match store.chat(&key, ChatSeq(from), ChatSeq(to)).await {
                    Ok(lines) => lines,
                    Err(error) => {
                        tracing::warn!(%error, "the chat's history cannot be read");
                        break;
                    }
                };
                let Some(last) = lines.last() else {
                    break;
                };
                from = last.seq.0 + 1;
                for message in lines.iter().filter_map(record::on_track) {
                    let location = tracks::chat_location(id, message.seq);
                    objects.push((location, to_json(&message).into()));
                }
            }
            query.answer(objects);
        }
    }
}

/// The messages `from..to` that lie there; `None`: none, or more than are given at once.
fn range(session: SessionId, start: Location, end: Location) -> Option<(u64, u64)> {
    let seq = |location: Location, object: u64| {
        let group = location.group.0.checked_sub(session.0)?;
        let first = group.checked_mul(tracks::CHAT_GROUP)?;
        first.checked_add(object.min(tracks::CHAT_GROUP))
    };
    let from = if start.group.0 < session.0 {
        0
    } else {
        seq(start, start.object.0)?
    };
    let to = seq(end, end.object.0.saturating_add(1))?;
    (from < to && to - from <= ANSWER).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_places_is_one_of_messages() {
        let session = SessionId(100);
        let at = Location::new;
        assert_eq!(range(session, at(100, 0), at(100, 63)), Some((0, 64)));
        assert_eq!(range(session, at(100, 5), at(101, 0)), Some((5, 65)));
        assert_eq!(range(session, at(7, 5), at(101, u64::MAX)), Some((0, 128)));
        assert_eq!(range(session, at(7, 5), at(99, 3)), None);
        assert_eq!(range(session, at(100, 64), at(100, 99)), None);
        assert_eq!(range(session, at(100, 0), at(u64::MAX, u64::MAX)), None);
        assert_eq!(range(session, at(100, 0), at(117, 0)), None, "too many");
    }
}
