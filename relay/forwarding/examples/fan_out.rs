//! Measures what the forwarder and its driver's loop need for each delivered object:
//! `cargo run --release -p parvis-forwarding --example fan_out`.

use std::time::Instant;

use bytes::Bytes;
use parvis_forwarding::{
    Config, Forwarder, Input, Output, PeerId, PeerKind, RequestRef, Signal, SubgroupEnd,
    UpstreamStream,
};
use parvis_wire::{
    FullTrackName, GroupId, ObjectHeader, ObjectId, ObjectStatus, Parameters, Properties,
    SubgroupHeader, SubgroupIdMode, TrackAlias, TrackNamespace,
};

const PUBLISHER: PeerId = PeerId(0);
const PUBLISH: RequestRef = RequestRef::Theirs(0);
/// Enough for a clock that ticks every 4 ms.
const DELIVERIES: u64 = 20_000_000;

/// What is sent.
struct Workload {
    name: &'static str,
    /// Bytes of payload.
    size: usize,
    /// Bytes of a chunk.
    chunk: usize,
    objects_per_stream: u64,
}

const WORKLOADS: [Workload; 4] = [
    Workload {
        name: "audio, 1 s streams",
        size: 120,
        chunk: 1_200,
        objects_per_stream: 50,
    },
    Workload {
        name: "audio, a stream each",
        size: 120,
        chunk: 1_200,
        objects_per_stream: 1,
    },
    Workload {
        name: "blast, 1200 B",
        size: 1_200,
        chunk: 1_200,
        objects_per_stream: 500,
    },
    Workload {
        name: "video, 6 kB in chunks",
        size: 6_000,
        chunk: 1_200,
        objects_per_stream: 30,
    },
];

fn main() {
    println!("{:>22} {:>11} {:>24}", "CPU ns per", "", "delivered object");
    println!(
        "{:>22} {:>11} {:>11} {:>12}",
        "workload", "subscribers", "alone", "with driver"
    );
    for workload in &WORKLOADS {
        for subscribers in [1, 50, 500] {
            let objects = DELIVERIES / (subscribers + 20);
            measure(workload, subscribers, objects / 10, true);
            let alone = measure(workload, subscribers, objects, false);
            let driven = measure(workload, subscribers, objects, true);
            println!(
                "{:>22} {subscribers:>11} {alone:>11.1} {driven:>12.1}",
                workload.name
            );
        }
    }
}

/// CPU time of this thread so far where the system tells it, or else the time, nanoseconds.
fn spent_since(start: Instant) -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let cpu = told.and_then(|told| told.split(' ').next()?.parse().ok());
    cpu.unwrap_or_else(|| start.elapsed().as_nanos() as u64)
}

/// Nanoseconds per delivered object; the driver's share is measured if it `drives`.
fn measure(workload: &Workload, subscribers: u64, objects: u64, drives: bool) -> f64 {
    let now = Instant::now();
    let mut forwarder = Forwarder::new(Config {
        max_subscriptions: 1,
        ..Config::default()
    });
    let namespace = TrackNamespace::new(["room", "ann"]).expect("a short namespace");
    let track = FullTrackName::new(namespace, "video".into()).expect("a short name");
    let mut handle = |input| {
        forwarder.handle(input, now);
        while forwarder.poll().is_some() {}
    };
    handle(Input::PeerConnected {
        peer: PUBLISHER,
        kind: PeerKind::Session,
    });
    let (parameters, properties) = (Parameters::default(), Properties::EMPTY);
    let publish = Signal::Publish {
        track: track.clone(),
        parameters,
        properties,
    };
    handle(Input::Signal {
        peer: PUBLISHER,
        request: PUBLISH,
        signal: Box::new(publish),
    });
    for n in 1..=subscribers {
        let peer = PeerId(n);
        handle(Input::PeerConnected {
            peer,
            kind: PeerKind::Session,
        });
        let (track, parameters) = (track.clone(), Parameters::default());
        let signal = Box::new(Signal::Subscribe { track, parameters });
        handle(Input::Signal {
            peer,
            request: PUBLISH,
            signal,
        });
    }

    let payload = Bytes::from(vec![7; workload.size]);
    let mut driver = Driver {
        drives,
        ..Driver::default()
    };
    let before = spent_since(now);
    for n in 0..objects {
        let (group, index) = (
            n / workload.objects_per_stream,
            n % workload.objects_per_stream,
        );
        send(
            &mut forwarder,
            &mut driver,
            workload,
            (group, index),
            &payload,
            now,
        );
    }
    let spent = spent_since(now) - before;
    let stats = forwarder.stats();
    assert_eq!(stats.objects_out, objects * subscribers);
    assert!(!drives || driver.bytes == stats.bytes_out);
    spent as f64 / stats.objects_out as f64
}

