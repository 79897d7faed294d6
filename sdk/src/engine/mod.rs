//! What runs a room: the state in [`core::Core`], for each connection a task that carries the
//! session's events to it, a supervisor that keeps the room connected, and the handle that rooms
//! and tracks use.
//!
//! A session is only ever used inside its connection's own task. While the room moves there are
//! two of them: both feed the same core, which sends each object to both and takes each once.

mod arrivals;
mod attempt;
mod core;
mod data;
mod data_api;
mod directory;
mod feed;
mod flusher;
mod group_stream;
mod link;
mod moving;
mod outbox;
mod own_requests;
mod peer_requests;
mod publications;
mod seen;
mod serving;
mod subscription;
mod supervisor;
mod task;
mod tracks;

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use parvis_format::MediaKind;
use parvis_quic::{
    PathStats,
    client::{Connection, Gone},
};
use parvis_session::Session;
use parvis_wire::{Draft, FullTrackName};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{
    CloseReason, ConnectError, LocalStats, ParticipantName, PublishError, RebindError, RemoteStats,
    RoomOptions, RoomState, SubscribeError, TrackKind, codecs::CodecDesk, remote::RemoteCounters,
    threads::Threads,
};

use self::{
    core::Core,
    flusher::{Flusher, LinkFlusher},
    link::LinkId,
    supervisor::Supervisor,
};

pub(crate) use self::subscription::FRAMES;
pub use self::subscription::RemoteFrame;

pub(crate) use self::{
    arrivals::Reception,
    data::DataKey,
    outbox::MediaSender,
    publications::{NewPublication, PublicationKind},
    subscription::TrackKey,
};

/// How long a connection that is over may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long after a refusal it is known that the relay asks to move.
const GOING_AWAY: Duration = Duration::from_millis(200);

/// A track to receive.
pub(crate) struct NewSubscription {
    pub name: FullTrackName,
    pub kind: MediaKind,
    pub sink: mpsc::Sender<RemoteFrame>,
    pub counters: Arc<RemoteCounters>,
    pub reply: oneshot::Sender<Result<TrackKey, SubscribeError>>,
}

