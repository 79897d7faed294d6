//! Rooms at a real relay, with real codecs.

mod common;

use common::{camera, enter, name, pattern, play, relay, soon, try_enter, until};
use parvis::{
    ConnectError, Draft, PublishError, Room, RoomEvent, SubscribeError, TrackKind, WaitError,
    clock,
    codec::TestPattern,
    format::{AudioParams, EncodedFrame, MediaTime, VideoParams},
};
use std::time::Duration;

async fn sees_and_hears(draft: Draft) {
    let relay = relay();
    let alice = enter(&relay, "alice", draft).await;
    let bruno = enter(&relay, "bruno", draft).await;
    assert_eq!(bruno.draft(), draft);
    let playback = play(&alice).await;
    let found = soon("alice", bruno.wait_for(Some(&name("alice")), Duration::MAX))
        .await
        .unwrap();
    assert_eq!(found.name, name("alice"));

    let mut video = video(&bruno, "camera/180p").await;
    let mut last = None;
    for _ in 0..20 {
        let picture = soon("a picture", video.next()).await.unwrap();
        let number = TestPattern::read_number(&picture.frame).expect("the number can be read");
        assert!(
            last.is_none_or(|last| number > last),
            "{number} after {last:?}"
        );
        last = Some(number);
        assert!(picture.frame.time() <= picture.arrived && picture.arrived <= picture.decoded);
        assert!(clock::now() >= picture.decoded);
    }
    assert_eq!(video.stats().undecodable, 0);

    let mut audio = soon("sound", bruno.subscribe_audio(&name("alice"), "microphone"))
        .await
        .unwrap();
    let mut loudest = 0.0_f32;
    let mut before = MediaTime::ZERO;
    for _ in 0..25 {
        let sound = soon("sound", audio.next()).await.unwrap();
        loudest = sound
            .frame
            .samples()
            .iter()
            .fold(loudest, |a, b| a.max(b.abs()));
        assert!(sound.frame.time() > before);
        before = sound.frame.time();
    }
    assert!(loudest > 0.2, "the tone is heard, loudest {loudest}");
    drop(playback);
    soon("leaving", bruno.close()).await;
    soon("leaving", alice.close()).await;
}

