//! Random comings and goings on three shards whose links are slow: nothing twice, nothing
//! broken, and once all is quiet every subscription is served; when all leave, nothing is left.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use parvis_forwarding::{Config, Input, PeerId, RequestRef, Signal, SubgroupEnd, UpstreamStream};
use parvis_wire::{
    FetchObject, FetchOk, FetchRange, FullTrackName, GroupId, Location, Parameters, Properties,
    PublishDoneCode, RequestErrorCode, ResetCode, SubgroupHeader, SubgroupIdMode, TrackAlias,
};
use proptest::{collection::vec, prelude::*};

use crate::{
    answering::Answering,
    churn_steps::{FetchAnswer, Step, step},
    support::{Publishing, Relay, at, namespace, payload, rejected, theirs, track},
};

pub const SHARDS: usize = 3;
pub const PATHS: [&str; 3] = ["room/ann/camera", "room/ann/screen", "room/bob/camera"];
pub const NAMESPACES: [&str; 3] = ["room", "room/ann", "room/bob"];

/// What a session knows.
struct Session {
    peer: PeerId,
    /// Requests it made that are neither subscriptions nor sources.
    others: BTreeSet<RequestRef>,
    /// Upstream subscriptions that it feeds, and whether it is to send.
    sources: BTreeMap<RequestRef, bool>,
    subscriptions: BTreeMap<RequestRef, Subscription>,
    /// Our requests to it that it has not answered.
    asked: Vec<(RequestRef, FullTrackName, bool)>,
    /// FETCHes to it that it has not answered.
    fetches: Vec<Answering>,
    /// Its own FETCHes and fills.
    fetching: BTreeSet<RequestRef>,
}

#[derive(Default)]
struct Subscription {
    established: bool,
    forward: bool,
}

struct World {
    relay: Relay,
    sessions: Vec<Session>,
    next_request: u64,
    next_group: u64,
}

impl World {
    fn new() -> Self {
        let relay = Relay::with(SHARDS, Config::default());
        Self {
            relay,
            sessions: Vec::new(),
            next_request: 0,
            next_group: 1,
        }
    }

    fn step(&mut self, n: usize, step: Step) {
        match step {
            Step::Connect(shard) => {
                if self.sessions.len() < 7 {
                    let peer = self.relay.connect_to(shard);
                    self.sessions.push(Session {
                        peer,
                        others: BTreeSet::new(),
                        sources: BTreeMap::new(),
                        subscriptions: BTreeMap::new(),
                        asked: Vec::new(),
                        fetches: Vec::new(),
                        fetching: BTreeSet::new(),
                    });
                }
            }
            Step::Deliver(count) => {
                for _ in 0..count {
                    self.relay.step_links();
                }
            }
            Step::Wait(ms) => self.relay.wait(Duration::from_millis(ms)),
            _ if self.sessions.is_empty() => {}
            Step::Disconnect => {
                let n = n % self.sessions.len();
                let gone = self.sessions.swap_remove(n);
                self.relay.disconnect(gone.peer);
            }
            step => {
                let n = n % self.sessions.len();
                self.session_step(n, step);
            }
        }
        self.listen();
    }

