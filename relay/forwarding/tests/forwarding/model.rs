//! A reference model of one shard: random sequences, and for every subscription exactly the
//! objects that its filter names, each once, in order, whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use parvis_forwarding::{PeerId, RequestRef, Signal, SubgroupEnd};
use parvis_wire::{Location, LocationFilter, Parameters, ResetCode, SubgroupId, SubgroupIdMode};
use proptest::{collection::vec, prelude::*};

use crate::{
    model_expected::{Expected, Sent, Span, comes, window},
    model_steps::{Step, step},
    support::{Publishing, Relay, at, payload, publish, subscribe_with, theirs},
};

pub const TRACKS: usize = 2;
const PATHS: [&str; TRACKS] = ["room/ann/camera", "room/ann/microphone"];

/// A stream that the publisher has open.
struct Live {
    track: usize,
    group: u64,
    publishing: Publishing,
    /// The rest of the current object.
    rest: Vec<parvis_forwarding::Input>,
}

#[derive(Default)]
struct State {
    time: u64,
    publisher: Option<PeerId>,
    peers: Vec<PeerId>,
    live: Vec<Live>,
    sent: Vec<Sent>,
    expected: Vec<Expected>,
    /// For each track the groups that have objects, and the largest object.
    groups: [BTreeSet<u64>; TRACKS],
    largest: [Option<Location>; TRACKS],
    next_id: BTreeMap<(usize, u64), u64>,
    next_stream: u64,
    next_request: u64,
}

struct Model {
    relay: Relay,
    watcher: PeerId,
    state: State,
}

impl Model {
    fn new() -> Self {
        let mut relay = Relay::new();
        let watcher = relay.connect();
        let mut model = Self {
            relay,
            watcher,
            state: State::default(),
        };
        model.publish();
        model
    }

    /// A publisher comes, and a watcher that keeps objects flowing.
    fn publish(&mut self) {
        let publisher = self.relay.connect();
        self.state.publisher = Some(publisher);
        for (track, path) in PATHS.into_iter().enumerate() {
            self.relay
                .say(publisher, theirs(track as u64), publish(path));
            let request = theirs(1_000_000 + self.state.next_request);
            self.state.next_request += 1;
            let filter = Some(LocationFilter::NextObject);
            let parameters = Parameters {
                filter,
                ..Parameters::default()
            };
            self.relay
                .say(self.watcher, request, subscribe_with(path, parameters));
        }
    }

    fn step(&mut self, step: Step) {
        self.state.time += 1;
        match step {
            Step::Connect => {
                if self.state.peers.len() < 5 {
                    let peer = self.relay.connect();
                    self.state.peers.push(peer);
                }
            }
            Step::Disconnect(n) => {
                if let Some(n) = pick(n, self.state.peers.len()) {
                    let peer = self.state.peers.swap_remove(n);
                    self.relay.disconnect(peer);
                    self.end_where(|expected| expected.peer == peer);
                }
            }
            Step::Subscribe {
                peer,
                track,
                filter,
            } => self.subscribe(peer, track, filter),
            Step::Cancel(n) => {
                if let Some(n) = self.pick_expected(n) {
                    let (peer, request) = self.name(n);
                    self.relay.say(peer, request, Signal::Cancel);
                    self.end_where(|e| (e.peer, e.request) == (peer, request));
                }
            }
            Step::Forward(n, on) => self.forward(n, on),
            Step::Stop(n) => self.stop(n),
            Step::Open {
                track,
                back,
                ahead,
                first_mode,
            } => {
                self.open(track, back, ahead, first_mode);
            }
            Step::Object { stream, skip } => self.object(stream, skip),
            Step::More { stream } => {
                if let Some(n) = pick(stream, self.state.live.len()) {
                    self.more(n);
                }
            }
            Step::End { stream, finished } => {
                if let Some(n) = pick(stream, self.state.live.len()) {
                    let live = self.state.live.swap_remove(n);
                    let end = if finished {
                        SubgroupEnd::Finished
                    } else {
                        SubgroupEnd::Reset(ResetCode::DeliveryTimeout)
                    };
                    live.publishing.end(&mut self.relay, end);
                }
            }
            Step::Wait(ms) => self.relay.wait(Duration::from_millis(ms)),
            Step::Republish => self.republish(),
        }
        self.listen();
    }

