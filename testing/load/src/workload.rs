use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use clap::{Args, ValueEnum};

/// What one publisher sends.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The shape of the tracks.
    #[arg(long, value_enum, default_value = "audio")]
    workload: Shape,
    /// Subscribers, each a connection of its own that subscribes to every track.
    #[arg(long, default_value_t = 50)]
    pub subs: usize,
    /// Tracks [default: by workload].
    #[arg(long)]
    tracks: Option<usize>,
    /// Objects a second on each track [default: by workload].
    #[arg(long)]
    rate: Option<f64>,
    /// Bytes of an object [default: by workload].
    #[arg(long)]
    size: Option<usize>,
    /// Objects of a group, a stream each [default: by workload].
    #[arg(long)]
    gop: Option<u64>,
    /// Seconds of measuring.
    #[arg(long, default_value_t = 5.0)]
    pub secs: f64,
    /// Seconds before it.
    #[arg(long, default_value_t = 2.0)]
    pub warm: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// 4 tracks, 50 objects/s of 80-160 bytes, a group a second.
    Audio,
    /// As audio, a group per object.
    Audio1,
    /// 30 frames/s, 1.5 Mbit/s, a 40 kB key frame every 2 s.
    Video,
    /// 1 track, 200 objects/s of 120 bytes.
    Single,
    /// 1 track, 4,000 objects/s of 1200 bytes: to 50 subscribers 1.9 Gbit/s.
    Blast,
}

/// A workload with every number settled.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Its name in reports.
    pub name: &'static str,
    /// Tracks.
    pub tracks: usize,
    /// Objects a second on each.
    pub rate: f64,
    /// Objects of a group.
    pub gop: u64,
    smallest: usize,
    largest: usize,
    key: usize,
}

impl Workload {
    /// The workload that the options describe.
    pub fn new(options: &Options) -> Self {
        let (name, tracks, rate, gop, smallest, largest, key) = match options.workload {
            Shape::Audio => ("audio", 4, 50.0, 50, 80, 160, 0),
            Shape::Audio1 => ("audio1", 4, 50.0, 1, 80, 160, 0),
            Shape::Video => ("video", 1, 30.0, 60, 5678, 5678, 40_000),
            Shape::Single => ("single", 1, 200.0, 200, 120, 120, 0),
            Shape::Blast => ("blast", 1, 4_000.0, 400, 1200, 1200, 0),
        };
        Self {
            name,
            tracks: options.tracks.unwrap_or(tracks),
            rate: options.rate.unwrap_or(rate),
            gop: options.gop.unwrap_or(gop).max(1),
            smallest: options.size.unwrap_or(smallest),
            largest: options.size.unwrap_or(largest),
            key: if options.size.is_some() { 0 } else { key },
        }
    }

    /// Bytes of an object.
    pub fn size(&self, sequence: u64) -> usize {
        if self.key > 0 && sequence.is_multiple_of(self.gop) {
            return self.key;
        }
        let spread = (self.largest - self.smallest + 1) as u64;
        let hash = sequence.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
        (self.smallest + (hash % spread) as usize).max(8)
    }
}

/// The content of an object: when it was sent, then filler.
pub fn payload(size: usize) -> Bytes {
    let mut bytes = BytesMut::zeroed(size.max(8));
    bytes[..8].copy_from_slice(&now_ns().to_le_bytes());
    bytes.freeze()
}

/// Microseconds since the object with this content was sent.
pub fn age_us(payload: &[u8]) -> Option<u64> {
    let sent = u64::from_le_bytes(payload.get(..8)?.try_into().ok()?);
    Some(now_ns().saturating_sub(sent) / 1000)
}

fn now_ns() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

/// Says how many objects of a track are due.
#[derive(Debug)]
pub struct Pacer {
    start: Instant,
    rate: f64,
    sent: u64,
}

impl Pacer {
    /// The most objects that are sent late at once, in seconds of traffic.
    const CATCH_UP: f64 = 0.05;

    /// Starts at `now`.
    pub fn new(rate: f64, now: Instant) -> Self {
        Self {
            start: now,
            rate,
            sent: 0,
        }
    }

    /// Objects a second.
    pub const fn rate(&self) -> f64 {
        self.rate
    }

    /// How many are due; they count as sent.
    pub fn due(&mut self, now: Instant) -> u64 {
        let wanted =
            (now.saturating_duration_since(self.start).as_secs_f64() * self.rate) as u64 + 1;
        let due = wanted.saturating_sub(self.sent);
        self.sent = wanted;
        due.min((self.rate * Self::CATCH_UP) as u64 + 1)
    }

    /// When the next is due; never sooner than a millisecond after the last.
    pub fn next(&self) -> Instant {
        self.start + Duration::from_secs_f64(self.sent as f64 / self.rate)
    }
}
