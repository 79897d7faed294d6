//! What subscribers want decides what is encoded. The subscriber here is a bare connection, which
//! asks for what the SDK's tracks do not.

mod common;

use std::time::Duration;

use common::{camera, enter, pattern, relay, soon, until, url};
use parvis::{Draft, LocalVideo, clock};
use parvis_quic::{
    client::{ConnectOptions, Connection},
    tls::ClientTls,
};
use parvis_session::Event;
use parvis_wire::{
    FullTrackName, Location, ObjectId, Parameters, SessionErrorCode, TrackName, TrackNamespace,
};
use tokio::sync::oneshot;

/// Pushes pictures until it is told to stop; gives the camera back.
async fn feed(camera: LocalVideo, mut stop: oneshot::Receiver<()>) -> LocalVideo {
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    for number in 0.. {
        tokio::select! {
            _ = pace.tick() => camera.push(&pattern().frame(number, clock::now())),
            _ = &mut stop => break,
        }
    }
    camera
}

async fn next_object(connection: &mut Connection) -> Location {
    let mut group = None;
    loop {
        let event = soon("an object", connection.next_event())
            .await
            .expect("the relay is there");
        match event {
            Event::Subgroup { header, .. } => group = Some(header.group),
            Event::Object { header, .. } => {
                let group = group.expect("a stream begins with its group");
                return Location {
                    group,
                    object: header.id,
                };
            }
            _ => {}
        }
    }
}

async fn pauses_and_goes_on(draft: Draft) {
    let relay = relay();
    let alice = enter(&relay, "alice", draft).await;
    let camera = alice.publish_video(camera()).await.unwrap();
    let options = ConnectOptions {
        tls: ClientTls::insecure(),
        drafts: vec![draft],
        ..ConnectOptions::default()
    };
    let mut subscriber = Connection::connect(&url(&relay), options).await.unwrap();
    let namespace = TrackNamespace::new(["parvis", "test room", "alice"]).unwrap();
    let track = FullTrackName::new(namespace, TrackName::from("camera/180p")).unwrap();
    let forward = |forward| Parameters {
        forward: Some(forward),
        ..Parameters::default()
    };
    let key = subscriber
        .with(move |session, now| session.subscribe(track, forward(false), now))
        .await
        .unwrap()
        .unwrap();
    soon("the answer", async {
        while !matches!(subscriber.next_event().await, Ok(Event::Accepted { .. })) {}
    })
    .await;

    // Accepted, and not wanted: nothing is encoded.
    let (stop, stopped) = oneshot::channel();
    for number in 0..5 {
        camera.push(&pattern().frame(number, clock::now()));
    }
    let stats = camera.stats();
    assert_eq!((stats[0].watched, stats[0].encoded), (false, 0));
    let feeding = tokio::spawn(feed(camera, stopped));
    let update = move |on: bool| {
        move |session: &mut parvis_session::Session, now| session.update(key, forward(on), now)
    };
    subscriber.with(update(true)).await.unwrap().unwrap();
    let first = next_object(&mut subscriber).await;
    assert_eq!(first.object, ObjectId(0), "it begins with a key frame");
    subscriber.with(update(false)).await.unwrap().unwrap();
    drop(stop);
    let camera = feeding.await.unwrap();
    until("the pause", || !camera.stats()[0].watched).await;

    let (_stop, stopped) = oneshot::channel();
    let feeding = tokio::spawn(feed(camera, stopped));
    subscriber.with(update(true)).await.unwrap().unwrap();
    let again = loop {
        let place = next_object(&mut subscriber).await;
        if place.group > first.group {
            break place;
        }
    };
    assert_eq!(again.object, ObjectId(0), "and so it does after a pause");
    feeding.abort();
    soon("leaving", subscriber.close(SessionErrorCode::NoError, "")).await;
    soon("leaving", alice.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_subscription_stops_the_encoder_in_draft_22() {
    pauses_and_goes_on(Draft::D22).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_subscription_stops_the_encoder_in_draft_18() {
    pauses_and_goes_on(Draft::D18).await;
}
