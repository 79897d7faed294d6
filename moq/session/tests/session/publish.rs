//! Tracks that a publisher offers, and objects whose alias is not known.

use bytes::Bytes;
use parvis_session::{
    Answer, DatagramOptions, DropReason, EndReason, Event, Input, Limits, Role, StreamEnd,
    StreamId, Transmit,
};
use parvis_wire::{
    Draft, Location, Message, ObjectStatus, Parameters, Properties, PublishDoneCode, RequestError,
    RequestErrorCode, RequestId, ResetCode, TrackAlias,
};

use crate::{
    by_hand::{ALIAS, ByHand},
    pair::Pair,
    support::{MS, group, header, received, request, track},
};

#[test]
fn objects_of_a_publish_come_before_its_answer() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let now = pair.now;
        let client = &mut pair.client.session;
        let key = client.publish(track("a"), Parameters::default(), Properties::EMPTY, now);
        let key = key.expect("it publishes");
        let stream = client
            .open_subgroup(key, &group(0), now)
            .expect("a subgroup opens");
        client
            .write_object(stream, &header(0, b"one"), Bytes::from_static(b"one"), now)
            .unwrap();
        pair.run(20 * MS);
        let events = pair.server.events();
        assert_eq!(request(&events).0, key);
        assert_eq!(received(&events)[0].objects, [(0, b"one".to_vec())]);
        let now = pair.now;
        pair.server
            .session
            .accept_publish(key, Parameters::default(), now)
            .expect("it accepts");
        pair.run(20 * MS);
        let now = pair.now;
        let client = &mut pair.client.session;
        client.finish_subgroup(stream, now).expect("it ends");
        client
            .publish_done(key, PublishDoneCode::TrackEnded, "", now)
            .expect("it ends");
        pair.run(30 * MS);
        let events = pair.server.events();
        let code = PublishDoneCode::TrackEnded;
        let reason = EndReason::PublishDone {
            code,
            reason: String::new(),
        };
        let end = StreamEnd::Finished;
        let expected = [
            Event::SubgroupEnd { stream, end },
            Event::Ended { key, reason },
        ];
        assert_eq!(events, expected);
    }
}

#[test]
fn a_rejected_publish_stops_its_streams() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let now = pair.now;
        let client = &mut pair.client.session;
        let key = client.publish(track("a"), Parameters::default(), Properties::EMPTY, now);
        let key = key.expect("it publishes");
        let stream = client
            .open_subgroup(key, &group(0), now)
            .expect("a subgroup opens");
        pair.run(20 * MS);
        pair.server.events();
        let now = pair.now;
        let error = RequestError {
            code: RequestErrorCode::Uninterested,
            retry_interval: 0,
            reason: String::new(),
            redirect: None,
        };
        pair.server
            .session
            .reject(key, error.clone(), now)
            .expect("it rejects");
        // A stream that is on its way meets an alias that is remembered as ended.
        let client = &mut pair.client.session;
        let late = client
            .open_subgroup(key, &group(1), now)
            .expect("a subgroup opens");
        pair.run(30 * MS);
        let events = pair.server.events();
        let [Event::Dropped(dropped)] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(
            (dropped.stream, dropped.reason),
            (Some(late), DropReason::LateForSubscription)
        );
        let events = pair.client.events();
        assert!(
            events.contains(&Event::Rejected { key, error }),
            "{events:?}"
        );
        let now = pair.now;
        assert!(
            pair.client
                .session
                .write_raw(stream, Bytes::from_static(b"x"), now)
                .is_err()
        );
    }
}