/// A handle to what runs a room.
#[derive(Clone)]
pub(crate) struct Engine {
    core: Arc<Mutex<Core>>,
    flusher: Arc<Flusher>,
    threads: Threads,
    codecs: CodecDesk,
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
        url: String,
        options: RoomOptions,
        state: watch::Sender<Arc<RoomState>>,
    ) -> (Self, EngineTask) {
        let (notices, heard) = mpsc::unbounded_channel();
        let core = Arc::new_cyclic(|weak| {
            let flusher = Arc::new(Flusher::new(weak.clone()));
            let (room, me) = (options.room.clone(), options.participant.clone());
            Mutex::new(Core::new(room, me, state, flusher, notices))
        });
        let flusher = Arc::clone(&lock(&core).flusher);
        let engine = Self {
            core,
            flusher,
            threads: Threads::new(),
            codecs: CodecDesk::new(options.codecs.clone()),
        };
        let mut supervisor = Supervisor::new(engine.clone(), url, options, heard);
        supervisor.add(connection);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(supervisor.run(stopped));
        (engine, EngineTask { stop, task })
    }

    /// Runs a closure on the core and the current session, in the connection's task.
    async fn with<R, F>(&self, body: F) -> Result<R, Gone>
    where
        R: Send + 'static,
        F: FnOnce(&mut Core, LinkId, &mut Session, Instant) -> R + Send + 'static,
    {
        let (id, way) = self.current().ok_or(Gone)?;
        let core = Arc::clone(&self.core);
        let result = way
            .session
            .with(move |session, now| body(&mut lock(&core), id, session, now));
        let result = result.await;
        // What was done may have moved the next deadline.
        self.flusher.wake();
        result
    }

    fn current(&self) -> Option<(LinkId, Arc<LinkFlusher>)> {
        let id = lock(&self.core).current?;
        Some((id, self.flusher.link(id)?))
    }

    fn closed(&self) -> CloseReason {
        let core = lock(&self.core);
        let reason = core.closed.clone().or_else(|| core.lost.borrow().clone());
        reason.unwrap_or(CloseReason::Local)
    }

    /// Learns who is in the room, from here on.
    pub(crate) async fn discover(&self) -> Result<(), ConnectError> {
        let (reply, answer) = oneshot::channel();
        let asked = self
            .with(move |core, id, session, now| core.discover(id, Some(reply), session, now))
            .await;
        self.answered(asked, answer).await
    }

    /// Asks whether somebody of one's own name is there.
    pub(crate) async fn probe(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        let asked = self
            .with(move |core, id, session, now| core.probe(id, reply, session, now))
            .await;
        asked.is_ok() && answer.await.unwrap_or(false)
    }

    /// Becomes visible.
    pub(crate) async fn announce(&self) -> Result<(), ConnectError> {
        let (reply, answer) = oneshot::channel();
        let asked = self
            .with(move |core, id, session, now| core.announce(id, Some(reply), session, now))
            .await;
        self.answered(asked, answer).await
    }

    /// Others see this participant once the room is entered, though it has no track that they are told of.
    pub(crate) fn become_visible(&self) {
        lock(&self.core).visible = true;
        self.flusher.wake();
    }

    /// The room was entered: other connections may take the place of the first.
    pub(crate) fn entered(&self) {
        lock(&self.core).entered = true;
        self.flusher.wake();
    }

    /// The room was entered, and this participant is not announced before it publishes a track.
    pub(crate) fn entered_quietly(&self) {
        {
            let mut core = lock(&self.core);
            core.visible = !core.publications.is_empty();
        }
        self.entered();
    }

    /// Whether the relay has asked to move, and where to. A request is refused for that a moment before it is
    /// known.
    pub(crate) async fn asked_to_move(&self) -> Option<String> {
        let mut asked = lock(&self.core).asked_to_move.subscribe();
        let asked = tokio::time::timeout(GOING_AWAY, asked.wait_for(Option::is_some)).await;
        asked.ok()?.ok()?.clone()
    }

    /// Whether a relay has answered, which is when one is let in.
    pub(crate) fn let_in(&self) -> watch::Receiver<bool> {
        lock(&self.core).let_in.subscribe()
    }

    async fn answered(
        &self,
        asked: Result<(), Gone>,
        answer: oneshot::Receiver<Result<(), ConnectError>>,
    ) -> Result<(), ConnectError> {
        if asked.is_err() {
            self.last_words().await;
        }
        let closed = || Err(ConnectError::closed(self.closed()));
        match asked {
            Ok(()) => answer.await.unwrap_or_else(|_| closed()),
            Err(Gone) => closed(),
        }
    }

    /// Waits until it is known why a connection is over that takes no more requests: its task tells
    /// a moment later.
    async fn last_words(&self) {
        let mut lost = {
            let core = lock(&self.core);
            if core.closed.is_some() {
                return;
            }
            core.lost.subscribe()
        };
        // Without a reason it was left from here.
        let _ = tokio::time::timeout(LAST_WORDS, lost.wait_for(Option::is_some)).await;
    }

    /// Publishes a track; its frames go into what is returned.
    #[expect(
        clippy::unused_async,
        reason = "those who publish wait, whether there is something to wait for or not"
    )]
    pub(crate) async fn publish(&self, new: NewPublication) -> Result<MediaSender, PublishError> {
        let sender = lock(&self.core).publish(new, Instant::now());
        self.flusher.wake();
        sender
    }

    /// Publishes the layers of a source. One catalog lists them all: nobody takes the first for want of
    /// the others.
    #[expect(
        clippy::unused_async,
        reason = "those who publish wait, whether there is something to wait for or not"
    )]
    pub(crate) async fn publish_layers(
        &self,
        layers: impl IntoIterator<Item = NewPublication>,
    ) -> Result<Vec<MediaSender>, PublishError> {
        let mut core = lock(&self.core);
        let now = Instant::now();
        let senders = layers.into_iter().map(|new| core.publish(new, now));
        let senders = senders.collect();
        drop(core);
        self.flusher.wake();
        senders
    }

    /// Whether such a track is published.
    pub(crate) fn publishes(&self, is_such: impl Fn(&str) -> bool) -> bool {
        let core = lock(&self.core);
        core.publications.keys().any(|track| is_such(track))
    }

    /// Receives a track; its frames go into `sink`.
    pub(crate) async fn subscribe(
        &self,
        name: FullTrackName,
        kind: MediaKind,
        sink: mpsc::Sender<RemoteFrame>,
        counters: Arc<RemoteCounters>,
    ) -> Result<TrackKey, SubscribeError> {
        let (reply, answer) = oneshot::channel();
        let new = NewSubscription {
            name,
            kind,
            sink,
            counters,
            reply,
        };
        lock(&self.core).subscribe(new);
        self.flusher.wake();
        answer
            .await
            .unwrap_or_else(|_| Err(SubscribeError::Closed(self.closed())))
    }

    /// Says in the catalog that a track carries something else.
    pub(crate) fn set_info(&self, track: &str, kind: TrackKind) {
        lock(&self.core).set_info(track, kind, Instant::now());
        self.flusher.wake();
    }

    /// Asks the publisher of a track that is received for a key frame; never waits.
    pub(crate) fn ask_key(&self, key: TrackKey) {
        lock(&self.core).ask_key(key);
        self.flusher.wake();
    }

    /// Has a track that is received sent before those of a larger number; never waits.
    pub(crate) fn set_priority(&self, key: TrackKey, priority: u8) {
        lock(&self.core).set_priority(key, priority);
        self.flusher.wake();
    }

    /// The platform's codecs and who hears of their choice.
    pub(crate) const fn codecs(&self) -> &CodecDesk {
        &self.codecs
    }

    /// Ends a subscription; never waits.
    pub(crate) fn unsubscribe(&self, key: TrackKey) {
        lock(&self.core).unsubscribe(key);
    }

    /// Starts a thread that [`Engine::close`] waits for.
    pub(crate) fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.spawn(name, body)
    }

    /// What was measured of the path; `None`: the connection is over.
    pub(crate) async fn path(&self) -> Option<PathStats> {
        let (_, way) = self.current()?;
        way.session.stats().await.ok()
    }

    /// Goes over to a new UDP socket.
    pub(crate) async fn rebind(&self) -> Result<(), RebindError> {
        let (_, way) = self.current().ok_or(RebindError::NotConnected)?;
        match way.session.rebind().await {
            Ok(rebound) => rebound.map_err(|error| RebindError::Socket(error.to_string())),
            Err(Gone) => Err(RebindError::NotConnected),
        }
    }

    /// What became of the frames of the tracks that are published.
    pub(crate) fn sent(&self) -> Vec<LocalStats> {
        let core = lock(&self.core);
        let listed = core.publications.values().filter(|p| p.new.info.is_some());
        listed
            .map(|publication| publication.new.demand.stats(&publication.new.track))
            .collect()
    }

    /// Whose tracks are received, and what became of their frames.
    pub(crate) fn received(&self) -> Vec<(ParticipantName, String, RemoteStats)> {
        lock(&self.core).received()
    }

    /// How what is received came since the last look.
    pub(crate) fn look_at_reception(&self) -> Reception {
        lock(&self.core).look_at_reception()
    }

    /// How long the oldest object has been waiting to be sent; `None`: the connection is over.
    pub(crate) async fn unsent(&self) -> Option<Duration> {
        let age = |session: &mut Session, now: Instant| {
            let oldest = session.oldest_queued();
            oldest.map_or(Duration::ZERO, |at| now.saturating_duration_since(at))
        };
        let (_, way) = self.current()?;
        way.session.with(age).await.ok()
    }

    /// The draft that the current connection speaks.
    pub(crate) fn draft(&self) -> Option<Draft> {
        lock(&self.core).draft
    }

    /// Says goodbye, ends the task, and waits for it and every thread.
    pub(crate) async fn close(&self, task: EngineTask) {
        let (reply, answer) = oneshot::channel();
        let asked = self
            .with(move |core, id, session, now| core.close(reply, id, session, now))
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
