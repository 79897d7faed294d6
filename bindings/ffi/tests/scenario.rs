//! `bindings/SCENARIO.md`, step by step, in Rust over the surface that Kotlin and Swift have.

mod common;

use common::{
    Person, Site,
    media::{HEIGHT, WIDTH, film, listen, talk, watch},
    threads,
};
use parvis_ffi::{
    AudioOptions, DisconnectReason, Emoji, ErrorKind, LeaveReason, Lobby, MediaState, MeetingEvent,
    PendingState, Phase, Role, Source, Target, Tickets, VideoOptions, VideoTarget,
};

const SHOWN: VideoTarget = VideoTarget {
    width: WIDTH,
    height: HEIGHT,
    visible: true,
    fps: None,
};

fn one(person: &Person) -> Target {
    Target::One {
        participant: person.id.clone(),
    }
}

fn chat(event: MeetingEvent) -> Option<parvis_ffi::ChatMessage> {
    match event {
        MeetingEvent::Chat { message } => Some(message),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_meeting_from_the_lobby_to_the_last_goodbye() {
    let threads = threads::before_joining().await;
    let mut site = Site::start();
    let link = site.room();
    let brunos = site.account("Bruno", "bruno@example.org");

    // 1, 2: waiting, lobby.
    let chloe = Person::joins(&link, "Chloé", Tickets::guest()).await;
    let in_lobby = |wanted: Lobby| {
        move |state: &parvis_ffi::MeetingState| {
            state.phase
                == Phase::InLobby {
                    lobby: wanted.clone(),
                }
        }
    };
    chloe
        .knows("for the host", in_lobby(Lobby::WaitingForHost))
        .await;
    let administrator = Tickets::agent(site.administrator.clone());
    let alice = Person::joins(&link, "Alice", administrator).await;
    alice.is_in().await;
    chloe
        .knows("to be asked for", |state| {
            matches!(
                state.phase,
                Phase::InLobby {
                    lobby: Lobby::Waiting { .. }
                }
            )
        })
        .await;
    let state = alice
        .knows("for somebody in the lobby", |state| !state.lobby.is_empty())
        .await;
    assert_eq!(state.lobby.len(), 1);
    assert_eq!(state.lobby[0].participant, chloe.id);
    assert_eq!(state.lobby[0].name, "Chloé");

    // 3: admission.
    let done = alice.meeting.admit(one(&chloe)).await.unwrap();
    assert_eq!((done.admitted, done.waiting), (Some(1), Some(0)));
    for person in [&alice, &chloe] {
        let known = person
            .knows("for two", |state| {
                let two = state
                    .view
                    .as_ref()
                    .is_some_and(|v| v.participants.len() == 2);
                two && state.phase == Phase::Connected
            })
            .await;
        let view = known.view.unwrap();
        let role = |id| view.participants.iter().find(|p| &p.id == id).unwrap().role;
        assert_eq!(role(&alice.id), Role::Owner);
        assert_eq!(role(&chloe.id), Role::Guest);
    }

    // 4: an account.
    let bruno = Person::joins(&link, "Bruno", Tickets::agent(brunos)).await;
    let all = [&alice, &bruno, &chloe];
    for person in all {
        person
            .knows("for three", |state| {
                state
                    .view
                    .as_ref()
                    .is_some_and(|v| v.participants.len() == 3)
            })
            .await;
    }

    // 5: camera and microphone.
    let options = VideoOptions {
        width: WIDTH,
        height: HEIGHT,
        frame_rate: 15,
        max_height: 0,
        layers: Vec::new(),
        encoder: None,
        key_interval_ms: 4_000,
    };
    let camera = chloe.meeting.camera(options.clone()).await.unwrap();
    let sound = AudioOptions {
        channels: 1,
        bitrate: 32_000,
    };
    let microphone = chloe.meeting.microphone(sound).await.unwrap();
    let filming = film!(camera);
    let talking = talk(&microphone);
    let picture = alice
        .meeting
        .picture(chloe.id.clone(), Source::Camera, SHOWN)
        .unwrap();
    watch(&picture, 20).await;
    let voice = alice.meeting.voice(chloe.id.clone()).unwrap();
    listen(&voice).await;
    assert_eq!(picture.stats().track.as_deref(), Some("camera/180p"));
    assert!(threads::count() > threads);

    // 6: chat.
    alice.meeting.chat("Bonjour !".to_owned()).await.unwrap();
    for person in [&bruno, &chloe] {
        let message = person.sees("a message", chat).await;
        assert_eq!((&*message.name, &*message.text), ("Alice", "Bonjour !"));
    }
    let pending = bruno
        .meeting
        .chat_pending("À tous".to_owned())
        .await
        .unwrap();
    let came = bruno.sees("the own message", chat).await;
    assert_eq!(
        (came.client_id, came.text),
        (pending.client_id(), pending.text())
    );
    let done = pending.outcome().await.unwrap();
    assert_eq!(done.seq, Some(came.seq));
    assert_eq!(pending.state(), PendingState::Sent { done });
    let to = bruno.id.clone();
    let private = alice.meeting.chat_privately(to, "entre nous".to_owned());
    private.await.unwrap();
    let private = bruno
        .sees("a private message", |event| match event {
            MeetingEvent::PrivateMessage { message } => Some(message),
            _ => None,
        })
        .await;
    assert_eq!(private.text, "entre nous");
    let history = chloe.meeting.history(None, 50).await.unwrap();
    let texts: Vec<&str> = history.messages.iter().map(|m| m.text.as_str()).collect();
    assert_eq!((texts, history.gaps), (vec!["Bonjour !", "À tous"], vec![]));

    // 7: hands.
    chloe.meeting.raise_hand().await.unwrap();
    bruno.meeting.raise_hand().await.unwrap();
    let are_up = |hands: Vec<String>| {
        move |state: &parvis_ffi::MeetingState| {
            state.view.as_ref().is_some_and(|view| view.hands == hands)
        }
    };
    for person in all {
        let both = vec![chloe.id.clone(), bruno.id.clone()];
        person.knows("for both hands", are_up(both)).await;
    }
    alice.meeting.lower_hand_of(chloe.id.clone()).await.unwrap();
    for person in all {
        person
            .knows("for one hand", are_up(vec![bruno.id.clone()]))
            .await;
    }

    // 8: reaction.
    bruno.meeting.react(Emoji::ClappingHands).await.unwrap();
    for person in [&alice, &chloe] {
        let seen = person
            .sees("a reaction", |event| match event {
                MeetingEvent::Reaction { participant, emoji } => Some((participant, emoji)),
                _ => None,
            })
            .await;
        assert_eq!(seen, (bruno.id.clone(), Emoji::ClappingHands));
    }

    // 9: screen.
    let screen = bruno.meeting.screen(options).await.unwrap();
    let sharing = film!(screen);
    let shared = chloe
        .meeting
        .picture(bruno.id.clone(), Source::Screen, SHOWN)
        .unwrap();
    watch(&shared, 5).await;
    shared.cancel();
    assert!(shared.next().await.is_none());
    sharing.abort();
    screen.turn_off().unwrap();
    let state_of = |id: String, state: fn(&parvis_ffi::MediaStates) -> MediaState, is| {
        move |known: &parvis_ffi::MeetingState| {
            let view = known.view.as_ref();
            let found = view.and_then(|view| view.participants.iter().find(|p| p.id == id));
            found.is_some_and(|person| state(&person.media) == is)
        }
    };
    for person in all {
        let off = state_of(bruno.id.clone(), |media| media.screen, MediaState::Off);
        person.knows("for no screen", off).await;
    }

    // 10: mute.
    alice.meeting.mute(one(&chloe)).await.unwrap();
    let muted = chloe
        .sees("who mutes", |event| match event {
            MeetingEvent::Muted { source, by } => Some((source, by)),
            _ => None,
        })
        .await;
    assert_eq!(muted, (Source::Microphone, alice.id.clone()));
    for person in all {
        let muted = state_of(
            chloe.id.clone(),
            |media| media.microphone,
            MediaState::Muted,
        );
        person.knows("for silence", muted).await;
    }
    microphone.unmute().await.unwrap();
    for person in all {
        let on = state_of(chloe.id.clone(), |media| media.microphone, MediaState::On);
        person.knows("for sound", on).await;
    }
    listen(&voice).await;

    // 11: refused.
    let refused = chloe.meeting.mute(Target::All).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);

    // 12: the relay dies.
    site.kill();
    for person in all {
        let lost = |state: &parvis_ffi::MeetingState| state.phase == Phase::Reconnecting;
        person.knows("for the loss", lost).await;
    }
    site.start_again();
    for person in all {
        let view = person.is_in().await.view.unwrap();
        let mut ids: Vec<String> = view.participants.into_iter().map(|p| p.id).collect();
        let mut before = all.map(|person| person.id.clone());
        ids.sort();
        before.sort();
        assert_eq!(ids, before);
    }
    watch(&picture, 5).await;
    bruno.meeting.chat("encore".to_owned()).await.unwrap();
    for person in all {
        let encore = |event| chat(event).filter(|message| message.text == "encore");
        person.sees("encore", encore).await;
    }

    // 13: leaving.
    filming.abort();
    talking.abort();
    bruno.meeting.leave().await.unwrap();
    for person in [&alice, &chloe] {
        let gone = person
            .sees("who leaves", |event| match event {
                MeetingEvent::Left {
                    participant,
                    reason,
                } => Some((participant, reason)),
                _ => None,
            })
            .await;
        assert_eq!(gone, (bruno.id.clone(), LeaveReason::Left));
    }
    chloe.meeting.leave().await.unwrap();
    alice.meeting.leave().await.unwrap();
    for person in all {
        let phase = person.meeting.state().unwrap().phase;
        let left = DisconnectReason::Left;
        assert_eq!(phase, Phase::Disconnected { reason: left });
        let said = person.meeting.chat("?".to_owned()).await.unwrap_err();
        assert_eq!(said.kind(), ErrorKind::Left);
        let again = person.meeting.leave().await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Left);
    }
    assert_eq!(
        microphone.push_i16(&[], 0).unwrap_err().kind(),
        ErrorKind::Left
    );
    // What had come before is given still, and then no more.
    while picture.next().await.is_some() {}

    // 14: nothing is left, though what was used of it is still held.
    drop(site);
    threads::are_again(threads).await;
}