    fn session_step(&mut self, n: usize, step: Step) {
        let request = theirs(self.next_request);
        self.next_request += 1;
        let peer = self.sessions[n].peer;
        let session = &mut self.sessions[n];
        match step {
            Step::Namespace(which) => {
                session.others.insert(request);
                let namespace = namespace(NAMESPACES[which]);
                self.relay
                    .say_unrun(peer, request, Signal::PublishNamespace { namespace });
            }
            Step::Publish { path, continues } => {
                session.sources.insert(request, true);
                let largest = continues.then(|| at(self.next_group, 0));
                let parameters = Parameters {
                    largest,
                    ..Parameters::default()
                };
                let (track, properties) = (track(PATHS[path]), Properties::EMPTY);
                let signal = Signal::Publish {
                    track,
                    parameters,
                    properties,
                };
                self.relay.say_unrun(peer, request, signal);
            }
            Step::Subscribe {
                path,
                wait,
                forward,
                fill,
            } => {
                let subscription = Subscription {
                    established: false,
                    forward,
                };
                session.subscriptions.insert(request, subscription);
                let parameters = Parameters {
                    rendezvous_timeout: Some(wait),
                    forward: Some(forward),
                    fill: fill.then(Box::default),
                    ..Parameters::default()
                };
                let signal = Signal::Subscribe {
                    track: track(PATHS[path]),
                    parameters,
                };
                self.relay.say_unrun(peer, request, signal);
            }
            Step::Prefix { tracks } => {
                session.others.insert(request);
                let (prefix, parameters) = (namespace("room"), Parameters::default());
                let signal = if tracks {
                    Signal::SubscribeTracks { prefix, parameters }
                } else {
                    Signal::SubscribeNamespace { prefix }
                };
                self.relay.say_unrun(peer, request, signal);
            }
            Step::End(which) => self.end(n, which),
            Step::Forward(which, on) => {
                let subscriptions = session.subscriptions.iter_mut();
                let established: Vec<_> = subscriptions.filter(|(_, s)| s.established).collect();
                let count = established.len().max(1);
                if let Some((request, state)) = established.into_iter().nth(which % count) {
                    state.forward = on;
                    let parameters = Parameters {
                        forward: Some(on),
                        ..Parameters::default()
                    };
                    self.relay
                        .say_unrun(peer, *request, Signal::Update(parameters));
                }
            }
            Step::Answer { accept } => {
                if !session.asked.is_empty() {
                    let asked = session.asked.remove(0);
                    self.answer(n, asked, accept);
                }
            }
            Step::Object { source, finish } => {
                let active: Vec<RequestRef> = active_sources(session);
                if !active.is_empty() {
                    self.send(peer, active[source % active.len()], finish);
                }
            }
            Step::Fetch { path, back, groups } => {
                session.fetching.insert(request);
                let start = self.next_group.saturating_sub(back);
                let range = FetchRange::Standalone {
                    track: track(PATHS[path]),
                    start: at(start, 0),
                    end: (GroupId(start + groups), None),
                };
                let signal = Signal::Fetch {
                    range,
                    parameters: Parameters::default(),
                    joining: None,
                };
                self.relay.say_unrun(peer, request, signal);
            }
            Step::AnswerFetch(how) => {
                if !session.fetches.is_empty() {
                    let asked = session.fetches.remove(0);
                    self.answer_fetch(n, asked, how);
                }
            }
            Step::Connect(_) | Step::Disconnect | Step::Deliver(_) | Step::Wait(_) => {}
        }
    }

    /// Ends one of the requests of a session.
    fn end(&mut self, n: usize, which: usize) {
        let session = &mut self.sessions[n];
        let mut all: Vec<RequestRef> = session.others.iter().copied().collect();
        all.extend(session.sources.keys());
        all.extend(session.subscriptions.keys());
        if all.is_empty() {
            return;
        }
        let request = all[which % all.len()];
        session.others.remove(&request);
        session.subscriptions.remove(&request);
        let signal = if session.sources.remove(&request).is_some() && which.is_multiple_of(2) {
            Signal::Done {
                code: PublishDoneCode::TrackEnded,
                reason: String::new(),
            }
        } else {
            Signal::Cancel
        };
        self.relay.say_unrun(session.peer, request, signal);
    }

    fn answer(
        &mut self,
        n: usize,
        (request, _, is_offer): (RequestRef, FullTrackName, bool),
        accept: bool,
    ) {
        let session = &mut self.sessions[n];
        let signal = match (accept, is_offer) {
            (false, _) => rejected(RequestErrorCode::DoesNotExist),
            (true, true) => {
                let state = Subscription {
                    established: true,
                    forward: true,
                };
                session.subscriptions.insert(request, state);
                Signal::PublishOk {
                    parameters: Parameters::default(),
                }
            }
            (true, false) => {
                let largest = Some(at(self.next_group, 0));
                let parameters = Parameters {
                    largest,
                    ..Parameters::default()
                };
                Signal::SubscribeOk {
                    parameters,
                    properties: Properties::EMPTY,
                }
            }
        };
        if !accept {
            session.sources.remove(&request);
        }
        self.relay.say_unrun(session.peer, request, signal);
    }

