//! What stays cached, and for how long.

use std::time::Duration;

use parvis_forwarding::{Config, DropReason, PeerId, Signal};
use parvis_wire::{Location, LocationFilter, Parameters, SubgroupIdMode};

use crate::support::{Publishing, Relay, at, publish, subscribe, subscribe_with, theirs};

/// A relay, and a publisher whose tracks "room/ann/0" to "room/ann/9" have a subscriber.
fn with_tracks(config: Config) -> (Relay, PeerId) {
    let mut relay = Relay::with(1, config);
    let (publisher, watcher) = (relay.connect(), relay.connect());
    for n in 0..10 {
        relay.say(publisher, theirs(n), publish(&format!("room/ann/{n}")));
        relay.say(watcher, theirs(n), subscribe(&format!("room/ann/{n}")));
    }
    (relay, publisher)
}

/// One group of `count` objects.
fn group(relay: &mut Relay, publisher: PeerId, track: u64, group: u64, count: u64) {
    let stream = track * 1_000 + group;
    let source = (publisher, theirs(track));
    let mut stream = Publishing::open(relay, source, stream, group, SubgroupIdMode::Zero);
    for id in 0..count {
        stream.object(relay, id, 100);
    }
    stream.finish(relay);
}

/// What a new subscriber of all that is cached gets.
fn cached(relay: &mut Relay, track: u64) -> Vec<Location> {
    let peer = relay.connect();
    let filter = Some(LocationFilter::RelativeStart(9));
    let parameters = Parameters {
        filter,
        ..Parameters::default()
    };
    relay.say(
        peer,
        theirs(0),
        subscribe_with(&format!("room/ann/{track}"), parameters),
    );
    let found = relay.locations(peer, theirs(0));
    relay.disconnect(peer);
    found
}

#[test]
fn newest_two_groups_are_cached_whatever_their_order() {
    let (mut relay, publisher) = with_tracks(Config::default());
    for id in [1, 5, 4, 2] {
        group(&mut relay, publisher, 0, id, 1);
    }
    assert_eq!(cached(&mut relay, 0), [at(4, 0), at(5, 0)]);
    assert_eq!(relay.shards[0].stats().subgroups, 2);
}

#[test]
fn a_million_groups_leave_two() {
    let (mut relay, publisher) = with_tracks(Config::default());
    for id in 0..2_000 {
        group(&mut relay, publisher, 0, id * 1_000, 1);
    }
    let stats = relay.shards[0].stats();
    assert_eq!(stats.subgroups, 2);
    assert!(stats.cache_bytes < 10_000, "{stats:?}");
}

#[test]
fn budget_of_a_track_gives_up_its_oldest_group_first() {
    let config = Config {
        track_cache_bytes: 5_000,
        ..Config::default()
    };
    let (mut relay, publisher) = with_tracks(config);
    group(&mut relay, publisher, 0, 1, 15);
    group(&mut relay, publisher, 0, 2, 20);
    let found = cached(&mut relay, 0);
    assert_eq!(found.len(), 20, "{found:?}");
    assert!(found.iter().all(|l| l.group.0 == 2));
    group(&mut relay, publisher, 0, 3, 1_000);
    assert!(
        cached(&mut relay, 0).is_empty(),
        "half a group is no place to join"
    );
    let stats = relay.shards[0].stats();
    assert_eq!(stats.cache_bytes, 0);
    assert_eq!(stats.dropped(DropReason::TrackCacheFull), 3);
    group(&mut relay, publisher, 0, 4, 1);
    assert_eq!(cached(&mut relay, 0), [at(4, 0)]);
}

#[test]
fn budget_of_all_tracks_spares_a_small_newest_group() {
    let config = Config {
        cache_bytes: 20_000,
        small_group_bytes: 2_000,
        ..Config::default()
    };
    let (mut relay, publisher) = with_tracks(config);
    group(&mut relay, publisher, 0, 0, 1);
    for id in 0..5 {
        for track in 1..4 {
            group(&mut relay, publisher, track, id, 30);
        }
    }
    let stats = relay.shards[0].stats();
    assert!(stats.cache_bytes <= 20_000, "{stats:?}");
    assert!(stats.dropped(DropReason::CacheFull) > 0);
    assert_eq!(
        cached(&mut relay, 0),
        [at(0, 0)],
        "the catalog is still there"
    );
}

