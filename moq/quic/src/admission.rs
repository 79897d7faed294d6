use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// A connection attempt that waits for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Who asks; forged unless `validated`.
    pub from: SocketAddr,
    /// Whether the address is proved: the client came back with a Retry token.
    pub validated: bool,
    /// Incoming connections whose handshake is not over.
    pub half_open: usize,
    /// Those of them that come from the same network (/24, /64 for IPv6), whose address is proved.
    pub half_open_of_network: usize,
    /// All connections of the endpoint.
    pub connections: usize,
    /// Attempts from the same network (/24, /64 for IPv6) in this second, this one included.
    pub from_network: u32,
}

/// What to do with an [`Attempt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Admission {
    /// Go on with the handshake.
    Accept,
    /// Make the client prove its address first. For a proved address: refuse.
    Retry,
    /// Say no.
    Refuse,
    /// Say nothing.
    Ignore,
}

/// Decides about connection attempts.
pub enum AdmissionPolicy {
    /// By numbers.
    Limits {
        /// Handshakes that may be open before a proof of address is asked for.
        half_open: usize,
        /// Handshakes of proved addresses that one network may have open; further ones are ignored, and
        /// find a place when they ask again.
        half_open_of_network: usize,
        /// Attempts per network and second before a proof of address is asked for.
        from_network: u32,
        /// Connections beyond which everybody is refused.
        connections: usize,
    },
    /// By a function.
    Custom(Box<dyn FnMut(&Attempt) -> Admission + Send>),
}

impl Default for AdmissionPolicy {
    fn default() -> Self {
        Self::Limits {
            half_open: 200,
            half_open_of_network: 64,
            from_network: 50,
            connections: 20_000,
        }
    }
}

impl fmt::Debug for AdmissionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limits {
                half_open,
                half_open_of_network,
                from_network,
                connections,
            } => f
                .debug_struct("Limits")
                .field("half_open", half_open)
                .field("half_open_of_network", half_open_of_network)
                .field("from_network", from_network)
                .field("connections", connections)
                .finish(),
            Self::Custom(_) => f.write_str("Custom"),
        }
    }
}

impl AdmissionPolicy {
    pub(crate) fn decide(&mut self, attempt: &Attempt) -> Admission {
        match self {
            Self::Custom(decide) => decide(attempt),
            Self::Limits { connections, .. } if attempt.connections >= *connections => {
                Admission::Refuse
            }
            Self::Limits {
                half_open_of_network,
                ..
            } if attempt.validated && attempt.half_open_of_network >= *half_open_of_network => {
                Admission::Ignore
            }
            Self::Limits {
                half_open,
                from_network,
                ..
            } => {
                let many = attempt.half_open >= *half_open || attempt.from_network > *from_network;
                if many && !attempt.validated {
                    Admission::Retry
                } else {
                    Admission::Accept
                }
            }
        }
    }
}

/// A network whose members are counted together: /24, /64 for IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Network(u64);

impl Network {
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(ip) => u64::from(u32::from(ip) >> 8),
            IpAddr::V6(ip) => (u128::from(ip) >> 64) as u64 | 1 << 63,
        })
    }
}

/// Whoever began a handshake.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginner {
    /// Where it is, if its address is proved.
    pub(crate) proved: Option<Network>,
}

/// Handshakes that are not over.
#[derive(Debug, Default)]
pub(crate) struct HalfOpen {
    all: usize,
    /// Of proved addresses; forged ones shut nobody out.
    proved: HashMap<Network, usize>,
}

impl HalfOpen {
    pub(crate) const fn all(&self) -> usize {
        self.all
    }

    pub(crate) fn of(&self, network: Network) -> usize {
        self.proved.get(&network).copied().unwrap_or(0)
    }

    pub(crate) fn begun(&mut self, beginner: Beginner) {
        self.all += 1;
        if let Some(network) = beginner.proved {
            *self.proved.entry(network).or_default() += 1;
        }
    }

    /// The handshake of one that had begun is over.
    pub(crate) fn over(&mut self, beginner: Beginner) {
        self.all -= 1;
        if let Some(network) = beginner.proved
            && let Entry::Occupied(mut proved) = self.proved.entry(network)
        {
            *proved.get_mut() -= 1;
            if *proved.get() == 0 {
                proved.remove();
            }
        }
    }
}

/// Counts attempts per network and second in constant memory; networks that share a counter are
/// counted together, which can only ask one Retry too many.
pub(crate) struct AttemptRate {
    counters: Box<[u32; Self::COUNTERS]>,
    hasher: RandomState,
    window: Option<Instant>,
}

impl AttemptRate {
    const COUNTERS: usize = 4096;
    const WINDOW: Duration = Duration::from_secs(1);

    pub(crate) fn new() -> Self {
        Self {
            counters: Box::new([0; Self::COUNTERS]),
            hasher: RandomState::new(),
            window: None,
        }
    }

    pub(crate) fn count(&mut self, from: IpAddr, now: Instant) -> u32 {
        if self
            .window
            .is_none_or(|start| now.saturating_duration_since(start) >= Self::WINDOW)
        {
            self.window = Some(now);
            self.counters.fill(0);
        }
        let network = Network::of(from);
        let counter = &mut self.counters[self.hasher.hash_one(network) as usize % Self::COUNTERS];
        *counter = counter.saturating_add(1);
        *counter
    }
}
