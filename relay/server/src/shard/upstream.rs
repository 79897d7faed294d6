//! The connection to another relay, whose namespaces and tracks are to be had here too.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    io,
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use parvis_forwarding::PeerKind;
use parvis_quic::{ClientOptions, CloseReason, ConnectionKey, ServerUrl, tls::ClientTls};
use parvis_session::Config;
use parvis_wire::{AuthToken, Draft, HopId, SessionErrorCode};

use super::{Shard, Waker, drain::Phase};
use crate::access::Gate;

/// The pause after the first attempt that failed; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long an old connection goes on beside the new one.
const OVERLAP: Duration = Duration::from_secs(2);
/// A connection that lasts so long is no part of a row of attempts.
const SETTLED: Duration = Duration::from_secs(5);
/// Requests that a relay may have open.
const RELAY_REQUESTS: u32 = 10_000;
/// Streams of objects that a relay may have open.
const RELAY_STREAMS: u32 = 4096;

/// What other relays are to this one.
#[derive(Debug, Default)]
pub(crate) struct Relations {
    /// Whether clients that say they are relays are treated as such.
    pub(crate) accept: bool,
    /// Whether this relay has an upstream.
    pub(crate) is_below: bool,
    /// `None`: there is none, or another shard has it.
    pub(crate) upstream: Option<Upstream>,
}

/// Where the upstream relay is, and how it is spoken to.
#[derive(Debug, Clone)]
pub(crate) struct UpstreamTarget {
    pub(crate) url: ServerUrl,
    pub(crate) tls: ClientTls,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) session: Config,
    /// The file with the token that is shown there, read at each connect.
    pub(crate) token: Option<PathBuf>,
}

/// The way to the upstream relay.
#[derive(Debug)]
pub(crate) struct Upstream {
    target: UpstreamTarget,
    /// Where to connect next: the target's URL, or where its relay asked to move to.
    url: ServerUrl,
    waker: Waker,
    /// Whether the socket takes IPv6, which IPv4 has a form in.
    ipv6: bool,
    state: State,
    attempts: u32,
    /// When the last connection was made.
    made: Option<Instant>,
    /// A connection that was moved away from, and when it is closed.
    old: Option<(ConnectionKey, Instant)>,
}

#[derive(Debug)]
enum State {
    Waiting(Instant),
    Resolving(mpsc::Receiver<io::Result<Way>>),
    Connecting(ConnectionKey),
    Open(ConnectionKey),
}

/// Where the relay was found, and the token to show.
#[derive(Debug)]
struct Way {
    addrs: Vec<SocketAddr>,
    token: Option<String>,
}

impl Upstream {
    pub(crate) fn new(target: UpstreamTarget, ipv6: bool, waker: Waker) -> Self {
        Self {
            url: target.url.clone(),
            target,
            waker,
            ipv6,
            state: State::Waiting(Instant::now()),
            attempts: 0,
            made: None,
            old: None,
        }
    }

    const fn key(&self) -> Option<ConnectionKey> {
        match self.state {
            State::Connecting(key) | State::Open(key) => Some(key),
            State::Waiting(_) | State::Resolving(_) => None,
        }
    }

    fn owns(&self, key: ConnectionKey) -> bool {
        self.key() == Some(key) || self.old.is_some_and(|(old, _)| old == key)
    }

    /// Names are looked up and files read elsewhere: the shard must not wait.
    fn resolve(&mut self) {
        let (sender, receiver) = mpsc::channel();
        let (host, port) = (self.url.host().to_owned(), self.url.port());
        let (waker, token) = (self.waker.clone(), self.target.token.clone());
        self.state = State::Resolving(receiver);
        let lookup = move || {
            let found = || {
                Ok(Way {
                    addrs: (host.as_str(), port).to_socket_addrs()?.collect(),
                    token: token.map(fs::read_to_string).transpose()?,
                })
            };
            // An error says that the relay has stopped.
            let _ = sender.send(found());
            waker.wake();
        };
        // Without a thread the sender is gone, which is noticed like a name without an address.
        if thread::Builder::new().spawn(lookup).is_err() {
            self.waker.wake();
        }
    }

