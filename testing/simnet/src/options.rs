use std::time::Duration;

/// What a [`Link`](crate::Link) does to packets.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LinkOptions {
    /// How long each packet is under way, beside jitter and the queue.
    pub delay: Duration,
    /// How much longer a packet may take; each by chance from 0 to this.
    pub jitter: Duration,
    /// Whether jitter may bring a packet past an earlier one.
    pub reorder: bool,
    /// The probability that a packet is lost, from 0 to 1.
    pub loss: f64,
    /// Spans of time in which every packet is lost.
    pub bursts: Option<Bursts>,
    /// Bits per second; `None`: no bottleneck.
    pub rate: Option<u64>,
    /// Bytes that may wait at the bottleneck; a packet that does not fit is lost.
    pub queue: usize,
}

/// Loss that comes in spans of time, as on radio: the fate of a packet depends on when it is
/// sent, not on the packets before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bursts {
    /// The mean time from the end of one burst to the next; each gap is by chance from half to
    /// one and a half of it.
    pub every: Duration,
    /// How long each lasts.
    pub length: Duration,
}
