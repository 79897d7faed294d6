//! What hosts allow and forbid.

use std::time::Duration;

use parvis::{
    AudioOptions, PublishError,
    meeting::{
        AccessLevel, ErrorKind, HistoryPolicy, Lobby, MeetingEvent, MeetingState, Policy, Source,
        Target,
    },
};

use parvis_meeting::Settings;

use crate::{
    house::{House, admit, connected, event, in_lobby, soon, waiting},
    together::{kind, me},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_to_all_is_refused_to_guests_and_not_to_hosts() {
    let (house, code, host) = House::public().await;
    let anna = house.member(&code, "Anna").await;
    let microphone = anna
        .microphone(AudioOptions::default())
        .await
        .expect("it is on");
    assert_eq!(
        kind(anna.forbid(Source::Microphone, true).await),
        ErrorKind::Forbidden
    );
    let mut events = anna.events();
    host.forbid(Source::Microphone, true)
        .await
        .expect("it is a host");
    // It stops where it is captured too.
    event(&mut events, "the end of it", |event| match event {
        MeetingEvent::Muted { source, by } => {
            (*source == Source::Microphone && *by == me(&anna)).then_some(())
        }
        _ => None,
    })
    .await;
    let ben = house.member(&code, "Ben").await;
    match ben.microphone(AudioOptions::default()).await {
        Err(PublishError::Refused(kind)) => assert_eq!(kind, ErrorKind::Forbidden),
        other => panic!("{other:?}"),
    }
    let forbidden = |state: &MeetingState| {
        let view = state.view.as_ref();
        view.is_some_and(|view| view.forbidden().microphone)
    };
    assert!(forbidden(
        &*soon("the rule", anna.wait_for(forbidden)).await
    ));
    assert_eq!(kind(microphone.unmute().await), ErrorKind::Forbidden);
    let own = host
        .microphone(AudioOptions::default())
        .await
        .expect("it is on");
    own.unmute().await.expect("hosts may");
    host.forbid(Source::Microphone, false)
        .await
        .expect("it is a host");
    microphone.unmute().await.expect("it is allowed again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_room_and_another_access_let_newcomers_wait() {
    let (house, code, host) = House::public().await;
    host.lock(true).await.expect("it is a host");
    let anna = house.guest(&code, "Anna").await;
    admit(&host, &anna).await;
    host.lock(false).await.expect("it is a host");
    host.set_access(AccessLevel::Restricted, None)
        .await
        .expect("it is a host");
    let ben = house.guest(&code, "Ben").await;
    let cleo = house.guest(&code, "Cleo").await;
    waiting(&ben).await;
    waiting(&cleo).await;
    let both = |state: &MeetingState| state.lobby.len() == 2;
    assert!(both(&*soon("the lobby", host.wait_for(both)).await));
    // Whoever waits is received anew by another rule.
    host.set_access(AccessLevel::Public, None)
        .await
        .expect("it is a host");
    connected(&ben).await;
    connected(&cleo).await;
    assert_eq!(
        kind(host.admit(Target::One(me(&ben))).await),
        ErrorKind::AlreadyDecided
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_history_a_late_joiner_reads_nothing_of_the_past() {
    let house = House::new().await;
    let zoe = house.account("Zoe").await;
    let policy = Policy {
        access: AccessLevel::Public,
        history: HistoryPolicy::None,
        ..Policy::default()
    };
    let code = house.room(&zoe, policy).await;
    let host = house.agent(&code, &zoe, "Zoe").await;
    connected(&host).await;
    let anna = house.guest(&code, "Anna").await;
    connected(&anna).await;
    host.chat("for those who are here")
        .await
        .expect("it is sent");
    anna.chat("for them too").await.expect("it is sent");
    host.set_history(HistoryPolicy::Session)
        .await
        .expect("it is a host");
    let third = anna.chat("for all").await.expect("it is sent");
    let ben = house.guest(&code, "Ben").await;
    connected(&ben).await;
    let page = soon("history", async {
        loop {
            let page = ben.history(None, 10).await.expect("history");
            if !page.messages.is_empty() {
                return page;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    let texts: Vec<&str> = page.messages.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(texts, ["for all"]);
    // The numbers of what is gone are told, and nothing of what it said.
    assert_eq!(third.seq.map(|seq| seq.0), Some(2));
    let gaps: Vec<_> = page.gaps.iter().map(|gap| (gap.from.0, gap.to.0)).collect();
    assert_eq!(gaps, [(0, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_denied_and_joins_anew_is_told_so() {
    let settings = Settings {
        denial_pause: Duration::from_hours(1),
        ..Settings::default()
    };
    let house = House::with(settings).await;
    let zoe = house.account("Zoe").await;
    let code = house.room(&zoe, Policy::default()).await;
    let host = house.agent(&code, &zoe, "Zoe").await;
    connected(&host).await;
    let gus = house.guest(&code, "Gus").await;
    waiting(&gus).await;
    let knows = |state: &MeetingState| !state.lobby.is_empty();
    soon("the knock", host.wait_for(knows)).await;
    host.deny(Target::All).await.expect("it is a host");
    let denied = |lobby: &Lobby| {
        matches!(
            lobby,
            Lobby::Denied {
                retry_after: Some(_)
            }
        )
    };
    in_lobby(&gus, denied).await;
    assert!(gus.state().is_turned_away());
    soon("leaving", gus.leave()).await;
    // The same device, at the door once more.
    let gus = house.guest(&code, "Gus").await;
    in_lobby(&gus, denied).await;
}
