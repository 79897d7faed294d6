use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Decides when what is less important pauses, because a queue of ours has built up in the
/// network: stream priorities order what is sent, but cannot empty that queue.
///
/// The least important priorities pause that make up half of the bytes or more, and never the
/// most important one. Pauses grow while the queue stays, and data flows between them, so that
/// a round-trip time that has grown for another reason stops nothing for good.
#[derive(Debug)]
pub(super) struct Shedding {
    above: Duration,
    /// The least round-trip time of this span and of the one before.
    least: [Duration; 2],
    span_ends: Option<Instant>,
    /// Bytes by importance, halved with each pause.
    volumes: BTreeMap<(u8, u8), u64>,
    state: State,
    next_pause: Duration,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Everything flows, until then in any case.
    Flowing(Option<Instant>),
    /// What is as important as that or less pauses until then.
    Paused { until: Instant, from: (u8, u8) },
}

const SPAN: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_millis(1200);
/// How long data flows at least between two pauses.
const FLOW: Duration = Duration::from_millis(200);

impl Shedding {
    pub(super) const fn new(above: Duration) -> Self {
        Self {
            above,
            least: [Duration::MAX; 2],
            span_ends: None,
            volumes: BTreeMap::new(),
            state: State::Flowing(None),
            next_pause: FIRST_PAUSE,
        }
    }

    /// Takes a round-trip time; returns whether a pause is due.
    pub(super) fn measure(&mut self, rtt: Duration, now: Instant) -> bool {
        if self.span_ends.is_none_or(|end| end <= now) {
            self.span_ends = Some(now + SPAN);
            self.least = [Duration::MAX, self.least[0]];
        }
        self.least[0] = self.least[0].min(rtt);
        let least = self.least[0].min(self.least[1]);
        let grown = rtt.saturating_sub(least) > self.above.max(least / 2);
        if !grown {
            self.next_pause = FIRST_PAUSE;
            if self.is_paused() {
                self.state = State::Flowing(None);
            }
        }
        grown && matches!(self.state, State::Flowing(until) if until.is_none_or(|at| at <= now))
    }

    /// Counts bytes of that importance.
    pub(super) fn count(&mut self, importance: (u8, u8), bytes: u64) {
        if bytes > 0 {
            *self.volumes.entry(importance).or_default() += bytes;
        }
    }

    /// Pauses the less important half, if there is something more important than it.
    pub(super) fn pause(&mut self, now: Instant) {
        let from = self.less_important_half();
        for volume in self.volumes.values_mut() {
            *volume /= 2;
        }
        self.volumes.retain(|_, volume| *volume > 0);
        let Some(from) = from else { return };
        let until = now + self.next_pause;
        self.next_pause = (self.next_pause * 2).min(LONGEST_PAUSE);
        self.state = State::Paused { until, from };
    }

    fn less_important_half(&self) -> Option<(u8, u8)> {
        let total: u64 = self.volumes.values().sum();
        let mut least_important = self.volumes.iter().rev().peekable();
        let mut from = None;
        let mut bytes = 0;
        while let Some((importance, volume)) = least_important.next() {
            let is_most_important = least_important.peek().is_none();
            if is_most_important || bytes * 2 >= total {
                break;
            }
            from = Some(*importance);
            bytes += volume;
        }
        from
    }

    pub(super) const fn is_paused(&self) -> bool {
        matches!(self.state, State::Paused { .. })
    }

    /// Whether data of that importance pauses.
    pub(super) fn pauses(&self, importance: (u8, u8)) -> bool {
        matches!(self.state, State::Paused { from, .. } if importance >= from)
    }

    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Paused { until, .. } => Some(until),
            State::Flowing(_) => None,
        }
    }

    pub(super) fn expire(&mut self, now: Instant) {
        if let State::Paused { until, .. } = self.state
            && until <= now
        {
            self.state = State::Flowing(Some(now + FLOW));
        }
    }
}
