//! Data tracks at a real relay.

mod common;

use std::{net::SocketAddr, time::Duration};

use common::{relay, soon, trust, url};
use parvis::data::{
    Client, DataLink, DataObject, DataOptions, DataStart, DataSubscribe, DataTrack, FetchError,
    FullTrackName, Grouping, LinkOptions, Location, NamespaceEvent, TrackNamespace,
};
use parvis::{Draft, RoomEvent, Trust};
use parvis_relay::{Config, Relay, Running};
use tokio::sync::mpsc;

fn namespace(fields: &[&'static str]) -> TrackNamespace {
    TrackNamespace::new(fields.iter().copied()).expect("a namespace")
}

fn out() -> TrackNamespace {
    namespace(&["control", "out"])
}

fn track(name: &'static str) -> FullTrackName {
    let room = namespace(&["control", "out", "room"]);
    FullTrackName::new(room, name.into()).expect("a name")
}

async fn client(relay: &Running, draft: Draft) -> Client {
    let options = LinkOptions {
        drafts: vec![draft],
        ..LinkOptions::default().with_trust(trust(relay))
    };
    let connected = Client::connect(&url(relay), options).await;
    connected.expect("it connects")
}

async fn publisher(relay: &Running, draft: Draft) -> (Client, DataLink) {
    let client = client(relay, draft).await;
    let link = client.data();
    link.announce(out());
    (client, link)
}

async fn linked(relay: &Running, draft: Draft) -> (Client, DataLink) {
    let client = client(relay, draft).await;
    let link = client.data();
    (client, link)
}

async fn take(track: &mut DataTrack, count: usize) -> Vec<(u64, u64, String)> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let object = soon("an object", track.next()).await.expect("an object");
        assert!(!object.gap, "{object:?} after {taken:?}");
        taken.push(place(&object));
    }
    taken
}

fn place(object: &DataObject) -> (u64, u64, String) {
    let text = String::from_utf8(object.payload.to_vec()).expect("text");
    (object.location.group.0, object.location.object.0, text)
}

fn expected(objects: &[(u64, u64)]) -> Vec<(u64, u64, String)> {
    let text = |(group, object): &(u64, u64)| (*group, *object, format!("{group}/{object}"));
    objects.iter().map(text).collect()
}

fn text(group: u64, object: u64) -> (Location, String) {
    (Location::new(group, object), format!("{group}/{object}"))
}

macro_rules! in_both_drafts {
    ($($name:ident => $body:ident;)*) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn draft_18() { super::$body(super::Draft::D18).await; }
            #[tokio::test(flavor = "multi_thread")]
            async fn draft_22() { super::$body(super::Draft::D22).await; }
        })*
    };
}

in_both_drafts! {
    a_late_joiner_begins_with_the_current_group => late_joiner;
    one_namespace_serves_all_that_lie_under_it => under_a_namespace;
    the_past_comes_from_the_log_and_from_the_application => past;
    namespaces_come_and_go => discovery;
    a_track_may_be_asked_for_before_it_is_there => early;
    all_goes_on_when_the_relay_was_replaced => replaced_relay;
    all_goes_on_when_the_relay_drains => drained_relay;
}

async fn late_joiner(draft: Draft) {
    let relay = relay();
    let (_publisher, link) = publisher(&relay, draft).await;
    let state = link
        .publish(track("state"), DataOptions::default())
        .expect("it is new");
    for (group, object) in [(3, 0), (3, 1), (4, 0), (4, 1), (4, 2)] {
        let (location, text) = text(group, object);
        state.send(location, text);
    }
    let (_reader, reader) = linked(&relay, draft).await;
    let wanted = DataSubscribe::current_group(Grouping::Replacing);
    let mut first = soon("subscribing", reader.subscribe(track("state"), wanted))
        .await
        .expect("it is there");
    assert_eq!(
        take(&mut first, 3).await,
        expected(&[(4, 0), (4, 1), (4, 2)])
    );
    let (location, more) = text(4, 3);
    state.send(location, more);
    assert_eq!(take(&mut first, 1).await, expected(&[(4, 3)]));

    // The relay has the track now, and gives the past itself.
    let (_other, other) = linked(&relay, draft).await;
    let mut second = soon("subscribing", other.subscribe(track("state"), wanted))
        .await
        .expect("it is there");
    let group = [(4, 0), (4, 1), (4, 2), (4, 3)];
    assert_eq!(take(&mut second, 4).await, expected(&group));
    let (location, more) = text(5, 0);
    state.send(location, more);
    assert_eq!(take(&mut second, 1).await, expected(&[(5, 0)]));
    assert_eq!(take(&mut first, 1).await, expected(&[(5, 0)]));

    let (_live, live) = linked(&relay, draft).await;
    let wanted = DataSubscribe::live(Grouping::Replacing);
    let mut third = soon("subscribing", live.subscribe(track("state"), wanted))
        .await
        .expect("it is there");
    let (location, more) = text(5, 1);
    state.send(location, more);
    assert_eq!(take(&mut third, 1).await, expected(&[(5, 1)]));
}

