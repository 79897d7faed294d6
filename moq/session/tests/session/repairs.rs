//! Small streams that come by a datagram because the network lost them.

use parvis_session::{Event, Input, PathState, StreamEnd, StreamId};
use parvis_simnet::LinkOptions;
use parvis_wire::{Draft, Parameters};

use crate::{
    pair::Pair,
    support::{MS, Received, finish, group, open, received, subscribe, write},
};

const GOOD: LinkOptions = LinkOptions {
    delay: std::time::Duration::from_millis(10),
    jitter: std::time::Duration::ZERO,
    reorder: false,
    loss: 0.0,
    bursts: None,
    rate: None,
    queue: 0,
};

/// Tells the server that of 100 packets so many were lost.
fn lose(pair: &mut Pair, lost: u64) {
    for sent in 0..2 {
        let path = PathState {
            rtt: 20 * MS,
            congestion_window: 100_000,
            sent_packets: sent * 100,
            lost_packets: sent * lost,
        };
        let now = pair.now;
        pair.server.input(Input::Path(path), now);
    }
}

/// Sends a group of one object, and loses all of it once.
fn send_into_nothing(pair: &mut Pair, key: parvis_session::RequestKey) -> StreamId {
    let nothing = LinkOptions { loss: 1.0, ..GOOD };
    let now = pair.now;
    pair.server.link.set_options(nothing, now);
    let stream = open(pair, key, &group(7));
    write(pair, stream, 0, b"hello");
    finish(pair, stream);
    pair.run(MS);
    let now = pair.now;
    pair.server.link.set_options(GOOD, now);
    stream
}

fn whole(key: parvis_session::RequestKey) -> Received {
    Received {
        key,
        group: 7,
        objects: vec![(0, b"hello".to_vec())],
        end: Some(StreamEnd::Finished),
    }
}

#[test]
fn a_lost_stream_is_there_once_and_before_it_is_sent_again() {
    for draft in Draft::ALL {
        let mut pair = Pair::established(draft);
        let key = subscribe(&mut pair, "audio", Parameters::default());
        lose(&mut pair, 10);
        send_into_nothing(&mut pair, key);

        pair.run(60 * MS);
        assert_eq!(received(&pair.client.events()), [whole(key)]);
        pair.run(500 * MS);
        assert_eq!(pair.client.events(), [], "the stream itself says no more");
    }
}

#[test]
fn a_path_that_loses_little_has_no_repairs() {
    let mut pair = Pair::established(Draft::D22);
    let key = subscribe(&mut pair, "audio", Parameters::default());
    lose(&mut pair, 1);
    send_into_nothing(&mut pair, key);

    pair.run(60 * MS);
    assert_eq!(pair.client.events(), []);
    pair.run(500 * MS);
    assert_eq!(received(&pair.client.events()), [whole(key)]);
}

#[test]
fn a_long_stream_has_no_repairs() {
    let mut pair = Pair::established(Draft::D22);
    let key = subscribe(&mut pair, "video", Parameters::default());
    lose(&mut pair, 10);
    let nothing = LinkOptions { loss: 1.0, ..GOOD };
    let now = pair.now;
    pair.server.link.set_options(nothing, now);
    let stream = open(&mut pair, key, &group(7));
    write(&mut pair, stream, 0, &[1; 700]);
    write(&mut pair, stream, 1, &[2; 700]);
    finish(&mut pair, stream);
    pair.run(MS);
    let now = pair.now;
    pair.server.link.set_options(GOOD, now);

    pair.run(60 * MS);
    assert_eq!(pair.client.events(), []);
}

#[test]
fn repairs_of_streams_that_came_or_cannot_come_are_ignored() {
    let mut pair = Pair::established(Draft::D22);
    let key = subscribe(&mut pair, "audio", Parameters::default());
    let stream = open(&mut pair, key, &group(7));
    write(&mut pair, stream, 0, b"he");
    pair.run(20 * MS);
    let begun = pair.client.events();
    assert!(matches!(
        begun[..],
        [Event::Subgroup { .. }, Event::Object { .. }]
    ));

    let now = pair.now;
    for index in [stream.index() as u32, 1_000_000, u32::MAX] {
        for bytes in [&b""[..], b"x", &[0xFF; 40]] {
            let mut repair = vec![0x3E];
            repair.extend_from_slice(&index.to_be_bytes());
            repair.extend_from_slice(bytes);
            pair.client.input(Input::Datagram(repair.into()), now);
        }
    }
    finish(&mut pair, stream);
    pair.run(20 * MS);
    let end = StreamEnd::Finished;
    assert_eq!(pair.client.events(), [Event::SubgroupEnd { stream, end }]);
    assert!(pair.client.closed.is_none());
}