    fn answer_fetch(&mut self, n: usize, asked: Answering, how: FetchAnswer) {
        let peer = self.sessions[n].peer;
        let (start, end) = asked.window();
        for input in asked.encode(start, 9) {
            self.relay.input_unrun(peer, input);
            if matches!(how, FetchAnswer::Broken) {
                break;
            }
        }
        let signal = |signal| Input::Signal {
            peer,
            request: asked.request,
            signal: Box::new(signal),
        };
        let accepted = Signal::FetchOk(FetchOk {
            end_of_track: false,
            end,
            parameters: Parameters::default(),
            track_properties: Properties::EMPTY,
        });
        let reset = SubgroupEnd::Reset(ResetCode::InternalError);
        let last = match how {
            FetchAnswer::Rejected => signal(rejected(RequestErrorCode::InternalError)),
            FetchAnswer::Broken => asked.ended(reset),
            FetchAnswer::Begun => {
                self.sessions[n].fetches.push(asked);
                return;
            }
            FetchAnswer::Whole => {
                self.relay.input_unrun(peer, signal(accepted));
                asked.ended(SubgroupEnd::Finished)
            }
        };
        self.relay.input_unrun(peer, last);
    }

    /// Sends an object in a group of its own; every group is larger than all before.
    fn send(&mut self, peer: PeerId, source: RequestRef, finish: bool) {
        self.next_group += 1;
        let (group, mode) = (self.next_group, SubgroupIdMode::Zero);
        let header = SubgroupHeader {
            track_alias: TrackAlias(0),
            group: GroupId(group),
            subgroup: mode,
            priority: None,
            has_properties: true,
            end_of_group: false,
            first_object: true,
        };
        let stream = UpstreamStream(group);
        let input = Input::Subgroup {
            peer,
            request: source,
            stream,
            header,
        };
        self.relay.input_unrun(peer, input);
        let (first, rest) = Publishing::new(peer, stream, header).encode(0, 20);
        self.relay.input_unrun(peer, first);
        for input in rest {
            self.relay.input_unrun(peer, input);
        }
        if finish {
            let end = SubgroupEnd::Finished;
            self.relay
                .input_unrun(peer, Input::SubgroupEnd { peer, stream, end });
        }
    }

    /// Takes in what sessions were told.
    fn listen(&mut self) {
        for n in 0..self.sessions.len() {
            let peer = self.sessions[n].peer;
            for (request, signal) in self.relay.heard(peer) {
                self.hear(n, request, signal);
            }
        }
    }

    fn hear(&mut self, n: usize, request: RequestRef, signal: Signal) {
        let session = &mut self.sessions[n];
        match signal {
            Signal::Fetch { .. } => {
                let asked = Answering::new(session.peer, request, signal);
                session.fetches.extend(asked);
            }
            Signal::Fill { .. } => {
                session.fetching.insert(request);
            }
            Signal::Subscribe { track, parameters } => {
                session
                    .sources
                    .insert(request, parameters.forward.unwrap_or(true));
                session.asked.push((request, track, false));
            }
            Signal::Publish { track, .. } => session.asked.push((request, track, true)),
            Signal::SubscribeOk { .. } => {
                if let Some(subscription) = session.subscriptions.get_mut(&request) {
                    assert!(!subscription.established, "one answer");
                    subscription.established = true;
                }
            }
            Signal::PublishOk { parameters } => {
                if let Some(forward) = session.sources.get_mut(&request) {
                    *forward = parameters.forward.expect("it is said");
                }
            }
            Signal::Update(parameters) => {
                if let Some(forward) = session.sources.get_mut(&request) {
                    *forward = parameters.forward.unwrap_or(*forward);
                }
                let ok = Signal::UpdateOk(Parameters::default());
                self.relay.say_unrun(session.peer, request, ok);
            }
            Signal::Cancel | Signal::Done { .. } | Signal::Reject(_) | Signal::UpdateReject(_) => {
                session.sources.remove(&request);
                session.subscriptions.remove(&request);
                session.others.remove(&request);
                session.asked.retain(|asked| asked.0 != request);
                session.fetches.retain(|asked| asked.request != request);
                session.fetching.remove(&request);
            }
            _ => {}
        }
    }

