use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};

use parvis::data::DataLink;
use parvis_meeting::{RoomCode, Settings};
use parvis_store::Store;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    Limits,
    docket::{Event, RoomKey},
    passes::Passes,
    relay_orders::RelayOrders,
    room_task,
};

/// What all tasks of an authority use.
#[derive(Debug)]
pub(crate) struct Court {
    pub(crate) link: DataLink,
    pub(crate) store: Store,
    pub(crate) passes: Passes,
    pub(crate) orders: RelayOrders,
    pub(crate) settings: Settings,
    pub(crate) limits: Limits,
    pub(crate) rooms: Registry,
    /// How many people are there, let in or not.
    pub(crate) present: watch::Sender<usize>,
    /// Whether the relay is about to stop.
    pub(crate) ending: AtomicBool,
}

/// The rooms that run.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    queues: HashMap<RoomKey, mpsc::Sender<Event>>,
    tasks: JoinSet<()>,
    /// Rooms that another authority runs.
    lost: HashSet<RoomCode>,
    closed: bool,
}

/// There is no place for another room, or it is none of ours.
#[derive(Debug)]
pub(crate) struct NoPlace;

impl Court {
    /// The queue of a room, which is opened if it does not run.
    pub(crate) fn room(self: &Arc<Self>, key: RoomKey) -> Result<mpsc::Sender<Event>, NoPlace> {
        self.open(key, false)
    }

    /// Goes on with a room whose session runs according to the store.
    pub(crate) fn resume(self: &Arc<Self>, code: RoomCode) -> Result<(), NoPlace> {
        self.open(RoomKey::Real(code), true).map(drop)
    }

    fn open(self: &Arc<Self>, key: RoomKey, resumes: bool) -> Result<mpsc::Sender<Event>, NoPlace> {
        let mut state = self.rooms.state();
        if let Some(queue) = state.queues.get(&key) {
            return Ok(queue.clone());
        }
        // Those without a room take no place from those who have one.
        let like = |other: &&RoomKey| other.is_real() == key.is_real();
        let full = state.queues.keys().filter(like).count() >= self.limits.rooms;
        if full && !resumes {
            tracing::warn!(rooms = self.limits.rooms, "no place for another room");
        }
        if (full && !resumes) || state.closed || state.lost.contains(key.code()) {
            return Err(NoPlace);
        }
        let (queue, events) = mpsc::channel(self.limits.queue.max(1));
        state.queues.insert(key, queue.clone());
        while state.tasks.try_join_next().is_some() {}
        let court = Arc::clone(self);
        state
            .tasks
            .spawn(room_task::run(court, key, events, resumes));
        Ok(queue)
    }

    /// Tells all rooms.
    pub(crate) fn tell_all(&self, event: impl Fn() -> Event) {
        let queues: Vec<_> = self.rooms.state().queues.values().cloned().collect();
        for queue in queues {
            tell(queue, event());
        }
    }

    /// Tells the room that follows one which has ended.
    pub(crate) fn pass_on(self: &Arc<Self>, key: RoomKey, event: Event) {
        // Whoever said something to a room that ended says it again.
        if let Event::Arrived { .. } = event
            && let Ok(queue) = self.room(key)
        {
            tell(queue, event);
        }
    }

    /// Tells a room, if it runs.
    pub(crate) fn tell(&self, key: RoomKey, event: Event) {
        let queue = self.rooms.state().queues.get(&key).cloned();
        if let Some(queue) = queue {
            tell(queue, event);
        }
    }
}

/// Tells a room when it has a place for that, without keeping anybody else waiting.
fn tell(queue: mpsc::Sender<Event>, event: Event) {
    if let Err(mpsc::error::TrySendError::Full(event)) = queue.try_send(event) {
        tokio::spawn(async move {
            // A room that ended meanwhile has nothing to be told.
            let _ = queue.send(event).await;
        });
    }
}

impl Registry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out a room that has ended; whoever comes next opens it anew.
    pub(crate) fn remove(&self, key: &RoomKey) {
        self.state().queues.remove(key);
    }

    /// Another authority runs a room now.
    pub(crate) fn lose(&self, key: &RoomKey) {
        let mut state = self.state();
        state.queues.remove(key);
        state.lost.insert(*key.code());
    }

    /// Opens no more rooms; those that run end when they have done what they were told.
    pub(crate) fn close(&self) -> JoinSet<()> {
        let mut state = self.state();
        state.closed = true;
        state.queues.clear();
        std::mem::take(&mut state.tasks)
    }
}
