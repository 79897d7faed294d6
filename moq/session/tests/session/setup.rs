//! SETUP, the control streams and GOAWAY.

use std::time::{Duration, Instant};

use parvis_session::{ApiMisuse, Config, Event, Input, Role, Session, StreamId, Transmit};
use parvis_simnet::LinkOptions;
use parvis_wire::{Draft, Parameters, RequestErrorCode, SessionErrorCode, Setup};

use crate::{
    pair::Pair,
    support::{MS, request, subscribe, track},
};

fn implementation(events: &[Event]) -> &Setup {
    match events {
        [Event::Established { peer }] => peer,
        events => panic!("one Established among {events:?}"),
    }
}

#[test]
fn both_sides_learn_the_others_setup() {
    for draft in Draft::ALL {
        let client = Config {
            draft,
            path: Some("/room".into()),
            authority: Some("relay.example".into()),
            implementation: "one/1".into(),
            ..Config::default()
        };
        let server = Config {
            role: Role::Server,
            implementation: "two/2".into(),
            path: Some("/not sent".into()),
            ..client.clone()
        };
        let mut pair = Pair::with(client, server, LinkOptions::default(), 1);
        pair.run(MS);
        let peer = implementation(&pair.server.events()).clone();
        assert_eq!(peer.path.as_deref(), Some("/room"));
        assert_eq!(peer.authority.as_deref(), Some("relay.example"));
        assert_eq!(peer.implementation.as_deref(), Some("one/1"));
        let peer = implementation(&pair.client.events()).clone();
        assert_eq!((peer.path, peer.authority), (None, None));
        assert_eq!(peer.implementation.as_deref(), Some("two/2"));
    }
}

#[test]
fn over_webtransport_the_request_says_path_and_authority_and_setup_must_not() {
    for (path, authority, code) in [
        (None, None, None),
        (Some("/a"), None, Some(SessionErrorCode::InvalidPath)),
        (None, Some("b"), Some(SessionErrorCode::InvalidAuthority)),
    ] {
        let client = Config {
            path: path.map(str::to_owned),
            authority: authority.map(str::to_owned),
            ..Config::default()
        };
        let server = Config {
            role: Role::Server,
            path: Some("/room".into()),
            authority: Some("relay.example".into()),
            over_webtransport: true,
            ..Config::default()
        };
        let mut pair = Pair::with(client, server, LinkOptions::default(), 1);
        pair.run(MS);
        let events = pair.server.events();
        if let Some(code) = code {
            let last = events.last();
            assert!(
                matches!(last, Some(Event::Closed { code: got, .. }) if *got == code),
                "{last:?}"
            );
            continue;
        }
        let peer = implementation(&events);
        assert_eq!(peer.path.as_deref(), Some("/room"));
        assert_eq!(peer.authority.as_deref(), Some("relay.example"));
    }
}

#[test]
fn streams_that_others_use_are_left_out() {
    let mut session = Session::new(
        Config {
            over_webtransport: true,
            path: Some("/not sent".into()),
            reserved_bidi: 1,
            reserved_uni: 3,
            ..Config::default()
        },
        Instant::now(),
    );
    let now = Instant::now();
    let key = session
        .subscribe(track("t"), Parameters::default(), now)
        .unwrap();
    assert_eq!(key.0, StreamId::new(Role::Client, false, 1));
    session
        .handle(Input::StreamCredit { bidi: 2, uni: 4 }, now)
        .unwrap();
    let mut opened = Vec::new();
    let mut setup = Vec::new();
    while let Some(transmit) = session.poll_transmit(now) {
        match transmit {
            Transmit::Open { id, .. } => opened.push(id),
            Transmit::Write { id, data } if id.is_unidirectional() => setup.extend(data),
            _ => {}
        }
    }
    let control = StreamId::new(Role::Client, true, 3);
    assert!(
        opened.contains(&control) && opened.contains(&key.0),
        "{opened:?}"
    );
    assert!(!setup.windows(9).any(|bytes| bytes == b"/not sent"));
}

