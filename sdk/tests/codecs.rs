//! Codecs of the platform before the built-in ones: used where they work, replaced where they do not.

mod common;

use std::time::Duration;

use common::{
    camera,
    codecs::{Behaviour, NAME, Platform},
    name, pattern, relay, room_name, soon, trust, url,
};
use parvis::{
    CodecFallback, CodecInUse, Codecs, LocalStats, LocalVideo, RemoteVideo, Room, RoomOptions,
    SubscribeError, TrackKind, clock, codec::TestPattern,
};
use parvis_relay::Running;
use tokio::{sync::watch, task::JoinHandle};

async fn enter(relay: &Running, participant: &str, codecs: Codecs) -> Room {
    let options = RoomOptions {
        codecs,
        connect_timeout: Duration::from_mins(1),
        reconnect: Duration::ZERO,
        ..RoomOptions::new(room_name(), name(participant)).with_trust(trust(relay))
    };
    let room = Room::connect(&url(relay), options).await;
    room.expect("the room is entered")
}

/// A camera that shows numbered pictures until it is dropped.
struct Showing {
    task: JoinHandle<()>,
    stats: watch::Receiver<Option<LocalStats>>,
}

impl Showing {
    fn new(camera: LocalVideo) -> Self {
        let (known, stats) = watch::channel(None);
        let task = tokio::spawn(async move {
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            for number in 0.. {
                pace.tick().await;
                camera.push(&pattern().frame(number, clock::now()));
                known.send_replace(camera.stats().pop());
            }
        });
        Self { task, stats }
    }

