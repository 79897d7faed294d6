use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use parvis::{DecodedAudio, DecodedVideo, RemoteStats, format::MediaTime};
use serde::Serialize;

/// Sound that is decoded later than that after its capture is not on time.
const ON_TIME: Duration = Duration::from_millis(200);

/// What one participant saw and heard of another one.
#[derive(Debug)]
pub struct Figures {
    /// Who watches.
    pub viewer: String,
    /// Who is watched.
    pub publisher: String,
    video: Option<Video>,
    audio: Option<Audio>,
}

#[derive(Debug)]
struct Video {
    track: String,
    started: Instant,
    pictures: u64,
    bytes: u64,
    /// Capture to decode, microseconds.
    latency: Histogram<u64>,
    last: Option<MediaTime>,
    stats: RemoteStats,
    /// At the last line of the table.
    before: (Instant, u64, u64),
}

#[derive(Debug, Default)]
struct Audio {
    decoded: u64,
    on_time: u64,
    first: Option<MediaTime>,
    last: Option<MediaTime>,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Who watches.
    pub viewer: String,
    /// Who is watched.
    pub publisher: String,
    /// The track that is watched.
    pub track: String,
    /// Pictures decoded.
    pub pictures: u64,
    /// Pictures a second.
    pub fps: f64,
    /// Of the encoded pictures.
    pub kbps: f64,
    /// Pictures that did not come, came late, or were dropped or undecodable.
    pub lost: u64,
    /// Capture to decode, milliseconds: the median.
    pub p50_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// Audio packets decoded.
    pub audio_packets: u64,
    /// Share of the sound that was decoded within 200 ms of its capture, percent.
    pub audio_on_time: f64,
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds and the precision are valid")
}

impl Figures {
    /// Nothing seen or heard.
    pub fn new(viewer: &str, publisher: &str) -> Self {
        Self {
            viewer: viewer.to_owned(),
            publisher: publisher.to_owned(),
            video: None,
            audio: None,
        }
    }

    /// A subscription to pictures begins.
    pub fn watch(&mut self, track: &str) {
        let now = Instant::now();
        self.video = Some(Video {
            track: track.to_owned(),
            started: now,
            pictures: 0,
            bytes: 0,
            latency: histogram(),
            last: None,
            stats: RemoteStats::default(),
            before: (now, 0, 0),
        });
    }

    /// Whether pictures of that track are counted, or will be after those of another one.
    pub fn watches(&self, track: &str) -> bool {
        self.video
            .as_ref()
            .is_some_and(|video| video.track == track)
    }

    /// Counts a decoded picture.
    pub fn saw(&mut self, picture: &DecodedVideo, stats: RemoteStats) {
        let Some(video) = &mut self.video else {
            return;
        };
        if video.last.is_none() {
            // Rates count from the first picture on.
            video.started = Instant::now();
            video.before.0 = video.started;
        }
        video.pictures += 1;
        video.bytes += picture.bytes as u64;
        video.stats = stats;
        let captured = picture.frame.time();
        video.last = Some(captured);
        let latency = picture.decoded.saturating_since(captured).as_micros();
        video
            .latency
            .saturating_record(u64::try_from(latency).unwrap_or(u64::MAX).max(1));
    }

    /// Counts a decoded frame of sound.
    pub fn heard(&mut self, sound: &DecodedAudio) {
        let audio = self.audio.get_or_insert_default();
        let captured = sound.frame.time();
        // What the decoder made up for a lost packet is not what was said.
        if sound.arrived.is_none() {
            return;
        }
        audio.first.get_or_insert(captured);
        audio.last = Some(captured);
        audio.decoded += 1;
        let latency = sound.decoded.saturating_since(captured);
        if latency <= ON_TIME {
            audio.on_time += 1;
        }
    }

    /// The figures of the whole time; with `recent` the rates are those since the last call.
    pub fn row(&mut self, recent: bool) -> Row {
        let now = Instant::now();
        let mut row = Row {
            viewer: self.viewer.clone(),
            publisher: self.publisher.clone(),
            track: String::new(),
            pictures: 0,
            fps: 0.0,
            kbps: 0.0,
            lost: 0,
            p50_ms: 0.0,
            p99_ms: 0.0,
            max_ms: 0.0,
            audio_packets: 0,
            audio_on_time: 0.0,
        };
        if let Some(video) = &mut self.video {
            let (since, pictures, bytes) = if recent {
                video.before
            } else {
                (video.started, 0, 0)
            };
            let seconds = now.duration_since(since).as_secs_f64().max(0.001);
            row.track.clone_from(&video.track);
            row.pictures = video.pictures;
            row.fps = (video.pictures - pictures) as f64 / seconds;
            row.kbps = (video.bytes - bytes) as f64 * 8.0 / 1000.0 / seconds;
            let RemoteStats {
                missing,
                late,
                skipped,
                undecodable,
                malformed,
                ..
            } = video.stats;
            row.lost = missing + late + skipped + undecodable + malformed;
            let ms = |micros: u64| micros as f64 / 1000.0;
            row.p50_ms = ms(video.latency.value_at_quantile(0.5));
            row.p99_ms = ms(video.latency.value_at_quantile(0.99));
            row.max_ms = ms(video.latency.max());
            if recent {
                video.before = (now, video.pictures, video.bytes);
            }
        }
        if let Some(audio) = &self.audio {
            let expected = audio.expected();
            row.audio_packets = audio.decoded;
            row.audio_on_time = 100.0 * audio.on_time as f64 / expected.max(1) as f64;
        }
        row
    }

    /// All latencies of pictures, for a total.
    pub fn add_latencies(&self, total: &mut Histogram<u64>) {
        if let Some(video) = &self.video {
            // Both have the same bounds.
            let _ = total.add(&video.latency);
        }
    }
}

impl Audio {
    /// Packets of 20 ms from the first to the last.
    fn expected(&self) -> u64 {
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return 0;
        };
        let span = last.saturating_since(first).as_millis() as u64;
        (span / 20 + 1).max(self.decoded)
    }
}

/// Median and 99th percentile of all pictures of all participants, milliseconds.
pub fn total(figures: &[&Figures]) -> (f64, f64) {
    let mut total = histogram();
    for each in figures {
        each.add_latencies(&mut total);
    }
    let ms = |quantile| total.value_at_quantile(quantile) as f64 / 1000.0;
    (ms(0.5), ms(0.99))
}
