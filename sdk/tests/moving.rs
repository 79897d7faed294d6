//! Rooms whose relay asks them to move, or is lost.

mod common;

use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use common::{name, room_name, soon, until};
use parvis::{
    CloseReason, Connectivity, Draft, LocalEncoded, RemoteStats, RemoteTrack, Room, RoomEvent,
    RoomEvents, RoomOptions, TrackKind, Trust, clock,
    format::{AudioParams, EncodedFrame, VideoParams},
};
use parvis_quic::{
    client::{ConnectOptions, Connection},
    tls::ClientTls,
};
use parvis_relay::{Config, Relay, Running};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

/// Longer than any test takes.
const LONG: Duration = Duration::from_mins(1);
/// Frames of a video group.
const GROUP: u64 = 25;

fn config() -> Config {
    Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        threads: NonZeroUsize::new(2).expect("not zero"),
        ..Config::default()
    }
}

fn start(config: Config) -> Running {
    Relay::start(config).expect("the relay starts")
}

fn url(addr: SocketAddr) -> String {
    format!("moqt://{addr}/")
}

async fn enter(addr: SocketAddr, who: &str, draft: Draft) -> Room {
    let mut options = RoomOptions::new(room_name(), name(who))
        .with_trust(Trust::Anyone)
        .with_drafts(vec![draft]);
    options.connect_timeout = Duration::from_secs(20);
    soon("entering", Room::connect(&url(addr), options))
        .await
        .expect("the room is entered")
}

/// Sends numbered frames, one each ten milliseconds, until it is told to stop.
struct Sender {
    stop: watch::Sender<bool>,
    sent: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

fn send(track: LocalEncoded, frame: impl Fn(u64) -> EncodedFrame + Send + 'static) -> Sender {
    let (stop, mut stopped) = watch::channel(false);
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    let task = tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(10));
        // A machine that is late must not have more to send at once than there is room for.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    track.push(frame(count.load(Ordering::SeqCst)));
                    count.fetch_add(1, Ordering::SeqCst);
                }
                _ = stopped.changed() => return,
            }
        }
    });
    Sender { stop, sent, task }
}

impl Sender {
    /// How many frames were sent; no more are.
    async fn stop(self) -> u64 {
        self.stop.send_replace(true);
        self.task.await.expect("it sends until it is stopped");
        self.sent.load(Ordering::SeqCst)
    }
}

fn payload(number: u64) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

fn number(payload: &[u8]) -> u64 {
    u64::from_be_bytes(payload.try_into().expect("a number"))
}

async fn publish_sound(room: &Room) -> Sender {
    let kind = TrackKind::Audio(AudioParams::opus(1));
    let track = room.publish_encoded("microphone", kind).await.unwrap();
    send(track, |number| {
        EncodedFrame::audio(clock::now(), None, payload(number))
    })
}

async fn publish_video(room: &Room) -> Sender {
    let kind = TrackKind::Video(VideoParams::av1(320, 180));
    let track = room.publish_encoded("camera", kind).await.unwrap();
    send(track, |number| {
        EncodedFrame::video(clock::now(), number.is_multiple_of(GROUP), payload(number))
    })
}

async fn subscribe(room: &Room, who: &str, track: &str) -> RemoteTrack {
    until("the track", || {
        let state = room.state();
        let participant = state.participants.get(&name(who));
        participant.is_some_and(|who| who.track(track).is_some())
    })
    .await;
    soon("the subscription", room.subscribe(&name(who), track))
        .await
        .unwrap()
}

/// Takes frames until the track ends, and holds that each follows the one before.
struct Follower {
    last: watch::Receiver<Option<u64>>,
    task: JoinHandle<RemoteStats>,
}

impl Follower {
    fn new(mut track: RemoteTrack) -> Self {
        let (told, last) = watch::channel(None);
        let task = tokio::spawn(async move {
            while let Some(frame) = track.next().await {
                let number = number(&frame.frame.payload);
                assert_eq!(frame.gap, 0, "before {number}");
                if let Some(last) = *told.borrow() {
                    assert_eq!(number, last + 1);
                }
                told.send_replace(Some(number));
            }
            track.stats()
        });
        Self { last, task }
    }

