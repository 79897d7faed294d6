use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_wire::{Draft, Message, RequestId, SessionErrorCode, Setup, TrackAlias};
use rustc_hash::FxHashMap;

use crate::{
    ApiMisuse, Config, DropCounts, Dropped, Event, Input, PathState, RequestKey, Role,
    SessionError, StreamId, Transmit, aliases::Aliases, bucket::Bucket, held::Held, id_set::IdSet,
    inbound::Inbound, message_reader::MessageReader, repair, request::Request,
    scheduler::SendScheduler, token_cache::TokenCache,
};

/// One MoQ connection, seen from one side: requests, streams and what is sent when.
///
/// After each call that changes it, drain [`Session::poll`] and [`Session::poll_transmit`], then
/// arm a timer for [`Session::poll_timeout`].
#[derive(Debug)]
pub struct Session {
    pub(crate) config: Config,
    pub(crate) phase: Phase,
    pub(crate) scheduler: SendScheduler,
    pub(crate) control_out: StreamId,
    pub(crate) control_in: Option<StreamId>,
    pub(crate) control_reader: MessageReader,
    pub(crate) requests: FxHashMap<StreamId, Request>,
    pub(crate) by_id: FxHashMap<RequestId, RequestKey>,
    pub(crate) own_requests: usize,
    pub(crate) peer_requests: usize,
    pub(crate) request_rate: Option<Bucket>,
    pub(crate) next_request_id: u64,
    pub(crate) next_alias: u64,
    /// The peer's request ids, halved.
    pub(crate) peer_ids: IdSet,
    pub(crate) peer_bidi: IdSet,
    pub(crate) peer_uni: IdSet,
    /// Request streams that are over here and that the peer did not end.
    pub(crate) draining: VecDeque<StreamId>,
    pub(crate) aliases: Aliases,
    pub(crate) held: Held,
    pub(crate) inbound: FxHashMap<StreamId, Inbound>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) drops: DropCounts,
    pub(crate) path: Option<PathState>,
    /// Whether the peer asked this side to go away.
    pub(crate) peer_going_away: bool,
    /// Whether this side asked the peer to.
    pub(crate) going_away: bool,
    /// When this side closes if requests are open then.
    pub(crate) leaves_at: Option<Instant>,
    /// Whether both sides offered to tell the paths of namespaces.
    pub(crate) tells_paths: bool,
    /// Subscriptions that wait for their last streams.
    pub(crate) lingering: Vec<RequestKey>,
    /// The peer's tokens.
    pub(crate) token_cache: TokenCache,
    /// Whose subscription each flow of a fill stream belongs to.
    pub(crate) fills: FxHashMap<RequestKey, RequestKey>,
    pub(crate) next_fill: u64,
}

/// How far the session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Waits for the peer's SETUP until then.
    AwaitingSetup(Instant),
    Established,
    Closed,
}

impl Session {
    /// Opens a session; its SETUP is queued at once.
    pub fn new(config: Config, now: Instant) -> Self {
        let limits = &config.limits;
        let mut scheduler =
            SendScheduler::new(config.role, limits.send.clone(), limits.control_buffer);
        scheduler.reserve(config.reserved_bidi, config.reserved_uni);
        let control_out = scheduler.open_control();
        let own_ids = u64::from(config.role == Role::Server);
        let mut session = Self {
            phase: Phase::AwaitingSetup(now + limits.setup_timeout),
            scheduler,
            control_out,
            control_in: None,
            control_reader: MessageReader::default(),
            requests: FxHashMap::default(),
            by_id: FxHashMap::default(),
            own_requests: 0,
            peer_requests: 0,
            request_rate: limits.request_rate.map(Bucket::new),
            next_request_id: own_ids,
            next_alias: 0,
            peer_ids: IdSet::default(),
            peer_bidi: IdSet::default(),
            peer_uni: IdSet::default(),
            draining: VecDeque::new(),
            aliases: Aliases::default(),
            held: Held::default(),
            inbound: FxHashMap::default(),
            events: VecDeque::new(),
            drops: DropCounts::default(),
            path: None,
            peer_going_away: false,
            going_away: false,
            leaves_at: None,
            tells_paths: false,
            lingering: Vec::new(),
            token_cache: TokenCache::new(limits.token_cache),
            fills: FxHashMap::default(),
            next_fill: 0,
            config,
        };
        session.send_setup(now);
        session
    }

