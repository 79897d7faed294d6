use parvis_meeting::{Command, ErrorKind, LobbyStatus, Notice, Policy, Target};

use crate::{
    app::App,
    scene::{Scene, account, agent, guest, now, room, soon},
};

fn one(who: &parvis_meeting::ParticipantId) -> Target {
    Target::One(who.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_waits_for_the_host_and_then_for_a_decision() {
    let scene = Scene::new().await;
    let mut ada = App::new(&scene, guest("Ada")).await;
    ada.knock().await.unwrap();
    assert_eq!(ada.status().await, LobbyStatus::WaitingForHost);

    let mut zoe = App::host(&scene).await;
    assert!(matches!(ada.status().await, LobbyStatus::Waiting { .. }));
    let waiter = zoe
        .notice("a waiter", |notice| match notice {
            Notice::LobbySnapshot { waiters } => waiters.first().cloned(),
            Notice::LobbyJoined { waiter } => Some(waiter.clone()),
            _ => None,
        })
        .await;
    assert_eq!(
        (waiter.participant, waiter.name),
        (ada.who.clone(), "Ada".to_owned())
    );
    assert!(!waiter.verified && !waiter.signed_in);

    zoe.ask(Command::Admit { who: one(&ada.who) })
        .await
        .unwrap();
    ada.admitted().await;
    let mut state = ada.state().await;
    state.until_in(&ada.who).await;
    let view = state.view.as_ref().unwrap();
    assert_eq!(view.participant(&ada.who).unwrap().name, "Ada");
    assert!(view.participant(&zoe.who).unwrap().verified);
    let again = zoe.ask(Command::Admit { who: one(&ada.who) }).await;
    assert_eq!(again, Err(ErrorKind::AlreadyDecided));
    let log = scene.store.audit_log(&scene.code).await.unwrap();
    assert_eq!(log[0].entry.action, "admitted");
    assert_eq!(log[0].entry.actor, scene.zoe.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_enters_and_a_denied_guest_does_not() {
    let scene = Scene::new().await;
    let bruno = account(&scene.store, "Bruno B.").await;
    let mut bruno = App::new(&scene, agent(&bruno, "Bruno")).await;
    bruno.knock().await.unwrap();
    bruno.admitted().await;
    let mut zoe = App::host(&scene).await;
    let mut ada = App::new(&scene, guest("Ada")).await;
    ada.knock().await.unwrap();
    assert!(matches!(ada.status().await, LobbyStatus::Waiting { .. }));
    let refused = bruno.ask(Command::Admit { who: Target::All }).await;
    assert_eq!(refused, Err(ErrorKind::Forbidden));
    zoe.ask(Command::Deny { who: one(&ada.who) }).await.unwrap();
    let LobbyStatus::Denied { retry_after_ms } = ada.status().await else {
        panic!("she was denied");
    };
    assert!(retry_after_ms.is_some_and(|pause| pause <= 5000));
    assert_eq!(ada.knock().await, Err(ErrorKind::Denied));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_room_answers_as_one_that_waits_for_its_host() {
    let scene = Scene::new().await;
    let absent = "zzzzzzzzzz".parse().unwrap();
    let mut known = App::new(&scene, guest("Ada")).await;
    let mut unknown = App::to(&scene, absent, guest("Ada")).await;
    // No ticket of ours names this one.
    let stranger = parvis_meeting::ParticipantId::new("pstranger").unwrap();
    let token = scene.ticket(&scene.code, &stranger);
    let mut stranger = App::with(&scene, scene.code, stranger, &token).await;
    // This one is for another room, where she is a host.
    let other = room(&scene.store, &scene.zoe, Policy::default()).await;
    let (foreigner, _) = scene.join(other, agent(&scene.zoe, "Zoé")).await;
    let token = scene.ticket(&scene.code, &foreigner);
    let mut foreigner = App::with(&scene, scene.code, foreigner, &token).await;
    let mut heard = Vec::new();
    for app in [&mut known, &mut unknown, &mut stranger, &mut foreigner] {
        let mut answers = Vec::new();
        for command in [
            Command::Resync,
            Command::RaiseHand,
            Command::Knock {
                name: Some("Eve".to_owned()),
            },
            Command::Knock {
                name: Some("Eve".to_owned()),
            },
            Command::Admit { who: Target::All },
            Command::RenewToken,
            Command::Leave,
            Command::Knock { name: None },
        ] {
            answers.push(format!("{:?}", app.ask(command).await));
        }
        app.send("{\"id\": \"x\", \"command\": {\"type\": \"fly\"}}");
        app.send("rubbish");
        let detail = |notice: &Notice| match notice {
            Notice::Malformed { detail } => Some(detail.clone()),
            _ => None,
        };
        answers.push(app.notice("a complaint", detail).await);
        // All that was said meanwhile.
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(app.status().await);
        }
        assert_eq!(statuses.last(), Some(&LobbyStatus::WaitingForHost));
        answers.push(format!("{statuses:?}"));
        let time = now().0 * 16;
        assert!(
            app.numbers
                .iter()
                .all(|n| (time - 16 * 60_000..time).contains(n))
        );
        assert!(app.numbers.windows(2).all(|n| n[1] == n[0] + 1));
        heard.push(answers);
    }
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0], heard[2]);
    assert_eq!(heard[0], heard[3]);
    // Nobody can tell afterwards either, but those who are really there.
    let mut zoe = App::host(&scene).await;
    assert!(matches!(known.status().await, LobbyStatus::Waiting { .. }));
    zoe.ask(Command::Admit { who: Target::All }).await.unwrap();
    known.admitted().await;
    let mut state = zoe.state().await;
    state.until_in(&known.who).await;
    assert_eq!(state.view.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_to_a_room_too_many_waits_for_a_place() {
    let mut scene = Scene::new().await;
    scene.authority = None;
    scene.limits.rooms = 1;
    scene.start_authority().await;
    let other = room(&scene.store, &scene.zoe, Policy::default()).await;
    let mut here = App::host(&scene).await;
    let mut there = App::to(&scene, other, agent(&scene.zoe, "Zoé")).await;
    // Strangers take no place.
    let mut stranger = App::to(&scene, "zzzzzzzzzz".parse().unwrap(), guest("Ada")).await;
    stranger.knock().await.unwrap();
    let waiting = tokio::spawn(async move {
        there.knock().await.unwrap();
        there.admitted().await;
    });
    for _ in 0..100 {
        here.ask(Command::Resync).await.unwrap();
    }
    assert!(!waiting.is_finished());
    here.ask(Command::EndForAll).await.unwrap();
    soon("a place", waiting).await.unwrap();
}
