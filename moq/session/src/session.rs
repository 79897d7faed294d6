use std::{collections::VecDeque, time::Instant};

use parvis_wire::{Draft, SessionErrorCode};

use crate::{Config, DropCounts, Event, Input, Role, SessionError, Transmit};

/// One MoQ connection, seen from one side: requests, streams and what is sent when.
///
/// After each call that changes it, drain [`Session::poll`] and [`Session::poll_transmit`], then
/// arm a timer for [`Session::poll_timeout`].
#[derive(Debug)]
pub struct Session {
    config: Config,
    events: VecDeque<Event>,
    drops: DropCounts,
}

impl Session {
    /// Opens a session; its SETUP is queued at once.
    pub fn new(config: Config, now: Instant) -> Self {
        let _ = now;
        Self {
            config,
            events: VecDeque::new(),
            drops: DropCounts::default(),
        }
    }

    /// Takes what happened on the transport. On an error [`Transmit::Close`] is queued and
    /// everything later is ignored.
    pub fn handle(&mut self, input: Input, now: Instant) -> Result<(), SessionError> {
        let _ = (input, now);
        Ok(())
    }

    /// The next thing the user must know; `None`: nothing until the next call that changes the
    /// session.
    pub fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next thing the driver must do, the most important first; `None`: nothing until the
    /// next call that changes the session.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        let _ = now;
        None
    }

    /// When [`Session::handle_timeout`] must be called, unless the session changes before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// Closes the session.
    pub fn close(&mut self, code: SessionErrorCode, reason: &str) {
        let _ = (code, reason);
    }

    /// Whether the session is closed.
    pub fn is_closed(&self) -> bool {
        false
    }

    /// Whether the peer's SETUP has come.
    pub fn is_established(&self) -> bool {
        false
    }

    /// Which side this is.
    pub fn role(&self) -> Role {
        self.config.role
    }

    /// The draft that both sides speak.
    pub fn draft(&self) -> Draft {
        self.config.draft
    }

    /// What was dropped so far, by reason.
    pub fn drops(&self) -> &DropCounts {
        &self.drops
    }
}
