use std::time::Duration;

use parvis::{
    SubscribeError,
    data::{
        DataOptions, DataPublisher, DataSubscribe, DataTrack, FullTrackName, Grouping, Location,
    },
};
use parvis_authority::Limits;
use parvis_meeting::{
    AccessLevel, Command, ErrorKind, LobbyStatus, MediaState, Notice, ParticipantId, Policy,
    Source, Target, View, tracks,
};
use parvis_store::RoomChange;

use crate::{
    app::App,
    scene::{Scene, guest, soon},
};

async fn open_scene() -> Scene {
    Scene::with(Policy {
        access: AccessLevel::Public,
        ..Policy::default()
    })
    .await
}

async fn member(scene: &Scene, name: &str) -> App {
    let mut app = App::new(scene, guest(name)).await;
    app.knock().await.unwrap();
    app.admitted().await;
    app
}

fn media(app: &App, track: &'static str) -> FullTrackName {
    let namespace = tracks::media_of(&app.code, &app.who);
    FullTrackName::new(namespace, track.into()).unwrap()
}

/// What stands for a captured track.
fn publish(app: &App, track: &'static str) -> DataPublisher {
    app.link.announce(tracks::media_of(&app.code, &app.who));
    let options = DataOptions {
        keep_objects: 1,
        ..DataOptions::default()
    };
    app.link.publish(media(app, track), options).unwrap()
}

async fn watch(app: &App, of: &App, track: &'static str) -> Result<DataTrack, SubscribeError> {
    let wanted = DataSubscribe::current_group(Grouping::Replacing);
    soon("an answer", app.link.subscribe(media(of, track), wanted)).await
}

async fn next_group(track: &mut DataTrack) -> u64 {
    let object = soon("an object", track.next()).await.unwrap();
    object.location.group.0
}

/// Nothing has come so far.
async fn is_silent(track: &mut DataTrack) -> bool {
    tokio::time::timeout(Duration::ZERO, track.next())
        .await
        .is_err()
}

fn on(source: Source) -> Command {
    let state = |s| (s == source).then_some(MediaState::On);
    Command::SetMedia {
        microphone: state(Source::Microphone),
        camera: state(Source::Camera),
        screen: state(Source::Screen),
    }
}