    fn send_setup(&mut self, now: Instant) {
        let says_target = self.config.role == Role::Client && !self.config.over_webtransport;
        let implementation = &self.config.implementation;
        let updates = self.config.limits.max_pending_updates as u64;
        let token_cache = self.config.limits.token_cache;
        let setup = Setup {
            path: self.config.path.clone().filter(|_| says_target),
            authority: self.config.authority.clone().filter(|_| says_target),
            relay_hops: self.config.relay_hops,
            auth_tokens: self.config.auth_tokens.clone(),
            max_auth_token_cache_size: (token_cache > 0).then_some(token_cache),
            max_filter_ranges: Some(self.config.limits.max_filter_ranges)
                .filter(|ranges| *ranges > 0 && self.draft() == Draft::D22),
            max_request_updates: (self.draft() == Draft::D22).then_some(updates),
            implementation: (!implementation.is_empty()).then(|| implementation.clone()),
            unknown: vec![repair::option()],
        };
        match self.encode(&Message::Setup(setup)) {
            Ok(setup) => self.scheduler.write_control(self.control_out, setup, now),
            Err(error) => self.close(SessionErrorCode::InternalError, &error.to_string()),
        }
    }

    /// Takes what happened on the transport. On an error [`Transmit::Close`] is queued and
    /// everything later is ignored.
    pub fn handle(&mut self, input: Input, now: Instant) -> Result<(), SessionError> {
        if self.is_closed() {
            return Ok(());
        }
        let result = self.dispatch(input, now);
        if let Err(SessionError::PeerMisbehaved { code, reason }) = &result {
            self.close(*code, reason);
        } else {
            self.take_notes(now);
        }
        result
    }

    fn dispatch(&mut self, input: Input, now: Instant) -> Result<(), SessionError> {
        match input {
            Input::StreamData { id, data, fin } if id.is_unidirectional() => {
                self.on_uni_data(id, data, fin, now)
            }
            Input::StreamData { id, data, fin } => self.on_request_data(id, data, fin, now),
            Input::StreamReset { id, code } if id.is_unidirectional() => {
                self.on_uni_reset(id, code, now)
            }
            Input::StreamReset { id, code } => {
                self.on_request_aborted(id, code, now);
                Ok(())
            }
            Input::StopSending { id, code } => self.on_stop_sending(id, code, now),
            Input::StreamFinished { id } => {
                self.scheduler.acknowledged(id);
                Ok(())
            }
            Input::Datagram(raw) => self.on_datagram(raw, now),
            Input::StreamCredit { bidi, uni } => {
                self.scheduler.credit(bidi, uni);
                Ok(())
            }
            Input::Blocked { id, unsent } => {
                self.scheduler.blocked(id, unsent, now);
                Ok(())
            }
            Input::Writable { id } => {
                self.scheduler.writable(id);
                Ok(())
            }
            Input::DatagramBlocked { unsent } => {
                self.scheduler.datagram_blocked(unsent, now);
                Ok(())
            }
            Input::DatagramTooLarge => {
                self.scheduler.datagram_too_large();
                Ok(())
            }
            Input::DatagramWritable => {
                self.scheduler.datagram_writable();
                Ok(())
            }
            Input::Path(path) => {
                self.path = Some(path);
                self.scheduler.measure(path, now);
                Ok(())
            }
            Input::Returned { silent_since } => {
                let rtt = self.path.map_or(Duration::ZERO, |path| path.rtt);
                self.scheduler.returned(silent_since, rtt, now);
                Ok(())
            }
        }
    }

