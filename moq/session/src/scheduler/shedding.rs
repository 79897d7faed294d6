use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Slows down what is less important when a queue of ours has built up in the network: stream
/// priorities order what is sent, but cannot empty that queue.
///
/// The least important priorities that make up half of the bytes or more are held to a rate, and
/// never the most important one. When the round-trip time has grown, they pause until the queue
/// is gone and go on at less than what the path carried; then the rate grows until nothing waits
/// for it any more.
#[derive(Debug)]
pub(super) struct Shedding {
    above: Duration,
    /// The least round-trip time of this span and of the one before.
    least: [Duration; 2],
    span_ends: Option<Instant>,
    /// Bytes handed over by importance, and since when they are counted.
    volumes: BTreeMap<(u8, u8), u64>,
    counted_since: Option<Instant>,
    /// Bytes per second by importance, of the last two counts.
    rates: [BTreeMap<(u8, u8), f64>; 2],
    limit: Option<Limit>,
    /// What was changed takes until then to show.
    settled_at: Option<Instant>,
    /// Reactions since the round-trip time was last as it should be.
    in_vain: u32,
}

#[derive(Debug)]
struct Limit {
    /// What is as important as that or less is limited.
    from: (u8, u8),
    /// Bytes per second.
    rate: f64,
    /// The rate never falls below.
    floor: f64,
    /// The rate at which the queue built up.
    too_much: f64,
    /// Bytes that may go now.
    tokens: f64,
    filled: Instant,
    paused_until: Instant,
    /// When something last had to wait, and until when.
    waited: Instant,
    waits_until: Option<Instant>,
}

const SPAN: Duration = Duration::from_secs(10);
const COUNT: Duration = Duration::from_millis(500);
const SHORT_COUNT: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Reactions that change nothing before they are given up.
const MOST_IN_VAIN: u32 = 6;
/// A limit that nothing waited for goes after this long.
const UNUSED: Duration = Duration::from_secs(3);
/// How much of what was too much a new limit leaves, and of what was sent in any case.
const SHARE: f64 = 0.7;
const LEAST_SHARE: f64 = 0.1;
/// How much a limit grows in a second, and how much near to what was too much.
const GROWTH: f64 = 0.7;
const NEAR_GROWTH: f64 = 0.1;
const NEAR: f64 = 0.85;
const LEAST_RATE: f64 = 4000.0;
/// How many seconds of tokens add up.
const BURST: f64 = 0.04;

impl Shedding {
    pub(super) const fn new(above: Duration) -> Self {
        Self {
            above,
            least: [Duration::MAX; 2],
            span_ends: None,
            volumes: BTreeMap::new(),
            counted_since: None,
            rates: [BTreeMap::new(), BTreeMap::new()],
            limit: None,
            settled_at: None,
            in_vain: 0,
        }
    }

    /// Counts bytes of that importance.
    pub(super) fn count(&mut self, importance: (u8, u8), bytes: u64) {
        if bytes > 0 {
            *self.volumes.entry(importance).or_default() += bytes;
        }
    }

    /// Whether it is time to count everything up for [`Shedding::counted`].
    pub(super) fn is_count_due(&self, rtt: Duration, now: Instant) -> bool {
        let wait = if self.is_settled(now) && self.is_grown(rtt) {
            SHORT_COUNT
        } else {
            COUNT
        };
        self.counted_since.is_none_or(|since| now >= since + wait)
    }

    fn is_settled(&self, now: Instant) -> bool {
        self.settled_at.is_none_or(|at| at <= now)
    }

    fn growth(&self, rtt: Duration) -> Duration {
        rtt.saturating_sub(self.least[0].min(self.least[1]))
    }

    fn is_grown(&self, rtt: Duration) -> bool {
        self.growth(rtt) > self.above.max(self.least[0].min(self.least[1]) / 2)
    }

    /// Everything handed over until now is counted.
    pub(super) fn counted(&mut self, now: Instant) {
        let volumes = std::mem::take(&mut self.volumes);
        let since = self.counted_since.replace(now);
        let seconds = since.map_or(1.0, |since| (now - since).as_secs_f64());
        let rates = volumes
            .into_iter()
            .map(|(key, bytes)| (key, bytes as f64 / seconds));
        let rates = rates.collect();
        self.rates = [rates, std::mem::take(&mut self.rates[0])];
    }