    /// Answers everything and lets everything be delivered.
    fn settle(&mut self) {
        for _ in 0..30 {
            for n in 0..self.sessions.len() {
                for asked in std::mem::take(&mut self.sessions[n].asked) {
                    self.answer(n, asked, true);
                }
                for asked in std::mem::take(&mut self.sessions[n].fetches) {
                    self.answer_fetch(n, asked, FetchAnswer::Whole);
                }
            }
            self.relay.wait(Duration::from_secs(1));
            self.listen();
        }
        assert!(
            self.sessions.iter().all(|s| s.asked.is_empty()),
            "all is answered"
        );
    }

    /// Whatever forwards sends one object; each subscription that forwards gets exactly one.
    fn assert_served(&mut self) {
        let before = self.next_group;
        let sessions = self.sessions.iter();
        let sources: Vec<(PeerId, RequestRef)> = sessions
            .flat_map(|s| active_sources(s).into_iter().map(|r| (s.peer, r)))
            .collect();
        for (peer, source) in sources {
            self.send(peer, source, true);
        }
        self.relay.run();
        for session in &self.sessions {
            for (request, state) in &session.subscriptions {
                assert!(
                    state.established,
                    "{:?} {request:?} has no answer",
                    session.peer
                );
                let came = self.relay.locations(session.peer, *request);
                let new = came.iter().filter(|l| l.group.0 > before).count();
                let wanted = usize::from(state.forward);
                assert_eq!(new, wanted, "{:?} {request:?}", session.peer);
            }
        }
    }

    /// Every object that came is as it was sent, and came once for a subscription.
    fn assert_sound(&self) {
        for session in &self.sessions {
            for request in session.subscriptions.keys() {
                let mut seen = BTreeSet::<Location>::new();
                for (location, bytes) in self.relay.objects(session.peer, *request) {
                    assert_eq!(bytes, payload(location.group, location.object.0));
                    assert!(seen.insert(location), "{location} came twice");
                }
            }
            for request in &session.fetching {
                self.assert_fetched(session.peer, *request);
            }
        }
    }
}

impl World {
    /// An answer has an end, and its objects are whole and in order.
    fn assert_fetched(&self, peer: PeerId, request: RequestRef) {
        let received = self.relay.received(peer, request);
        assert!(
            received.fetch_end.is_some(),
            "{peer:?} {request:?} has no end"
        );
        let mut before = None;
        for (index, (entry, bytes)) in received.fetched.iter().enumerate() {
            let location = entry.location();
            assert!(before < Some(location), "{location} after {before:?}");
            before = Some(location);
            let is_last = index + 1 == received.fetched.len();
            let is_whole = !is_last || received.fetch_end == Some(SubgroupEnd::Finished);
            if matches!(entry, FetchObject::Object { .. }) && is_whole {
                assert_eq!(*bytes, payload(location.group, location.object.0));
            }
        }
    }
}

/// The sources that a session is to send on; those it was asked for once it has accepted.
fn active_sources(session: &Session) -> Vec<RequestRef> {
    let forwarding = session.sources.iter().filter(|(_, forward)| **forward);
    forwarding
        .map(|(request, _)| *request)
        .filter(|request| session.asked.iter().all(|asked| asked.0 != *request))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(400),
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn whatever_happens_subscriptions_are_served_and_nothing_is_left(
        steps in vec((0..20_usize, step()), 1..150)
    ) {
        let mut world = World::new();
        for (n, step) in steps {
            world.step(n, step);
        }
        world.settle();
        world.assert_served();
        world.assert_sound();
        for session in std::mem::take(&mut world.sessions) {
            world.relay.disconnect(session.peer);
        }
        world.relay.wait(Duration::from_mins(1));
        world.relay.assert_empty();
    }
}