    fn subscribe(&mut self, peer: usize, track: usize, filter: Option<LocationFilter>) {
        let Some(n) = pick(peer, self.state.peers.len()) else {
            return;
        };
        let peer = self.state.peers[n];
        let request = theirs(self.state.next_request);
        self.state.next_request += 1;
        let parameters = Parameters {
            filter,
            ..Parameters::default()
        };
        let largest = self.state.largest[track];
        self.relay
            .say(peer, request, subscribe_with(PATHS[track], parameters));
        let (start, end) = window(filter, largest);
        let forward = true;
        let (spans, stops, over) = (Vec::new(), Vec::new(), false);
        let expected = Expected {
            peer,
            request,
            track,
            filter,
            forward,
            over,
            start,
            end,
            spans,
            stops,
        };
        self.state.expected.push(expected);
        let n = self.state.expected.len() - 1;
        self.begin_span(n, true);
    }

    fn begin_span(&mut self, n: usize, is_first: bool) {
        let state = &mut self.state;
        let expected = &state.expected[n];
        let track = expected.track;
        let current = state.largest[track].map_or(at(0, 0), |l| at(l.group.0, 0));
        let start = if expected.filter.is_none() {
            current
        } else {
            expected.start
        };
        let newest: Vec<u64> = state.groups[track].iter().rev().take(2).copied().collect();
        let cached = state.sent.iter().filter(|s| s.track == track);
        let replay = cached
            .map(|s| s.location)
            .filter(|l| is_first && newest.contains(&l.group.0) && *l >= start)
            .collect();
        state.expected[n].spans.push(Span {
            from: state.time,
            to: None,
            replay,
        });
    }

    fn forward(&mut self, n: usize, on: bool) {
        let Some(n) = self.pick_expected(n) else {
            return;
        };
        let (peer, request) = self.name(n);
        let parameters = Parameters {
            forward: Some(on),
            ..Parameters::default()
        };
        self.relay.say(peer, request, Signal::Update(parameters));
        let time = self.state.time;
        let expected = &mut self.state.expected[n];
        if std::mem::replace(&mut expected.forward, on) == on {
            return;
        }
        if on {
            self.begin_span(n, false);
        } else if let Some(span) = expected.spans.last_mut() {
            span.to = Some(time);
        }
    }

    /// Stops the newest open stream of a subscription.
    fn stop(&mut self, n: usize) {
        let Some(n) = self.pick_expected(n) else {
            return;
        };
        let (peer, request) = self.name(n);
        let received = self.relay.received(peer, request);
        let Some(open) = received
            .streams
            .iter()
            .rev()
            .find(|s| s.end.is_none() && !s.stopped)
        else {
            return;
        };
        let SubgroupIdMode::Explicit(SubgroupId(id)) = open.header.subgroup else {
            return;
        };
        let track = self.state.expected[n].track;
        let group = open.header.group.0;
        // Streams named by their first object are found by it only if they are the plain ones.
        let Some(live) =
            self.state.live.iter().find(|live| {
                (live.track, live.group, live.publishing.stream.0) == (track, group, id)
            })
        else {
            return;
        };
        let stream = live.publishing.stream.0;
        self.relay.stop(peer, open.key);
        let time = self.state.time;
        self.state.expected[n].stops.push((time, stream));
    }

    fn open(&mut self, track: usize, back: u64, ahead: u64, first_mode: bool) {
        if self.state.live.len() >= 8 {
            return;
        }
        let newest = self.state.groups[track].last().copied().unwrap_or(0);
        let group = (newest + ahead).saturating_sub(back);
        // Far above any object id, so that a subgroup named by its first object is another one.
        self.state.next_stream += 1;
        let stream = 1_000_000 + self.state.next_stream;
        let mode = if first_mode {
            SubgroupIdMode::FirstObject
        } else {
            SubgroupIdMode::Explicit(SubgroupId(stream))
        };
        let publisher = self.state.publisher.expect("there is one");
        let source = (publisher, theirs(track as u64));
        let publishing = Publishing::open(&mut self.relay, source, stream, group, mode);
        self.state.live.push(Live {
            track,
            group,
            publishing,
            rest: Vec::new(),
        });
    }

