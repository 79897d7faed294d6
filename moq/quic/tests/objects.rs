//! Objects through two endpoints and a bad network.

mod pair;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use bytes::Bytes;
use pair::{CLIENT, Options, Pair, SERVER, carriers, session_events};
use parvis_quic::Limits;
use parvis_session::{
    DatagramOptions, DropReason, Event, IncomingRequest, Object, ObjectAssembler, RequestKey,
    StreamEnd, StreamId, SubgroupOptions,
};
use parvis_simnet::LinkOptions;
use parvis_wire::{
    Draft, FullTrackName, GroupId, Location, ObjectHeader, ObjectId, ObjectStatus, Parameters,
    Properties, SubgroupIdMode, TrackName, TrackNamespace,
};

const LIMIT: Duration = Duration::from_mins(1);

/// A connected pair with a subscription of the client's: its key on both sides.
fn subscribed(options: Options) -> (Pair, RequestKey) {
    let mut pair = Pair::connected(options);
    let namespace = TrackNamespace::new(["parvis", "room", "alice"]).unwrap();
    let track = FullTrackName::new(namespace, TrackName::from("audio")).unwrap();
    let now = pair.now;
    let key = pair
        .session(CLIENT)
        .subscribe(track.clone(), Parameters::default(), now)
        .unwrap();
    let mut asked = None;
    pair.run(LIMIT, |pair| {
        asked = session_events(&pair.events[SERVER]).find_map(|event| match event {
            Event::Request { key, request } => Some((*key, request.clone())),
            _ => None,
        });
        asked.is_some()
    });
    let Some((asked, IncomingRequest::Subscribe { track: wanted, .. })) = asked else {
        panic!("{asked:?}");
    };
    assert_eq!((asked, wanted), (key, track));
    let (now, parameters) = (pair.now, Parameters::default());
    pair.session(SERVER)
        .accept_subscribe(key, parameters, Properties::EMPTY, now)
        .unwrap();
    pair.run(LIMIT, |pair| {
        session_events(&pair.events[CLIENT])
            .any(|event| matches!(event, Event::Accepted { key: accepted, .. } if *accepted == key))
    });
    (pair, key)
}

fn open_group(pair: &mut Pair, key: RequestKey, group: u64) -> StreamId {
    let now = pair.now;
    let options = SubgroupOptions {
        group: GroupId(group),
        subgroup: SubgroupIdMode::Zero,
        priority: None,
        has_properties: false,
        end_of_group: true,
        first_object: true,
    };
    pair.session(SERVER)
        .open_subgroup(key, &options, now)
        .unwrap()
}

fn write(pair: &mut Pair, stream: StreamId, object: u64, payload: Bytes) {
    let header = ObjectHeader {
        id: ObjectId(object),
        properties: Properties::EMPTY,
        status: ObjectStatus::Normal,
        payload_len: payload.len() as u64,
    };
    let now = pair.now;
    pair.session(SERVER)
        .write_object(stream, &header, payload, now)
        .unwrap();
}

fn finish(pair: &mut Pair, stream: StreamId) {
    let now = pair.now;
    pair.session(SERVER).finish_subgroup(stream, now).unwrap();
}

fn payload(group: u64, object: u64, len: usize) -> Bytes {
    let seed = group * 31 + object * 7;
    (0..len)
        .map(|i| (seed as usize + i) as u8)
        .collect::<Vec<u8>>()
        .into()
}

/// Puts together what the client got; every stream must have come to its end.
#[derive(Default)]
struct Received {
    assemblers: HashMap<StreamId, ObjectAssembler>,
    objects: BTreeMap<(u64, u64), Bytes>,
    finished: usize,
    seen: usize,
}

impl Received {
    fn take(&mut self, pair: &Pair) {
        let events: Vec<&Event> = session_events(&pair.events[CLIENT])
            .skip(self.seen)
            .collect();
        self.seen += events.len();
        for event in events {
            let object: Option<Object> = match event {
                Event::Subgroup { stream, header, .. } => {
                    self.assemblers
                        .insert(*stream, ObjectAssembler::new(header, 1 << 24));
                    None
                }
                Event::Object {
                    stream,
                    header,
                    raw,
                    header_len,
                } => {
                    let assembler = self.assemblers.get_mut(stream).unwrap();
                    assembler.object(header.clone(), raw, *header_len).unwrap()
                }
                Event::ObjectData { stream, data } => {
                    self.assemblers.get_mut(stream).unwrap().data(data)
                }
                Event::SubgroupEnd { end, .. } => {
                    assert_eq!(*end, StreamEnd::Finished);
                    self.finished += 1;
                    None
                }
                _ => None,
            };
            if let Some(Object {
                location: Location { group, object },
                payload,
                ..
            }) = object
            {
                assert_eq!(self.objects.insert((group.0, object.0), payload), None);
            }
        }
    }
}