#[test]
fn a_missing_setup_closes_in_time() {
    let mut pair = Pair::new(Draft::D22);
    // Nothing arrives in time.
    pair.client
        .session
        .handle_timeout(pair.now + Duration::from_secs(9));
    assert!(!pair.client.session.is_closed());
    pair.client
        .session
        .handle_timeout(pair.now + Duration::from_secs(10));
    pair.settle();
    let (code, _) = pair.client.closed.clone().expect("it closed");
    assert_eq!(code, SessionErrorCode::ControlMessageTimeout);
    let events = pair.client.events();
    assert!(
        matches!(events.as_slice(), [Event::Closed { .. }]),
        "{events:?}"
    );
}

#[test]
fn a_request_before_setup_waits_for_it() {
    for draft in Draft::ALL {
        let mut pair = Pair::new(draft);
        let now = pair.now;
        let key = pair
            .client
            .session
            .subscribe(track("a"), Parameters::default(), now);
        pair.run(15 * MS);
        let events = pair.server.events();
        assert!(matches!(events[0], Event::Established { .. }), "{events:?}");
        assert_eq!(request(&events).0, key.expect("it subscribes"));
    }
}

#[test]
fn goaway_reaches_the_peer_and_bars_new_requests() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let now = pair.now;
        pair.server
            .session
            .goaway("moqt://next.example", 2000, now)
            .expect("it says goaway");
        assert_eq!(
            pair.server.session.goaway("", 0, now),
            Err(ApiMisuse::GoingAway)
        );
        // A request that crosses the GOAWAY is rejected.
        let crossing = pair
            .client
            .session
            .subscribe(track("a"), Parameters::default(), now);
        let crossing = crossing.expect("it subscribes");
        pair.run(30 * MS);
        let events = pair.client.events();
        let uri = "moqt://next.example".to_owned();
        assert_eq!(
            events[0],
            Event::GoAway {
                key: None,
                uri,
                timeout_ms: 2000
            }
        );
        match &events[1..] {
            [Event::Rejected { key, error }] => {
                assert_eq!((*key, error.code), (crossing, RequestErrorCode::GoingAway));
            }
            events => panic!("one rejection among {events:?}"),
        }
        let refused = Event::Refused(RequestErrorCode::GoingAway);
        assert_eq!(pair.server.events(), [refused]);
        let now = pair.now;
        let late = pair
            .client
            .session
            .subscribe(track("b"), Parameters::default(), now);
        assert_eq!(late, Err(ApiMisuse::GoingAway));
    }
}

#[test]
fn goaway_closes_after_its_timeout_if_requests_are_open() {
    let mut pair = Pair::established(Draft::D22);
    subscribe(&mut pair, "a", Parameters::default());
    let now = pair.now;
    pair.server
        .session
        .goaway("", 500, now)
        .expect("it says goaway");
    pair.run(499 * MS);
    assert_eq!(pair.server.closed, None);
    pair.run(MS);
    let (code, _) = pair.server.closed.clone().expect("it closed");
    assert_eq!(code, SessionErrorCode::GoawayTimeout);
}

#[test]
fn goaway_without_requests_leaves_the_close_to_the_peer() {
    let mut pair = Pair::established(Draft::D18);
    let now = pair.now;
    pair.server
        .session
        .goaway("", 500, now)
        .expect("it says goaway");
    pair.run(1000 * MS);
    assert_eq!(pair.server.closed, None);
    let now = pair.now;
    pair.client.session.close(SessionErrorCode::NoError, "bye");
    assert_eq!(
        pair.client.session.goaway("", 0, now),
        Err(ApiMisuse::Closed)
    );
    pair.run(20 * MS);
    assert!(pair.server.closed.is_some());
}

#[test]
fn goaway_for_one_request_concerns_it_alone() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "a", Parameters::default());
        let now = pair.now;
        pair.server
            .session
            .goaway_request(key, "moqt://x", 0, now)
            .expect("it says goaway");
        pair.run(20 * MS);
        let moved = Event::GoAway {
            key: Some(key),
            uri: "moqt://x".into(),
            timeout_ms: 0,
        };
        assert_eq!(pair.client.events(), [moved]);
        let now = pair.now;
        assert!(
            pair.client
                .session
                .subscribe(track("b"), Parameters::default(), now)
                .is_ok()
        );
    }
}