    fn object(&mut self, stream: usize, skip: u64) {
        let Some(n) = pick(stream, self.state.live.len()) else {
            return;
        };
        while !self.state.live[n].rest.is_empty() {
            self.more(n);
        }
        let state = &mut self.state;
        let live = &mut state.live[n];
        let next = state.next_id.entry((live.track, live.group)).or_insert(0);
        let id = *next + skip;
        *next = id + 1;
        let (first, rest) = live.publishing.encode(id, 15);
        live.rest = rest;
        let location = at(live.group, id);
        let complete = live.rest.is_empty().then_some(state.time);
        let (track, stream, began) = (live.track, live.publishing.stream.0, state.time);
        state.sent.push(Sent {
            track,
            stream,
            location,
            began,
            complete,
        });
        state.groups[track].insert(live.group);
        state.largest[track] = state.largest[track].max(Some(location));
        self.relay
            .input(state.publisher.expect("there is one"), first);
    }

    fn more(&mut self, n: usize) {
        let state = &mut self.state;
        let live = &mut state.live[n];
        if live.rest.is_empty() {
            return;
        }
        let input = live.rest.remove(0);
        if live.rest.is_empty() {
            let stream = live.publishing.stream.0;
            let sent = state.sent.iter_mut().rev().find(|s| s.stream == stream);
            sent.expect("it began").complete = Some(state.time);
        }
        self.relay
            .input(state.publisher.expect("there is one"), input);
    }

    /// The publisher leaves and another one comes, whose groups begin afresh.
    fn republish(&mut self) {
        let publisher = self.state.publisher.take().expect("there is one");
        self.relay.disconnect(publisher);
        self.listen();
        assert!(
            self.state.expected.iter().all(|e| e.over),
            "the end is told"
        );
        self.check();
        let state = &mut self.state;
        state.live.clear();
        state.groups = Default::default();
        state.largest = Default::default();
        state.next_id.clear();
        self.state.sent.clear();
        self.state.expected.clear();
        self.publish();
    }

    /// Hears which subscriptions are over.
    fn listen(&mut self) {
        for peer in self.state.peers.clone() {
            for (request, signal) in self.relay.heard(peer) {
                if matches!(signal, Signal::Done { .. } | Signal::Reject(_)) {
                    self.end_where(|e| (e.peer, e.request) == (peer, request));
                }
            }
        }
    }

    fn end_where(&mut self, is_meant: impl Fn(&Expected) -> bool) {
        let time = self.state.time;
        for expected in self
            .state
            .expected
            .iter_mut()
            .filter(|e| !e.over && is_meant(e))
        {
            expected.over = true;
            if let Some(span) = expected.spans.last_mut().filter(|s| s.to.is_none()) {
                span.to = Some(time);
            }
        }
    }

    /// Compares what came with what should have come.
    fn check(&self) {
        for expected in &self.state.expected {
            let mut wanted = Vec::new();
            for sent in &self.state.sent {
                let is_its = sent.track == expected.track;
                let inside = (expected.start..=expected.end).contains(&sent.location);
                if is_its && inside && expected.spans.iter().any(|s| comes(expected, s, sent)) {
                    wanted.push(sent.location);
                }
            }
            wanted.sort();
            let mut came = Vec::new();
            for stream in self.relay.received(expected.peer, expected.request).streams {
                for (location, _, bytes) in stream.objects() {
                    assert_eq!(bytes, payload(location.group, location.object.0));
                    came.push(location);
                }
            }
            came.sort();
            let name = (expected.peer, expected.request, expected.filter);
            assert_eq!(came, wanted, "{name:?}");
        }
    }

    fn pick_expected(&self, n: usize) -> Option<usize> {
        let alive = self
            .state
            .expected
            .iter()
            .enumerate()
            .filter(|(_, e)| !e.over);
        let alive: Vec<usize> = alive.map(|(n, _)| n).collect();
        pick(n, alive.len()).map(|n| alive[n])
    }

    fn name(&self, n: usize) -> (PeerId, RequestRef) {
        (self.state.expected[n].peer, self.state.expected[n].request)
    }
}

fn pick(n: usize, len: usize) -> Option<usize> {
    (len > 0).then(|| n % len)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(400), failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_subscription_receives_exactly_what_its_filter_names(
        steps in vec(step(), 1..150)
    ) {
        let mut model = Model::new();
        for step in steps {
            model.step(step);
        }
        model.check();
        for peer in std::mem::take(&mut model.state.peers) {
            model.relay.disconnect(peer);
        }
        let (publisher, watcher) = (model.state.publisher.expect("there is one"), model.watcher);
        model.relay.disconnect(publisher);
        model.relay.disconnect(watcher);
        model.relay.wait(Duration::from_mins(1));
        model.relay.assert_empty();
        prop_assert_eq!(model.relay.shards[0].poll_timeout(), None);
    }
}