#[test]
fn however_many_catalogs_there_are_large_groups_go_first() {
    let config = Config {
        cache_bytes: 100_000,
        small_group_bytes: 2_000,
        ..Config::default()
    };
    let mut relay = Relay::with(1, config);
    let (publisher, watcher) = (relay.connect(), relay.connect());
    for n in 0..60 {
        relay.say(publisher, theirs(n), publish(&format!("room/ann/{n}")));
        relay.say(watcher, theirs(n), subscribe(&format!("room/ann/{n}")));
        group(&mut relay, publisher, n, 0, 1);
    }
    for id in 1..9 {
        for track in 50..60 {
            group(&mut relay, publisher, track, id, 30);
        }
    }
    let stats = relay.shards[0].stats();
    assert!(stats.cache_bytes <= 100_000, "{stats:?}");
    assert!(stats.dropped(DropReason::CacheFull) > 0);
    for track in 0..50 {
        assert_eq!(cached(&mut relay, track), [at(0, 0)]);
    }
    // One that was spared is spared no longer when a newer group comes, and only then.
    for id in 1..9 {
        group(&mut relay, publisher, 0, id, 1);
    }
    for track in 50..60 {
        group(&mut relay, publisher, track, 9, 30);
    }
    assert_eq!(cached(&mut relay, 0).last(), Some(&at(8, 0)));
    assert_eq!(cached(&mut relay, 49), [at(0, 0)]);
    assert!(relay.shards[0].stats().cache_bytes <= 100_000);
    relay.disconnect(publisher);
    relay.disconnect(watcher);
    relay.assert_empty();
}

#[test]
fn budget_holds_when_everything_is_small_and_newest() {
    let config = Config {
        cache_bytes: 3_000,
        ..Config::default()
    };
    let (mut relay, publisher) = with_tracks(config);
    for track in 0..10 {
        group(&mut relay, publisher, track, 0, 1);
    }
    assert!(relay.shards[0].stats().cache_bytes <= 3_000);
    assert_eq!(cached(&mut relay, 9), [at(0, 0)]);
}

#[test]
fn silent_track_keeps_only_a_small_newest_group() {
    let config = Config {
        small_group_bytes: 2_000,
        ..Config::default()
    };
    let (mut relay, publisher) = with_tracks(config);
    group(&mut relay, publisher, 0, 0, 1);
    group(&mut relay, publisher, 0, 1, 1);
    group(&mut relay, publisher, 1, 0, 100);
    relay.wait(Duration::from_secs(20));
    assert_eq!(cached(&mut relay, 0).len(), 2);
    relay.wait(Duration::from_secs(40));
    assert_eq!(cached(&mut relay, 0), [at(1, 0)]);
    assert!(cached(&mut relay, 1).is_empty());
    assert_eq!(relay.shards[0].stats().dropped(DropReason::CacheAge), 2);
}

#[test]
fn cache_goes_with_its_track() {
    let (mut relay, publisher) = with_tracks(Config::default());
    group(&mut relay, publisher, 0, 0, 10);
    assert!(relay.shards[0].stats().cache_bytes > 0);
    relay.disconnect(publisher);
    let stats = relay.shards[0].stats();
    assert_eq!((stats.cache_bytes, stats.subgroups), (0, 0));
}

#[test]
fn paused_track_does_not_serve_a_group_that_is_cut_short() {
    let config = Config {
        small_group_bytes: 1_000,
        linger: Duration::ZERO,
        ..Config::default()
    };
    let mut relay = Relay::with(1, config);
    let (publisher, peer) = (relay.connect(), relay.connect());
    relay.say(publisher, theirs(0), publish("room/ann/0"));
    relay.say(peer, theirs(0), subscribe("room/ann/0"));
    group(&mut relay, publisher, 0, 0, 50);
    relay.say(peer, theirs(0), Signal::Cancel);
    relay.wait(Duration::from_secs(1));
    assert!(cached(&mut relay, 0).is_empty());
}
