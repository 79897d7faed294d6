//! What a host asks for is what the others are told.

mod common;

use common::{Person, Site};
use parvis_ffi::{
    AccessLevel, CaptureFailure, CaptureKind, CaptureStatus, DisconnectReason, Done, ErrorKind,
    ForbiddenSources, HistoryPolicy, Language, LeaveReason, MeetingEvent, MeetingState,
    ParvisError, Phase, Policy, Role, Source, Target, Tickets,
};

/// Alice, who owns a room, and two guests who wait to be let in.
async fn lobby(site: &Site) -> [Person; 3] {
    let link = site.room();
    let administrator = Tickets::agent(site.administrator.clone());
    let alice = Person::joins(&link, "Alice", administrator).await;
    alice.is_in().await;
    let zoe = Person::joins(&link, "Zoé", Tickets::guest()).await;
    alice.knows("for one", |state| state.lobby.len() == 1).await;
    let chloe = Person::joins(&link, "Chloé", Tickets::guest()).await;
    alice.knows("for two", |state| state.lobby.len() == 2).await;
    [alice, zoe, chloe]
}

fn one(person: &Person) -> Target {
    Target::One {
        participant: person.id.clone(),
    }
}

/// Waits to be told of a change to a participant.
async fn sees_change<T: PartialEq>(
    person: &Person,
    who: &Person,
    what: impl Fn(&parvis_ffi::Participant) -> T,
    wanted: T,
) {
    let changed = |event| match event {
        MeetingEvent::Changed { participant } => {
            (participant.id == who.id && what(&participant) == wanted).then_some(())
        }
        _ => None,
    };
    person.sees("a change", changed).await;
}

async fn sees_policy(person: &Person, wanted: impl Fn(&Policy) -> bool) {
    let set = |event| match event {
        MeetingEvent::Policy { policy } => wanted(&policy).then_some(()),
        _ => None,
    };
    person.sees("what is set", set).await;
}

async fn sees_hands(person: &Person, wanted: &[&Person]) {
    let wanted: Vec<String> = wanted.iter().map(|person| person.id.clone()).collect();
    let hands = |event| match event {
        MeetingEvent::Hands { participants } => (participants == wanted).then_some(()),
        _ => None,
    };
    person.sees("hands", hands).await;
}

