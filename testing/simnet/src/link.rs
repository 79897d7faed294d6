use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};

use crate::{Bursts, LinkOptions, Random};

/// What a link carries.
pub trait Packet {
    /// Its size on the wire in bytes.
    fn size(&self) -> usize;
}

impl Packet for Bytes {
    fn size(&self) -> usize {
        self.len()
    }
}

impl Packet for BytesMut {
    fn size(&self) -> usize {
        self.len()
    }
}

impl Packet for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It will arrive.
    Carried,
    /// Lost by chance.
    Lost,
    /// Lost in a burst.
    Burst,
    /// Lost because the queue was full.
    QueueFull,
}

/// How many packets met which fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkStats {
    /// Packets that arrived or will.
    pub carried: u64,
    /// Packets lost by chance.
    pub lost: u64,
    /// Packets lost in bursts.
    pub burst: u64,
    /// Packets that found the queue full.
    pub queue_full: u64,
}

/// One direction of a network path, in virtual time.
#[derive(Debug)]
pub struct Link<P = Bytes> {
    options: LinkOptions,
    random: Random,
    /// By time of arrival, then order of sending.
    under_way: BTreeMap<(Instant, u64), P>,
    sent: u64,
    last_arrival: Instant,
    /// When the bottleneck has sent everything that waits.
    busy_until: Instant,
    burst: Option<Burst>,
    stats: LinkStats,
}

/// The current or next burst.
#[derive(Debug, Clone, Copy)]
struct Burst {
    start: Instant,
    end: Instant,
}

impl<P: Packet> Link<P> {
    /// A link that is idle at `now`.
    pub fn new(options: LinkOptions, seed: u64, now: Instant) -> Self {
        let mut random = Random::new(seed);
        let burst = options
            .bursts
            .map(|bursts| Burst::after(now, bursts, &mut random));
        Self {
            options,
            random,
            under_way: BTreeMap::new(),
            sent: 0,
            last_arrival: now,
            busy_until: now,
            burst,
            stats: LinkStats::default(),
        }
    }

    /// Takes a packet and decides its fate.
    pub fn handle(&mut self, packet: P, now: Instant) -> Fate {
        let fate = self.decide(&packet, now);
        match fate {
            Fate::Carried => {
                self.stats.carried += 1;
                self.carry(packet, now);
            }
            Fate::Lost => self.stats.lost += 1,
            Fate::Burst => self.stats.burst += 1,
            Fate::QueueFull => self.stats.queue_full += 1,
        }
        fate
    }

    /// The next packet that has arrived by `now`; `None`: none until [`Link::poll_timeout`].
    pub fn poll(&mut self, now: Instant) -> Option<P> {
        let entry = self.under_way.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// When the next packet arrives.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.under_way
            .first_key_value()
            .map(|((arrival, _), _)| *arrival)
    }

    /// Changes what happens to packets from now on; those under way are not affected.
    pub fn set_options(&mut self, options: LinkOptions, now: Instant) {
        if options.bursts != self.options.bursts {
            self.burst = options
                .bursts
                .map(|bursts| Burst::after(now, bursts, &mut self.random));
        }
        self.options = options;
    }

    /// Loses every packet under way.
    pub fn lose_all(&mut self) {
        self.stats.carried -= self.under_way.len() as u64;
        self.stats.lost += self.under_way.len() as u64;
        self.under_way.clear();
    }

    /// What packets met so far.
    pub const fn stats(&self) -> LinkStats {
        self.stats
    }

    /// Bytes that wait at the bottleneck.
    pub fn queued(&self, now: Instant) -> usize {
        let Some(rate) = self.options.rate else {
            return 0;
        };
        let wait = self.busy_until.saturating_duration_since(now);
        (wait.as_secs_f64() * rate as f64 / 8.0).round() as usize
    }

    fn decide(&mut self, packet: &P, now: Instant) -> Fate {
        if self.is_in_burst(now) {
            return Fate::Burst;
        }
        // Drawn also without loss, so that a change of loss leaves the rest of the run alike.
        if self.random.chance(self.options.loss) {
            return Fate::Lost;
        }
        if self.options.rate.is_some() && self.queued(now) + packet.size() > self.options.queue {
            return Fate::QueueFull;
        }
        Fate::Carried
    }

    fn carry(&mut self, packet: P, now: Instant) {
        let mut departure = now;
        if let Some(rate) = self.options.rate {
            let bits = packet.size() as f64 * 8.0;
            let sending = Duration::from_secs_f64(bits / rate.max(1) as f64);
            departure = self.busy_until.max(now) + sending;
            self.busy_until = departure;
        }
        let mut arrival = departure + self.options.delay + self.random.up_to(self.options.jitter);
        if !self.options.reorder {
            arrival = arrival.max(self.last_arrival);
            self.last_arrival = arrival;
        }
        self.under_way.insert((arrival, self.sent), packet);
        self.sent += 1;
    }

    fn is_in_burst(&mut self, now: Instant) -> bool {
        let Some(bursts) = self.options.bursts else {
            return false;
        };
        let Some(mut burst) = self.burst else {
            return false;
        };
        while burst.end <= now {
            burst = Burst::after(burst.end, bursts, &mut self.random);
        }
        self.burst = Some(burst);
        burst.start <= now
    }
}

impl Burst {
    fn after(now: Instant, bursts: Bursts, random: &mut Random) -> Self {
        // At least a moment, so that time moves on.
        let gap = bursts
            .every
            .mul_f64(0.5 + random.unit())
            .max(Duration::from_micros(1));
        let start = now + gap;
        Self {
            start,
            end: start + bursts.length,
        }
    }
}
