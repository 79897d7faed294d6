//! Meetings of agents and guests, at a real relay with tokens on.

use std::{collections::BTreeSet, time::Duration};

use crate::house::{House, admit, connected, disconnected, event, in_lobby, soon, until, waiting};
use parvis::{
    AudioOptions, Draft, clock,
    codec::{AudioFrame, Channels},
    meeting::{
        CommandError, DisconnectReason, Emoji, ErrorKind, Lobby, Meeting, MeetingEvent,
        MeetingState, Microphone, ParticipantId, Policy, Role, Source, Target,
    },
};

pub fn me(meeting: &Meeting) -> ParticipantId {
    meeting.state().me.clone()
}

pub fn kind<T: std::fmt::Debug>(result: Result<T, CommandError>) -> ErrorKind {
    match result {
        Err(CommandError::Refused { kind, .. }) => kind,
        other => panic!("{other:?}"),
    }
}

/// Waits until one sees others, by name.
async fn sees(meeting: &Meeting, names: &[&str]) {
    let wanted: BTreeSet<&str> = names.iter().copied().collect();
    let holds = |state: &MeetingState| {
        let view = state.view.as_ref();
        view.is_some_and(|view| {
            let there: BTreeSet<&str> = view.participants().map(|p| p.name.as_str()).collect();
            there == wanted
        })
    };
    let state = soon("everybody", meeting.wait_for(holds)).await;
    assert!(holds(&state), "{:?}", state.view);
}