    /// The next thing the user must know; `None`: nothing until the next call that changes the
    /// session.
    pub fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether [`Session::poll`] has something to tell.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next thing the driver must do, the most important first; `None`: nothing until the
    /// next call that changes the session.
    ///
    /// The driver does each before it asks for the next: a write that was not taken whole is
    /// handed back with [`Input::Blocked`] at once.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        let transmit = self.scheduler.poll(now);
        if self.scheduler.has_notes() {
            self.take_notes(now);
        }
        transmit.or_else(|| self.scheduler.poll(now))
    }

    /// When [`Session::handle_timeout`] must be called, unless the session changes before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let setup = match self.phase {
            Phase::AwaitingSetup(until) => Some(until),
            Phase::Established => None,
            Phase::Closed => return None,
        };
        let lingering = self
            .lingering
            .iter()
            .filter_map(|key| self.lingers_until(*key))
            .min();
        [
            setup,
            self.scheduler.poll_timeout(),
            self.held.poll_timeout(),
            self.leaves_at,
            lingering,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        if let Phase::AwaitingSetup(until) = self.phase
            && until <= now
        {
            self.close(SessionErrorCode::ControlMessageTimeout, "no SETUP in time");
            return;
        }
        if let Some(at) = self.leaves_at
            && at <= now
        {
            self.leaves_at = None;
            if !self.requests.is_empty() {
                self.close(
                    SessionErrorCode::GoawayTimeout,
                    "requests are open after GOAWAY",
                );
                return;
            }
        }
        self.scheduler.expire(now);
        self.expire_held(now);
        self.end_lingering(now);
        self.take_notes(now);
    }

    /// Closes the session: what waits is dropped, [`Transmit::Close`] is the last transmit and
    /// [`Event::Closed`] the last event.
    pub fn close(&mut self, code: SessionErrorCode, reason: &str) {
        if self.is_closed() {
            return;
        }
        self.phase = Phase::Closed;
        self.scheduler.shut(Transmit::Close {
            code,
            reason: reason.to_owned(),
        });
        self.requests.clear();
        self.by_id.clear();
        self.inbound.clear();
        self.held = Held::default();
        self.aliases = Aliases::default();
        self.lingering.clear();
        self.fills.clear();
        self.draining.clear();
        self.events.push_back(Event::Closed {
            code,
            reason: reason.to_owned(),
        });
    }

    /// Whether the session is closed.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Whether the peer's SETUP has come and the session is not closed.
    pub fn is_established(&self) -> bool {
        self.phase == Phase::Established
    }

    /// Which side this is.
    pub const fn role(&self) -> Role {
        self.config.role
    }

    /// The draft that both sides speak.
    pub const fn draft(&self) -> Draft {
        self.config.draft
    }

    /// Lets the peer have so many requests open, as often as it likes: a relay asks for many
    /// people.
    pub fn trust_peer(&mut self, max_peer_requests: usize) {
        self.config.limits.max_peer_requests = max_peer_requests;
        self.config.limits.max_namespaces = max_peer_requests;
        self.request_rate = None;
    }

    /// The number that names a request of ours to the peer, as a joining FETCH does.
    pub fn request_id(&self, key: RequestKey) -> Option<RequestId> {
        self.requests.get(&key.0).map(|request| request.id)
    }

    /// What was dropped so far, by reason.
    pub const fn drops(&self) -> &DropCounts {
        &self.drops
    }

    /// What the driver last said about the path.
    pub const fn path(&self) -> Option<PathState> {
        self.path
    }

    /// How many requests are open: own ones, the peer's.
    pub const fn open_requests(&self) -> (usize, usize) {
        (self.own_requests, self.peer_requests)
    }

    pub(crate) fn encode(&self, message: &Message) -> Result<Bytes, ApiMisuse> {
        let mut out = Vec::with_capacity(64);
        message
            .encode(self.draft(), &mut out)
            .map_err(|error| ApiMisuse::Unencodable(error.to_string()))?;
        Ok(out.into())
    }

    /// Sends a message of this session's own making on a request stream.
    pub(crate) fn send(&mut self, key: RequestKey, message: &Message, now: Instant) {
        match self.encode(message) {
            Ok(bytes) => self.scheduler.write_control(key.0, bytes, now),
            // What this session makes itself fits the draft.
            Err(error) => debug_assert!(false, "{error}"),
        }
    }

    pub(crate) fn dropped(&mut self, dropped: Dropped) {
        self.drops.count(&dropped);
        self.events.push_back(Event::Dropped(dropped));
    }

    pub(crate) const fn allocate_alias(&mut self) -> TrackAlias {
        self.next_alias += 1;
        TrackAlias(self.next_alias)
    }

    pub(crate) const fn is_own(&self, id: StreamId) -> bool {
        matches!(
            (self.config.role, id.opener()),
            (Role::Client, Role::Client) | (Role::Server, Role::Server)
        )
    }
}
