//! SUBSCRIBE_TRACKS where the publishers are at other relays.

use parvis_forwarding::{Config, PeerId, Signal};
use parvis_wire::{HopId, Parameters, RequestError, RequestErrorCode, SubgroupIdMode};

use crate::{
    publishing::{publish_ok, subscribe_tracks, update_forward},
    relays::{US, gone, neighbour, route, told},
    support::{Publishing, Relay, at, publish, theirs},
};

fn relay(shards: usize) -> Relay {
    let config = Config {
        hop: HopId(US),
        ..Config::default()
    };
    Relay::with(shards, config)
}

/// What a relay is asked for by SUBSCRIBE_TRACKS.
fn sought(prefix: &str) -> Signal {
    let parameters = Parameters {
        forward: Some(false),
        ..Parameters::default()
    };
    subscribe_tracks(prefix, parameters)
}

/// Somebody at a shard who wants all tracks under a prefix.
fn viewer(relay: &mut Relay, shard: usize, prefix: &str) -> PeerId {
    let viewer = relay.connect_to(shard);
    let wanted = subscribe_tracks(prefix, Parameters::default());
    relay.say(viewer, theirs(0), wanted);
    assert_eq!(relay.heard(viewer)[0], (theirs(0), Signal::Ok));
    viewer
}

fn uninterested() -> Signal {
    Signal::Reject(RequestError {
        code: RequestErrorCode::Uninterested,
        retry_interval: 0,
        reason: "the track has a publisher".to_owned(),
        redirect: None,
    })
}

#[test]
fn tracks_of_another_relay_are_offered_and_their_objects_come() {
    for shard in [0, 1] {
        let mut relay = relay(2);
        let (other, asked) = neighbour(&mut relay, 0, 1);
        relay.say(other, asked, route("room/ann", &[0, 1]));
        relay.heard(other);
        let early = viewer(&mut relay, shard, "room");
        let (request, signal) = relay.heard_one(other);
        assert_eq!(signal, sought("room/ann"));
        relay.say(other, request, Signal::Ok);

        relay.say(other, theirs(2), publish("room/ann/video"));
        let (offer, offered) = relay.heard_one(early);
        assert_eq!(offered, publish("room/ann/video"));
        relay.say(early, offer, publish_ok(true));
        let heard = relay.heard(other);
        let forwards = [(theirs(2), publish_ok(true))];
        let later = [
            (theirs(2), publish_ok(false)),
            (theirs(2), update_forward(true)),
        ];
        assert!(heard == forwards || heard == later, "{heard:?}");
        let mut stream =
            Publishing::open(&mut relay, (other, theirs(2)), 11, 0, SubgroupIdMode::Zero);
        stream.object(&mut relay, 0, 100);
        assert_eq!(relay.locations(early, offer), [at(0, 0)]);

        let late = viewer(&mut relay, 1 - shard, "room/ann");
        relay.heard(other);
        relay.disconnect(early);
        relay.disconnect(late);
        assert!(
            told(&mut relay, other).contains(&Signal::Cancel),
            "nobody wants tracks any more"
        );
    }
}

#[test]
fn what_several_want_is_asked_once() {
    let mut relay = relay(1);
    let (other, asked) = neighbour(&mut relay, 0, 1);
    let first = viewer(&mut relay, 0, "room");
    let _second = viewer(&mut relay, 0, "");
    relay.say(other, asked, route("room/ann", &[0, 1]));
    let asked_for = told(&mut relay, other);
    assert_eq!(asked_for, [sought("room/ann")]);
    relay.disconnect(first);
    assert_eq!(told(&mut relay, other), []);
    relay.say(other, asked, gone("room/ann"));
    assert_eq!(told(&mut relay, other), [Signal::Cancel]);
}