    /// Takes what the transport measures of the path.
    pub(super) fn measure(&mut self, rtt: Duration, now: Instant) {
        if self.span_ends.is_none_or(|end| end <= now) {
            self.span_ends = Some(now + SPAN);
            self.least = [Duration::MAX, self.least[0]];
        }
        self.least[0] = self.least[0].min(rtt);
        if self.is_grown(rtt) {
            if self.is_settled(now) && self.in_vain < MOST_IN_VAIN {
                self.react(rtt, now);
            } else if self.is_settled(now) {
                // What we send does not change it: it is no queue of ours, but how the path is.
                self.in_vain = 0;
                self.least = [rtt; 2];
                self.span_ends = Some(now + SPAN);
                self.limit = None;
            }
            return;
        }
        self.in_vain = 0;
        if let Some(limit) = &mut self.limit {
            limit.paused_until = limit.paused_until.min(now);
            limit.fill(now);
            if now >= limit.waited + UNUSED {
                self.limit = None;
            }
        }
    }

    fn react(&mut self, rtt: Duration, now: Instant) {
        let half = self.less_important_half();
        let known = self.limit.as_ref().map(|limit| limit.from);
        // What is limited sends less, and that shall not free it.
        let Some(from) = half.into_iter().chain(known).min() else {
            return;
        };
        let limited = self
            .rates
            .iter()
            .map(|rates| rates.range(from..).map(|(_, rate)| rate).sum());
        let limited = limited.fold(0.0, f64::max);
        let known = self
            .limit
            .as_ref()
            .map_or(limited, |limit| limit.rate.min(limited));
        let floor = self
            .limit
            .as_ref()
            .map_or(limited * LEAST_SHARE, |limit| limit.floor);
        let floor = floor.max(LEAST_RATE);
        let rate = (known * SHARE).max(floor);
        self.in_vain += 1;
        let pause = (self.growth(rtt) * 2).min(LONGEST_PAUSE);
        self.settled_at = Some(now + pause + rtt.max(Duration::from_millis(200)));
        self.limit = Some(Limit {
            from,
            rate,
            floor,
            too_much: known,
            tokens: 0.0,
            filled: now + pause,
            paused_until: now + pause,
            waited: now,
            waits_until: None,
        });
    }

    /// Where the least important priorities begin that make up half of the bytes, if there is
    /// something more important than them.
    fn less_important_half(&self) -> Option<(u8, u8)> {
        let mut rates = self.rates[0].clone();
        for (importance, rate) in &self.rates[1] {
            let known = rates.entry(*importance).or_default();
            *known = known.max(*rate);
        }
        let total: f64 = rates.values().sum();
        let mut least_important = rates.iter().rev().peekable();
        let mut from = None;
        let mut sum = 0.0;
        while let Some((importance, rate)) = least_important.next() {
            let is_most_important = least_important.peek().is_none();
            if is_most_important || sum * 2.0 >= total {
                break;
            }
            from = Some(*importance);
            sum += rate;
        }
        from
    }

    pub(super) const fn is_active(&self) -> bool {
        self.limit.is_some()
    }

    /// Whether data of that importance may go now.
    pub(super) fn admits(&mut self, importance: (u8, u8), now: Instant) -> bool {
        let Some(limit) = self.limit.as_mut().filter(|limit| importance >= limit.from) else {
            return true;
        };
        limit.fill(now);
        if now >= limit.paused_until && limit.tokens > 0.0 {
            return true;
        }
        let wait = Duration::from_secs_f64((1.0 - limit.tokens).max(1.0) / limit.rate);
        limit.waited = now;
        limit.waits_until = Some(limit.paused_until.max(now + wait.max(MOMENT)));
        false
    }

    /// Bytes of that importance were handed over, or came back if that is negative.
    pub(super) fn spend(&mut self, importance: (u8, u8), bytes: f64) {
        if let Some(limit) = self.limit.as_mut().filter(|limit| importance >= limit.from) {
            limit.tokens -= bytes;
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.limit.as_ref().and_then(|limit| limit.waits_until)
    }

    pub(super) fn expire(&mut self, now: Instant) {
        if let Some(limit) = &mut self.limit {
            limit.waits_until = limit.waits_until.filter(|until| *until > now);
        }
    }
}

/// The shortest wait for tokens.
const MOMENT: Duration = Duration::from_millis(1);

impl Limit {
    /// Adds the tokens since the last time and lets the rate grow.
    fn fill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.filled).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        self.filled = now;
        self.tokens = (self.tokens + seconds * self.rate).min((self.rate * BURST).max(3000.0));
        let is_near = self.rate > self.too_much * NEAR;
        let growth = if is_near { NEAR_GROWTH } else { GROWTH };
        self.rate *= 1.0 + seconds.min(1.0) * growth;
    }
}
