//! A relay in this process, and rooms at it.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod codecs;

use std::{future::Future, num::NonZeroUsize, time::Duration};

use parvis::{
    ConnectError, Draft, ParticipantName, Room, RoomName, RoomOptions, Trust, VideoLayer,
    VideoOptions,
    codec::{FrameRate, TestPattern},
    source::{self, PlayOptions, Playback},
};
use parvis_relay::{Config, Relay, Running};

/// Longer than anything here takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(1);

/// A relay on a free port, with two threads so that objects cross between them.
pub fn relay() -> Running {
    let config = Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        threads: NonZeroUsize::new(2).expect("not zero"),
        ..Config::default()
    };
    Relay::start(config).expect("the relay starts")
}

pub fn url(relay: &Running) -> String {
    format!("moqt://{}", relay.local_addr())
}

pub fn name(text: &str) -> ParticipantName {
    ParticipantName::new(text).expect("a name")
}

pub fn room_name() -> RoomName {
    RoomName::new("test room").expect("a name")
}

pub fn trust(relay: &Running) -> Trust {
    Trust::Fingerprint(relay.fingerprint().to_string())
}

/// Enters the room; without a name as an observer.
pub async fn try_enter(
    relay: &Running,
    participant: Option<&str>,
    draft: Draft,
) -> Result<Room, ConnectError> {
    let mut options = RoomOptions::observer(room_name())
        .with_trust(trust(relay))
        .with_drafts(vec![draft]);
    options.participant = participant.map(name);
    options.connect_timeout = PATIENCE;
    options.reconnect = Duration::ZERO;
    Room::connect(&url(relay), options).await
}

pub async fn enter(relay: &Running, participant: &str, draft: Draft) -> Room {
    try_enter(relay, Some(participant), draft)
        .await
        .expect("the room is entered")
}

/// A small generated camera and a tone.
pub async fn play(room: &Room) -> Playback {
    let source = source::open("test:320x180@15").expect("a generator");
    let options = PlayOptions {
        max_height: 180,
        ..PlayOptions::default()
    };
    Playback::start(room, source, options)
        .await
        .expect("it plays")
}

/// A camera of one small layer that the test pushes pictures into.
pub fn camera() -> VideoOptions {
    VideoOptions {
        frame_rate: FrameRate::whole(15),
        layers: vec![VideoLayer::FULL],
        ..VideoOptions::camera(320, 180)
    }
}

pub fn pattern() -> TestPattern {
    TestPattern::new(320, 180)
}

/// What the future gives, unless it takes far too long.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let output = tokio::time::timeout(PATIENCE, future).await;
    output.unwrap_or_else(|_| panic!("{what} did not happen"))
}

/// Waits until the condition holds; it is looked at again and again.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    soon(what, async {
        let mut again = tokio::time::interval(Duration::from_millis(5));
        while !condition() {
            again.tick().await;
        }
    })
    .await;
}
