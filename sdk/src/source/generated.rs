use parvis_codec::{Channels, FrameRate, TestPattern, VideoFrame, test_tone};
use parvis_format::MediaTime;

use super::{AudioInput, MediaSource, Pictures, Sound, VideoInput};
use crate::SourceError;

/// Sizes outside of that make no sense.
const SIDES: std::ops::RangeInclusive<u32> = 2..=4096;

/// Opens the generator that `text` describes: nothing, or `WIDTHxHEIGHT@FPS` with or without the
/// rate. It never ends.
pub(super) fn open(text: &str) -> Option<MediaSource> {
    let (width, height, rate) = parse(text)?;
    let pictures = Box::new(Pattern {
        pattern: TestPattern::new(width, height),
        number: 0,
    });
    Some(MediaSource {
        video: Some(VideoInput {
            width,
            height,
            rate,
            pictures,
        }),
        audio: Some(AudioInput {
            channels: Channels::Mono,
            sound: Box::new(Tone { number: 0 }),
        }),
        encoded: None,
    })
}

fn parse(text: &str) -> Option<(u32, u32, FrameRate)> {
    if text.is_empty() {
        return Some((640, 360, FrameRate::whole(30)));
    }
    let (size, rate) = text.split_once('@').unwrap_or((text, "30"));
    let (width, height) = size.split_once('x')?;
    let side = |text: &str| {
        text.parse()
            .ok()
            .filter(|side: &u32| SIDES.contains(side) && side.is_multiple_of(2))
    };
    let rate = rate.parse().ok().filter(|rate| (1..=120).contains(rate))?;
    Some((side(width)?, side(height)?, FrameRate::whole(rate)))
}

struct Pattern {
    pattern: TestPattern,
    number: u32,
}

impl Pictures for Pattern {
    fn next(&mut self) -> Result<Option<VideoFrame>, SourceError> {
        let picture = self.pattern.frame(self.number, MediaTime::ZERO);
        self.number = self.number.wrapping_add(1);
        Ok(Some(picture))
    }

    fn rewind(&mut self) -> Result<(), SourceError> {
        self.number = 0;
        Ok(())
    }
}

struct Tone {
    number: u64,
}

impl Sound for Tone {
    fn next(&mut self) -> Result<Option<Vec<f32>>, SourceError> {
        let frame = test_tone(self.number, Channels::Mono, MediaTime::ZERO);
        self.number += 1;
        Ok(Some(frame.samples().to_vec()))
    }

    fn rewind(&mut self) -> Result<(), SourceError> {
        self.number = 0;
        Ok(())
    }
}
