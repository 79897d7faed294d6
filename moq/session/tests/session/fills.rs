//! Fill streams: objects of the past beside a subscription, in draft 22.

use bytes::Bytes;
use parvis_session::{EndReason, Event, RequestKey, SendRefused, StreamEnd, StreamId};
use parvis_wire::{
    Draft, FetchObject, GroupOrder, Location, LocationFilter, Parameters, Priority,
    PublishDoneCode, ResetCode, SubgroupId,
};

use crate::{
    pair::Pair,
    support::{MS, finish, group, open, subscribe, write},
};

fn filling(group_order: Option<GroupOrder>) -> Parameters {
    let fill = Parameters {
        filter: Some(LocationFilter::RelativeStart(2)),
        group_order,
        ..Parameters::default()
    };
    Parameters {
        filter: Some(LocationFilter::NextObject),
        fill: Some(Box::new(fill)),
        ..Parameters::default()
    }
}

fn object(group: u64) -> FetchObject {
    FetchObject::Object {
        location: Location::new(group, 3),
        subgroup: Some(SubgroupId(0)),
        priority: Priority(5),
        properties: None,
        payload_len: 4,
    }
}

fn open_fill(pair: &mut Pair, key: RequestKey, parameters: &Parameters) -> StreamId {
    let now = pair.now;
    let fill = parameters.fill.as_deref().expect("it asks for one");
    let opened = pair.server.session.open_fill(key, None, fill, now);
    opened.expect("it opens")
}

fn write_groups(pair: &mut Pair, stream: StreamId, groups: [u64; 2]) {
    let now = pair.now;
    for group in groups {
        let payload = Bytes::from_static(b"past");
        let session = &mut pair.server.session;
        session
            .write_fetch_object(stream, &object(group), payload, now)
            .expect("it writes");
    }
}

/// The objects that came on fill streams, and how each stream ended.
fn filled(events: &[Event], key: RequestKey) -> (Vec<u64>, Vec<StreamEnd>) {
    let (mut groups, mut ends) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Event::Fetch { key: of, .. } => assert_eq!(*of, key),
            Event::FetchObject { object, .. } => groups.push(object.location().group.0),
            Event::FetchEnd { end, .. } => ends.push(*end),
            _ => {}
        }
    }
    (groups, ends)
}

#[test]
fn a_fill_comes_beside_its_subscription() {
    for (order, groups) in [
        (None, [4, 5]),
        (Some(GroupOrder::Ascending), [4, 5]),
        (Some(GroupOrder::Descending), [5, 4]),
    ] {
        let mut pair = Pair::established(Draft::D22);
        let parameters = filling(order);
        let key = subscribe(&mut pair, "a", parameters.clone());
        let fill = open_fill(&mut pair, key, &parameters);
        let live = open(&mut pair, key, &group(6));
        write(&mut pair, live, 0, b"live");
        write_groups(&mut pair, fill, groups);
        finish(&mut pair, fill);
        finish(&mut pair, live);
        pair.run(20 * MS);
        let events = pair.client.events();
        let expected = (groups.to_vec(), vec![StreamEnd::Finished]);
        assert_eq!(filled(&events, key), expected);
        let objects = events.iter().filter(|e| matches!(e, Event::Object { .. }));
        assert_eq!(objects.count(), 1);
        assert_eq!(pair.client.session.open_requests(), (1, 0));
    }
}