    async fn reach(&mut self, number: u64) {
        let reached = self
            .last
            .wait_for(|last| last.is_some_and(|last| last >= number));
        soon("a frame", reached).await.expect("it goes on");
    }

    /// The track has ended with this frame.
    async fn end(self, number: u64) {
        let stats = soon(
            &format!(
                "the end of the track after {:?} of {number}",
                *self.last.borrow()
            ),
            self.task,
        )
        .await
        .unwrap();
        assert_eq!(*self.last.borrow(), Some(number), "{stats:?}");
        assert_eq!(stats.skipped, 0, "{stats:?}");
    }
}

async fn moved(events: &mut RoomEvents) -> Vec<RoomEvent> {
    let mut seen = Vec::new();
    loop {
        let event = soon("the move", events.next()).await.expect("it goes on");
        match event {
            RoomEvent::Moved => return seen,
            RoomEvent::Left(who) => panic!("{who} left"),
            RoomEvent::Closed(reason) => panic!("closed: {reason}"),
            other => seen.push(other),
        }
    }
}

async fn join(relay: Running) {
    tokio::task::spawn_blocking(|| relay.join())
        .await
        .unwrap()
        .unwrap();
}

async fn everything_moves(draft: Draft) {
    let new = start(config());
    let old = start(Config {
        drain_to: Some(url(new.local_addr())),
        ..config()
    });
    let alice = enter(old.local_addr(), "alice", draft).await;
    let bruno = enter(old.local_addr(), "bruno", draft).await;
    let (mut alices, mut brunos) = (alice.events(), bruno.events());
    let sound = publish_sound(&alice).await;
    let video = publish_video(&alice).await;
    let mut heard = Follower::new(subscribe(&bruno, "alice", "microphone").await);
    let mut watched = Follower::new(subscribe(&bruno, "alice", "camera").await);
    heard.reach(10).await;
    watched.reach(10).await;

    old.stopper().stop(LONG);
    let both = tokio::join!(moved(&mut alices), moved(&mut brunos));
    assert!(both.0.contains(&RoomEvent::Moving), "{both:?}");
    // The old relay ends because everybody has left it, long before its time.
    soon("the end of the old relay", join(old)).await;
    assert_eq!(new.stats().sessions, 2);
    let (sound, video) = (sound.stop().await, video.stop().await);
    heard.end(sound - 1).await;
    watched.end(video - 1).await;
    assert_eq!(bruno.state().moves, 1);
    assert_eq!(bruno.state().connectivity, Connectivity::Connected);
    soon("leaving", bruno.close()).await;
    soon("leaving", alice.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publisher_and_watcher_move_without_a_gap_in_draft_22() {
    everything_moves(Draft::D22).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publisher_and_watcher_move_without_a_gap_in_draft_18() {
    everything_moves(Draft::D18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_moves_to_a_successor_on_the_same_port() {
    let shared = Config {
        hand_over: true,
        ..config()
    };
    let old = start(shared.clone());
    let addr = old.local_addr();
    let alice = enter(addr, "alice", Draft::D22).await;
    let bruno = enter(addr, "bruno", Draft::D22).await;
    let sound = publish_sound(&alice).await;
    let mut heard = Follower::new(subscribe(&bruno, "alice", "microphone").await);
    heard.reach(10).await;

    let (mut alices, mut brunos) = (alice.events(), bruno.events());
    old.stopper().stop(LONG);
    until("the move to begin", || {
        let moving = |room: &Room| room.state().connectivity == Connectivity::Moving;
        moving(&alice) && moving(&bruno)
    })
    .await;
    // Nobody answers at first, and media goes on all the same.
    let reached = sound.sent.load(Ordering::SeqCst);
    heard.reach(reached + 10).await;
    let new = start(Config {
        listen: addr,
        ..shared
    });
    tokio::join!(moved(&mut alices), moved(&mut brunos));
    soon("the end of the old relay", join(old)).await;
    let sound = sound.stop().await;
    heard.end(sound - 1).await;
    assert_eq!(new.stats().sessions, 2);
    soon("leaving", bruno.close()).await;
    soon("leaving", alice.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_to_a_draining_relay_is_let_in_by_the_next() {
    let new = start(config());
    let old = start(Config {
        drain_to: Some(url(new.local_addr())),
        ..config()
    });
    let alice = enter(old.local_addr(), "alice", Draft::D22).await;
    let mut alices = alice.events();
    // One that does not move keeps the old relay from ending.
    let options = ConnectOptions {
        tls: ClientTls::insecure(),
        ..ConnectOptions::default()
    };
    let _stays = Connection::connect(&url(old.local_addr()), options)
        .await
        .unwrap();
    old.stopper().stop(LONG);
    let bruno = enter(old.local_addr(), "bruno", Draft::D22).await;
    moved(&mut alices).await;
    until("everybody at the new relay", || new.stats().sessions == 2).await;
    soon("leaving", bruno.close()).await;
    soon("leaving", alice.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_points_to_itself_is_asked_less_and_less_often() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    drop(socket);
    let relay = start(Config {
        listen: addr,
        drain_to: Some(url(addr)),
        ..config()
    });
    let alice = enter(addr, "alice", Draft::D22).await;
    let began = Instant::now();
    relay.stopper().stop(LONG);
    until("the fourth move", || {
        let stats = relay.stats();
        // The current one, two that are left, and one that is made.
        assert!(stats.sessions <= 4, "{}", stats.sessions);
        stats.sessions_opened >= 5
    })
    .await;
    // Three pauses of at least three quarters of 100, 200 and 400 ms.
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(525), "{took:?}");
    soon("leaving", alice.close()).await;
    soon("the end", join(relay)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_comes_back_when_its_relay_does() {
    let old = start(config());
    let addr = old.local_addr();
    let alice = enter(addr, "alice", Draft::D22).await;
    let bruno = enter(addr, "bruno", Draft::D22).await;
    let sound = publish_sound(&alice).await;
    let mut heard = subscribe(&bruno, "alice", "microphone").await;
    soon("a frame", heard.next()).await.expect("it goes on");

    let (mut alices, mut brunos) = (alice.events(), bruno.events());
    drop(old);
    until("the loss to be known", || {
        let lost = |room: &Room| {
            matches!(
                room.state().connectivity,
                Connectivity::Reconnecting(CloseReason::Relay { .. })
            )
        };
        lost(&alice) && lost(&bruno)
    })
    .await;
    let _new = start(Config {
        listen: addr,
        ..config()
    });
    tokio::join!(moved(&mut alices), moved(&mut brunos));
    // The track is the same to who takes its frames; those of the meantime are lost.
    let from = sound.sent.load(Ordering::SeqCst);
    loop {
        let frame = soon("a frame", heard.next()).await.expect("it goes on");
        if number(&frame.frame.payload) >= from {
            break;
        }
    }
    let heard = Follower::new(heard);
    let sent = sound.stop().await;
    heard.end(sent - 1).await;
    soon("leaving", bruno.close()).await;
    soon("leaving", alice.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_whose_relay_stays_away_is_closed() {
    let relay = start(config());
    let mut options = RoomOptions::observer(room_name()).with_trust(Trust::Anyone);
    options.reconnect = Duration::from_millis(300);
    let room = soon("entering", Room::connect(&url(relay.local_addr()), options))
        .await
        .unwrap();
    let mut events = room.events();
    drop(relay);
    let mut last = None;
    while let Some(event) = soon("the end", events.next()).await {
        last = Some(event);
    }
    assert!(matches!(last, Some(RoomEvent::Closed(_))), "{last:?}");
    soon("leaving", room.close()).await;
}