/// Subscribes as soon as the track is there.
async fn video(room: &Room, track: &str) -> parvis::RemoteVideo {
    until("the track", || {
        let state = room.state();
        state
            .participants
            .get(&name("alice"))
            .is_some_and(|who| who.track(track).is_some())
    })
    .await;
    soon(
        "the subscription",
        room.subscribe_video(&name("alice"), track),
    )
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_and_hears_the_other_in_draft_22() {
    sees_and_hears(Draft::D22).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_and_hears_the_other_in_draft_18() {
    sees_and_hears(Draft::D18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_meet_in_one_room() {
    let relay = relay();
    let alice = enter(&relay, "alice", Draft::D22).await;
    let bruno = enter(&relay, "bruno", Draft::D18).await;
    let _playback = play(&alice).await;
    let mut video = video(&bruno, "camera/180p").await;
    let picture = soon("a picture", video.next()).await.unwrap();
    assert!(TestPattern::read_number(&picture.frame).is_some());
    soon("leaving", bruno.close()).await;
    soon("leaving", alice.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_late_sees_what_the_others_see() {
    let relay = relay();
    let alice = enter(&relay, "alice", Draft::D22).await;
    let bruno = enter(&relay, "bruno", Draft::D22).await;
    let _playback = play(&alice).await;
    let mut early = video(&bruno, "camera/180p").await;
    let number = |picture: &parvis::DecodedVideo| {
        TestPattern::read_number(&picture.frame).expect("the number can be read")
    };
    let mut seen = 0;
    for _ in 0..8 {
        seen = number(&soon("a picture", early.next()).await.unwrap());
    }
    let chloe = enter(&relay, "chloe", Draft::D22).await;
    let mut late = video(&chloe, "camera/180p").await;
    // From the start of the current group on, nothing left out.
    let mut last = number(&soon("a picture", late.next()).await.unwrap());
    while last <= seen {
        let next = number(&soon("a picture", late.next()).await.unwrap());
        assert_eq!(next, last + 1);
        last = next;
    }
    for room in [alice, bruno, chloe] {
        soon("leaving", room.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_seen_to_leave_and_its_tracks_end() {
    let relay = relay();
    let alice = enter(&relay, "alice", Draft::D22).await;
    let bruno = enter(&relay, "bruno", Draft::D22).await;
    let _playback = play(&alice).await;
    let mut video = video(&bruno, "camera/180p").await;
    soon("a picture", video.next()).await.unwrap();
    let mut events = bruno.events();
    let joined = soon("the event", events.next()).await;
    assert!(matches!(joined, Some(RoomEvent::Joined(_))), "{joined:?}");
    soon("leaving", alice.close()).await;
    soon("the end of the track", async {
        while video.next().await.is_some() {}
    })
    .await;
    soon("the event", async {
        loop {
            match events.next().await.expect("the room goes on") {
                RoomEvent::Left(who) => break assert_eq!(who, name("alice")),
                RoomEvent::Joined(who) | RoomEvent::Changed(who) => {
                    assert_eq!(who.name, name("alice"));
                }
                RoomEvent::Closed(reason) => panic!("closed: {reason}"),
                RoomEvent::Moving | RoomEvent::Reconnecting(_) | RoomEvent::Moved => {
                    panic!("the relay stays")
                }
            }
        }
    })
    .await;
    soon("leaving", bruno.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_taken_until_its_owner_leaves() {
    let relay = relay();
    for draft in Draft::ALL {
        let alice = enter(&relay, "alice", draft).await;
        let again = try_enter(&relay, Some("alice"), draft).await;
        assert!(
            matches!(again, Err(ConnectError::NameTaken { .. })),
            "{again:?}"
        );
        soon("leaving", alice.close()).await;
        let again = enter(&relay, "alice", draft).await;
        soon("leaving", again.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_nobody_watches_is_not_encoded() {
    let relay = relay();
    let alice = enter(&relay, "alice", Draft::D22).await;
    let bruno = enter(&relay, "bruno", Draft::D22).await;
    let mut options = camera();
    options.layers.push(parvis::VideoLayer {
        halvings: 1,
        bitrate: None,
    });
    let camera = alice.publish_video(options).await.unwrap();
    let feed = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        for number in 0.. {
            pace.tick().await;
            camera.push(&pattern().frame(number, clock::now()));
            if camera.is_closed() {
                break;
            }
        }
        camera.stats()
    });
    let mut video = video(&bruno, "camera/90p").await;
    for _ in 0..10 {
        soon("a picture", video.next()).await.unwrap();
    }
    soon("leaving", bruno.close()).await;
    soon("leaving", alice.close()).await;
    let stats = soon("the feed", feed).await.unwrap();
    let encoded = |track: &str| stats.iter().find(|s| s.track == track).unwrap().encoded;
    assert_eq!(encoded("camera/180p"), 0);
    assert!(encoded("camera/90p") >= 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_layers_of_a_camera_are_listed_together() {
    let relay = relay();
    let alice = enter(&relay, "alice", Draft::D22).await;
    let bruno = enter(&relay, "bruno", Draft::D22).await;
    let mut options = camera();
    for halvings in [1, 2] {
        let bitrate = None;
        options
            .layers
            .push(parvis::VideoLayer { halvings, bitrate });
    }
    let publishing = tokio::spawn(async move {
        let camera = alice.publish_video(options).await.unwrap();
        (alice, camera)
    });
    // The first catalog that names one names all.
    let who = name("alice");
    let seen = bruno.wait_for(Some(&who), Duration::from_secs(20)).await;
    assert_eq!(seen.unwrap().tracks.len(), 3);
    let (alice, _camera) = soon("the camera", publishing).await.unwrap();
    for room in [alice, bruno] {
        soon("leaving", room.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_a_stored_track_gets_its_group_from_the_start() {
    let relay = relay();
    let alice = enter(&relay, "alice", Draft::D22).await;
    let bruno = enter(&relay, "bruno", Draft::D22).await;
    let kind = TrackKind::Video(VideoParams::av1(320, 180));
    let track = alice.publish_encoded("file/180p", kind).await.unwrap();
    let start = clock::now();
    let frame = |number: u8| {
        let time = start + Duration::from_millis(u64::from(number));
        EncodedFrame::video(time, number == 0, vec![number].into())
    };
    // Before anybody watches: no stream carries these.
    for number in 0..3 {
        track.push(frame(number));
    }
    until("the track", || {
        bruno
            .state()
            .participants
            .get(&name("alice"))
            .is_some_and(|who| !who.tracks.is_empty())
    })
    .await;
    let mut remote = bruno.subscribe(&name("alice"), "file/180p").await.unwrap();
    track.push(frame(3));
    for number in 0..4 {
        let received = soon("a frame", remote.next()).await.unwrap();
        assert_eq!(received.frame.payload[..], [number]);
        assert_eq!(
            (received.frame.time, received.frame.key),
            (frame(number).time, number == 0)
        );
        assert_eq!(received.gap, 0);
    }
    track.end();
    assert_eq!(soon("the end", remote.next()).await, None);
    soon("leaving", bruno.close()).await;
    soon("leaving", alice.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_refused_with_a_reason() {
    let relay = relay();
    let alice = enter(&relay, "alice", Draft::D22).await;
    let watcher = try_enter(&relay, None, Draft::D22).await.unwrap();
    let refused = watcher.publish_video(camera()).await;
    assert!(matches!(refused, Err(PublishError::Observer)));
    let kind = TrackKind::Audio(AudioParams::opus(1));
    let _track = alice
        .publish_encoded("microphone", kind.clone())
        .await
        .unwrap();
    let again = alice.publish_encoded("microphone", kind).await;
    assert!(matches!(again, Err(PublishError::TrackExists(_))));

    let nobody = watcher.subscribe(&name("bruno"), "camera/180p").await;
    assert!(matches!(nobody, Err(SubscribeError::NoSuchParticipant(_))));
    soon("alice", watcher.wait_for(None, Duration::MAX))
        .await
        .unwrap();
    let nothing = watcher.subscribe(&name("alice"), "camera/180p").await;
    assert!(matches!(nothing, Err(SubscribeError::NoSuchTrack { .. })));
    let sound = watcher.subscribe_video(&name("alice"), "microphone").await;
    assert!(matches!(sound, Err(SubscribeError::WrongKind { .. })));
    let bruno = name("bruno");
    let absent = watcher.wait_for(Some(&bruno), Duration::ZERO).await;
    assert!(
        matches!(absent, Err(WaitError::UnknownParticipant { .. })),
        "{absent:?}"
    );
    soon("leaving", watcher.close()).await;
    soon("leaving", alice.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_goes_away_closes_the_room() {
    let relay = relay();
    let alice = enter(&relay, "alice", Draft::D22).await;
    let mut events = alice.events();
    tokio::task::spawn_blocking(|| relay.shutdown(Duration::ZERO))
        .await
        .unwrap()
        .unwrap();
    let event = soon("the end", events.next()).await;
    assert!(matches!(event, Some(RoomEvent::Closed(_))), "{event:?}");
    assert_eq!(events.next().await, None);
    assert!(matches!(
        alice.publish_video(camera()).await,
        Err(PublishError::Closed(_))
    ));
    soon("leaving", alice.close()).await;
}

#[tokio::test]
async fn dropping_a_room_ends_its_tasks_and_frees_its_name() {
    let relay = relay();
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    let alice = enter(&relay, "alice", Draft::D22).await;
    let camera = alice.publish_video(camera()).await.unwrap();
    assert!(tasks() > before);
    drop(alice);
    until("the end of every task", || tasks() == before).await;
    assert!(camera.is_closed());
    let again = enter(&relay, "alice", Draft::D22).await;
    soon("leaving", again.close()).await;
}