async fn is_out(person: &Person, reason: DisconnectReason) {
    let over = Phase::Disconnected { reason };
    person
        .knows("the end", |state: &MeetingState| state.phase == over)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_told_how_many_come_in_and_how_many_wait_still() {
    let site = Site::start();
    let [alice, zoe, chloe] = lobby(&site).await;
    let counts = |done: Done| (done.admitted, done.waiting);
    let first = alice.meeting.admit(one(&zoe)).await.unwrap();
    assert_eq!(counts(first), (Some(1), Some(1)));
    let rest = alice.meeting.admit(Target::All).await.unwrap();
    assert_eq!(counts(rest), (Some(1), Some(0)));
    let again = alice.meeting.admit(one(&zoe)).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyDecided);
    let said = alice.meeting.chat("bonjour".to_owned()).await.unwrap();
    assert_eq!(counts(said), (None, None));
    for person in [&zoe, &chloe, &alice] {
        person.is_in().await;
        person.meeting.leave().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_sets_is_what_others_see() {
    let site = Site::start();
    let [alice, zoe, chloe] = lobby(&site).await;
    alice.meeting.admit(Target::All).await.unwrap();
    zoe.is_in().await;
    chloe.meeting.leave().await.unwrap();
    let host = &alice.meeting;

    let set =
        |level, organisation: Option<&str>| host.set_access(level, organisation.map(str::to_owned));
    set(AccessLevel::Public, None).await.unwrap();
    sees_policy(&zoe, |policy| policy.access == AccessLevel::Public).await;
    let elsewhere = set(AccessLevel::Trusted, Some("elsewhere")).await;
    assert_eq!(elsewhere.unwrap_err().kind(), ErrorKind::Forbidden);
    set(AccessLevel::Restricted, None).await.unwrap();
    sees_policy(&zoe, |policy| policy.access == AccessLevel::Restricted).await;
    for gate in [false, true] {
        host.set_host_gate(gate).await.unwrap();
        sees_policy(&zoe, |policy| policy.host_gate == gate).await;
    }
    host.set_history(HistoryPolicy::FromJoin).await.unwrap();
    sees_policy(&zoe, |policy| policy.history == HistoryPolicy::FromJoin).await;
    for wanted in [true, false] {
        host.lock(wanted).await.unwrap();
        let lock = |event| match event {
            MeetingEvent::Locked { locked } => Some(locked),
            _ => None,
        };
        assert_eq!(zoe.sees("the lock", lock).await, wanted);
    }

    for wanted in [true, false] {
        host.forbid(Source::Screen, wanted).await.unwrap();
        let forbidden = |event| match event {
            MeetingEvent::Forbidden { sources } => Some(sources),
            _ => None,
        };
        let screens = ForbiddenSources {
            microphone: false,
            camera: false,
            screen: wanted,
        };
        assert_eq!(zoe.sees("what is forbidden", forbidden).await, screens);
    }

    let new_name = host.rename_other(zoe.id.clone(), "Zoé B.".to_owned());
    new_name.await.unwrap();
    sees_change(&zoe, &zoe, |p| p.name.clone(), "Zoé B.".to_owned()).await;
    zoe.meeting.rename("Zoé".to_owned()).await.unwrap();
    sees_change(&alice, &zoe, |p| p.name.clone(), "Zoé".to_owned()).await;

    zoe.meeting.raise_hand().await.unwrap();
    sees_hands(&zoe, &[&zoe]).await;
    host.lower_hand_of(zoe.id.clone()).await.unwrap();
    sees_hands(&zoe, &[]).await;
    zoe.meeting.raise_hand().await.unwrap();
    host.raise_hand().await.unwrap();
    sees_hands(&zoe, &[&zoe, &alice]).await;
    host.lower_all_hands().await.unwrap();
    sees_hands(&zoe, &[]).await;

    zoe.meeting.request_recording().await.unwrap();
    zoe.meeting.request_transcription().await.unwrap();
    for wanted in [CaptureKind::Recording, CaptureKind::Transcription] {
        let asked = |event| match event {
            MeetingEvent::CaptureRequested { kind, by } => Some((kind, by)),
            _ => None,
        };
        let seen = alice.sees("what is asked for", asked).await;
        assert_eq!(seen, (wanted, zoe.id.clone()));
    }

    // Nobody runs a service that would take them on.
    let started = host.start_transcription(Language::Auto, true).await;
    assert!(started.unwrap().capture.is_some());
    let mut failed = Vec::new();
    while failed.len() < 2 {
        let further = |event| match event {
            MeetingEvent::Capture { capture } => Some(capture),
            _ => None,
        };
        let capture = zoe.sees("a recording", further).await;
        if capture.status == CaptureStatus::FailedToStart {
            assert_eq!(capture.failure, Some(CaptureFailure::ServiceUnavailable));
            failed.push(capture.language);
        }
    }
    assert!(failed.contains(&Some(Language::Auto)), "{failed:?}");
    assert!(failed.contains(&None), "{failed:?}");
    let started = host.start_recording().await;
    assert!(started.unwrap().capture.is_some());
    let recording = zoe.meeting.start_recording().await;
    assert_eq!(recording.unwrap_err().kind(), ErrorKind::Forbidden);
    let stopping = host.stop_transcription().await;
    assert_eq!(stopping.unwrap_err().kind(), ErrorKind::NotRecording);

    let guest = host.set_role(zoe.id.clone(), Role::Member).await;
    assert_eq!(guest.unwrap_err().kind(), ErrorKind::NotSignedIn);
    host.remove(zoe.id.clone()).await.unwrap();
    is_out(&zoe, DisconnectReason::Removed).await;
    let gone = |event| match event {
        MeetingEvent::Left {
            participant,
            reason,
        } if participant == zoe.id => Some(reason),
        _ => None,
    };
    assert_eq!(alice.sees("who leaves", gone).await, LeaveReason::Removed);
    host.leave().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_becomes_a_host_may_do_what_was_refused_before() {
    let site = Site::start();
    let brunos = site.account("Bruno", "bruno@example.org");
    let link = site.room();
    let administrator = Tickets::agent(site.administrator.clone());
    let alice = Person::joins(&link, "Alice", administrator).await;
    alice.is_in().await;
    let bruno = Person::joins(&link, "Bruno", Tickets::agent(brunos)).await;
    bruno.is_in().await;

    let member = &bruno.meeting;
    let alices = || alice.id.clone();
    let refused: [Result<(), ParvisError>; 12] = [
        member.admit(Target::All).await.map(drop),
        member.deny(Target::All).await,
        member.forbid(Source::Camera, true).await,
        member.lower_hand_of(alices()).await,
        member.lower_all_hands().await,
        member.rename_other(alices(), "A.".to_owned()).await,
        member.set_role(alices(), Role::Guest).await,
        member.set_access(AccessLevel::Public, None).await,
        member.set_host_gate(false).await,
        member.set_history(HistoryPolicy::None).await,
        member.lock(true).await,
        member.remove(alices()).await,
    ];
    for (index, answer) in refused.into_iter().enumerate() {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Forbidden, "{index}");
    }
    let end = member.end_for_all().await.unwrap_err();
    assert_eq!(end.kind(), ErrorKind::Forbidden);

    let role = alice
        .meeting
        .set_role(bruno.id.clone(), Role::Administrator);
    role.await.unwrap();
    for person in [&alice, &bruno] {
        sees_change(person, &bruno, |p| p.role, Role::Administrator).await;
    }
    member.lock(true).await.unwrap();
    let locked = |state: &MeetingState| state.view.as_ref().is_some_and(|view| view.locked);
    alice.knows("the lock", locked).await;
    // Nobody is above its owner.
    let owner = member.remove(alices()).await.unwrap_err();
    assert_eq!(owner.kind(), ErrorKind::Forbidden);

    alice.meeting.end_for_all().await.unwrap();
    for person in [&alice, &bruno] {
        is_out(person, DisconnectReason::RoomEnded).await;
    }
}