#[test]
fn a_fill_of_an_update_names_the_update() {
    let mut pair = Pair::established(Draft::D22);
    let key = subscribe(&mut pair, "a", Parameters::default());
    let now = pair.now;
    let parameters = filling(Some(GroupOrder::Descending));
    let client = &mut pair.client.session;
    client
        .update(key, parameters.clone(), now)
        .expect("it updates");
    pair.run(20 * MS);
    let events = pair.server.events();
    let [Event::Updated { id, parameters, .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    let now = pair.now;
    let server = &mut pair.server.session;
    server
        .accept_update(key, Parameters::default(), now)
        .expect("it accepts");
    let fill = parameters.fill.as_deref().expect("it asks for one");
    let stream = server
        .open_fill(key, Some(*id), fill, now)
        .expect("it opens");
    write_groups(&mut pair, stream, [5, 4]);
    finish(&mut pair, stream);
    pair.run(20 * MS);
    let expected = (vec![5, 4], vec![StreamEnd::Finished]);
    assert_eq!(filled(&pair.client.events(), key), expected);
}

#[test]
fn publish_done_follows_the_last_fill() {
    let mut pair = Pair::established(Draft::D22);
    let parameters = filling(None);
    let key = subscribe(&mut pair, "a", parameters.clone());
    let fill = open_fill(&mut pair, key, &parameters);
    let now = pair.now;
    let (code, reason) = (PublishDoneCode::TrackEnded, "over");
    let server = &mut pair.server.session;
    server
        .publish_done(key, code, reason, now)
        .expect("it ends");
    pair.run(20 * MS);
    write_groups(&mut pair, fill, [4, 5]);
    pair.run(20 * MS);
    let is_ended = |events: &[Event]| events.iter().any(|e| matches!(e, Event::Ended { .. }));
    let mut events = pair.client.events();
    assert!(!is_ended(&events), "{events:?}");
    finish(&mut pair, fill);
    pair.run(20 * MS);
    events.extend(pair.client.events());
    let expected = (vec![4, 5], vec![StreamEnd::Finished]);
    assert_eq!(filled(&events, key), expected);
    let reason = EndReason::PublishDone {
        code,
        reason: reason.to_owned(),
    };
    assert_eq!(events.last(), Some(&Event::Ended { key, reason }));
    assert_eq!(pair.server.session.open_requests(), (0, 0));
}

#[test]
fn a_fill_that_is_given_up_leaves_its_subscription() {
    for by_subscriber in [true, false] {
        let mut pair = Pair::established(Draft::D22);
        let parameters = filling(None);
        let key = subscribe(&mut pair, "a", parameters.clone());
        let fill = open_fill(&mut pair, key, &parameters);
        write_groups(&mut pair, fill, [4, 5]);
        pair.run(20 * MS);
        let now = pair.now;
        let code = ResetCode::UnknownObjectStatus;
        if by_subscriber {
            pair.client.session.stop_stream(fill, code, now);
            pair.run(20 * MS);
            let told = pair.server.events();
            assert!(
                matches!(told.as_slice(), [Event::StreamStopped { stream, .. }, ..] if *stream == fill),
                "{told:?}"
            );
        } else {
            let server = &mut pair.server.session;
            server.reset_subgroup(fill, code, now).expect("it resets");
            pair.run(20 * MS);
            let (_, ends) = filled(&pair.client.events(), key);
            assert_eq!(ends, [StreamEnd::Reset(code.to_u64())]);
        }
        let again = open_fill(&mut pair, key, &parameters);
        assert_ne!(again, fill);
        let live = open(&mut pair, key, &group(6));
        write(&mut pair, live, 0, b"live");
        pair.run(20 * MS);
        let events = pair.client.events();
        let objects = events.iter().filter(|e| matches!(e, Event::Object { .. }));
        assert_eq!(objects.count(), 1, "{events:?}");
    }
}

#[test]
fn cancelling_a_subscription_resets_its_fills() {
    let mut pair = Pair::established(Draft::D22);
    let parameters = filling(None);
    let key = subscribe(&mut pair, "a", parameters.clone());
    let fill = open_fill(&mut pair, key, &parameters);
    pair.run(20 * MS);
    let now = pair.now;
    pair.client.session.cancel(key, now).expect("it cancels");
    pair.run(20 * MS);
    let now = pair.now;
    let server = &mut pair.server.session;
    let refused = server.write_fetch_object(fill, &object(4), Bytes::from_static(b"past"), now);
    assert_eq!(refused, Err(SendRefused::StreamGone(fill)));
    assert_eq!(server.open_requests(), (0, 0));
}

#[test]
fn a_fill_needs_a_subscription_that_forwards_in_draft_22() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let parameters = Parameters {
            forward: Some(false),
            ..Parameters::default()
        };
        let key = subscribe(&mut pair, "a", parameters);
        let now = pair.now;
        let server = &mut pair.server.session;
        let refused = server.open_fill(key, None, &Parameters::default(), now);
        let expected = match draft {
            Draft::D18 => SendRefused::NotPublished(key),
            Draft::D22 => SendRefused::NotForwarded(key),
        };
        assert_eq!(refused, Err(expected));
    }
}
