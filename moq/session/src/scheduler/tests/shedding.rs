use super::*;

/// A scheduler with audio, video and slides.
struct Meeting {
    h: Harness,
    keys: [RequestKey; 3],
    streams: [StreamId; 3],
    group: u64,
}

impl Meeting {
    fn new() -> Self {
        let mut h = Harness::new(SendLimits::default());
        let keys = [1, 9, 20].map(|priority| h.subscriber(priority));
        let streams = keys.map(|key| h.open(key, 0, 0, 0));
        let mut meeting = Self {
            h,
            keys,
            streams,
            group: 0,
        };
        meeting.run(1000, 50 * MS, 10_000);
        meeting
    }

    /// Runs for so many milliseconds; returns the bytes handed over of audio, video and slides.
    fn run(&mut self, millis: u32, rtt: Duration, video_rate: usize) -> [usize; 3] {
        let mut sent = [0; 3];
        for _ in 0..millis / 20 {
            self.h.now += 20 * MS;
            self.h.scheduler.expire(self.h.now);
            self.h.scheduler.measure(path(rtt), self.h.now);
            for (track, len) in [100, video_rate / 50, 20].into_iter().enumerate() {
                if self.h.write(self.streams[track], len).is_err() {
                    // What waited too long was dropped; the next group begins.
                    self.group += 1;
                    self.streams[track] = self.h.open(self.keys[track], self.group, 0, 0);
                }
            }
            for transmit in self.h.drain() {
                if let Transmit::Write { id, data } = transmit
                    && let Some(track) = self.streams.iter().position(|stream| *stream == id)
                {
                    sent[track] += data.len();
                }
            }
        }
        sent
    }
}

fn path(rtt: Duration) -> PathState {
    PathState {
        rtt,
        congestion_window: 100_000,
        ..PathState::default()
    }
}

#[test]
fn a_grown_round_trip_time_slows_down_the_less_important_half() {
    let mut meeting = Meeting::new();
    assert_eq!(
        meeting.run(1000, 129 * MS, 10_000),
        [5000, 10_000, 1000],
        "it grew too little"
    );
    // The queue is ours: it is gone after the pause.
    let [audio, video, slides] = meeting.run(200, 160 * MS, 10_000);
    assert_eq!((audio, video, slides), (1000, 0, 0));
    let [audio, video, slides] = meeting.run(1000, 60 * MS, 10_000);
    assert_eq!(audio, 5000);
    // About 0.7 of 11,000 bytes, and more as the rate grows.
    assert!(
        (7000..11_000).contains(&(video + slides)),
        "{video} + {slides}"
    );
}

#[test]
fn a_limit_goes_when_nothing_waits_for_it() {
    let mut meeting = Meeting::new();
    meeting.run(200, 160 * MS, 10_000);
    meeting.run(10_000, 60 * MS, 10_000);
    assert_eq!(meeting.h.scheduler.queued(), 0);
    // Now it takes the direct way again.
    let video = meeting.streams[1];
    meeting.h.write(video, 1_000_000).expect("it takes data");
    assert_eq!(meeting.h.scheduler.queued(), 0);
}

#[test]
fn each_reaction_leaves_less_until_the_queue_is_gone() {
    let mut meeting = Meeting::new();
    // A path that carries half: the round-trip time stays high for a while.
    meeting.run(1500, 200 * MS, 10_000);
    let [audio, video, slides] = meeting.run(500, 60 * MS, 10_000);
    assert_eq!(audio, 2500);
    assert!(
        (video + slides) * 2 < 11_000 / 2 + 3000,
        "{video} + {slides}"
    );
}

#[test]
fn a_round_trip_time_that_stays_grown_is_how_the_path_is() {
    let mut meeting = Meeting::new();
    meeting.run(10_000, 200 * MS, 10_000);
    let [audio, video, slides] = meeting.run(1000, 200 * MS, 10_000);
    assert_eq!((audio, video, slides), (5000, 10_000, 1000));
}

#[test]
fn one_priority_alone_is_never_slowed_down() {
    let mut h = Harness::new(SendLimits::default());
    let key = h.subscriber(9);
    let stream = h.open(key, 0, 0, 0);
    h.drain();
    for tick in 0..500 {
        h.now += 20 * MS;
        h.scheduler
            .measure(path(if tick < 50 { 50 * MS } else { 500 * MS }), h.now);
        h.write(stream, 1000).expect("it takes data");
        assert_eq!(h.written(), [stream]);
    }
    assert_eq!(h.scheduler.poll_timeout(), None);
}
