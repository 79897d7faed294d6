//! A PostgreSQL store under an authority, also one that fails in the middle of a meeting.

use parvis::data::{DataOptions, DataSubscribe, FullTrackName, Grouping, Location};
use parvis_meeting::{ChatSeq, Command, Target, tracks};
use parvis_postgres::{Cluster, Stop};
use parvis_store::Store;

use crate::{
    app::{App, next_said},
    scene::{Scene, guest, soon},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_goes_on_at_the_next_authority_of_a_postgresql_store() {
    let cluster = Cluster::start();
    let store = Store::open(&cluster.url()).await.unwrap();
    let mut scene = Scene::with_store(store).await;
    let mut zoe = App::host(&scene).await;
    let mut ada = App::new(&scene, guest("Ada")).await;
    ada.knock().await.unwrap();
    zoe.ask(Command::Admit { who: Target::All }).await.unwrap();
    ada.admitted().await;
    ada.ask(Command::RaiseHand).await.unwrap();
    let mut chat = ada.chat().await;
    for number in 0..4 {
        let text = format!("message {number}");
        assert_eq!(zoe.write(&text).await.unwrap().seq, Some(ChatSeq(number)));
        scene.replace_authority().await;
    }
    for number in 0..4 {
        assert_eq!(next_said(&mut chat).await.text, format!("message {number}"));
    }
    let mut state = zoe.state().await;
    state
        .until("her hand", |view| {
            (view.hand_position(&ada.who) == Some(1)).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_its_database_is_away_a_meeting_acknowledges_nothing_and_media_go_on() {
    let cluster = Cluster::start();
    let store = Store::open(&cluster.url()).await.unwrap();
    let scene = Scene::with_store(store).await;
    let mut zoe = App::host(&scene).await;
    let mut chat = zoe.chat().await;
    zoe.write("before").await.unwrap();
    let media = tracks::media_of(&zoe.code, &zoe.who);
    let mut ada = App::new(&scene, guest("Ada")).await;
    ada.knock().await.unwrap();
    zoe.ask(Command::Admit { who: Target::All }).await.unwrap();
    ada.admitted().await;
    zoe.link.announce(media.clone());
    let name = FullTrackName::new(media, "microphone".into()).unwrap();
    let microphone = zoe.link.publish(name.clone(), DataOptions::default());
    let microphone = microphone.unwrap();
    let wanted = DataSubscribe::current_group(Grouping::Sequence(1));
    microphone.send(Location::new(0, 0), "sound");
    let mut heard = soon("sound", ada.link.subscribe(name, wanted))
        .await
        .unwrap();
    soon("sound", heard.next()).await.unwrap();

    cluster.stop(Stop::Immediate);
    let mut writing = tokio::spawn(async move {
        let done = zoe.write("meanwhile").await;
        (zoe, done)
    });
    for group in 1..50 {
        microphone.send(Location::new(group, 0), "sound");
        let object = soon("sound", heard.next()).await.unwrap();
        assert_eq!(object.location, Location::new(group, 0));
    }
    let early = tokio::time::timeout(std::time::Duration::from_secs(2), &mut writing).await;
    assert!(early.is_err(), "nothing is acknowledged that is not stored");
    cluster.resume();
    let (mut zoe, done) = soon("the answer", writing).await.unwrap();
    assert_eq!(done.unwrap().seq, Some(ChatSeq(1)));
    assert_eq!(zoe.write("after").await.unwrap().seq, Some(ChatSeq(2)));
    for text in ["before", "meanwhile", "after"] {
        assert_eq!(next_said(&mut chat).await.text, text);
    }
}
