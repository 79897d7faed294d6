//! What runs a room: the state in [`core::Core`], a task that carries the session's events to it,
//! and the handle that rooms and tracks use.
//!
//! The core is only ever used inside the connection's own task, where the session is.

mod core;
mod directory;
mod flusher;
mod group_stream;
mod outbox;
mod own_requests;
mod peer_requests;
mod publications;
mod serving;
mod subscription;
mod task;

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use parvis_format::MediaKind;
use parvis_quic::{
    PathStats,
    client::{Connection, Gone, SessionHandle},
};
use parvis_session::{RequestKey, Session};
use parvis_wire::FullTrackName;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{
    CloseReason, ConnectError, ParticipantName, PublishError, RoomName, RoomState, SubscribeError,
    remote::RemoteCounters, threads::Threads,
};

use self::{core::Core, flusher::Flusher};

pub(crate) use self::subscription::FRAMES;
pub use self::subscription::RemoteFrame;

pub(crate) use self::{
    outbox::MediaSender,
    publications::{NewPublication, PublicationKind},
};

/// A track to receive.
pub(crate) struct NewSubscription {
    pub name: FullTrackName,
    pub kind: MediaKind,
    pub sink: mpsc::Sender<RemoteFrame>,
    pub counters: Arc<RemoteCounters>,
    pub reply: oneshot::Sender<Result<RequestKey, SubscribeError>>,
}

/// A handle to what runs a room.
#[derive(Clone)]
pub(crate) struct Engine {
    session: SessionHandle,
    core: Arc<Mutex<Core>>,
    flusher: Arc<Flusher>,
    threads: Threads,
}

/// The task of a room. Dropping it ends the task in the background.
#[derive(Debug)]
pub(crate) struct EngineTask {
    /// Dropped to end the task.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    pub(crate) fn start(
        connection: Connection,
        room: RoomName,
        me: Option<ParticipantName>,
        state: watch::Sender<Arc<RoomState>>,
    ) -> (Self, EngineTask) {
        let session = connection.handle();
        let core = Arc::new_cyclic(|weak| {
            let flusher = Arc::new(Flusher::new(session.clone(), weak.clone()));
            Mutex::new(Core::new(room, me, state, flusher))
        });
        let flusher = Arc::clone(&lock(&core).flusher);
        let engine = Self {
            session,
            core,
            flusher,
            threads: Threads::new(),
        };
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(task::run(connection, engine.clone(), stopped));
        (engine, EngineTask { stop, task })
    }

    /// Runs a closure on the core, in the connection's task.
    async fn with<R, F>(&self, body: F) -> Result<R, Gone>
    where
        R: Send + 'static,
        F: FnOnce(&mut Core, &mut Session, Instant) -> R + Send + 'static,
    {
        let core = Arc::clone(&self.core);
        let result = self
            .session
            .with(move |session, now| body(&mut lock(&core), session, now));
        let result = result.await;
        // What was done may have moved the next deadline.
        self.flusher.wake.notify_one();
        result
    }

    fn closed(&self) -> CloseReason {
        lock(&self.core)
            .closed
            .clone()
            .unwrap_or(CloseReason::Local)
    }

    /// Learns who is in the room, from here on.
    pub(crate) async fn discover(&self) -> Result<(), ConnectError> {
        let (reply, answer) = oneshot::channel();
        let asked = self
            .with(move |core, session, now| core.discover(reply, session, now))
            .await;
        self.answered(asked, answer).await
    }

    /// Asks whether somebody of one's own name is there.
    pub(crate) async fn probe(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        let asked = self
            .with(move |core, session, now| core.probe(reply, session, now))
            .await;
        asked.is_ok() && answer.await.unwrap_or(false)
    }

    /// Becomes visible.
    pub(crate) async fn announce(&self) -> Result<(), ConnectError> {
        let (reply, answer) = oneshot::channel();
        let asked = self
            .with(move |core, session, now| core.announce(reply, session, now))
            .await;
        self.answered(asked, answer).await
    }

    async fn answered(
        &self,
        asked: Result<(), Gone>,
        answer: oneshot::Receiver<Result<(), ConnectError>>,
    ) -> Result<(), ConnectError> {
        let closed = || Err(ConnectError::Closed(self.closed()));
        match asked {
            Ok(()) => answer.await.unwrap_or_else(|_| closed()),
            Err(Gone) => closed(),
        }
    }

    /// Publishes a track; its frames go into what is returned.
    pub(crate) async fn publish(&self, new: NewPublication) -> Result<MediaSender, PublishError> {
        self.with(move |core, _, now| core.publish(new, now))
            .await
            .unwrap_or_else(|Gone| Err(PublishError::Closed(self.closed())))
    }

    /// Receives a track; its frames go into `sink`.
    pub(crate) async fn subscribe(
        &self,
        name: FullTrackName,
        kind: MediaKind,
        sink: mpsc::Sender<RemoteFrame>,
        counters: Arc<RemoteCounters>,
    ) -> Result<RequestKey, SubscribeError> {
        let (reply, answer) = oneshot::channel();
        let new = NewSubscription {
            name,
            kind,
            sink,
            counters,
            reply,
        };
        let asked = self
            .with(move |core, session, now| core.subscribe(new, session, now))
            .await;
        let closed = || Err(SubscribeError::Closed(self.closed()));
        match asked {
            Ok(()) => answer.await.unwrap_or_else(|_| closed()),
            Err(Gone) => closed(),
        }
    }

    /// Ends a subscription; never waits.
    pub(crate) fn unsubscribe(&self, key: RequestKey) {
        let core = Arc::clone(&self.core);
        // Where the queue is full, the next frame finds that nobody takes it.
        let _ = self.session.try_run(move |session, now| {
            lock(&core).unsubscribe(key, session, now);
        });
    }

    /// Starts a thread that [`Engine::close`] waits for.
    pub(crate) fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.spawn(name, body)
    }

    /// What was measured of the path; `None`: the connection is over.
    pub(crate) async fn path(&self) -> Option<PathStats> {
        self.session.stats().await.ok()
    }

    /// Says goodbye, ends the task, and waits for it and every thread.
    pub(crate) async fn close(&self, task: EngineTask) {
        let (reply, answer) = oneshot::channel();
        let asked = self
            .with(move |core, session, now| core.close(reply, session, now))
            .await;
        if asked.is_ok() {
            let _ = answer.await;
        }
        drop(task.stop);
        // An error is a panic of the task, which was printed where it happened.
        let _ = task.task.await;
        self.threads.join().await;
    }
}

fn lock(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
