//! Somebody who waits, and what it gets for trying.

use std::time::Instant;

use parvis::data::{DataOptions, Location};
use parvis_meeting::{Command, LobbyStatus, Notice, ParticipantId, RoomCode, tracks};
use parvis_quic::{
    client::{ConnectOptions, Connection},
    tls::ClientTls,
};
use parvis_session::{ApiMisuse, Event, RequestKey, Session};
use parvis_wire::{
    AuthToken, Draft, FetchRange, FullTrackName, GroupId, Parameters, Properties, RequestErrorCode,
    TrackNamespace,
};

use crate::{
    app::App,
    scene::{Scene, guest, soon},
};

type Try = Box<dyn FnOnce(&mut Session, Instant) -> Result<RequestKey, ApiMisuse> + Send>;

fn named(namespace: TrackNamespace, track: &'static str) -> FullTrackName {
    FullTrackName::new(namespace, track.into()).unwrap()
}

/// Every kind of request, for everything that is none of its business.
fn tries(code: &RoomCode, host: &ParticipantId, me: &ParticipantId) -> Vec<(String, Try)> {
    let mut tries: Vec<(String, Try)> = Vec::new();
    let tracks_of = |namespace: TrackNamespace, names: &'static [&'static str]| {
        names.iter().map(move |name| named(namespace.clone(), name))
    };
    let wanted = tracks_of(tracks::media_of(code, host), &["microphone", "camera/720p"])
        .chain(tracks_of(
            tracks::control(code),
            &["state", "chat", "reactions"],
        ))
        .chain(tracks_of(tracks::outbox(code, host), &["replies"]))
        .chain(tracks_of(tracks::inbox(code, host), &["commands"]));
    for track in wanted {
        let name = track.to_string();
        let (a, b, c) = (track.clone(), track.clone(), track.clone());
        tries.push((
            format!("SUBSCRIBE {name}"),
            Box::new(move |session, now| session.subscribe(a, Parameters::default(), now)),
        ));
        tries.push((
            format!("TRACK_STATUS {name}"),
            Box::new(move |session, now| session.track_status(b, Parameters::default(), now)),
        ));
        let range = FetchRange::Standalone {
            track: c,
            start: Location::new(0, 0),
            end: (GroupId(u64::MAX >> 2), None),
        };
        tries.push((
            format!("FETCH {name}"),
            Box::new(move |session, now| session.fetch(range, Parameters::default(), now)),
        ));
        tries.push((
            format!("PUBLISH {name}"),
            Box::new(move |session, now| {
                session.publish(track, Parameters::default(), Properties::EMPTY, now)
            }),
        ));
    }
    let namespaces = [
        tracks::media(code),
        tracks::media_of(code, host),
        tracks::media_of(code, me),
        tracks::inboxes(),
        tracks::inbox(code, host),
        tracks::outboxes(),
        tracks::control(code),
        tracks::outbox(code, host),
        tracks::outbox(code, me),
        TrackNamespace::new(["parvis"]).unwrap(),
        TrackNamespace::new(["parvis.control"]).unwrap(),
    ];
    for namespace in namespaces {
        let (a, b, c) = (namespace.clone(), namespace.clone(), namespace.clone());
        tries.push((
            format!("SUBSCRIBE_NAMESPACE {namespace}"),
            Box::new(move |session, now| {
                session.subscribe_namespace(a, Parameters::default(), now)
            }),
        ));
        tries.push((
            format!("SUBSCRIBE_TRACKS {namespace}"),
            Box::new(move |session, now| session.subscribe_tracks(b, Parameters::default(), now)),
        ));
        tries.push((
            format!("PUBLISH_NAMESPACE {namespace}"),
            Box::new(move |session, now| session.publish_namespace(c, Parameters::default(), now)),
        ));
    }
    tries
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_gets_no_byte_of_the_meeting_whatever_it_asks_for() {
    let scene = Scene::new().await;
    let zoe = App::host(&scene).await;
    zoe.link.announce(tracks::media_of(&zoe.code, &zoe.who));
    let mut media = Vec::new();
    for name in ["microphone", "camera/720p"] {
        let name = named(tracks::media_of(&zoe.code, &zoe.who), name);
        let track = zoe.link.publish(name, DataOptions::default()).unwrap();
        track.send(Location::new(1, 0), "media");
        media.push(track);
    }
    let mut eve = App::new(&scene, guest("Eve")).await;
    eve.knock().await.unwrap();
    assert!(matches!(eve.status().await, LobbyStatus::Waiting { .. }));
    for draft in Draft::ALL {
        for (what, attempt) in tries(&zoe.code, &zoe.who, &eve.who) {
            let mut options = ConnectOptions {
                tls: ClientTls::pinned([scene.relay.fingerprint()]),
                drafts: vec![draft],
                ..ConnectOptions::default()
            };
            options.session.auth_tokens = vec![AuthToken::UseValue {
                kind: 0,
                value: scene.ticket(&scene.code, &eve.who).into(),
            }];
            let url = scene.url();
            let connection = soon("a connection", Connection::connect(&url, options)).await;
            let mut connection = connection.unwrap();
            let request = connection.with(attempt).await.unwrap();
            let request = request.unwrap_or_else(|error| panic!("{what}: {error}"));
            let code = loop {
                let event = soon("an answer", connection.next_event()).await;
                match event.unwrap_or_else(|reason| panic!("{what}: {reason}")) {
                    Event::Rejected { key, error } if key == request => break error.code,
                    Event::Accepted { key, .. } if key == request => panic!("{what}: accepted"),
                    _ => {}
                }
            };
            assert_eq!(code, RequestErrorCode::Unauthorized, "{what}, {draft:?}");
            // What goes on meanwhile does not reach it either.
            for track in &media {
                track.send(Location::new(scene_group(), 0), "media");
            }
            let sessions = scene.sessions(&eve.who).await;
            let other = |session: &&serde_json::Value| session["objects_out"] != 0;
            // The one of her app has heard its replies.
            assert_eq!(
                sessions.iter().filter(other).count(),
                1,
                "{what}: {sessions:?}"
            );
            let bye = parvis_wire::SessionErrorCode::NoError;
            connection.close(bye, "bye").await;
        }
    }
    // With the token of somebody who is in it is another thing.
    let mut zoe = zoe;
    zoe.ask(Command::Admit {
        who: parvis_meeting::Target::All,
    })
    .await
    .unwrap();
    eve.admitted().await;
    let name = named(tracks::media_of(&zoe.code, &zoe.who), "microphone");
    let wanted = parvis::data::DataSubscribe::current_group(parvis::data::Grouping::Replacing);
    let mut heard = soon("media", eve.link.subscribe(name, wanted))
        .await
        .unwrap();
    assert_eq!(soon("media", heard.next()).await.unwrap().payload, "media");
}