async fn hands(meeting: &Meeting, whose: &[&ParticipantId]) {
    let holds = |state: &MeetingState| {
        let view = state.view.as_ref();
        view.is_some_and(|view| view.hands().eq(whose.iter().copied()))
    };
    let state = soon("the hands", meeting.wait_for(holds)).await;
    assert!(holds(&state), "{:?}", state.view);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_and_three_guests_meet() {
    let house = House::new().await;
    let (zoe, bruno) = (house.account("Zoe").await, house.account("Bruno").await);
    let code = house.room(&zoe, Policy::default()).await;

    // The host gate: a guest waits until an agent is there.
    let anna = house.guest(&code, "Anna").await;
    in_lobby(&anna, |lobby| *lobby == Lobby::WaitingForHost).await;
    let host = house.agent(&code, &zoe, "Zoe").await;
    let state = connected(&host).await;
    let myself = state.myself().expect("it is in");
    assert_eq!((myself.role, myself.verified), (Role::Owner, true));
    admit(&host, &anna).await;
    let agent = house.agent(&code, &bruno, "Bruno").await;
    connected(&agent).await;
    let ben = house.guest_in(&code, "Ben", Draft::D18).await;
    admit(&host, &ben).await;

    // The first decision counts, and only hosts decide.
    let carl = house.guest(&code, "Carl").await;
    waiting(&carl).await;
    assert_eq!(
        kind(agent.admit(Target::One(me(&carl))).await),
        ErrorKind::Forbidden
    );
    let known = |state: &MeetingState| !state.lobby.is_empty();
    soon("the knock", host.wait_for(known)).await;
    host.deny(Target::One(me(&carl)))
        .await
        .expect("it is a host");
    in_lobby(&carl, |lobby| {
        matches!(
            lobby,
            Lobby::Denied {
                retry_after: Some(_)
            }
        )
    })
    .await;
    assert_eq!(
        kind(host.admit(Target::One(me(&carl))).await),
        ErrorKind::AlreadyDecided
    );
    assert_eq!(kind(carl.knock().await), ErrorKind::Denied);
    for meeting in [&host, &agent, &anna, &ben] {
        sees(meeting, &["Zoe", "Bruno", "Anna", "Ben"]).await;
    }

    // Chat: everybody sees the same, in one order, the writer too.
    let mut heard = [host.events(), ben.events()];
    let pending = anna
        .chat_pending("  Bonjour !  ")
        .await
        .expect("it is sent");
    for events in &mut heard {
        let message = event(events, "the message", |event| match event {
            MeetingEvent::Chat(message) => Some(message.clone()),
            _ => None,
        })
        .await;
        assert_eq!(
            (message.text.as_str(), message.name.as_str()),
            ("Bonjour !", "Anna")
        );
        assert_eq!(message.client_id.as_str(), pending.client_id);
    }
    assert_eq!(kind(anna.chat("   ").await), ErrorKind::Empty);
    assert_eq!(kind(anna.chat(&"x".repeat(2001)).await), ErrorKind::TooLong);
    let second = ben.chat("Salut").await.expect("it is sent");
    assert_eq!(second.seq.map(|seq| seq.0), Some(1));
    let mut private = host.events();
    anna.chat_privately(me(&host), "psst")
        .await
        .expect("it is sent");
    let secret = event(&mut private, "the private message", |event| match event {
        MeetingEvent::PrivateMessage(message) => Some(message.text.clone()),
        _ => None,
    })
    .await;
    assert_eq!(secret, "psst");

    // Whoever comes late reads what was said before.
    let late = house.account("Lea").await;
    let lea = house.agent(&code, &late, "Lea").await;
    connected(&lea).await;
    let page = lea.history(None, 10).await.expect("history");
    let texts: Vec<&str> = page.messages.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(texts, ["Bonjour !", "Salut"]);
    assert_eq!((page.gaps.len(), page.before), (0, None));

    // Hands: one order for all.
    ben.raise_hand().await.expect("it goes up");
    anna.raise_hand().await.expect("it goes up");
    agent.raise_hand().await.expect("it goes up");
    ben.raise_hand().await.expect("it keeps its place");
    let (a, b, c) = (me(&anna), me(&ben), me(&agent));
    for meeting in [&host, &anna, &ben, &lea] {
        hands(meeting, &[&b, &a, &c]).await;
    }
    assert_eq!(
        kind(anna.lower_hand_of(b.clone()).await),
        ErrorKind::Forbidden
    );
    host.lower_hand_of(b.clone()).await.expect("it is a host");
    ben.raise_hand().await.expect("it goes up");
    hands(&anna, &[&a, &c, &b]).await;
    host.lower_all_hands().await.expect("it is a host");
    hands(&ben, &[]).await;

    // Reactions.
    let mut seen = anna.events();
    lea.react(Emoji::PartyPopper).await.expect("it is one");
    let who = event(&mut seen, "the reaction", |event| match event {
        MeetingEvent::Reaction { participant, emoji } => {
            (*emoji == Emoji::PartyPopper).then(|| participant.clone())
        }
        _ => None,
    })
    .await;
    assert_eq!(who, me(&lea));

    // Names.
    anna.rename("Anna K.").await.expect("it is a name");
    sees(&ben, &["Zoe", "Bruno", "Anna K.", "Ben", "Lea"]).await;
    assert_eq!(kind(anna.rename("\u{202e}").await), ErrorKind::BadName);

    // Removed: the session ends, the token is dead.
    let removed = me(&ben);
    assert_eq!(
        kind(anna.remove(removed.clone()).await),
        ErrorKind::Forbidden
    );
    host.remove(removed.clone()).await.expect("it is a host");
    assert_eq!(disconnected(&ben).await, DisconnectReason::Removed);
    sees(&anna, &["Zoe", "Bruno", "Anna K.", "Lea"]).await;
    let log = house.store.audit_log(&code).await.expect("a log");
    assert!(
        log.iter().any(|line| line.entry.action == "removed"),
        "{log:?}"
    );

    // Promotion, and over for all.
    host.set_role(me(&agent), Role::Administrator)
        .await
        .expect("it is the owner");
    let promoted = |state: &MeetingState| {
        state
            .myself()
            .is_some_and(|myself| myself.role == Role::Administrator)
    };
    assert!(promoted(&*soon("the role", agent.wait_for(promoted)).await));
    agent.end_for_all().await.expect("it is a host now");
    for meeting in [&host, &agent, &anna, &lea] {
        assert_eq!(disconnected(meeting).await, DisconnectReason::RoomEnded);
    }
}

/// Pushes a tone as a microphone does.
pub fn talk(microphone: Microphone) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let samples: Vec<f32> = (0..960).map(|n| (n as f32 * 0.06).sin() * 0.5).collect();
        loop {
            ticks.tick().await;
            let frame = AudioFrame::new(clock::now(), Channels::Mono, samples.clone());
            microphone.push(&frame.expect("20 ms of sound"));
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_muted_microphone_is_silent_until_its_owner_unmutes_it() {
    let (house, code, host) = House::public().await;
    let anna = house.member(&code, "Anna").await;

    let microphone = anna
        .microphone(AudioOptions::default())
        .await
        .expect("it is on");
    let mut muted = anna.events();
    let mut speakers = host.events();
    let talking = talk(microphone);
    let mut voice = host.voice(&me(&anna));
    for _ in 0..40 {
        soon("sound", voice.next()).await.expect("it goes on");
    }
    let loudest = event(&mut speakers, "the speaker", |event| match event {
        MeetingEvent::Speakers(who) => who.first().cloned(),
        _ => None,
    });
    // The levels are those of what is received.
    let listening = async { while voice.next().await.is_some() {} };
    tokio::select! {
        first = loudest => assert_eq!(first, me(&anna)),
        () = listening => panic!("it ended"),
    }

    assert_eq!(kind(anna.mute(Target::All).await), ErrorKind::Forbidden);
    host.mute(Target::One(me(&anna)))
        .await
        .expect("it is a host");
    let by = event(&mut muted, "the mute", |event| match event {
        MeetingEvent::Muted { source, by } => (*source == Source::Microphone).then(|| by.clone()),
        _ => None,
    })
    .await;
    assert_eq!(by, me(&host));
    let silent = |state: &MeetingState| {
        let view = state.view.as_ref();
        let anna = view.and_then(|view| view.participant(&me(&anna)));
        anna.is_some_and(|p| p.media.microphone != parvis::meeting::MediaState::On)
    };
    assert!(silent(&*soon("the state", host.wait_for(silent)).await));
    talking.abort();
    let _ = talking.await;

    // Its owner turns it on anew, and is heard.
    let microphone = anna
        .microphone(AudioOptions::default())
        .await
        .expect("it is on");
    let talking = talk(microphone);
    soon("sound", async {
        // What was on its way when it was stopped comes first.
        let before = clock::now();
        while voice.next().await.expect("it goes on").frame.time() < before {}
    })
    .await;
    talking.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_authority_goes_on_where_it_was() {
    let (mut house, code, host) = House::public().await;
    let anna = house.member(&code, "Anna").await;
    anna.raise_hand().await.expect("it goes up");
    anna.chat("before").await.expect("it is sent");

    let microphone = anna
        .microphone(AudioOptions::default())
        .await
        .expect("it is on");
    let talking = talk(microphone);
    let mut voice = host.voice(&me(&anna));
    soon("sound", voice.next()).await.expect("it goes on");
    house.stop_authority().await;
    // Nobody orders anything, and media goes on.
    let before = clock::now();
    soon("sound", async {
        while voice.next().await.expect("it goes on").frame.time() < before {}
    })
    .await;
    let asking = anna.chat("meanwhile");
    let restarting = house.start_authority();
    let (sent, ()) = tokio::join!(asking, restarting);
    assert_eq!(sent.expect("it is sent").seq.map(|seq| seq.0), Some(1));
    hands(&host, &[&me(&anna)]).await;
    host.lower_all_hands().await.expect("it is a host still");
    hands(&anna, &[]).await;
    let page = host.history(None, 10).await.expect("history");
    let texts: Vec<&str> = page.messages.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(texts, ["before", "meanwhile"]);
    let after = clock::now();
    soon("sound", async {
        while voice.next().await.expect("it goes on").frame.time() < after {}
    })
    .await;
    talking.abort();
    until("nobody waits", || host.state().lobby.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_with_the_hand_up_is_asked_whether_to_lower_it() {
    let (house, code, _host) = House::public().await;
    let anna = house.member(&code, "Anna").await;
    let mut events = anna.events();
    anna.raise_hand().await.expect("it goes up");
    let microphone = anna.microphone(AudioOptions::default()).await;
    let talking = talk(microphone.expect("it is on"));
    let speakers = event(&mut events, "the speaker", |event| match event {
        MeetingEvent::Speakers(who) => Some(who.clone()),
        _ => None,
    })
    .await;
    assert_eq!(speakers, [me(&anna)]);
    event(&mut events, "the suggestion", |event| {
        matches!(event, MeetingEvent::SuggestLowerHand).then_some(())
    })
    .await;
    talking.abort();
}
