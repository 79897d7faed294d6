use std::{ops::Range, time::Duration};

use crate::{
    Call,
    publisher::{AUDIO_FRAME, VIDEO_FRAME},
};

/// A frame that is ready to decode this long after it was captured is in time.
pub const IN_TIME: Duration = Duration::from_millis(200);

/// A picture that is ready after this time is of no use to anybody.
const PICTURE_IN_TIME: Duration = Duration::from_secs(1);

/// What came of the frames of some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The share of frames in time, from 0 to 1.
    pub in_time: f64,
    /// The longest run of frames that were not.
    pub gap: Duration,
}

impl Score {
    /// Of the sound captured between two times after the first frame.
    pub fn of_sound(call: &Call, span: Range<Duration>) -> Self {
        Self::new(&Self::sound(call, span), AUDIO_FRAME)
    }

    /// Of the pictures captured between two times after the first frame.
    pub fn of_pictures(call: &Call, span: Range<Duration>) -> Self {
        Self::new(&Self::pictures(call, span), VIDEO_FRAME)
    }

    fn new(in_time: &[bool], frame: Duration) -> Self {
        let hits = in_time.iter().filter(|hit| **hit).count();
        let misses = in_time.split(|hit| *hit).map(<[bool]>::len).max();
        Self {
            in_time: hits as f64 / in_time.len().max(1) as f64,
            gap: frame * misses.unwrap_or(0) as u32,
        }
    }

    fn sound(call: &Call, span: Range<Duration>) -> Vec<bool> {
        let (sent, received) = (&call.publisher.sound, &call.subscriber.sound);
        hits(call, sent, received, IN_TIME, span)
    }

    fn pictures(call: &Call, span: Range<Duration>) -> Vec<bool> {
        let (sent, received) = (&call.publisher.pictures, &call.subscriber.pictures);
        hits(call, sent, received, PICTURE_IN_TIME, span)
    }

    /// How long after `from` a second of pictures begins of which nine tenths are there.
    pub fn pictures_back(call: &Call, from: Duration) -> Option<Duration> {
        let hits = Self::pictures(call, from..call.elapsed());
        let second = (1000 / VIDEO_FRAME.as_millis()) as usize;
        let back = hits
            .windows(second)
            .position(|window| window.iter().filter(|hit| **hit).count() * 10 >= second * 9)?;
        Some(VIDEO_FRAME * back as u32)
    }

    /// How long after `from` the first sound comes that was captured since and is in time.
    pub fn sound_back(call: &Call, from: Duration) -> Option<Duration> {
        let hits = Self::sound(call, from..call.elapsed());
        let back = hits.iter().position(|hit| *hit)?;
        let index = (from.as_micros().div_ceil(AUDIO_FRAME.as_micros()) as usize) + back;
        let arrival = call
            .subscriber
            .sound
            .iter()
            .find(|(frame, _)| *frame == index as u64)?
            .1;
        Some((arrival - call.start()).saturating_sub(from))
    }
}

/// Of each frame captured in the span, whether it came within `limit`.
fn hits(
    call: &Call,
    sent: &[std::time::Instant],
    received: &[(u64, std::time::Instant)],
    limit: Duration,
    span: Range<Duration>,
) -> Vec<bool> {
    let mut hits = vec![false; sent.len()];
    for (frame, arrival) in received {
        let frame = *frame as usize;
        hits[frame] = *arrival - sent[frame] <= limit;
    }
    let within = |at: &std::time::Instant| span.contains(&(*at - call.start()));
    sent.iter()
        .zip(hits)
        .filter(|(at, _)| within(at))
        .map(|(_, hit)| hit)
        .collect()
}