/// The kernel refuses a longer one whole, again each time.
#[test]
fn no_train_is_longer_than_the_kernel_takes() {
    let (mut pair, key) = subscribed(Options {
        link: LinkOptions {
            delay: Duration::from_micros(50),
            ..LinkOptions::default()
        },
        ..Options::default()
    });
    let mut received = Received::default();
    for group in 0..20 {
        let stream = open_group(&mut pair, key, group);
        write(&mut pair, stream, 0, payload(group, 0, 500_000));
        finish(&mut pair, stream);
        pair.run(LIMIT, |pair| {
            received.take(pair);
            received.finished > group as usize
        });
    }
    assert!(pair.longest_train > 32_000, "{}", pair.longest_train);
    assert!(pair.longest_train <= 65_000, "{}", pair.longest_train);
}

#[test]
fn a_thousand_objects_survive_five_percent_loss() {
    let [raw, web] = carriers();
    for (seed, draft, webtransport) in [
        (1, Draft::D22, raw.clone()),
        (2, Draft::D18, raw),
        (3, Draft::D22, web.clone()),
        (4, Draft::D18, web),
    ] {
        println!("seed {seed}");
        let delay = Duration::from_millis(20);
        let link = LinkOptions {
            delay,
            loss: 0.05,
            ..LinkOptions::default()
        };
        let (mut pair, key) = subscribed(Options {
            link,
            seed,
            client_drafts: vec![draft],
            webtransport,
            ..Options::default()
        });
        let mut received = Received::default();
        for group in 0..100 {
            let stream = open_group(&mut pair, key, group);
            for object in 0..10 {
                let len = 100 + (group * 10 + object) as usize % 900;
                write(&mut pair, stream, object, payload(group, object, len));
                pair.run_for(Duration::from_millis(2));
            }
            finish(&mut pair, stream);
        }
        pair.run(LIMIT, |pair| {
            received.take(pair);
            received.finished == 100
        });
        assert_eq!(received.objects.len(), 1000);
        for ((group, object), got) in &received.objects {
            assert_eq!(
                *got,
                payload(*group, *object, got.len()),
                "{group}/{object}"
            );
        }
        let key = pair.keys[SERVER].unwrap();
        let stats = pair.endpoints[SERVER].stats(key).unwrap();
        assert!(
            stats.lost_packets > 0 && stats.rtt >= 2 * delay,
            "{stats:?}"
        );
    }
}

#[test]
fn more_streams_than_the_peer_allows_wait_for_credit() {
    for webtransport in carriers() {
        let (mut pair, key) = subscribed(Options {
            client_limits: Limits {
                max_uni_streams: 8,
                ..Limits::default()
            },
            webtransport,
            ..Options::default()
        });
        for group in 0..200 {
            let stream = open_group(&mut pair, key, group);
            write(&mut pair, stream, 0, payload(group, 0, 200));
            finish(&mut pair, stream);
        }
        let mut received = Received::default();
        pair.run(LIMIT, |pair| {
            received.take(pair);
            received.finished == 200
        });
        assert_eq!(received.objects.len(), 200);
    }
}

#[test]
fn a_write_that_flow_control_blocks_goes_on_when_the_reader_reads() {
    for webtransport in carriers() {
        let (mut pair, key) = subscribed(Options {
            client_limits: Limits {
                connection_window: 64 * 1024,
                stream_window: 16 * 1024,
                ..Limits::default()
            },
            webtransport,
            ..Options::default()
        });
        pair.polls[CLIENT] = false;
        let streams: Vec<StreamId> = (0..4)
            .map(|group| open_group(&mut pair, key, group))
            .collect();
        for (group, stream) in (0..).zip(&streams) {
            write(&mut pair, *stream, 0, payload(group, 0, 100_000));
            finish(&mut pair, *stream);
        }
        pair.run_for(Duration::from_secs(1));
        // The reader does not read: what is under way is bounded by its windows.
        let server = pair.keys[SERVER].unwrap();
        let sent = pair.endpoints[SERVER].stats(server).unwrap().sent_bytes;
        assert!(sent < 100_000, "{sent}");
        assert!(pair.session(SERVER).total_queued_bytes() > 0);
        let now = pair.now;
        assert!(!pair.endpoints[SERVER].is_flushed(now, server));

        pair.polls[CLIENT] = true;
        let mut received = Received::default();
        pair.run(LIMIT, |pair| {
            received.take(pair);
            received.finished == 4
        });
        for (group, stream) in (0..).zip(&streams) {
            assert_eq!(
                received.objects[&(group, 0)],
                payload(group, 0, 100_000),
                "{stream}"
            );
        }
        pair.run_for(Duration::from_secs(1));
        let now = pair.now;
        assert!(pair.endpoints[SERVER].is_flushed(now, server));
    }
}