#[test]
fn streams_of_an_unknown_alias_wait_for_it() {
    for draft in Draft::ALL {
        let (mut by_hand, key) = ByHand::new(draft, Limits::default());
        let whole = by_hand.subgroup(1, ALIAS, b"one", true);
        let cut = by_hand.subgroup(2, ALIAS, b"two", false);
        by_hand.input(Input::StreamReset { id: cut, code: 9 });
        let open = by_hand.subgroup(3, ALIAS, b"three", false);
        let mut datagram = Vec::new();
        parvis_wire::Datagram {
            track_alias: ALIAS,
            location: Location::new(4, 0),
            priority: None,
            end_of_group: false,
            properties: Properties::EMPTY,
            status: ObjectStatus::Normal,
            payload: Bytes::from_static(b"four"),
        }
        .encode(&mut datagram)
        .expect("a datagram encodes");
        by_hand.input(Input::Datagram(datagram.into()));
        assert_eq!(by_hand.events(), []);
        by_hand.accept(key);
        let events = by_hand.events();
        assert!(matches!(events[0], Event::Accepted { .. }), "{events:?}");
        let streams = received(&events);
        assert_eq!(streams[0].objects, [(0, b"one".to_vec())]);
        assert_eq!(streams[0].end, Some(StreamEnd::Finished));
        assert_eq!(streams[1].end, Some(StreamEnd::Reset(9)));
        assert_eq!(streams[2].objects, [(0, b"three".to_vec())]);
        assert_eq!(streams[2].end, None);
        assert!(
            matches!(events.last(), Some(Event::Datagram { .. })),
            "{events:?}"
        );
        assert_eq!(by_hand.stopped(), []);
        by_hand.data(open, Vec::new(), true);
        let end = StreamEnd::Finished;
        assert_eq!(by_hand.events(), [Event::SubgroupEnd { stream: open, end }]);
        let _ = whole;
    }
}

