//! A relay of one or more shards, driven by hand, that keeps what each session receives.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_forwarding::{
    Config, Forwarder, Input, Output, PeerId, PeerKind, RequestRef, Signal, StreamKey, SubgroupEnd,
    Timeouts,
};
use parvis_wire::{Datagram, FetchObject, Location, ObjectHeader, Parameters, SubgroupHeader};

pub use crate::publisher::{Publishing, payload};
pub use crate::words::{
    at, namespace, publish, rejected, subscribe, subscribe_ok, subscribe_with, theirs, track,
};

const FIRST_SHARD: u64 = 1_000_000;

pub struct Relay {
    pub shards: Vec<Forwarder>,
    pub now: Instant,
    homes: BTreeMap<PeerId, usize>,
    links: BTreeMap<(usize, usize), VecDeque<Input>>,
    said: Vec<(PeerId, RequestRef, Signal)>,
    open: BTreeMap<(usize, StreamKey), Place>,
    received: BTreeMap<(PeerId, RequestRef), Received>,
    next_peer: u64,
    /// Whether sessions accept updates as soon as they come.
    pub answers_updates: bool,
    updates: VecDeque<(PeerId, RequestRef)>,
}

/// Where the bytes of an open stream go.
type Place = (PeerId, RequestRef, usize);

/// What came for a subscription.
#[derive(Debug, Clone, Default)]
pub struct Received {
    pub streams: Vec<Stream>,
    pub datagrams: Vec<Datagram>,
    pub fetched: Vec<(FetchObject, Bytes)>,
    pub fetch_end: Option<SubgroupEnd>,
}

#[derive(Debug, Clone)]
pub struct Stream {
    pub header: SubgroupHeader,
    pub timeouts: Timeouts,
    pub bytes: Vec<u8>,
    pub end: Option<SubgroupEnd>,
    pub key: StreamKey,
    pub stopped: bool,
}

impl Relay {
    pub fn new() -> Self {
        Self::with(1, Config::default())
    }

    pub fn with(shards: usize, config: Config) -> Self {
        let mut relay = Self {
            shards: (0..shards).map(|_| Forwarder::new(config)).collect(),
            now: Instant::now(),
            homes: BTreeMap::new(),
            links: BTreeMap::new(),
            said: Vec::new(),
            open: BTreeMap::new(),
            received: BTreeMap::new(),
            next_peer: 1,
            answers_updates: true,
            updates: VecDeque::new(),
        };
        for (here, there) in pairs(shards) {
            let peer = shard_peer(there);
            relay.shards[here].handle(
                Input::PeerConnected {
                    peer,
                    kind: PeerKind::Shard,
                },
                relay.now,
            );
        }
        relay.run();
        relay
    }

    pub fn connect(&mut self) -> PeerId {
        self.connect_to(0)
    }

    pub fn connect_to(&mut self, shard: usize) -> PeerId {
        self.connect_as(shard, PeerKind::Session)
    }

    pub fn connect_as(&mut self, shard: usize, kind: PeerKind) -> PeerId {
        let peer = PeerId(self.next_peer);
        self.next_peer += 1;
        self.homes.insert(peer, shard);
        self.input(peer, Input::PeerConnected { peer, kind });
        peer
    }

    pub fn disconnect(&mut self, peer: PeerId) {
        let home = self.homes[&peer];
        self.shards[home].handle(Input::PeerDisconnected { peer }, self.now);
        self.homes.remove(&peer);
        self.open.retain(|_, place| place.0 != peer);
        self.updates.retain(|(to, _)| *to != peer);
        self.drain(home);
        self.run();
    }

    /// Gives a session's input to its shard and lets everything settle.
    pub fn input(&mut self, peer: PeerId, input: Input) {
        self.input_unrun(peer, input);
        self.run();
    }

    /// The same, without letting other shards hear of it.
    pub fn input_unrun(&mut self, peer: PeerId, input: Input) {
        let home = self.homes[&peer];
        self.shards[home].handle(input, self.now);
        self.drain(home);
    }

    pub fn say(&mut self, peer: PeerId, request: RequestRef, signal: Signal) {
        self.input(
            peer,
            Input::Signal {
                peer,
                request,
                signal: Box::new(signal),
            },
        );
    }