fn scene_group() -> u64 {
    crate::scene::now().0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_command_does_no_harm() {
    let seed = std::env::var("PARVIS_SEED")
        .ok()
        .and_then(|s| s.parse().ok());
    let mut random = seed.unwrap_or_else(|| crate::scene::now().0);
    println!("PARVIS_SEED={random}");
    let mut next = move || {
        random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let scene = Scene::new().await;
    let mut zoe = App::host(&scene).await;
    let mut eve = App::new(&scene, guest("Eve")).await;
    let whole: Vec<Vec<u8>> = [
        r#"{"id":"a","command":{"type":"knock","name":"Eve"}}"#,
        r#"{"id":"b","command":{"type":"chat","client_id":"x","text":"hello","to":"pzoe"}}"#,
        r#"{"id":"c","command":{"type":"admit","who":{"one":"peve"}}}"#,
        r#"{"id":"d","command":{"type":"set_role","who":"peve","role":"owner"}}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    for number in 0..400 {
        let mut bytes = whole[next() as usize % whole.len()].clone();
        match number % 8 {
            0 => bytes.truncate(next() as usize % bytes.len()),
            1 => bytes = (0..next() % 300).map(|_| next() as u8).collect(),
            2 => bytes = vec![b'['; 20_000],
            3 => bytes = vec![b'{'; 12_000],
            4 => bytes = Vec::new(),
            5 => bytes = format!("{{\"id\":\"{}\",\"command\":1}}", "x".repeat(40)).into(),
            _ => {
                let at = next() as usize % bytes.len();
                bytes[at] = next() as u8;
            }
        }
        eve.send(bytes);
    }
    // Neither she nor anybody else is kept from going on.
    zoe.write("still here").await.unwrap();
    let complaint = |notice: &Notice| matches!(notice, Notice::Malformed { .. }).then_some(());
    eve.notice("a complaint", complaint).await;
    eve.knock().await.unwrap();
    while !matches!(eve.status().await, LobbyStatus::Waiting { .. }) {}
    let mut state = zoe.state().await;
    state.until_in(&zoe.who).await;
    assert_eq!(state.view.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_floods_its_room_keeps_nobody_waiting() {
    let scene = Scene::with(parvis_meeting::Policy {
        access: parvis_meeting::AccessLevel::Public,
        ..Default::default()
    })
    .await;
    let mut zoe = App::host(&scene).await;
    let mut eve = App::new(&scene, guest("Eve")).await;
    eve.knock().await.unwrap();
    eve.admitted().await;
    let other =
        crate::scene::room(&scene.store, &scene.zoe, parvis_meeting::Policy::default()).await;
    let mut elsewhere = App::to(&scene, other, crate::scene::agent(&scene.zoe, "Zoé")).await;
    elsewhere.knock().await.unwrap();
    let since = Instant::now();
    for round in 0..20 {
        for number in 0..200 {
            let command = r#"{"type":"raise_hand"}"#;
            let request = format!("{{\"id\":\"f{round}-{number}\",\"command\":{command}}}");
            eve.send(request);
        }
        zoe.write("in the same room").await.unwrap();
        elsewhere.ask(Command::RaiseHand).await.unwrap();
    }
    // What was beyond the pace was not even looked at.
    let now = crate::scene::now();
    let room = scene.store.open_session(&scene.code, now).await.unwrap();
    let most = 300 + 100 * since.elapsed().as_secs();
    assert!(room.next_entry <= most, "{} > {most}", room.next_entry);
}