async fn under_a_namespace(draft: Draft) {
    let relay = relay();
    let (_publisher, link) = publisher(&relay, draft).await;
    let (_reader, reader) = linked(&relay, draft).await;
    let mut published = Vec::new();
    for who in ["a", "b", "c"] {
        let name = FullTrackName::new(
            namespace(&["control", "out", "room", who]),
            "replies".into(),
        );
        let name = name.expect("a name");
        let replies = link.publish(name.clone(), DataOptions::default());
        let replies = replies.expect("it is new");
        let (location, text) = text(7, 0);
        replies.send(location, text);
        published.push(replies);
        let wanted = DataSubscribe::current_group(Grouping::Sequence(1));
        let mut track = soon("subscribing", reader.subscribe(name, wanted))
            .await
            .expect("it is there");
        assert_eq!(take(&mut track, 1).await, expected(&[(7, 0)]));
    }
    let doubled = link.publish(published[0].name().clone(), DataOptions::default());
    assert!(doubled.is_err());
}

async fn past(draft: Draft) {
    let relay = relay();
    let (_publisher, link) = publisher(&relay, draft).await;
    let (queries, mut asked) = mpsc::channel(4);
    let options = DataOptions {
        keep_objects: 2,
        queries: Some(queries),
        ..DataOptions::default()
    };
    let chat = link.publish(track("chat"), options).expect("it is new");
    for object in 0..6 {
        let (location, text) = text(9, object);
        chat.send(location, text);
    }
    let (_reader, reader) = linked(&relay, draft).await;
    let patience = Duration::from_secs(20);
    let kept = reader.fetch(
        track("chat"),
        Location::new(9, 4),
        Location::new(9, 5),
        patience,
    );
    let kept = kept.await.expect("they are kept");
    let kept: Vec<_> = kept.iter().map(place).collect();
    assert_eq!(kept, expected(&[(9, 4), (9, 5)]));

    let older = reader.fetch(
        track("chat"),
        Location::new(9, 0),
        Location::new(9, 3),
        patience,
    );
    let answering = async {
        let query = soon("a query", asked.recv()).await.expect("a query");
        assert_eq!(query.track, track("chat"));
        // Three is gone.
        assert!(query.start <= Location::new(9, 0) && query.end >= Location::new(9, 2));
        query.answer(
            (0..3)
                .map(|object| text(9, object))
                .map(|(l, t)| (l, t.into()))
                .collect(),
        );
    };
    let (older, ()) = tokio::join!(older, answering);
    let older: Vec<_> = older.expect("they are stored").iter().map(place).collect();
    assert_eq!(older, expected(&[(9, 0), (9, 1), (9, 2)]));

    let future = reader.fetch(
        track("chat"),
        Location::new(99, 0),
        Location::new(99, 1),
        patience,
    );
    assert!(matches!(future.await, Err(FetchError::Rejected(_))));
}

async fn discovery(draft: Draft) {
    let relay = relay();
    let watcher = client(&relay, draft).await;
    let mut namespaces = watcher.data().discover(namespace(&["control", "in"]));
    let one = client(&relay, draft).await;
    one.data()
        .announce(namespace(&["control", "in", "room", "zoe"]));
    let zoe = namespace(&["room", "zoe"]);
    let event = soon("an announcement", namespaces.next()).await;
    assert_eq!(event, Some(NamespaceEvent::Appeared(zoe.clone())));
    let two = client(&relay, draft).await;
    two.data()
        .announce(namespace(&["control", "in", "room", "bruno"]));
    let event = soon("an announcement", namespaces.next()).await;
    let bruno = namespace(&["room", "bruno"]);
    assert_eq!(event, Some(NamespaceEvent::Appeared(bruno.clone())));
    one.data()
        .withdraw(&namespace(&["control", "in", "room", "zoe"]));
    let event = soon("a withdrawal", namespaces.next()).await;
    assert_eq!(event, Some(NamespaceEvent::Vanished(zoe)));
    two.close().await;
    let event = soon("a withdrawal", namespaces.next()).await;
    assert_eq!(event, Some(NamespaceEvent::Vanished(bruno)));
    watcher.close().await;
    assert_eq!(soon("the end", namespaces.next()).await, None);
}

