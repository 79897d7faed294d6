use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{ApiError, Limits, Rate};

/// Buckets that are remembered of each kind; then the older half is forgotten.
const BUCKETS: usize = 50_000;

/// Who is held to a rate: texts are kept as their hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// An IPv4 address, or the network of an IPv6 address, of which somebody has a whole one.
    Address(IpAddr),
    /// An e-mail address, an account, an application.
    Text(u64),
}

impl Who {
    pub(crate) fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let mut parts = address.segments();
                parts[4..].fill(0);
                IpAddr::from(parts)
            }
        })
    }

    pub(crate) fn text(text: &str) -> Self {
        use std::hash::{BuildHasher, RandomState};
        static STATE: std::sync::OnceLock<RandomState> = std::sync::OnceLock::new();
        Self::Text(STATE.get_or_init(RandomState::new).hash_one(text))
    }
}

/// The rates that somebody is held to.
#[derive(Debug)]
pub(crate) struct Limiters {
    pub(crate) requests: Limiter<Who>,
    pub(crate) joins: Limiter<Who>,
    pub(crate) sign_ins: Limiter<Who>,
    pub(crate) mails: Limiter<Who>,
    pub(crate) rooms: Limiter<Who>,
}

impl Limiters {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            requests: Limiter::new(limits.requests),
            joins: Limiter::new(limits.joins),
            sign_ins: Limiter::new(limits.sign_ins),
            mails: Limiter::new(limits.mails),
            rooms: Limiter::new(limits.rooms),
        }
    }
}

/// Token buckets, one for each who asks, in bounded memory. Who is forgotten begins with a full one.
#[derive(Debug)]
pub(crate) struct Limiter<K> {
    rate: Rate,
    most: usize,
    buckets: Mutex<Generations<K>>,
}

#[derive(Debug)]
struct Generations<K> {
    new: HashMap<K, Bucket>,
    old: HashMap<K, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl<K: Eq + Hash + Copy> Limiter<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self::with_most(rate, BUCKETS)
    }

    fn with_most(rate: Rate, most: usize) -> Self {
        Self {
            rate,
            most,
            buckets: Mutex::new(Generations {
                new: HashMap::new(),
                old: HashMap::new(),
            }),
        }
    }

    /// Takes a token, or says that there is none.
    pub(crate) fn take(&self, who: K) -> Result<(), ApiError> {
        self.try_take(who, Instant::now())
            .map_err(|wait| ApiError::rate_limited(wait.as_secs_f64().ceil() as u64))
    }

    fn try_take(&self, who: K, now: Instant) -> Result<(), Duration> {
        let per_second = f64::from(self.rate.per_minute) / 60.0;
        let burst = f64::from(self.rate.burst);
        // Nothing in here panics; if it did, the buckets would still be buckets.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Bucket {
            tokens: burst,
            at: now,
        };
        let known = buckets.new.get(&who).or_else(|| buckets.old.get(&who));
        let mut bucket = known.copied().unwrap_or(full);
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * per_second).min(burst);
        bucket.at = now;
        let taken = bucket.tokens >= 1.0;
        if taken {
            bucket.tokens -= 1.0;
        }
        if buckets.new.len() >= self.most / 2 && !buckets.new.contains_key(&who) {
            buckets.old = std::mem::take(&mut buckets.new);
        }
        buckets.new.insert(who, bucket);
        if taken {
            Ok(())
        } else {
            let missing = (1.0 - bucket.tokens) / per_second.max(1.0 / 3600.0);
            Err(Duration::from_secs_f64(missing))
        }
    }
}

#[cfg(test)]
mod tests;
