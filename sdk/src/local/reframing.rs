use std::time::Duration;

use parvis_codec::{AudioFrame, Channels, SAMPLE_RATE, SAMPLES_PER_FRAME};
use parvis_format::MediaTime;

/// Makes frames of 20 ms, in the track's channels, of sound in pieces of any length. Pure.
#[derive(Debug)]
pub(crate) struct Reframing {
    channels: Channels,
    /// When the first sample that waits was captured.
    since: MediaTime,
    waiting: Vec<f32>,
}

/// A piece that comes so much beside its time does not go on from the one before; devices stamp theirs
/// with the delay of a thread's turn.
const BREAK: Duration = Duration::from_millis(60);

impl Reframing {
    pub(crate) const fn new(channels: Channels) -> Self {
        Self {
            channels,
            since: MediaTime::ZERO,
            waiting: Vec::new(),
        }
    }

    /// Takes a piece; returns the frames that are whole.
    pub(crate) fn push(&mut self, piece: &AudioFrame) -> Vec<AudioFrame> {
        let is_frame = piece.samples_per_channel() == SAMPLES_PER_FRAME;
        if self.waiting.is_empty() && is_frame && piece.channels() == self.channels {
            return vec![piece.clone()];
        }
        let goes_on = piece.time().signed_since(self.end()).unsigned_abs();
        if self.waiting.is_empty() || Duration::from_micros(goes_on) > BREAK {
            self.waiting.clear();
            self.since = piece.time();
        }
        match (piece.channels(), self.channels) {
            (Channels::Mono, Channels::Stereo) => {
                let both = piece.samples().iter().flat_map(|sample| [*sample; 2]);
                self.waiting.extend(both);
            }
            (Channels::Stereo, Channels::Mono) => {
                let mean = piece
                    .samples()
                    .chunks_exact(2)
                    .map(|s| f32::midpoint(s[0], s[1]));
                self.waiting.extend(mean);
            }
            _ => self.waiting.extend_from_slice(piece.samples()),
        }
        let length = SAMPLES_PER_FRAME * self.channels.count();
        let whole = self.waiting.len() / length * length;
        let mut frames = Vec::new();
        for samples in self.waiting[..whole].chunks_exact(length) {
            if let Ok(frame) = AudioFrame::new(self.since, self.channels, samples) {
                self.since += frame.duration();
                frames.push(frame);
            }
        }
        self.waiting.drain(..whole);
        frames
    }

    /// When the sample after those that wait was captured.
    fn end(&self) -> MediaTime {
        let samples = self.waiting.len() / self.channels.count();
        self.since + Duration::from_micros(1_000_000 * samples as u64 / u64::from(SAMPLE_RATE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(from: u32, samples: u32) -> AudioFrame {
        let time = MediaTime::from_micros(i64::from(from) * 1_000_000 / 48_000);
        let values: Vec<f32> = (from..from + samples).map(|n| n as f32).collect();
        AudioFrame::new(time, Channels::Mono, values).unwrap()
    }

    #[test]
    fn pieces_of_any_length_become_frames_of_20_ms() {
        let mut reframing = Reframing::new(Channels::Mono);
        assert_eq!(reframing.push(&piece(0, 480)), []);
        let [first] = &reframing.push(&piece(480, 512))[..] else {
            panic!("one frame");
        };
        assert_eq!(
            (first.time(), first.samples().len()),
            (MediaTime::ZERO, 960)
        );
        let [second, third] = &reframing.push(&piece(992, 2000))[..] else {
            panic!("two frames");
        };
        assert_eq!(second.time(), MediaTime::from_millis(20));
        assert_eq!((second.samples()[0], third.samples()[959]), (960.0, 2879.0));
    }

    #[test]
    fn a_frame_of_20_ms_goes_through_as_it_is() {
        let mut reframing = Reframing::new(Channels::Mono);
        let frame = piece(7, 960);
        assert_eq!(reframing.push(&frame), [frame]);
    }

    #[test]
    fn sound_after_a_pause_begins_a_frame_of_its_own() {
        let mut reframing = Reframing::new(Channels::Mono);
        assert_eq!(reframing.push(&piece(0, 480)), []);
        let frames = reframing.push(&piece(48_000, 960));
        assert_eq!(frames, [piece(48_000, 960)]);
    }

    #[test]
    fn a_piece_that_is_stamped_late_goes_on() {
        let mut reframing = Reframing::new(Channels::Mono);
        assert_eq!(reframing.push(&piece(0, 480)), []);
        // 40 ms after its time.
        let frames = reframing.push(&piece(480 + 1920, 480));
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].time(), MediaTime::ZERO);
    }

    #[test]
    fn channels_are_those_of_the_track() {
        let stereo = AudioFrame::new(MediaTime::ZERO, Channels::Stereo, vec![0.5; 1920]).unwrap();
        let mut reframing = Reframing::new(Channels::Mono);
        assert_eq!(reframing.push(&stereo)[0].samples(), [0.5; 960]);
        let mut reframing = Reframing::new(Channels::Stereo);
        assert_eq!(
            reframing.push(&piece(0, 960))[0].samples()[..4],
            [0.0, 0.0, 1.0, 1.0]
        );
    }
}
