use std::time::{Duration, Instant};

use parvis_session::Input;
use quinn_proto::Side;

use super::{Connection, Stage};

/// Notices that a path has gone silent.
///
/// A router that forgot a client sends it nothing more until the client says something. A client
/// that only receives would find that out at its next keep-alive; so would one whose radio was away.
#[derive(Debug, Default)]
pub(super) struct Silence {
    heard: Option<Instant>,
    /// When the current count of packets began, and how many of it and of the one before.
    counted: Option<Instant>,
    packets: [u32; 2],
    asked: Option<Instant>,
}

/// Over how long packets are counted.
const COUNT: Duration = Duration::from_secs(1);
/// So many show that more are to come.
const FLOWING: u32 = 20;
/// How long such a path may be silent before the client asks.
const QUIET: Duration = Duration::from_millis(200);
/// How long until it asks again, until the connection is idle for too long.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// What was known of a path that was silent for so long is old.
const AWAY: Duration = Duration::from_secs(1);

impl Silence {
    /// Takes a packet's arrival; returns for how long nothing had come.
    fn hear(&mut self, now: Instant) -> Duration {
        if self.counted.is_none_or(|since| now >= since + COUNT) {
            self.counted = Some(now);
            self.packets = [0, self.packets[0]];
        }
        self.packets[0] += 1;
        self.asked = None;
        let before = self.heard.replace(now);
        before.map_or(Duration::ZERO, |before| {
            now.saturating_duration_since(before)
        })
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let flowing = self.packets[0].max(self.packets[1]) >= FLOWING;
        match self.asked {
            Some(asked) => Some(asked + ASK_AGAIN),
            None => self.heard.filter(|_| flowing).map(|at| at + QUIET),
        }
    }

    /// Whether it is time to ask.
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.poll_timeout().is_some_and(|at| at <= now);
        if is_due {
            self.asked = Some(now);
        }
        is_due
    }
}

impl Connection {
    /// A packet came.
    pub(crate) fn heard(&mut self, now: Instant) {
        let before = self.silence.heard;
        let away = self.silence.hear(now);
        let is_server = self.quic.side() == Side::Server && matches!(self.stage, Stage::Open(_));
        if away >= AWAY && is_server && !self.is_acknowledged() {
            // What is in flight is lost; finding that out would take another time as long.
            self.quic.path_changed(now);
            if let Some(silent_since) = before {
                self.input(Input::Returned { silent_since }, now);
            }
        }
    }

    pub(super) fn silence_timeout(&self) -> Option<Instant> {
        let asks = self.quic.side() == Side::Client && !self.quic.is_closed();
        asks.then(|| self.silence.poll_timeout()).flatten()
    }

    pub(super) fn handle_silence(&mut self, now: Instant) {
        if self.silence_timeout().is_some() && self.silence.is_due(now) {
            self.quic.ping();
        }
    }
}