#[test]
fn a_slow_path_keeps_the_queue_in_the_session() {
    let delay = Duration::from_millis(20);
    let link = LinkOptions {
        delay,
        rate: Some(400_000),
        queue: 30_000,
        ..LinkOptions::default()
    };
    let (mut pair, key) = subscribed(Options {
        link,
        ..Options::default()
    });
    for group in 0..50 {
        let stream = open_group(&mut pair, key, group);
        write(&mut pair, stream, 0, payload(group, 0, 10_000));
        finish(&mut pair, stream);
        pair.run_for(Duration::from_millis(10));
    }
    let waiting = pair.session(SERVER).total_queued_bytes();
    assert!(waiting > 350_000, "{waiting}");
}

#[test]
fn datagrams_travel_and_large_ones_are_counted() {
    for webtransport in carriers() {
        let (mut pair, key) = subscribed(Options {
            webtransport,
            ..Options::default()
        });
        let datagram = |object, len| DatagramOptions {
            location: Location {
                group: GroupId(1),
                object: ObjectId(object),
            },
            priority: None,
            end_of_group: false,
            properties: Properties::EMPTY,
            status: ObjectStatus::Normal,
            payload: payload(1, object, len),
        };
        for object in 0..20 {
            let now = pair.now;
            pair.session(SERVER)
                .send_datagram(key, datagram(object, 900), now)
                .unwrap();
        }
        let now = pair.now;
        pair.session(SERVER)
            .send_datagram(key, datagram(99, 3000), now)
            .unwrap();
        let mut got = Vec::new();
        pair.run(LIMIT, |pair| {
            let datagrams = session_events(&pair.events[CLIENT]).filter_map(|event| match event {
                Event::Datagram { datagram, .. } => Some(datagram.clone()),
                _ => None,
            });
            got = datagrams.collect();
            got.len() == 20
        });
        for (object, datagram) in (0..).zip(&got) {
            assert_eq!(datagram.location.object, ObjectId(object));
            assert_eq!(datagram.payload, payload(1, object, 900));
        }
        pair.run_for(Duration::from_secs(1));
        let key = pair.keys[SERVER].unwrap();
        let stats = pair.endpoints[SERVER].stats(key).unwrap();
        assert_eq!(stats.oversized_datagrams, 1);
        let too_large = session_events(&pair.events[SERVER]).filter(|event| {
            matches!(event, Event::Dropped(dropped) if dropped.reason == DropReason::DatagramTooLarge)
        });
        assert_eq!(too_large.count(), 1);
        assert!(stats.max_datagram.is_some_and(|max| max > 1000));
    }
}

#[test]
fn a_session_that_closes_tells_the_peer_its_code() {
    for webtransport in carriers() {
        use parvis_quic::CloseReason;
        use parvis_wire::SessionErrorCode;
        let (mut pair, _) = subscribed(Options {
            webtransport,
            ..Options::default()
        });
        pair.session(SERVER)
            .close(SessionErrorCode::GoawayTimeout, "stayed too long");
        pair.run(LIMIT, |pair| {
            pair::close_reason(&pair.events[CLIENT]).is_some()
        });
        let (code, reason) = (
            SessionErrorCode::GoawayTimeout,
            "stayed too long".to_owned(),
        );
        let told = CloseReason::PeerClosed {
            code,
            reason: reason.clone(),
        };
        assert_eq!(pair::close_reason(&pair.events[CLIENT]), Some(&told));
        let own = CloseReason::Local { code, reason };
        assert_eq!(pair::close_reason(&pair.events[SERVER]), Some(&own));
        let last = session_events(&pair.events[SERVER]).last();
        assert!(matches!(last, Some(Event::Closed { .. })), "{last:?}");
    }
}