    /// Says something without letting other shards hear of it.
    pub fn say_unrun(&mut self, peer: PeerId, request: RequestRef, signal: Signal) {
        self.input_unrun(
            peer,
            Input::Signal {
                peer,
                request,
                signal: Box::new(signal),
            },
        );
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        self.run();
        loop {
            let due = self.shards.iter().filter_map(Forwarder::poll_timeout).min();
            let Some(due) = due.filter(|due| *due <= end) else {
                break;
            };
            self.now = self.now.max(due);
            for shard in 0..self.shards.len() {
                self.shards[shard].handle_timeout(self.now);
                self.drain(shard);
            }
            self.run();
        }
        self.now = end;
    }

    /// What was said to a session since the last call.
    pub fn heard(&mut self, peer: PeerId) -> Vec<(RequestRef, Signal)> {
        let (mine, others) = std::mem::take(&mut self.said)
            .into_iter()
            .partition(|s| s.0 == peer);
        self.said = others;
        let mine: Vec<(PeerId, RequestRef, Signal)> = mine;
        mine.into_iter()
            .map(|(_, request, signal)| (request, signal))
            .collect()
    }

    /// The one thing that was said to a session since the last call.
    pub fn heard_one(&mut self, peer: PeerId) -> (RequestRef, Signal) {
        let mut heard = self.heard(peer);
        assert_eq!(heard.len(), 1, "{heard:?}");
        heard.remove(0)
    }

    pub fn received(&self, peer: PeerId, request: RequestRef) -> Received {
        self.received
            .get(&(peer, request))
            .cloned()
            .unwrap_or_default()
    }

    /// Every object that came whole, in order of stream, then of arrival.
    pub fn objects(&self, peer: PeerId, request: RequestRef) -> Vec<(Location, Vec<u8>)> {
        let received = self.received(peer, request);
        let streams = received.streams.iter();
        streams
            .flat_map(|s| s.objects().into_iter().map(|(l, _, p)| (l, p)))
            .collect()
    }

    pub fn locations(&self, peer: PeerId, request: RequestRef) -> Vec<Location> {
        self.objects(peer, request)
            .into_iter()
            .map(|(location, _)| location)
            .collect()
    }

    /// Takes messages from links between shards until none is left.
    pub fn run(&mut self) {
        loop {
            while self.step_links() {}
            if !self.answers_updates || !self.answer_update() {
                break;
            }
        }
    }

    /// Lets a session accept the oldest update that it was sent; says whether there was one.
    pub fn answer_update(&mut self) -> bool {
        let Some((peer, request)) = self.updates.pop_front() else {
            return false;
        };
        self.say_unrun(peer, request, Signal::UpdateOk(Parameters::default()));
        true
    }

    /// Takes one message from each link; says whether there was one.
    pub fn step_links(&mut self) -> bool {
        let mut moved = false;
        for (from, to) in pairs(self.shards.len()) {
            let next = self
                .links
                .get_mut(&(from, to))
                .and_then(VecDeque::pop_front);
            if let Some(input) = next {
                moved = true;
                self.shards[to].handle(input, self.now);
                self.drain(to);
            }
        }
        moved
    }

    pub fn assert_empty(&self) {
        for shard in &self.shards {
            let stats = shard.stats();
            let left = (
                stats.tracks,
                stats.subscriptions,
                stats.subgroups,
                stats.streams,
            );
            assert_eq!(left, (0, 0, 0, 0), "{stats:?}");
            let left = (stats.namespaces, stats.prefixes, stats.cache_bytes);
            assert_eq!(left, (0, 0, 0), "{stats:?}");
            assert_eq!((stats.fetches, stats.asks), (0, 0), "{stats:?}");
        }
    }

    fn drain(&mut self, shard: usize) {
        while let Some(output) = self.shards[shard].poll() {
            for other in (0..self.shards.len()).filter(|other| *other != shard) {
                if let Some(input) = output.for_shard(shard_peer(other), shard_peer(shard)) {
                    self.links
                        .entry((shard, other))
                        .or_default()
                        .push_back(input);
                }
            }
            self.take(shard, output);
        }
    }

