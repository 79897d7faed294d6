use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use parvis_quic::{ConnectionKey, tls::ServerTls, udp::BatchSocket};
use parvis_wire::SessionErrorCode;
use tokio::sync::oneshot;

use super::{Ask, Report, Shard};
use crate::access::Gate;

/// What the relay asks of a shard.
#[derive(Debug)]
pub(crate) enum Command {
    /// Tells how its sessions are.
    Report(oneshot::Sender<Report>),
    /// Shows newcomers another certificate.
    Certificate(ServerTls),
    /// Asks sessions to move, and ends when they have, or at that time.
    Stop {
        /// When to close those that stayed.
        until: Instant,
    },
    /// Lets in by this from here on.
    Gate(Gate),
    /// What an operator asks.
    Control(Ask),
}

/// How a shard goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leaving {
    /// Where sessions are sent; `None`: to where they came from.
    pub(crate) uri: Option<String>,
    /// Whether the port is left to a successor.
    pub(crate) hand_over: bool,
}

/// Where the end of a shard has come to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    Running,
    /// Sessions were asked to move.
    Draining {
        until: Instant,
    },
    /// Connections are closed; their peers are told again while they still send.
    Closing {
        until: Instant,
    },
}

/// How long peers are told again that their connection is closed.
const LINGER: Duration = Duration::from_millis(300);

impl Shard {
    pub(super) fn take_commands(&mut self, socket: &mut BatchSocket) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Report(answer) => {
                    self.publish_stats();
                    // An error says that nobody waits for it any more.
                    let _ = answer.send(self.report());
                }
                Command::Certificate(tls) => self.endpoint.set_server_tls(Some(tls)),
                Command::Stop { until } => self.stop(until, socket),
                Command::Gate(gate) => self.gate = gate,
                Command::Control(ask) => self.control(ask),
            }
        }
    }

    fn stop(&mut self, until: Instant, socket: &mut BatchSocket) {
        match self.phase {
            Phase::Running => self.start_draining(until, socket),
            Phase::Draining { until: before } => {
                self.phase = Phase::Draining {
                    until: until.min(before),
                };
            }
            Phase::Closing { .. } => {}
        }
    }

    /// When the phase changes by itself.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running => None,
            Phase::Draining { until } | Phase::Closing { until } => Some(until),
        }
    }

    pub(super) fn advance_phase(&mut self) {
        if matches!(self.phase, Phase::Draining { .. }) {
            self.leave_upstream(self.sessions.load(Ordering::Relaxed));
        }
        if let Phase::Draining { until } = self.phase
            && self.now >= until
        {
            for key in self.peers.keys() {
                let code = SessionErrorCode::GoawayTimeout;
                self.endpoint.close(self.now, key, code, "the relay stops");
            }
            self.phase = Phase::Closing {
                until: self.now + LINGER,
            };
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self.phase {
            Phase::Running => false,
            Phase::Draining { .. } => self.endpoint.connections() == 0,
            Phase::Closing { until } => self.now >= until || self.endpoint.connections() == 0,
        }
    }

    fn start_draining(&mut self, until: Instant, socket: &mut BatchSocket) {
        self.shared.drain();
        self.phase = Phase::Draining { until };
        self.forwarder.stop_lingering();
        for key in self.peers.keys() {
            self.ask_to_move(key);
        }
        if self.leaving.hand_over {
            self.leave_port(socket);
        }
    }

    /// Sends GOAWAY, if the relay drains.
    pub(super) fn ask_to_move(&mut self, key: ConnectionKey) {
        let Phase::Draining { until } = self.phase else {
            return;
        };
        let left = until.saturating_duration_since(self.now).as_millis() as u64;
        let uri = self.leaving.uri.as_deref().unwrap_or_default();
        if let Some(session) = self.endpoint.session(key) {
            // Refused by a session that is closed. Zero would mean that no time is set.
            let _ = session.goaway(uri, left.max(1), self.now);
        }
    }

    /// Goes on with the peers there are, and leaves the rest to a successor.
    fn leave_port(&self, socket: &mut BatchSocket) {
        let peers: BTreeSet<SocketAddr> = self.endpoint.remote_addresses().collect();
        match socket.hand_over(&peers) {
            Ok(0) => {}
            Ok(lost) => tracing::warn!(lost, "sessions are cut off: there are too few files"),
            Err(error) => tracing::warn!(%error, "the port is not left to a successor"),
        }
    }
}