fn one(who: &ParticipantId) -> Target {
    Target::One(who.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_muted_microphone_is_not_forwarded_until_its_owner_turns_it_on() {
    let scene = open_scene().await;
    let mut zoe = App::host(&scene).await;
    let mut ada = member(&scene, "Ada").await;
    let mut state = zoe.state().await;
    ada.ask(on(Source::Microphone)).await.unwrap();
    let (microphone, camera) = (publish(&ada, "microphone"), publish(&ada, "camera/720p"));
    microphone.send(Location::new(1, 0), "sound");
    camera.send(Location::new(1, 0), "a picture");
    let mut heard = watch(&zoe, &ada, "microphone").await.unwrap();
    let mut seen = watch(&zoe, &ada, "camera/720p").await.unwrap();
    assert_eq!(next_group(&mut heard).await, 1);
    assert_eq!(next_group(&mut seen).await, 1);

    let refused = ada.ask(Command::Mute { who: one(&zoe.who) }).await;
    assert_eq!(refused, Err(ErrorKind::Forbidden));
    zoe.ask(Command::Mute { who: one(&ada.who) }).await.unwrap();
    // The relay has obeyed when that is answered.
    microphone.send(Location::new(2, 0), "what nobody hears");
    camera.send(Location::new(2, 0), "a picture");
    assert_eq!(next_group(&mut seen).await, 2);
    assert!(is_silent(&mut heard).await);
    let mut bo = member(&scene, "Bo").await;
    let refused = watch(&bo, &ada, "microphone").await;
    assert!(refused.is_err(), "{refused:?}");
    let muted = |notice: &Notice| match notice {
        Notice::Muted { source, by } => Some((*source, by.clone())),
        _ => None,
    };
    let muted = ada.notice("a word of it", muted).await;
    assert_eq!(muted, (Source::Microphone, zoe.who.clone()));
    state
        .until("muted", |view| {
            let media = view.participant(&ada.who)?.media;
            (media.microphone == MediaState::Muted).then_some(())
        })
        .await;

    ada.ask(on(Source::Microphone)).await.unwrap();
    microphone.send(Location::new(3, 0), "sound");
    let mut again = watch(&bo, &ada, "microphone").await.unwrap();
    while next_group(&mut again).await != 3 {}
    while next_group(&mut heard).await != 3 {}
    bo.ask(Command::Leave).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_source_stops_for_all_but_hosts_and_for_newcomers() {
    let scene = open_scene().await;
    let mut zoe = App::host(&scene).await;
    let mut ada = member(&scene, "Ada").await;
    let (source, forbidden) = (Source::Camera, true);
    zoe.ask(Command::Forbid { source, forbidden })
        .await
        .unwrap();
    let mut bo = member(&scene, "Bo").await;
    let cameras = [&zoe, &ada, &bo].map(|app| publish(app, "camera/720p"));
    for camera in &cameras {
        camera.send(Location::new(1, 0), "a picture");
    }
    for of in [&ada, &bo] {
        let refused = watch(&zoe, of, "camera/720p").await;
        assert!(refused.is_err(), "{refused:?}");
    }
    let mut seen = watch(&ada, &zoe, "camera/720p").await.unwrap();
    assert_eq!(next_group(&mut seen).await, 1);
    for app in [&mut ada, &mut bo] {
        assert_eq!(app.ask(on(Source::Camera)).await, Err(ErrorKind::Forbidden));
    }
    let forbidden = false;
    zoe.ask(Command::Forbid { source, forbidden })
        .await
        .unwrap();
    bo.ask(on(Source::Camera)).await.unwrap();
    cameras[2].send(Location::new(2, 0), "a picture");
    let mut seen = watch(&ada, &bo, "camera/720p").await.unwrap();
    while next_group(&mut seen).await != 2 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_is_not_heard_while_it_is_told() {
    let policy = Policy {
        access: AccessLevel::Public,
        ..Policy::default()
    };
    let limits = Limits {
        farewell: Duration::from_hours(1),
        ..Limits::default()
    };
    let scene = Scene::limited(policy, limits).await;
    let mut zoe = App::host(&scene).await;
    let ada = member(&scene, "Ada").await;
    let microphone = publish(&ada, "microphone");
    microphone.send(Location::new(1, 0), "sound");
    let mut heard = watch(&zoe, &ada, "microphone").await.unwrap();
    assert_eq!(next_group(&mut heard).await, 1);
    let who = ada.who.clone();
    zoe.ask(Command::Remove { who }).await.unwrap();
    // The relay has obeyed when that is answered, and the session is there.
    microphone.send(Location::new(2, 0), "what nobody hears");
    let refused = watch(&zoe, &ada, "microphone").await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(is_silent(&mut heard).await);
    assert!(!scene.sessions(&ada.who).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_is_told_and_its_token_is_dead() {
    let mut scene = open_scene().await;
    let mut zoe = App::host(&scene).await;
    let mut ada = App::new(&scene, guest("Ada")).await;
    ada.knock().await.unwrap();
    let token = ada.admitted().await;
    let mut state = zoe.state().await;
    state.until_in(&ada.who).await;
    let removed = |notice: &Notice| matches!(notice, Notice::Removed).then_some(());
    zoe.ask(Command::Remove {
        who: ada.who.clone(),
    })
    .await
    .unwrap();
    ada.notice("farewell", removed).await;
    state.until_out(&ada.who).await;
    until_cut_off(&scene, &ada.who).await;
    assert!(scene.refuses(&token).await);
    let ticket = scene.ticket(&scene.code, &ada.who);
    assert!(scene.refuses(&ticket).await);
    assert_eq!(
        scene
            .store
            .join(&ada.who, crate::scene::now())
            .await
            .unwrap(),
        None
    );

    // A relay that was started anew is told so again, and what is stopped.
    let mut bo = member(&scene, "Bo").await;
    let microphone = publish(&bo, "microphone");
    microphone.send(Location::new(1, 0), "sound");
    zoe.ask(Command::Mute { who: one(&bo.who) }).await.unwrap();
    scene.replace_relay();
    until_refused(&scene, &token).await;
    // Somebody else can be heard, Bo cannot.
    bo.ask(Command::RaiseHand).await.unwrap();
    let stopped = async { while watch(&zoe, &bo, "microphone").await.is_ok() {} };
    soon("stop", stopped).await;

    // With another ticket she has to be let in, although the room is public.
    let mut again = App::new(&scene, guest("Ada")).await;
    again.knock().await.unwrap();
    assert!(matches!(again.status().await, LobbyStatus::Waiting { .. }));
    zoe.ask(Command::Admit {
        who: one(&again.who),
    })
    .await
    .unwrap();
    again.admitted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_left_hears_nothing_more_and_may_come_back() {
    let mut scene = open_scene().await;
    let zoe = App::host(&scene).await;
    let microphone = publish(&zoe, "microphone");
    microphone.send(Location::new(1, 0), "sound");
    let mut ada = App::new(&scene, guest("Ada")).await;
    ada.knock().await.unwrap();
    let token = ada.admitted().await;
    let mut heard = watch(&ada, &zoe, "microphone").await.unwrap();
    assert_eq!(next_group(&mut heard).await, 1);

    ada.ask(Command::Leave).await.unwrap();
    // The token is good for ten minutes more, but for the relay's having been told.
    microphone.send(Location::new(2, 0), "what is not for her");
    let refused = watch(&ada, &zoe, "microphone").await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(is_silent(&mut heard).await);
    assert!(scene.refuses(&token).await);
    // Her ticket is as good as before.
    ada.knock().await.unwrap();
    ada.admitted().await;
    let mut heard = watch(&ada, &zoe, "microphone").await.unwrap();
    while next_group(&mut heard).await != 2 {}
    scene.replace_relay();
    until_refused(&scene, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_for_all_ends_all_and_another_session_may_begin() {
    let scene = open_scene().await;
    let mut zoe = App::new(&scene, crate::scene::agent(&scene.zoe, "Zoé")).await;
    zoe.knock().await.unwrap();
    let token = zoe.admitted().await;
    let mut ada = member(&scene, "Ada").await;
    let refused = ada.ask(Command::EndForAll).await;
    assert_eq!(refused, Err(ErrorKind::Forbidden));
    let mut state = zoe.state().await;
    state.until_in(&ada.who).await;
    let first = state.view.as_ref().unwrap().session();
    zoe.ask(Command::EndForAll).await.unwrap();
    let ended = |notice: &Notice| matches!(notice, Notice::RoomEnded).then_some(());
    for app in [&mut zoe, &mut ada] {
        app.notice("the end", ended).await;
    }
    for who in [&zoe.who, &ada.who] {
        until_cut_off(&scene, who).await;
    }
    assert!(scene.refuses(&token).await);
    assert_eq!(scene.store.running_rooms().await.unwrap(), []);

    let zoe = App::host(&scene).await;
    let mut state = zoe.state().await;
    state.until_in(&zoe.who).await;
    let view = state.view.unwrap();
    assert!(view.session() > first);
    assert_eq!(view.len(), 1);
}

/// The authority connects to a new relay after a while.
async fn until_refused(scene: &Scene, token: &str) {
    soon("refusal", async { while !scene.refuses(token).await {} }).await;
}

async fn until_cut_off(scene: &Scene, who: &ParticipantId) {
    let cut = async { while !scene.sessions(who).await.is_empty() {} };
    soon("end of the session", cut).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_elsewhere_undoes_nothing_that_a_host_was_told_is_done() {
    let scene = open_scene().await;
    let mut zoe = App::host(&scene).await;
    let mut state = zoe.state().await;
    for round in 0..20 {
        // Others change the title all the time.
        let changing = async {
            for n in 0..10 {
                let change = RoomChange {
                    title: Some(format!("Title {round} {n}")),
                    ..RoomChange::default()
                };
                scene.change_room(&change).await;
            }
        };
        let level = if round % 2 == 0 {
            AccessLevel::Restricted
        } else {
            AccessLevel::Public
        };
        let organisation = None;
        let setting = zoe.ask(Command::SetAccess {
            level,
            organisation,
        });
        let (set, ()) = tokio::join!(setting, changing);
        set.unwrap();
        zoe.ask(Command::RaiseHand).await.unwrap();
        let seen = state
            .until("the hand", |view| {
                view.hands().next()?;
                Some(view.policy().access)
            })
            .await;
        assert_eq!(seen, level, "round {round}");
        let stored = scene.store.room(&scene.code).await.unwrap().unwrap();
        assert_eq!(stored.policy.access, level, "round {round}");
        zoe.ask(Command::LowerAllHands).await.unwrap();
        let down = |view: &View| view.hands().next().is_none().then_some(());
        state.until("no hand", down).await;
    }
}