    fn take(&mut self, shard: usize, output: Output) {
        match output {
            Output::Signal {
                peer,
                request,
                signal,
            } => {
                if self.is_session(shard, peer) {
                    if matches!(*signal, Signal::Update(_)) {
                        self.updates.push_back((peer, request));
                    }
                    self.said.push((peer, request, *signal));
                }
            }
            Output::Open {
                targets,
                header,
                timeouts,
            } => {
                for target in targets.iter() {
                    if !self.is_session(shard, target.peer) {
                        continue;
                    }
                    let streams = &mut self
                        .received
                        .entry((target.peer, target.request))
                        .or_default()
                        .streams;
                    let place = (target.peer, target.request, streams.len());
                    let (bytes, key) = (Vec::new(), target.stream);
                    streams.push(Stream {
                        header,
                        timeouts,
                        bytes,
                        end: None,
                        key,
                        stopped: false,
                    });
                    let before = self.open.insert((shard, target.stream), place);
                    assert!(before.is_none(), "a key in use is not given away");
                }
            }
            Output::Object {
                targets, raw: data, ..
            }
            | Output::Data { targets, data } => {
                for target in targets.iter() {
                    if self.is_session(shard, target.peer) {
                        self.stream(shard, target.stream)
                            .bytes
                            .extend_from_slice(&data);
                    }
                }
            }
            Output::End { targets, end } => {
                for target in targets.iter() {
                    if self.is_session(shard, target.peer) {
                        self.stream(shard, target.stream).end = Some(end);
                        self.open.remove(&(shard, target.stream));
                    }
                }
            }
            Output::Datagram {
                receivers,
                datagram,
            } => {
                for receiver in receivers.iter() {
                    if self.is_session(shard, receiver.peer) {
                        let key = (receiver.peer, receiver.request);
                        let received = self.received.entry(key).or_default();
                        received.datagrams.push(Datagram::clone(&datagram));
                    }
                }
            }
            Output::FetchObject {
                peer,
                request,
                object,
                payload,
            } => {
                if !self.is_session(shard, peer) {
                    return;
                }
                let received = self.received.entry((peer, request)).or_default();
                received.fetched.push((*object, payload));
            }
            Output::FetchData {
                peer,
                request,
                data,
            } => {
                if !self.is_session(shard, peer) {
                    return;
                }
                let received = self.received.entry((peer, request)).or_default();
                let (_, payload) = received.fetched.last_mut().expect("an object began");
                *payload = [payload.as_ref(), data.as_ref()].concat().into();
            }
            Output::FetchEnd { peer, request, end } => {
                if !self.is_session(shard, peer) {
                    return;
                }
                let received = self.received.entry((peer, request)).or_default();
                let before = received.fetch_end.replace(end);
                assert!(before.is_none(), "a fetch ends once");
            }
        }
    }

    /// Whether a peer is a session; it must be a connected one of this shard then.
    fn is_session(&self, shard: usize, peer: PeerId) -> bool {
        if peer.0 >= FIRST_SHARD {
            return false;
        }
        assert_eq!(self.homes.get(&peer), Some(&shard), "{peer:?} is not there");
        true
    }

    fn stream(&mut self, shard: usize, key: StreamKey) -> &mut Stream {
        let place = self.open.get(&(shard, key)).expect("the stream is open");
        let received = self
            .received
            .get_mut(&(place.0, place.1))
            .expect("it was opened");
        &mut received.streams[place.2]
    }

    /// The subscriber stops a stream.
    pub fn stop(&mut self, peer: PeerId, key: StreamKey) {
        let home = self.homes[&peer];
        self.stream(home, key).stopped = true;
        self.open.remove(&(home, key));
        self.input(peer, Input::StreamStopped { stream: key });
    }
}

impl Stream {
    /// The objects that came whole; panics if the bytes are no objects.
    pub fn objects(&self) -> Vec<(Location, ObjectHeader, Vec<u8>)> {
        let mut rest = Bytes::copy_from_slice(&self.bytes);
        let mut previous = None;
        let mut found = Vec::new();
        while !rest.is_empty() {
            let decoded = ObjectHeader::decode(&rest, previous, self.header.has_properties);
            let Some((header, len)) = decoded.expect("objects decode") else {
                break;
            };
            let end = len + usize::try_from(header.payload_len).expect("small");
            if rest.len() < end {
                break;
            }
            let location = Location {
                group: self.header.group,
                object: header.id,
            };
            found.push((location, header.clone(), rest[len..end].to_vec()));
            previous = Some(header.id);
            rest = rest.slice(end..);
        }
        found
    }
}

fn shard_peer(shard: usize) -> PeerId {
    PeerId(FIRST_SHARD + shard as u64)
}

fn pairs(shards: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..shards)
        .flat_map(move |a| (0..shards).map(move |b| (a, b)))
        .filter(|(a, b)| a != b)
}
