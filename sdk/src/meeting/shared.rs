use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use parvis_format::AudioLevel;
use parvis_meeting::{ChatSeq, CommandId, ParticipantId, Quality, SessionId, Source, tracks};
use tokio::sync::watch;

use super::{
    data::Data,
    pending::Outbound,
    quality::Path,
    stats::{Meter, Rates},
    switch::Words,
    targets::Targets,
    volumes::Volumes,
    wishes::Wishes,
};
use crate::{PathStats, Room, clock, data::Location};

/// What the driver and the handles of a meeting share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    pub wishes: watch::Sender<Wishes>,
    pub volumes: watch::Sender<Volumes>,
    pub targets: Targets,
    pub outbound: Outbound,
    pub data: Data,
    /// Sources that a host stopped, or oneself, and that were not turned on since.
    stopped: watch::Sender<BTreeSet<Source>>,
    /// Held while a word is said: words are numbered in the order in which they are said.
    words: Mutex<Words>,
}

#[derive(Debug)]
struct State {
    room: Option<Arc<Room>>,
    /// The newest chat message, and in which session.
    newest: Option<(SessionId, ChatSeq)>,
    /// How far the chat track reached when it was subscribed to.
    chat_reached: Option<Location>,
    path: Path,
    meter: Meter,
    next_message: u64,
}

/// The level beside a frame of somebody's sound.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub who: ParticipantId,
    pub level: AudioLevel,
}

impl Shared {
    pub(super) fn new(room: Arc<Room>) -> Self {
        Self::with(Some(room))
    }

    /// room: `None`: it is over.
    pub(super) fn with(room: Option<Arc<Room>>) -> Self {
        let state = State {
            room,
            newest: None,
            chat_reached: None,
            path: Path::default(),
            meter: Meter::default(),
            next_message: clock::now().as_micros() as u64,
        };
        Self {
            state: Mutex::new(state),
            wishes: watch::Sender::default(),
            volumes: watch::Sender::default(),
            targets: Targets::default(),
            outbound: Outbound::default(),
            data: Data::default(),
            stopped: watch::Sender::default(),
            words: Mutex::default(),
        }
    }

    pub(super) fn words(&self) -> MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn room(&self) -> Option<Arc<Room>> {
        self.state().room.clone()
    }

    pub(super) fn close_room(&self) {
        self.state().room = None;
        self.data.close();
    }

    /// An id for a chat message, of which this participant has used none.
    pub(super) fn new_message_id(&self) -> CommandId {
        let mut state = self.state();
        state.next_message += 1;
        CommandId::new(&format!("m{:x}", state.next_message)).expect("a short number is an id")
    }

    pub(super) fn muted(&self, source: Source) {
        self.stopped.send_modify(|stopped| {
            stopped.insert(source);
        });
    }

    pub(super) fn unmuted(&self, source: Source) {
        self.stopped.send_modify(|stopped| {
            stopped.remove(&source);
        });
    }

    /// Stops a source oneself; what was said of it before does not start it.
    pub(super) fn stop(&self, source: Source) {
        let mut words = self.words();
        words.next(source);
        self.muted(source);
    }

    /// The meeting knows that a source is on, by that word.
    pub(super) fn turned_on(&self, source: Source, word: u64) {
        let words = self.words();
        if words.is_last(source, word) {
            self.unmuted(source);
        }
    }

    pub(super) fn is_muted(&self, source: Source) -> bool {
        self.stopped.borrow().contains(&source)
    }

    /// What is stopped, also later.
    pub(super) fn stopped(&self) -> watch::Receiver<BTreeSet<Source>> {
        self.stopped.subscribe()
    }

    pub(super) fn chat_seen(&self, at: Location, seq: ChatSeq, session: Option<SessionId>) {
        // The session is named by the place too, should its snapshot come later.
        let began = at.group.0.saturating_sub(seq.0 / tracks::CHAT_GROUP);
        let session = session.unwrap_or(SessionId(began));
        let mut state = self.state();
        if state.newest.is_none_or(|newest| newest < (session, seq)) {
            state.newest = Some((session, seq));
        }
    }

    /// The chat track was subscribed to.
    pub(super) fn chat_reached(&self, largest: Option<Location>) {
        self.state().chat_reached = largest;
    }

    /// session: the one that runs, if it is known.
    pub(super) fn newest_chat(&self, session: Option<SessionId>) -> Option<(SessionId, ChatSeq)> {
        let state = self.state();
        let before = session
            .zip(state.chat_reached)
            .and_then(|(session, largest)| {
                // A largest one of a session before is no message of this one.
                Some((session, tracks::chat_seq(session, largest)?))
            });
        state.newest.max(before)
    }

    pub(super) fn quality(&self, stats: &PathStats) -> Quality {
        let mut state = self.state();
        state.meter.take(stats, Instant::now());
        state.path.judge(stats)
    }

    pub(super) fn rates(&self) -> Rates {
        self.state().meter.rates()
    }
}