fn send(
    forwarder: &mut Forwarder,
    driver: &mut Driver,
    workload: &Workload,
    (group, index): (u64, u64),
    payload: &Bytes,
    now: Instant,
) {
    let (peer, stream) = (PUBLISHER, UpstreamStream(group));
    let mut handle = |input| {
        forwarder.handle(input, now);
        driver.drain(forwarder);
    };
    if index == 0 {
        let header = SubgroupHeader {
            track_alias: TrackAlias(0),
            group: GroupId(group),
            subgroup: SubgroupIdMode::Zero,
            priority: None,
            has_properties: false,
            end_of_group: true,
            first_object: true,
        };
        handle(Input::Subgroup {
            peer,
            request: PUBLISH,
            stream,
            header,
        });
    }
    let header = ObjectHeader {
        id: ObjectId(index),
        properties: Properties::EMPTY,
        status: ObjectStatus::Normal,
        payload_len: payload.len() as u64,
    };
    let mut raw = Vec::with_capacity(workload.chunk + 8);
    let previous = index.checked_sub(1).map(ObjectId);
    header
        .encode(previous, false, &mut raw)
        .expect("the header encodes");
    let header_len = raw.len();
    let mut chunks = payload.chunks(workload.chunk);
    raw.extend_from_slice(chunks.next().unwrap_or_default());
    handle(Input::Object {
        peer,
        stream,
        header,
        raw: raw.into(),
        header_len,
    });
    for chunk in chunks {
        handle(Input::Data {
            peer,
            stream,
            data: payload.slice_ref(chunk),
        });
    }
    if index + 1 == workload.objects_per_stream {
        handle(Input::SubgroupEnd {
            peer,
            stream,
            end: SubgroupEnd::Finished,
        });
    }
}

/// What a relay's loop does at the least: looks the stream up and clones the bytes for it.
#[derive(Default)]
struct Driver {
    drives: bool,
    streams: Vec<u64>,
    queue: Vec<(u64, Bytes)>,
    opened: u64,
    bytes: u64,
}

impl Driver {
    fn drain(&mut self, forwarder: &mut Forwarder) {
        while let Some(output) = forwarder.poll() {
            if !self.drives {
                continue;
            }
            match output {
                Output::Open { targets, .. } => {
                    for target in targets.iter() {
                        let index = target.stream.index();
                        if index >= self.streams.len() {
                            self.streams.resize(index + 1, 0);
                        }
                        self.opened += 1;
                        self.streams[index] = self.opened;
                    }
                }
                Output::Object {
                    targets, raw: data, ..
                }
                | Output::Data { targets, data } => {
                    for target in targets.iter() {
                        let stream = self.streams[target.stream.index()];
                        self.bytes += data.len() as u64;
                        self.queue.push((stream, data.clone()));
                    }
                }
                Output::End { targets, .. } => {
                    for target in targets.iter() {
                        self.streams[target.stream.index()] = 0;
                    }
                }
                _ => {}
            }
        }
        self.queue.clear();
    }
}