#[test]
fn a_prefix_longer_than_the_namespace_is_asked_for() {
    let mut relay = relay(1);
    let (other, asked) = neighbour(&mut relay, 0, 1);
    relay.say(other, asked, route("room", &[0, 1]));
    let viewer = viewer(&mut relay, 0, "room/ann");
    assert_eq!(told(&mut relay, other), [sought("room/ann")]);
    relay.disconnect(viewer);
    assert_eq!(told(&mut relay, other), [Signal::Cancel]);
}

#[test]
fn the_best_way_is_asked_and_the_next_one_when_it_breaks() {
    let mut relay = relay(1);
    let (far, asked) = neighbour(&mut relay, 0, 1);
    relay.say(far, asked, route("room/ann", &[0, 5, 1]));
    let (near, asked) = neighbour(&mut relay, 0, 2);
    relay.say(near, asked, route("room/ann", &[0, 2]));
    told(&mut relay, far);
    told(&mut relay, near);
    let viewer = viewer(&mut relay, 0, "room");
    assert_eq!(told(&mut relay, far), []);
    assert_eq!(told(&mut relay, near), [sought("room/ann")]);
    relay.say(near, theirs(2), publish("room/ann/video"));
    assert_eq!(relay.heard_one(viewer).1, publish("room/ann/video"));

    relay.say(far, theirs(2), publish("room/ann/video"));
    let answer = relay.heard(far);
    assert_eq!(
        answer,
        [(theirs(2), uninterested())],
        "the other one is its source"
    );

    relay.disconnect(near);
    let asked = told(&mut relay, far);
    assert!(asked.contains(&sought("room/ann")), "{asked:?}");
}

#[test]
fn a_relay_is_not_asked_for_the_tracks_that_it_wants() {
    let mut relay = relay(1);
    let (one, asked) = neighbour(&mut relay, 0, 1);
    let (two, _) = neighbour(&mut relay, 0, 2);
    relay.say(one, asked, route("room/ann", &[0, 1]));
    told(&mut relay, one);
    told(&mut relay, two);
    relay.say(one, theirs(4), sought("room/ann"));
    assert_eq!(relay.heard(one), [(theirs(4), Signal::Ok)]);
    relay.say(two, theirs(4), sought("room/ann"));
    let (request, signal) = relay.heard_one(one);
    assert_eq!(signal, sought("room/ann"), "on behalf of the other one");
    relay.say(two, theirs(4), Signal::Cancel);
    assert_eq!(relay.heard(one), [(request, Signal::Cancel)]);
}

#[test]
fn offers_pass_on_to_the_relay_that_asked() {
    let mut relay = relay(2);
    let (one, asked) = neighbour(&mut relay, 0, 1);
    let (two, _) = neighbour(&mut relay, 1, 2);
    relay.say(one, asked, route("room/ann", &[0, 1]));
    relay.say(two, theirs(4), sought("room/ann"));
    relay.heard(one);
    relay.heard(two);
    relay.say(one, theirs(2), publish("room/ann/video"));
    let (offer, signal) = relay.heard_one(two);
    let Signal::Publish { parameters, .. } = &signal else {
        panic!("{signal:?}");
    };
    assert_eq!(parameters.forward, Some(false));
    assert_eq!(relay.heard(one), [(theirs(2), publish_ok(false))]);
    relay.say(two, offer, publish_ok(false));
    relay.say(two, offer, update_forward(true));
    assert!(told(&mut relay, one).contains(&update_forward(true)));
}

#[test]
fn a_relay_that_refuses_is_asked_again_when_its_way_changes() {
    let mut relay = relay(1);
    let (other, asked) = neighbour(&mut relay, 0, 1);
    let _viewer = viewer(&mut relay, 0, "room");
    relay.heard(other);
    relay.say(other, asked, route("room/ann", &[0, 1]));
    let (request, _) = relay.heard_one(other);
    relay.say(other, request, uninterested());
    assert_eq!(told(&mut relay, other), []);
    relay.say(other, asked, route("room/ann", &[0, 3, 1]));
    assert_eq!(told(&mut relay, other), [sought("room/ann")]);
}
