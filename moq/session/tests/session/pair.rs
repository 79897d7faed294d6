use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_session::{Config, Event, Input, Role, Session, StreamId, Transmit};
use parvis_simnet::{Fate, Link, LinkOptions, Packet};
use parvis_wire::{Draft, SessionErrorCode};

/// Two sessions back to back over two links, in virtual time. Streams are reliable and ordered,
/// each by itself; what the driver's side of the contract says is asserted.
pub struct Pair {
    pub now: Instant,
    pub client: End,
    pub server: End,
}

/// One session with its transport.
pub struct End {
    pub session: Session,
    /// Events so far; take them with [`End::events`].
    events: Vec<Event>,
    /// Everything the session asked of the transport.
    pub log: Vec<Transmit>,
    pub closed: Option<(SessionErrorCode, String)>,
    /// Bytes that may be in flight; `None`: any.
    pub window: Option<usize>,
    /// Whether datagrams are refused.
    pub datagrams_blocked: bool,
    in_flight: usize,
    blocked: Vec<StreamId>,
    role: Role,
    credit: [u64; 2],
    opened: [u64; 2],
    sending: HashMap<StreamId, u64>,
    over: HashSet<StreamId>,
    receiving: HashMap<StreamId, Receiving>,
    pub link: Link<Frame>,
    resend: BTreeMap<(Instant, u64), Frame>,
    resent: u64,
}

#[derive(Default)]
struct Receiving {
    next: u64,
    chunks: BTreeMap<u64, Bytes>,
    end: Option<u64>,
    over: bool,
}

pub enum Frame {
    Data {
        id: StreamId,
        offset: u64,
        data: Bytes,
        fin: bool,
    },
    Reset {
        id: StreamId,
        code: u64,
    },
    Stop {
        id: StreamId,
        code: u64,
    },
    Datagram(Bytes),
    Acknowledged {
        id: StreamId,
    },
    Close,
}

impl Packet for Frame {
    fn size(&self) -> usize {
        match self {
            Self::Data { data, .. } | Self::Datagram(data) => data.len() + 40,
            _ => 40,
        }
    }
}

const RETRANSMISSION: Duration = Duration::from_millis(100);

impl Pair {
    pub fn new(draft: Draft) -> Self {
        Self::with(
            Config {
                draft,
                ..Config::default()
            },
            Config {
                role: Role::Server,
                draft,
                ..Config::default()
            },
            LinkOptions {
                delay: Duration::from_millis(10),
                ..LinkOptions::default()
            },
            1,
        )
    }

    pub fn with(client: Config, server: Config, options: LinkOptions, seed: u64) -> Self {
        let now = Instant::now();
        let mut pair = Self {
            now,
            client: End::new(client, Link::new(options, seed, now), now),
            server: End::new(server, Link::new(options, !seed, now), now),
        };
        pair.client.grant(100, 100, now);
        pair.server.grant(100, 100, now);
        pair
    }

    /// A pair whose SETUPs are exchanged and whose events so far are gone.
    pub fn established(draft: Draft) -> Self {
        let mut pair = Self::new(draft);
        pair.run(Duration::from_millis(50));
        assert!(pair.client.session.is_established() && pair.server.session.is_established());
        pair.client.events();
        pair.server.events();
        pair.client.log.clear();
        pair.server.log.clear();
        pair
    }

    /// Lets time pass.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.settle();
            let next = [&self.client, &self.server]
                .into_iter()
                .filter_map(End::next)
                .min();
            match next {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => break,
            }
        }
        self.now = end;
        self.settle();
    }

    /// Does what can be done without time passing.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            let now = self.now;
            let moved = self.client.work(now) | self.server.work(now);
            let to_server = self.client.link.poll(now);
            let to_client = self.server.link.poll(now);
            if !moved && to_server.is_none() && to_client.is_none() {
                return;
            }
            if let Some(frame) = to_server {
                deliver(frame, &mut self.client, &mut self.server, now);
            }
            if let Some(frame) = to_client {
                deliver(frame, &mut self.server, &mut self.client, now);
            }
        }
        panic!("the sessions do not come to rest");
    }
}

