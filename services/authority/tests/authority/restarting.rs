use parvis::data::{DataOptions, DataSubscribe, FullTrackName, Grouping, Location};
use parvis_meeting::{AccessLevel, ChatSeq, Command, ErrorKind, Policy, Role, Target, tracks};
use parvis_store::RoomChange;

use crate::{
    app::{App, next_said},
    scene::{Scene, account, agent, audit, guest, now, soon},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_goes_on_when_its_authority_is_started_again() {
    let mut scene = Scene::new().await;
    let mut zoe = App::host(&scene).await;
    let mut ada = App::new(&scene, guest("Ada")).await;
    ada.knock().await.unwrap();
    zoe.ask(Command::Admit { who: Target::All }).await.unwrap();
    ada.admitted().await;
    let mut late = App::new(&scene, guest("Late")).await;
    late.knock().await.unwrap();
    late.status().await;

    let mut chat = ada.chat().await;
    let mut state = ada.state().await;
    ada.ask(Command::RaiseHand).await.unwrap();
    for number in 0..3 {
        let text = format!("before {number}");
        assert_eq!(zoe.write(&text).await.unwrap().seq, Some(ChatSeq(number)));
    }
    // What stands for media, which pass by the authority.
    ada.link.announce(tracks::media_of(&ada.code, &ada.who));
    let name = FullTrackName::new(tracks::media_of(&ada.code, &ada.who), "microphone".into());
    let name = name.unwrap();
    let microphone = ada
        .link
        .publish(name.clone(), DataOptions::default())
        .unwrap();
    let wanted = DataSubscribe::current_group(Grouping::Sequence(1));
    microphone.send(Location::new(1, 0), "sound");
    let mut heard = soon("sound", zoe.link.subscribe(name, wanted))
        .await
        .unwrap();

    for round in 0..3 {
        scene.authority = None;
        microphone.send(Location::new(2 + round, 0), "sound");
        scene.start_authority().await;
        assert_eq!(
            zoe.write("after").await.unwrap().seq,
            Some(ChatSeq(3 + round))
        );
    }
    for group in 1..=4 {
        let object = soon("sound", heard.next()).await.unwrap();
        assert_eq!(
            (object.location, object.gap),
            (Location::new(group, 0), false)
        );
    }
    let mut texts = Vec::new();
    for seq in 0..6 {
        let message = next_said(&mut chat).await;
        assert_eq!(message.seq, ChatSeq(seq));
        texts.push(message.text);
    }
    assert_eq!(
        texts,
        [
            "before 0", "before 1", "before 2", "after", "after", "after"
        ]
    );
    // Her hand is up, who waited still waits, and nobody has left.
    state
        .until("her hand", |view| {
            (view.hand_position(&ada.who) == Some(1) && view.is_connected(&zoe.who)).then_some(())
        })
        .await;
    zoe.ask(Command::Admit {
        who: Target::One(late.who.clone()),
    })
    .await
    .unwrap();
    late.admitted().await;
    state.until_in(&late.who).await;
    assert_eq!(state.view.as_ref().unwrap().len(), 3);
    assert!(zoe.numbers.windows(2).all(|n| n[0] < n[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_the_authority_dies_is_there_once() {
    let mut scene = Scene::new().await;
    let mut zoe = App::host(&scene).await;
    let mut chat = zoe.chat().await;
    let mut state = zoe.state().await;
    state.until_in(&zoe.who).await;
    let session = state.view.as_ref().unwrap().session();
    let writing = tokio::spawn(async move {
        let mut written = Vec::new();
        for number in 0..30 {
            let done = zoe.write(&format!("message {number}")).await.unwrap();
            written.push(done.seq.unwrap().0);
        }
        (zoe, written)
    });
    for number in 0..30 {
        let message = next_said(&mut chat).await;
        assert_eq!(message.seq, ChatSeq(number));
        assert_eq!(message.text, format!("message {number}"));
        if number % 5 == 0 {
            // While the next ones are on their way.
            scene.replace_authority().await;
        }
    }
    let (zoe, written) = soon("the last one", writing).await.unwrap();
    assert!(written.iter().copied().eq(0..30), "{written:?}");
    let kept = zoe.history(session, 0, 30).await;
    let texts = kept.into_iter().map(|message| message.text);
    assert!(texts.eq((0..30).map(|number| format!("message {number}"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_closed_leaves_the_meeting_to_the_next_one() {
    let mut scene = Scene::new().await;
    let mut zoe = App::host(&scene).await;
    zoe.write("one").await.unwrap();
    let authority = scene.authority.take().unwrap();
    soon("the end", authority.close()).await;
    assert_eq!(scene.store.running_rooms().await.unwrap(), [scene.code]);
    scene.start_authority().await;
    assert_eq!(zoe.write("two").await.unwrap().seq, Some(ChatSeq(1)));
    // Those who do not come back are given up: the last one ends the session.
    zoe.ask(Command::Leave).await.unwrap();
    let over = async { while !scene.store.running_rooms().await.unwrap().is_empty() {} };
    soon("the end", over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_change_in_the_store_holds_at_once() {
    let scene = Scene::new().await;
    let mut zoe = App::host(&scene).await;
    let bruno = account(&scene.store, "Bruno B.").await;
    let mut app = App::new(&scene, agent(&bruno, "Bruno")).await;
    app.knock().await.unwrap();
    app.admitted().await;
    let locked = Command::Lock { locked: true };
    assert_eq!(app.ask(locked.clone()).await, Err(ErrorKind::Forbidden));
    let mut state = zoe.state().await;
    let by = audit("set_role", &scene.zoe);
    let given = scene
        .store
        .set_role(&scene.code, &bruno, Role::Administrator, &by);
    given.await.unwrap().unwrap();
    state
        .until("an administrator", |view| {
            (view.participant(&app.who)?.role == Role::Administrator).then_some(())
        })
        .await;
    app.ask(locked).await.unwrap();

    let change = RoomChange {
        policy: Some(Policy {
            access: AccessLevel::Restricted,
            ..Policy::default()
        }),
        ..RoomChange::default()
    };
    let by = audit("change_room", &scene.zoe);
    scene
        .store
        .change_room(&scene.code, &change, &by, &[], now())
        .await
        .unwrap();
    state
        .until("restricted", |view| {
            (view.policy().access == AccessLevel::Restricted).then_some(())
        })
        .await;
    // And the other way round.
    let (who, role) = (app.who.clone(), Role::Member);
    zoe.ask(Command::SetRole { who, role }).await.unwrap();
    let roles = scene.store.roles(&scene.code).await.unwrap().unwrap();
    assert_eq!(roles.role(&bruno), Role::Member);

    scene
        .store
        .delete_room(&scene.code, &by, &[], now())
        .await
        .unwrap();
    let ended = |notice: &parvis_meeting::Notice| {
        matches!(notice, parvis_meeting::Notice::RoomEnded).then_some(())
    };
    zoe.notice("the end", ended).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_goes_on_at_a_relay_that_was_started_anew() {
    let mut scene = Scene::new().await;
    let mut zoe = App::host(&scene).await;
    let mut chat = zoe.chat().await;
    zoe.write("before").await.unwrap();
    scene.replace_relay();
    assert_eq!(zoe.write("after").await.unwrap().seq, Some(ChatSeq(1)));
    for text in ["before", "after"] {
        assert_eq!(next_said(&mut chat).await.text, text);
    }
    assert!(
        zoe.numbers.windows(2).all(|n| n[0] < n[1]),
        "{:?}",
        zoe.numbers
    );
    assert!(
        scene
            .store
            .running_rooms()
            .await
            .unwrap()
            .contains(&scene.code)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_back_after_a_restart_is_given_up() {
    let mut scene = Scene::with(Policy {
        access: AccessLevel::Public,
        ..Policy::default()
    })
    .await;
    let mut zoe = App::host(&scene).await;
    let mut ada = App::new(&scene, guest("Ada")).await;
    ada.knock().await.unwrap();
    let token = ada.admitted().await;
    let who = ada.who.clone();
    let mut state = zoe.state().await;
    state.until_in(&who).await;
    scene.authority = None;
    drop(ada);
    scene.meeting.reconnection_grace = std::time::Duration::from_secs(2);
    scene.start_authority().await;
    state.until_out(&who).await;
    assert!(state.view.as_ref().unwrap().participant(&zoe.who).is_some());
    assert!(scene.refuses(&token).await);
    zoe.write("alone").await.unwrap();
}
