use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parvis_codec::{AudioFrame, SAMPLE_RATE, SAMPLES_PER_FRAME, VideoFrame};
use parvis_format::{EncodedFrame, MediaTime};

use super::{AudioInput, EncodedFile, VideoInput};
use crate::{LocalEncoded, SourceError, clock};

/// What the players of one source share: when it began, and whether it is to stop.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    start: Instant,
    looped: bool,
    stop: Arc<AtomicBool>,
}

/// How long a wait goes on before it looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(50);

/// A picture that is this much behind its time is left out.
const BEHIND: Duration = Duration::from_millis(100);

impl Pace {
    pub(super) fn new(looped: bool, stop: Arc<AtomicBool>) -> Self {
        Self {
            start: Instant::now(),
            looped,
            stop,
        }
    }

    /// Waits until that long after the start; false: it is to stop.
    fn wait(&self, after: Duration, closed: impl Fn() -> bool) -> bool {
        loop {
            if self.stop.load(Ordering::Acquire) || closed() {
                return false;
            }
            let left = (self.start + after).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(SLICE));
        }
    }

    fn is_behind(&self, after: Duration) -> bool {
        self.start.elapsed() > after + BEHIND
    }

    /// The wall clock at that long after the start.
    fn time(&self, after: Duration) -> MediaTime {
        clock::at(self.start) + after
    }
}

/// Plays pictures, in their time.
pub(super) fn pictures(
    mut input: VideoInput,
    push: impl Fn(&VideoFrame),
    closed: impl Fn() -> bool,
    pace: &Pace,
) -> Result<(), SourceError> {
    let rate = input.rate;
    let due = |number: u64| {
        let micros = number * 1_000_000 * u64::from(rate.seconds()) / u64::from(rate.frames());
        Duration::from_micros(micros)
    };
    for number in 0.. {
        // Read before its time has come, as a camera has it ready.
        let picture = match input.pictures.next()? {
            Some(picture) => picture,
            None if pace.looped && number > 0 => {
                input.pictures.rewind()?;
                match input.pictures.next()? {
                    Some(picture) => picture,
                    None => break,
                }
            }
            None => break,
        };
        let due = due(number);
        if !pace.wait(due, &closed) {
            break;
        }
        if !pace.is_behind(due) {
            push(&picture.at(pace.time(due)));
        }
    }
    Ok(())
}

/// Plays sound, in its time.
pub(super) fn sound(
    mut input: AudioInput,
    push: impl Fn(&AudioFrame),
    closed: impl Fn() -> bool,
    pace: &Pace,
) -> Result<(), SourceError> {
    let length = Duration::from_secs(SAMPLES_PER_FRAME as u64) / SAMPLE_RATE;
    let mut captured = Duration::ZERO;
    loop {
        let samples = match input.sound.next()? {
            Some(samples) => samples,
            None if pace.looped && !captured.is_zero() => {
                input.sound.rewind()?;
                match input.sound.next()? {
                    Some(samples) => samples,
                    None => return Ok(()),
                }
            }
            None => return Ok(()),
        };
        // A microphone gives a frame when its last sample is there.
        if !pace.wait(captured + length, &closed) {
            return Ok(());
        }
        let time = pace.time(captured);
        if let Ok(frame) = AudioFrame::new(time, input.channels, samples) {
            push(&frame);
        }
        captured += length;
    }
}

/// Plays an encoded file into its tracks.
pub(super) fn encoded(
    mut file: EncodedFile,
    tracks: &[Arc<LocalEncoded>],
    pace: &Pace,
) -> Result<(), SourceError> {
    let mut round = Duration::ZERO;
    loop {
        let mut end = Duration::ZERO;
        while let Some((track, frame)) = file.read()? {
            let after = frame.time.saturating_since(MediaTime::ZERO);
            end = end.max(after + frame.duration.unwrap_or_default());
            if !pace.wait(round + after, || {
                tracks.iter().any(|track| track.is_closed())
            }) {
                return Ok(());
            }
            if let Some(local) = tracks.get(track) {
                local.push(EncodedFrame {
                    time: pace.time(round + after),
                    ..frame
                });
            }
        }
        if !pace.looped || end.is_zero() {
            return Ok(());
        }
        round += end;
        file.rewind();
    }
}
