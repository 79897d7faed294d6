use std::{collections::VecDeque, time::Instant};

use crate::{Config, Input, Output, Stats};

/// Decides who gets which object; one for each thread of a relay.
#[derive(Debug)]
pub struct Forwarder {
    config: Config,
    stats: Stats,
    outputs: VecDeque<Output>,
}

impl Forwarder {
    /// A forwarder without peers.
    pub fn new(config: Config) -> Self {
        Self { config, stats: Stats::default(), outputs: VecDeque::new() }
    }

    /// Takes what happened; drain [`Self::poll`] after each call.
    pub fn handle(&mut self, input: Input, now: Instant) {
        let _ = (input, now, self.config);
    }

    /// What to do next; `None`: nothing until the next `handle` or `handle_timeout`.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle_timeout`]; may change with every call.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Does what is due; drain [`Self::poll`] afterwards.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// Counters and gauges.
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }
}