    /// How long it waits before the next attempt.
    fn pause(&mut self, now: Instant) -> Duration {
        let lasted = |made: Instant| now.saturating_duration_since(made) >= SETTLED;
        if self.made.take().is_some_and(lasted) {
            self.attempts = 0;
        }
        let longest = FIRST_PAUSE * (1 << self.attempts.min(6));
        // Between half and all of it, so that relays do not come back in one moment.
        let random = RandomState::new().hash_one(self.attempts) % 512;
        self.attempts += 1;
        longest.min(LONGEST_PAUSE) * (512 + random as u32) / 1024
    }

    fn fail(&mut self, now: Instant, why: &dyn std::fmt::Display) {
        let pause = self.pause(now);
        tracing::warn!(url = %self.url, error = %why, again = ?pause, "no upstream relay");
        self.url = self.target.url.clone();
        self.state = State::Waiting(now + pause);
    }
}

impl Shard {
    pub(super) fn upstream_timeout(&self) -> Option<Instant> {
        let upstream = self.relations.upstream.as_ref()?;
        let next = match upstream.state {
            State::Waiting(at) if matches!(self.phase, Phase::Running) => Some(at),
            _ => None,
        };
        let old = upstream.old.map(|(_, until)| until);
        next.into_iter().chain(old).min()
    }

    /// Goes on with connecting to the upstream relay.
    pub(super) fn advance_upstream(&mut self) {
        let Some(upstream) = &mut self.relations.upstream else {
            return;
        };
        if let Some((key, until)) = upstream.old
            && until <= self.now
        {
            let code = SessionErrorCode::NoError;
            self.endpoint.close(self.now, key, code, "moved");
            upstream.old = None;
        }
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        if let State::Waiting(at) = upstream.state
            && at <= self.now
        {
            upstream.resolve();
        }
        let State::Resolving(answer) = &upstream.state else {
            return;
        };
        let found = match answer.try_recv() {
            Ok(found) => found,
            Err(mpsc::TryRecvError::Empty) => return,
            Err(mpsc::TryRecvError::Disconnected) => Err(io::ErrorKind::Other.into()),
        };
        let ipv6 = upstream.ipv6;
        let way = found.and_then(|way| {
            let fits = |addr: &SocketAddr| ipv6 || addr.is_ipv4();
            let fitting: Vec<SocketAddr> = way.addrs.into_iter().filter(fits).collect();
            // Another one where one does not answer.
            let turn = upstream.attempts as usize % fitting.len().max(1);
            let addr = fitting.get(turn).copied();
            let addr = addr.ok_or(io::ErrorKind::AddrNotAvailable)?;
            Ok((addr, way.token))
        });
        let (addr, token) = match way {
            Ok((SocketAddr::V4(v4), token)) if ipv6 => {
                let addr = SocketAddr::from((v4.ip().to_ipv6_mapped(), v4.port()));
                (addr, token)
            }
            Ok(way) => way,
            Err(error) => {
                upstream.fail(self.now, &error);
                return;
            }
        };
        let target = &upstream.target;
        let token = token.map(|token| AuthToken::UseValue {
            kind: 0,
            value: token.trim().to_owned().into(),
        });
        let options = ClientOptions {
            addr,
            server_name: upstream.url.host().to_owned(),
            tls: target.tls.clone(),
            drafts: target.drafts.clone(),
            webtransport: None,
            session: Config {
                path: Some(upstream.url.path().to_owned()),
                authority: Some(upstream.url.authority().to_owned()),
                auth_tokens: token.into_iter().collect(),
                ..target.session.clone()
            },
        };
        match self.endpoint.connect(self.now, options) {
            Ok(key) => upstream.state = State::Connecting(key),
            Err(error) => upstream.fail(self.now, &error),
        }
    }

    /// Whether a connection that is made is the one to the upstream relay.
    pub(super) fn upstream_connected(&mut self, key: ConnectionKey) -> bool {
        let Some(upstream) = &mut self.relations.upstream else {
            return false;
        };
        let State::Connecting(connecting) = upstream.state else {
            return false;
        };
        if connecting != key {
            return false;
        }
        tracing::info!(url = %upstream.url, "upstream relay connected");
        upstream.state = State::Open(key);
        upstream.made = Some(self.now);
        if let Some((_, until)) = &mut upstream.old {
            *until = self.now + OVERLAP;
        }
        true
    }