    /// Waits until it is so with the encoder.
    async fn codec(&mut self, holds: impl Fn(&CodecInUse) -> bool) -> CodecInUse {
        let codec = |stats: &Option<LocalStats>| stats.as_ref().and_then(|s| s.codec.clone());
        let so = |stats: &Option<LocalStats>| codec(stats).is_some_and(|codec| holds(&codec));
        let stats = soon("the codec", self.stats.wait_for(so)).await;
        let stats = stats.expect("it shows still");
        codec(&stats).expect("it holds")
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Watches the first track of a participant, once it has one.
async fn watch_of(room: &Room, who: &str) -> Result<RemoteVideo, SubscribeError> {
    let who = name(who);
    let found = soon("it", room.wait_for(Some(&who), Duration::MAX)).await;
    found.expect("it comes");
    soon("the track", room.subscribe_video(&who, "camera/180p")).await
}

/// Takes pictures, whose numbers grow.
async fn sees(video: &mut RemoteVideo, pictures: u32) {
    let mut last = None;
    for _ in 0..pictures {
        let picture = soon("a picture", video.next()).await.expect("it goes on");
        let number = TestPattern::read_number(&picture.frame).expect("it can be read");
        assert!(last.is_none_or(|last| number > last), "{number}, {last:?}");
        assert!(picture.frame.time() <= picture.arrived && picture.arrived <= picture.decoded);
        last = Some(number);
    }
}

fn failed(codec: &CodecInUse) -> bool {
    matches!(&codec.fallback, Some(CodecFallback::Failed(reason)) if reason.contains("taken away"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_codecs_are_used_in_whosever_time_they_work() {
    let relay = relay();
    for behaviour in [Behaviour::Works, Behaviour::OwnTime] {
        let (encoders, decoders) = (
            Platform::new(behaviour, "av01"),
            Platform::new(behaviour, "av01"),
        );
        let alice = enter(&relay, "alice", encoders.encodes()).await;
        let bruno = enter(&relay, "bruno", decoders.decodes()).await;
        let mut showing = Showing::new(alice.publish_video(camera()).await.unwrap());
        let mut video = watch_of(&bruno, "alice").await.unwrap();
        sees(&mut video, 20).await;
        let codec = showing.codec(|_| true).await;
        assert_eq!((codec.backend.as_str(), codec.fallback), (NAME, None));
        let codec = video.codec();
        assert_eq!((codec.backend.as_str(), codec.fallback), (NAME, None));
        assert!(encoders.frames() >= 20 && decoders.frames() >= 20);
        drop(showing);
        soon("leaving", bruno.close()).await;
        soon("leaving", alice.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_platform_has_none_the_built_in_ones_are_used_and_it_is_said_why() {
    let relay = relay();
    let not_opened = CodecFallback::NotOpened("platform did not open: busy".to_owned());
    for (behaviour, why) in [
        (Behaviour::HasNone, CodecFallback::NotOffered),
        (Behaviour::DoesNotOpen, not_opened),
    ] {
        let platform = Platform::new(behaviour, "av01");
        let alice = enter(&relay, "alice", platform.encodes()).await;
        let bruno = enter(&relay, "bruno", platform.decodes()).await;
        let mut showing = Showing::new(alice.publish_video(camera()).await.unwrap());
        let mut video = watch_of(&bruno, "alice").await.unwrap();
        sees(&mut video, 5).await;
        let codec = showing.codec(|_| true).await;
        assert_eq!(
            (codec.backend.as_str(), codec.fallback),
            ("libaom", Some(why.clone()))
        );
        let codec = video.codec();
        assert_eq!(
            (codec.backend.as_str(), codec.fallback),
            ("dav1d", Some(why))
        );
        drop(showing);
        soon("leaving", bruno.close()).await;
        soon("leaving", alice.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_that_fails_in_mid_call_is_replaced() {
    let relay = relay();
    for behaviour in [
        Behaviour::FailsAfter(10),
        Behaviour::BreaksAfter(10),
        Behaviour::Silent,
    ] {
        let platform = Platform::new(behaviour, "av01");
        let alice = enter(&relay, "alice", platform.encodes()).await;
        let bruno = enter(&relay, "bruno", Codecs::default()).await;
        let mut showing = Showing::new(alice.publish_video(camera()).await.unwrap());
        let mut video = watch_of(&bruno, "alice").await.unwrap();
        sees(&mut video, 40).await;
        let codec = showing.codec(|codec| codec.fallback.is_some()).await;
        assert_eq!(codec.backend, "libaom");
        match behaviour {
            Behaviour::Silent => {
                let why = CodecFallback::Failed("nothing came for 61 pictures".to_owned());
                assert_eq!(codec.fallback, Some(why));
            }
            _ => assert!(failed(&codec), "{codec:?}"),
        }
        drop(showing);
        soon("leaving", bruno.close()).await;
        soon("leaving", alice.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decoder_that_fails_in_mid_call_is_replaced() {
    let relay = relay();
    for behaviour in [
        Behaviour::FailsAfter(10),
        Behaviour::BreaksAfter(10),
        Behaviour::Silent,
    ] {
        let platform = Platform::new(behaviour, "av01");
        let alice = enter(&relay, "alice", Codecs::default()).await;
        let bruno = enter(&relay, "bruno", platform.decodes()).await;
        // Without being asked it makes no key frame within the test.
        let options = parvis::VideoOptions {
            key_interval: Duration::from_hours(1),
            ..camera()
        };
        let showing = Showing::new(alice.publish_video(options).await.unwrap());
        let mut video = watch_of(&bruno, "alice").await.unwrap();
        sees(&mut video, 40).await;
        let codec = video.codec();
        assert_eq!(codec.backend, "dav1d");
        assert!(matches!(codec.fallback, Some(CodecFallback::Failed(_))));
        drop(showing);
        soon("leaving", bruno.close()).await;
        soon("leaving", alice.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_codec_is_announced_and_needs_a_decoder() {
    const H264: &str = "avc1.42E01F";
    let relay = relay();
    let platform = Platform::new(Behaviour::FailsAfter(100), H264);
    let alice = enter(&relay, "alice", platform.encodes()).await;
    let bruno = enter(
        &relay,
        "bruno",
        Platform::new(Behaviour::Works, H264).decodes(),
    )
    .await;
    let chloe = enter(&relay, "chloe", Codecs::default()).await;
    let showing = Showing::new(alice.publish_video(camera()).await.unwrap());
    let codec_of = |room: &Room| {
        let state = room.state();
        let track = state
            .participants
            .get(&name("alice"))?
            .track("camera/180p")?;
        match &track.kind {
            TrackKind::Video(params) => Some(params.codec.clone()),
            TrackKind::Audio(_) => None,
        }
    };
    let mut video = watch_of(&bruno, "alice").await.unwrap();
    sees(&mut video, 10).await;
    assert_eq!(codec_of(&bruno).as_deref(), Some(H264));
    match watch_of(&chloe, "alice").await {
        Err(SubscribeError::NoDecoder {
            codec, fallback, ..
        }) => assert_eq!((codec.as_str(), fallback), (H264, None)),
        other => panic!("{other:?}"),
    }
    let deaf = Platform::new(Behaviour::DoesNotOpen, H264);
    let denis = enter(&relay, "denis", deaf.decodes()).await;
    match watch_of(&denis, "alice").await {
        Err(SubscribeError::NoDecoder { fallback, .. }) => assert!(
            matches!(&fallback, Some(CodecFallback::NotOpened(why)) if why.contains("busy")),
            "{fallback:?}"
        ),
        other => panic!("{other:?}"),
    }
    soon("leaving", denis.close()).await;
    // When it fails, the built-in encoder makes AV1, and the catalog says so.
    common::until("the other codec", || {
        codec_of(&chloe).is_some_and(|codec| codec.starts_with("av01"))
    })
    .await;
    let mut video = watch_of(&chloe, "alice").await.unwrap();
    sees(&mut video, 10).await;
    drop(showing);
    for room in [chloe, bruno, alice] {
        soon("leaving", room.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decoder_that_fails_and_has_no_other_ends_the_track() {
    const H264: &str = "avc1.42E01F";
    let relay = relay();
    for behaviour in [
        Behaviour::FailsAfter(10),
        Behaviour::BreaksAfter(10),
        Behaviour::Silent,
    ] {
        let (encoders, decoders) = (
            Platform::new(Behaviour::Works, H264),
            Platform::new(behaviour, H264),
        );
        let alice = enter(&relay, "alice", encoders.encodes()).await;
        let bruno = enter(&relay, "bruno", decoders.decodes()).await;
        let showing = Showing::new(alice.publish_video(camera()).await.unwrap());
        let mut video = watch_of(&bruno, "alice").await.unwrap();
        assert!(!video.is_undecodable());
        soon("the end", async { while video.next().await.is_some() {} }).await;
        assert!(video.is_undecodable(), "{behaviour:?}");
        // Who takes it anew has another decoder.
        drop(video);
        let again = watch_of(&bruno, "alice").await.unwrap();
        assert!(!again.is_undecodable());
        drop(showing);
        soon("leaving", bruno.close()).await;
        soon("leaving", alice.close()).await;
    }
}