#[test]
fn streams_of_an_unknown_alias_are_dropped_in_time() {
    let (mut by_hand, key) = ByHand::new(Draft::D22, Limits::default());
    let held = by_hand.subgroup(1, ALIAS, b"one", false);
    let due = by_hand.session.poll_timeout().expect("a timer runs");
    assert_eq!(due, by_hand.now + Limits::default().held_for);
    let early = by_hand.now + Limits::default().held_for.saturating_sub(MS);
    by_hand.session.handle_timeout(early);
    assert_eq!(by_hand.events(), []);
    by_hand.now = due;
    by_hand.session.handle_timeout(due);
    let events = by_hand.events();
    let [Event::Dropped(dropped)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(
        (dropped.stream, dropped.reason),
        (Some(held), DropReason::UnknownAliasTime)
    );
    assert_eq!(by_hand.stopped(), [held]);
    // What still comes on it is ignored, also once the alias is known.
    by_hand.data(held, vec![1, 2, 3], false);
    by_hand.accept(key);
    assert!(matches!(
        by_hand.events().as_slice(),
        [Event::Accepted { .. }]
    ));
    assert_eq!(
        by_hand.session.drops().drops(DropReason::UnknownAliasTime),
        1
    );
}

#[test]
fn streams_of_unknown_aliases_are_bounded_in_number_and_bytes() {
    let limits = Limits {
        max_held_streams: 2,
        max_held_bytes: 4000,
        ..Limits::default()
    };
    let (mut by_hand, _) = ByHand::new(Draft::D22, limits);
    for index in 1..4 {
        by_hand.subgroup(index, TrackAlias(1000 + index), b"x", false);
    }
    let third = StreamId::new(Role::Server, true, 3);
    let reasons = |events: Vec<Event>| -> Vec<(Option<StreamId>, DropReason)> {
        let dropped = |event| match event {
            Event::Dropped(dropped) => (dropped.stream, dropped.reason),
            event => panic!("{event:?}"),
        };
        events.into_iter().map(dropped).collect()
    };
    let bytes = DropReason::UnknownAliasBytes;
    assert_eq!(reasons(by_hand.events()), [(Some(third), bytes)]);
    let first = StreamId::new(Role::Server, true, 1);
    by_hand.data(first, vec![0; 5000], false);
    assert_eq!(reasons(by_hand.events()), [(Some(first), bytes)]);
    assert_eq!(by_hand.stopped(), [third, first]);
}

#[test]
fn publish_done_waits_for_the_streams_it_counts() {
    let mut pair = Pair::established(Draft::D18);
    let now = pair.now;
    let client = &mut pair.client.session;
    let key = client
        .publish(track("a"), Parameters::default(), Properties::EMPTY, now)
        .unwrap();
    let stream = client
        .open_subgroup(key, &group(0), now)
        .expect("a subgroup opens");
    // Reset before anything of it was sent: the subscriber never sees its header.
    client
        .reset_subgroup(stream, ResetCode::InternalError, now)
        .expect("it resets");
    client
        .publish_done(key, PublishDoneCode::TrackEnded, "", now)
        .expect("it ends");
    pair.run(30 * MS);
    let events = pair.server.events();
    assert_eq!(request(&events).0, key);
    assert_eq!(events.len(), 1);
    pair.run(Limits::default().linger);
    let events = pair.server.events();
    assert!(
        matches!(events.as_slice(), [Event::Ended { .. }]),
        "{events:?}"
    );
    assert_eq!(pair.server.session.open_requests(), (0, 0));
}

#[test]
fn a_datagram_may_come_before_its_publish() {
    let (mut by_hand, _) = ByHand::new(Draft::D22, Limits::default());
    let mut pair = Pair::established(Draft::D22);
    let now = pair.now;
    let client = &mut pair.client.session;
    let key = client
        .publish(track("b"), Parameters::default(), Properties::EMPTY, now)
        .unwrap();
    let options = DatagramOptions {
        location: Location::new(0, 0),
        priority: None,
        end_of_group: true,
        properties: Properties::EMPTY,
        status: ObjectStatus::Normal,
        payload: Bytes::from_static(b"x"),
    };
    client.send_datagram(key, options, now).expect("it sends");
    let mut publish = None;
    while let Some(transmit) = client.poll_transmit(now) {
        match transmit {
            Transmit::Datagram(raw) => by_hand.input(Input::Datagram(raw)),
            Transmit::Write { data, .. } => publish = Some(data),
            _ => {}
        }
    }
    assert_eq!(by_hand.events(), []);
    // The request as a server would make it: another id, on a stream of its own.
    let bytes = publish.expect("a PUBLISH was written");
    let (message, _) = Message::decode(Draft::D22, &bytes)
        .unwrap()
        .expect("a whole message");
    let Message::Publish(mut publish) = message else {
        panic!("{message:?}")
    };
    publish.request_id = RequestId(1);
    by_hand.message(
        StreamId::new(Role::Server, false, 0),
        &Message::Publish(publish),
    );
    let events = by_hand.events();
    assert!(matches!(
        events.as_slice(),
        [Event::Request { .. }, Event::Datagram { .. }]
    ));
}

#[test]
fn an_answer_without_forward_starts_a_track_in_draft_18_and_changes_nothing_in_22() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let now = pair.now;
        let paused = Parameters {
            forward: Some(false),
            ..Parameters::default()
        };
        let client = &mut pair.client.session;
        let key = client.publish(track("a"), paused, Properties::EMPTY, now);
        let key = key.expect("it publishes");
        pair.run(20 * MS);
        let now = pair.now;
        pair.server
            .session
            .accept_publish(key, Parameters::default(), now)
            .expect("it accepts");
        pair.run(20 * MS);
        let accepted = pair
            .client
            .events()
            .into_iter()
            .find_map(|event| match event {
                Event::Accepted {
                    answer: Answer::Ok { parameters, .. },
                    ..
                } => Some(parameters.forward),
                _ => None,
            });
        let now = pair.now;
        let opened = pair.client.session.open_subgroup(key, &group(0), now);
        match draft {
            Draft::D18 => {
                assert_eq!(accepted, Some(Some(true)));
                opened.expect("it forwards");
            }
            Draft::D22 => {
                assert_eq!(accepted, Some(None));
                opened.expect_err("it does not forward");
            }
        }
    }
}