    pub(super) fn upstream_closed(&mut self, key: ConnectionKey, reason: &CloseReason) {
        let Some(upstream) = &mut self.relations.upstream else {
            return;
        };
        if upstream.key() == Some(key) {
            upstream.fail(self.now, reason);
        } else if upstream.old.is_some_and(|(old, _)| old == key) {
            upstream.old = None;
        }
    }

    /// The upstream relay asks to move: the old connection goes on until the new one is there.
    /// Returns whether it was that relay.
    pub(super) fn upstream_going_away(&mut self, key: ConnectionKey, uri: &str) -> bool {
        let Some(upstream) = &mut self.relations.upstream else {
            return false;
        };
        if !upstream.owns(key) {
            return false;
        }
        if upstream.key() == Some(key) {
            tracing::info!(uri, "the upstream relay asks to move");
            if let Ok(url) = uri.parse() {
                upstream.url = url;
            }
            // Closed by that relay if no other is found.
            let far = self.now + Duration::from_hours(1);
            if let Some((older, _)) = upstream.old.replace((key, far)) {
                let code = SessionErrorCode::NoError;
                self.endpoint.close(self.now, older, code, "moved");
            }
            let pause = upstream.pause(self.now);
            // It leads in a circle where it asks again at once.
            let pause = if upstream.attempts > 1 {
                pause
            } else {
                Duration::ZERO
            };
            upstream.state = State::Waiting(self.now + pause);
        }
        true
    }

    /// Whether a connection is the one to the upstream relay, which is trusted.
    pub(super) fn is_upstream(&self, key: ConnectionKey) -> bool {
        let upstream = self.relations.upstream.as_ref();
        upstream.is_some_and(|upstream| upstream.owns(key))
    }

    /// What a session is to the forwarder.
    pub(super) fn kind(&mut self, key: ConnectionKey, hops: Option<HopId>) -> PeerKind {
        let is_upstream = self.is_upstream(key);
        match hops {
            Some(hop) if is_upstream || self.accepts_relay(key) => PeerKind::Relay {
                hop,
                tells_paths: true,
            },
            None if is_upstream => PeerKind::Relay {
                hop: HopId(0),
                tells_paths: false,
            },
            _ if self.is_service(key) => PeerKind::Service,
            _ => PeerKind::Session,
        }
    }

    /// Whether a client that says it is a relay is believed.
    fn accepts_relay(&mut self, key: ConnectionKey) -> bool {
        let is_known = match self.gate {
            Gate::Open => true,
            Gate::Tokens(_) => {
                let peer = self.peers.get_mut(key);
                peer.is_some_and(|peer| peer.permits.is_relay())
            }
        };
        self.relations.accept && is_known
    }

    /// Whether a client is a relay that may not be served: one that is below another itself, and
    /// does not hear which relays the word of a namespace has passed, would send it in rings.
    pub(super) fn makes_rings(&mut self, key: ConnectionKey, hops: Option<HopId>) -> bool {
        hops.is_some()
            && self.relations.is_below
            && !self.is_upstream(key)
            && !self.accepts_relay(key)
    }

    /// Lets a relay ask for many people.
    pub(super) fn trust(&mut self, key: ConnectionKey) {
        self.endpoint
            .allow_streams(key, RELAY_REQUESTS, RELAY_STREAMS);
        if let Some(session) = self.endpoint.session(key) {
            session.trust_peer(RELAY_REQUESTS as usize);
        }
    }

    /// Leaves the upstream relay when nobody else is left who may need it.
    pub(super) fn leave_upstream(&mut self, sessions: usize) {
        let key = self.relations.upstream.as_ref().and_then(Upstream::key);
        if let Some(key) = key
            && sessions <= 1
        {
            let code = SessionErrorCode::NoError;
            self.endpoint.close(self.now, key, code, "the relay stops");
        }
    }
}

/// A name that no other relay has.
pub(crate) fn random_hop() -> HopId {
    let random = RandomState::new().hash_one(Instant::now());
    HopId((random >> 2) | 1)
}
