use parvis::data::Grouping;
use parvis_meeting::{ChatSeq, Command, Notice, Reactions, Target, from_json, tracks};

use crate::{
    app::{App, next_said},
    scene::{Scene, account, agent, guest, soon},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_late_joiner_fetches_the_chat_from_the_store() {
    let mut scene = Scene::new().await;
    let mut zoe = App::host(&scene).await;
    let mut chat = zoe.chat().await;
    for number in 0..70 {
        let done = zoe.write(&format!("message {number}")).await.unwrap();
        assert_eq!(done.seq, Some(ChatSeq(number)));
        let message = next_said(&mut chat).await;
        assert_eq!(message.seq, ChatSeq(number));
        assert_eq!(message.text, format!("message {number}"));
        assert_eq!((&message.from, &*message.name), (&zoe.who, "Zoé"));
    }
    // What the tracks had in memory is gone.
    scene.replace_authority().await;
    let mut state = zoe.state().await;
    state.until_in(&zoe.who).await;
    let session = state.view.as_ref().unwrap().session();

    let bruno = account(&scene.store, "Bruno B.").await;
    let mut bruno = App::new(&scene, agent(&bruno, "Bruno")).await;
    bruno.knock().await.unwrap();
    bruno.admitted().await;
    let newest = bruno.history(session, 64, 70).await;
    let older = bruno.history(session, 0, 64).await;
    let texts: Vec<_> = older
        .iter()
        .chain(&newest)
        .map(|m| m.text.clone())
        .collect();
    let expected: Vec<_> = (0..70).map(|number| format!("message {number}")).collect();
    assert_eq!(texts, expected);
    let done = bruno.write("hello").await.unwrap();
    assert_eq!(done.seq, Some(ChatSeq(70)));
    assert_eq!(next_said(&mut chat).await.text, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_later_does_not_fetch_what_is_for_those_who_were_there() {
    let mut scene = Scene::new().await;
    let mut zoe = App::host(&scene).await;
    let mut state = zoe.state().await;
    state.until_in(&zoe.who).await;
    let session = state.view.as_ref().unwrap().session();
    for (text, history) in [
        ("for all", parvis_meeting::HistoryPolicy::Session),
        ("for those here", parvis_meeting::HistoryPolicy::FromJoin),
        ("for the moment", parvis_meeting::HistoryPolicy::None),
        ("for all again", parvis_meeting::HistoryPolicy::Session),
    ] {
        zoe.ask(Command::SetHistory { history }).await.unwrap();
        zoe.write(text).await.unwrap();
    }
    let kept = scene.store.room(&scene.code).await.unwrap().unwrap().policy;
    assert_eq!(kept.history, parvis_meeting::HistoryPolicy::Session);
    let noticed = |notice: &Notice| match notice {
        Notice::Chat { message } => Some(message.text.clone()),
        _ => None,
    };
    assert_eq!(zoe.notice("a message", noticed).await, "for those here");
    assert_eq!(zoe.notice("a message", noticed).await, "for the moment");
    // What the track had in memory is gone.
    scene.replace_authority().await;
    zoe.ask(Command::Resync).await.unwrap();
    let mut ada = App::new(&scene, guest("Ada")).await;
    ada.knock().await.unwrap();
    zoe.ask(Command::Admit { who: Target::All }).await.unwrap();
    ada.admitted().await;
    let texts: Vec<_> = ada.history(session, 0, 4).await;
    let texts: Vec<_> = texts.into_iter().map(|message| message.text).collect();
    assert_eq!(texts, ["for all", "for all again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hands_are_in_order_and_reactions_are_seen() {
    let scene = Scene::with(parvis_meeting::Policy {
        access: parvis_meeting::AccessLevel::Public,
        ..Default::default()
    })
    .await;
    let mut zoe = App::host(&scene).await;
    let mut guests = Vec::new();
    for name in ["Ada", "Bo", "Cy"] {
        let mut app = App::new(&scene, guest(name)).await;
        app.knock().await.unwrap();
        app.admitted().await;
        guests.push(app);
    }
    let mut state = zoe.state().await;
    let mut reactions = guests[2]
        .control(tracks::REACTIONS, Grouping::Replacing)
        .await;
    let mut raised = Vec::new();
    for index in [1, 0, 2] {
        let done = guests[index].ask(Command::RaiseHand).await.unwrap();
        raised.push((done.hand.unwrap(), guests[index].who.clone()));
    }
    assert!(raised.is_sorted());
    let order: Vec<_> = raised.iter().map(|(_, who)| who.clone()).collect();
    state
        .until("three hands", |view| {
            let hands: Vec<_> = view.hands().cloned().collect();
            (hands == order).then_some(())
        })
        .await;
    // The same request again is done once.
    let id = guests[0].next_id();
    let first = guests[0].ask_as(id.clone(), Command::RaiseHand).await;
    assert_eq!(guests[0].ask_as(id, Command::RaiseHand).await, first);
    zoe.ask(Command::LowerAllHands).await.unwrap();
    state
        .until("no hand", |view| {
            view.hands().next().is_none().then_some(())
        })
        .await;
    let emoji = "thumbs-up".to_owned();
    guests[0].ask(Command::React { emoji }).await.unwrap();
    let participant = soon("a reaction", async {
        loop {
            let object = reactions.next().await.unwrap();
            match from_json(&object.payload).unwrap() {
                Reactions::One { participant, .. } => return participant,
                Reactions::State { .. } => {}
                other => panic!("few people are named, got {other:?}"),
            }
        }
    })
    .await;
    assert_eq!(participant, guests[0].who);
}
