use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicUsize, mpsc},
    time::Instant,
};

use bytes::BytesMut;
use parvis_quic::{EndpointConfig, Transmit, tls::ServerTls};
use parvis_wire::HopId;

use super::{Links, Parts, Relations, Shard, Shared, Subjects, drain::Leaving, waker};
use crate::{
    Config, Stats,
    access::Gate,
    parts::{admission, endpoint, forwarder, receive_window, strangers, subject_limits},
};

/// One thread of a relay without its socket and its clock, for simulations: the same sessions, the
/// same forwarder and the same turn as those of a relay that runs.
///
/// A turn: put in what came, call [`handle_timeout`](Self::handle_timeout), drain
/// [`poll_transmit`](Self::poll_transmit), wait until [`poll_timeout`](Self::poll_timeout).
pub struct SimulatedRelay {
    shard: Shard,
}

impl std::fmt::Debug for SimulatedRelay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedRelay").finish_non_exhaustive()
    }
}

impl SimulatedRelay {
    /// A relay without sessions. An error says that the system has no pipes left.
    ///
    /// seed: of connection ids and packet numbers.
    pub fn new(config: &Config, tls: ServerTls, seed: u8, now: Instant) -> io::Result<Self> {
        let (waker, wakeups) = waker()?;
        let links = Links::mesh(&[waker]).into_iter().next();
        // Dropping the sender only says that nobody will stop it.
        let (_, commands) = mpsc::channel();
        let sessions = Arc::new(AtomicUsize::new(0));
        let shared = Arc::new(Shared::default());
        let admission = Box::new(admission(config, sessions.clone(), shared.clone()));
        let endpoint = EndpointConfig {
            seed: Some([seed; 32]),
            ..endpoint(config, tls, 0, true, HopId(0), None, admission)
        };
        let parts = Parts {
            index: 0,
            endpoint,
            forwarder: forwarder(config),
            links: links.ok_or(io::ErrorKind::NotFound)?,
            wakeups,
            leaving: Leaving::default(),
            commands,
            shared,
            sessions,
            coalesce: config.coalesce,
            placement: None,
            gate: Gate::Open,
            token_deadline: config.auth_deadline,
            fetch_queue: config.fetch_queue.as_u64() as usize,
            receive_window: receive_window(config),
            strangers: strangers(config),
            subjects: Arc::new(Subjects::new(subject_limits(config))),
            relations: Relations::default(),
        };
        let shard = Shard::new(parts, now);
        Ok(Self { shard })
    }

    /// Takes one UDP datagram.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, data: BytesMut) {
        self.shard.now = now;
        let endpoint = &mut self.shard.endpoint;
        endpoint.handle_datagram(now, from, None, None, data);
    }

    /// Does what came and what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.shard.now = now;
        self.shard.work();
    }

    /// The next datagram, or train of datagrams, to send; `buf` is overwritten.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.shard.endpoint.poll_transmit(now, buf, SEGMENTS)
    }

    /// When the next turn is due, if nothing comes before.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        self.shard.poll_timeout()
    }

    /// What it counted.
    pub fn stats(&self) -> Stats {
        self.shard.stats
    }
}

/// Datagrams of a train.
const SEGMENTS: usize = 10;