impl End {
    fn new(config: Config, link: Link<Frame>, now: Instant) -> Self {
        Self {
            role: config.role,
            session: Session::new(config, now),
            events: Vec::new(),
            log: Vec::new(),
            closed: None,
            window: None,
            datagrams_blocked: false,
            in_flight: 0,
            blocked: Vec::new(),
            credit: [0, 0],
            opened: [0, 0],
            sending: HashMap::new(),
            over: HashSet::new(),
            receiving: HashMap::new(),
            link,
            resend: BTreeMap::new(),
            resent: 0,
        }
    }

    /// Takes the events so far.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Sets how many streams may be opened in all.
    pub fn grant(&mut self, bidi: u64, uni: u64, now: Instant) {
        self.credit = [bidi, uni];
        self.input(Input::StreamCredit { bidi, uni }, now);
    }

    /// Lifts the bound of bytes in flight and wakes what is blocked.
    pub fn unblock(&mut self, now: Instant) {
        self.window = None;
        self.wake(now);
    }

    pub fn input(&mut self, input: Input, now: Instant) {
        // The close is seen as a transmit.
        let _ = self.session.handle(input, now);
        self.collect();
    }

    fn next(&self) -> Option<Instant> {
        let resend = self.resend.first_key_value().map(|((at, _), _)| *at);
        [
            self.session.poll_timeout(),
            self.link.poll_timeout(),
            resend,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn collect(&mut self) {
        while let Some(event) = self.session.poll() {
            self.events.push(event);
        }
    }

    fn work(&mut self, now: Instant) -> bool {
        let mut moved = false;
        if self.session.poll_timeout().is_some_and(|at| at <= now) {
            self.session.handle_timeout(now);
            assert!(
                self.session.poll_timeout().is_none_or(|at| at > now),
                "a timer stands still"
            );
            moved = true;
        }
        while let Some(entry) = self.resend.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let frame = entry.remove();
            self.send(frame, now);
            moved = true;
        }
        while let Some(transmit) = self.session.poll_transmit(now) {
            moved = true;
            self.log.push(transmit.clone());
            self.transmit(transmit, now);
        }
        self.collect();
        moved
    }

    fn transmit(&mut self, transmit: Transmit, now: Instant) {
        assert!(self.closed.is_none(), "{transmit:?} after the close");
        match transmit {
            Transmit::Open { id, .. } => {
                let kind = usize::from(id.is_unidirectional());
                let expected = StreamId::new(self.role, kind == 1, self.opened[kind]);
                assert_eq!(id, expected, "streams are opened in order");
                assert!(
                    id.index() < self.credit[kind],
                    "{id} was opened without credit"
                );
                self.opened[kind] += 1;
                self.sending.insert(id, 0);
            }
            Transmit::Write { id, mut data } => {
                let room = self
                    .window
                    .map_or(data.len(), |w| w.saturating_sub(self.in_flight));
                let unsent = data.split_off(room.min(data.len()));
                self.in_flight += data.len();
                let offset = self
                    .sending
                    .get_mut(&id)
                    .expect("a write goes to an open stream");
                let frame = Frame::Data {
                    id,
                    offset: *offset,
                    data: data.clone(),
                    fin: false,
                };
                *offset += data.len() as u64;
                if !data.is_empty() {
                    self.send(frame, now);
                }
                if !unsent.is_empty() {
                    self.blocked.push(id);
                    self.input(Input::Blocked { id, unsent }, now);
                }
            }
            Transmit::Finish { id } => {
                let offset = self
                    .sending
                    .remove(&id)
                    .expect("an open stream is finished");
                self.over.insert(id);
                self.send(
                    Frame::Data {
                        id,
                        offset,
                        data: Bytes::new(),
                        fin: true,
                    },
                    now,
                );
            }
            Transmit::Reset { id, code } => {
                let open = self.sending.remove(&id).is_some();
                assert!(
                    open || self.over.contains(&id),
                    "{id} is reset but was never opened"
                );
                self.over.insert(id);
                self.send(Frame::Reset { id, code }, now);
            }
            Transmit::SetPriority { id, .. } => {
                let open = self.sending.contains_key(&id) || self.over.contains(&id);
                assert!(open, "{id} gets a priority but is not open");
            }
            Transmit::StopSending { id, code } => {
                self.receiving.entry(id).or_default();
                self.send(Frame::Stop { id, code }, now);
            }
            Transmit::Datagram(unsent) if self.datagrams_blocked => {
                self.input(Input::DatagramBlocked { unsent }, now);
            }
            Transmit::Datagram(data) => self.send(Frame::Datagram(data), now),
            Transmit::Close { code, reason } => {
                self.closed = Some((code, reason));
                self.send(Frame::Close, now);
            }
        }
    }

    fn send(&mut self, frame: Frame, now: Instant) {
        let again = match &frame {
            Frame::Data {
                id,
                offset,
                data,
                fin,
            } => Frame::Data {
                id: *id,
                offset: *offset,
                data: data.clone(),
                fin: *fin,
            },
            Frame::Reset { id, code } => Frame::Reset {
                id: *id,
                code: *code,
            },
            Frame::Stop { id, code } => Frame::Stop {
                id: *id,
                code: *code,
            },
            Frame::Acknowledged { id } => Frame::Acknowledged { id: *id },
            Frame::Close => Frame::Close,
            Frame::Datagram(_) => {
                self.link.handle(frame, now);
                return;
            }
        };
        if self.link.handle(frame, now) != Fate::Carried {
            self.resent += 1;
            self.resend
                .insert((now + RETRANSMISSION, self.resent), again);
        }
    }

    /// Tells the session of room, the stream that was blocked last first, as quinn does.
    fn wake(&mut self, now: Instant) {
        while self.window.is_none_or(|window| self.in_flight < window) {
            let Some(id) = self.blocked.pop() else { return };
            self.input(Input::Writable { id }, now);
            self.work(now);
        }
    }
}

fn deliver(frame: Frame, from: &mut End, to: &mut End, now: Instant) {
    if to.closed.is_some() {
        return;
    }
    match frame {
        Frame::Data {
            id,
            offset,
            data,
            fin,
        } => {
            from.in_flight -= data.len();
            from.wake(now);
            if id.opener() == from.role && !id.is_unidirectional() {
                // The other direction of a stream that the peer opened.
                to.sending.entry(id).or_insert(0);
                if to.over.contains(&id) {
                    to.sending.remove(&id);
                }
            }
            let receiving = to.receiving.entry(id).or_default();
            if receiving.over {
                return;
            }
            if fin {
                receiving.end = Some(offset);
            }
            if !data.is_empty() {
                receiving.chunks.insert(offset, data);
            }
            while let Some(data) = receiving.chunks.remove(&receiving.next) {
                receiving.next += data.len() as u64;
                let _ = to.session.handle(
                    Input::StreamData {
                        id,
                        data,
                        fin: false,
                    },
                    now,
                );
            }
            if receiving.end == Some(receiving.next) {
                receiving.over = true;
                to.send(Frame::Acknowledged { id }, now);
                to.input(
                    Input::StreamData {
                        id,
                        data: Bytes::new(),
                        fin: true,
                    },
                    now,
                );
            }
            to.collect();
        }
        Frame::Reset { id, code } => {
            if id.opener() == from.role && !id.is_unidirectional() && !to.over.contains(&id) {
                to.sending.entry(id).or_insert(0);
            }
            let receiving = to.receiving.entry(id).or_default();
            if !std::mem::replace(&mut receiving.over, true) {
                to.input(Input::StreamReset { id, code }, now);
            }
        }
        Frame::Stop { id, code } => {
            if id.opener() == from.role && !id.is_unidirectional() && !to.over.contains(&id) {
                to.sending.entry(id).or_insert(0);
            }
            to.input(Input::StopSending { id, code }, now);
        }
        Frame::Datagram(data) => to.input(Input::Datagram(data), now),
        Frame::Acknowledged { id } => to.input(Input::StreamFinished { id }, now),
        Frame::Close => to.closed = Some((SessionErrorCode::NoError, "closed by the peer".into())),
    }
}