async fn early(draft: Draft) {
    let relay = relay();
    let (_reader, reader) = linked(&relay, draft).await;
    let wanted = DataSubscribe::from(DataStart::CurrentGroup, Grouping::Replacing);
    let asking = reader.subscribe(track("state"), wanted);
    let serving = async {
        let (publisher, link) = publisher(&relay, draft).await;
        let state = link
            .publish(track("state"), DataOptions::default())
            .expect("it is new");
        let (location, text) = text(1, 0);
        state.send(location, text);
        (publisher, state)
    };
    let (mut track, (_publisher, state)) = tokio::join!(
        async { soon("subscribing", asking).await.expect("it comes") },
        serving
    );
    let (location, more) = text(1, 1);
    state.send(location, more);
    assert_eq!(take(&mut track, 2).await, expected(&[(1, 0), (1, 1)]));
}

async fn replaced_relay(draft: Draft) {
    let config = |listen: SocketAddr| Config {
        listen,
        ..Config::default()
    };
    let old = Relay::start(config("127.0.0.1:0".parse().expect("an address")));
    let old = old.expect("the relay starts");
    let address = old.local_addr();
    let connect = || async {
        let options = LinkOptions {
            drafts: vec![draft],
            // The new relay has another certificate.
            trust: Trust::Anyone,
            ..LinkOptions::default()
        };
        let connected = Client::connect(&url(&old), options).await;
        connected.expect("it connects")
    };
    let publisher = connect().await;
    publisher.data().announce(out());
    let log = publisher
        .data()
        .publish(track("log"), DataOptions::default());
    let log = log.expect("it is new");
    let (location, before) = text(1, 0);
    log.send(location, before);
    let reader = connect().await;
    let wanted = DataSubscribe::from(DataStart::At(Location::new(1, 0)), Grouping::Sequence(1));
    let mut heard = soon("subscribing", reader.data().subscribe(track("log"), wanted))
        .await
        .expect("it is there");
    assert_eq!(take(&mut heard, 1).await, expected(&[(1, 0)]));
    let mut events = (publisher.events(), reader.events());
    drop(old);
    for group in 2..5 {
        let (location, meanwhile) = text(group, 0);
        log.send(location, meanwhile);
    }
    let _new = Relay::start(config(address)).expect("the relay starts");
    for events in [&mut events.0, &mut events.1] {
        while soon("the move", events.next()).await != Some(RoomEvent::Moved) {}
    }
    assert_eq!(
        take(&mut heard, 3).await,
        expected(&[(2, 0), (3, 0), (4, 0)])
    );
    let (location, after) = text(5, 0);
    log.send(location, after);
    assert_eq!(take(&mut heard, 1).await, expected(&[(5, 0)]));
}

async fn drained_relay(draft: Draft) {
    let new = relay();
    let old = Relay::start(Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        drain_to: Some(url(&new)),
        ..Config::default()
    });
    let old = old.expect("the relay starts");
    let connect = || async {
        let options = LinkOptions {
            drafts: vec![draft],
            trust: Trust::Anyone,
            ..LinkOptions::default()
        };
        let connected = Client::connect(&url(&old), options).await;
        connected.expect("it connects")
    };
    let (publisher, reader) = (connect().await, connect().await);
    publisher.data().announce(out());
    let options = DataOptions {
        keep_objects: 512,
        ..DataOptions::default()
    };
    let log = publisher.data().publish(track("log"), options);
    let log = log.expect("it is new");
    let (location, before) = text(1, 0);
    log.send(location, before);
    let mut there = reader.data().discover(namespace(&["control"]));
    let event = soon("an announcement", there.next()).await;
    assert_eq!(event, Some(NamespaceEvent::Appeared(namespace(&["out"]))));
    let wanted = DataSubscribe::current_group(Grouping::Sequence(1));
    let mut heard = soon("subscribing", reader.data().subscribe(track("log"), wanted))
        .await
        .expect("it is there");
    let mut events = (publisher.events(), reader.events());
    old.stopper().stop(Duration::from_mins(1));
    for group in 2..200 {
        let (location, more) = text(group, 0);
        log.send(location, more);
        tokio::task::yield_now().await;
    }
    for events in [&mut events.0, &mut events.1] {
        while soon("the move", events.next()).await != Some(RoomEvent::Moved) {}
    }
    let (location, after) = text(200, 0);
    log.send(location, after);
    let all: Vec<(u64, u64)> = (1..=200).map(|group| (group, 0)).collect();
    assert_eq!(take(&mut heard, 200).await, expected(&all));
    // The old relay ends because everybody has left it.
    let ended = tokio::task::spawn_blocking(move || old.join());
    soon("the end of the old relay", ended)
        .await
        .expect("it ends")
        .expect("in order");
    publisher.close().await;
    // It may be on its way to another relay for a while.
    let mut gone = Vec::new();
    while !gone.contains(&NamespaceEvent::Vanished(namespace(&["out"]))) {
        let event = soon("a withdrawal", there.next()).await;
        gone.push(event.expect("it goes on"));
    }
    assert!(gone.contains(&NamespaceEvent::Missing(namespace(&["out"]))));
}
