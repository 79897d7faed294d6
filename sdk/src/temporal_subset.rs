//! Which temporal layers of a track make so many frames a second. Pure: time is that of the frames.

use std::{collections::VecDeque, time::Duration};

use parvis_format::{EncodedFrame, MediaTime};

/// Leaves out the upper temporal layers of a track that has more frames a second than are wanted.
/// A track without temporal layers stays whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct TemporalSubset {
    rate: Option<u32>,
    seen: VecDeque<(MediaTime, u8)>,
    /// The highest layer that goes through; `None`: all.
    limit: Option<u8>,
}

/// Over how long frames are counted.
const WINDOW: Duration = Duration::from_secs(2);
/// After so long the count says something.
const ENOUGH: Duration = Duration::from_millis(900);
const MOST: usize = 512;

impl TemporalSubset {
    /// frames_per_second: `None` lets all through.
    pub(crate) fn set_rate(&mut self, frames_per_second: Option<u32>) {
        self.rate = frames_per_second;
    }

    /// Whether a frame is to be decoded.
    pub(crate) fn admits(&mut self, frame: &EncodedFrame) -> bool {
        let (time, layer) = (frame.time, frame.temporal_id);
        self.note(time, layer);
        let wanted = self.rate.and_then(|rate| self.layers_for(rate, time));
        let raises = match (wanted, self.limit) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(wanted), Some(limit)) => wanted > limit,
        };
        // What an upper layer builds on may be missing until a key frame.
        if !raises || frame.key {
            self.limit = wanted;
        }
        frame.key || self.limit.is_none_or(|limit| layer <= limit)
    }

    fn note(&mut self, time: MediaTime, layer: u8) {
        while self.seen.len() >= MOST
            || self
                .seen
                .front()
                .is_some_and(|(first, _)| time.saturating_since(*first) > WINDOW || *first > time)
        {
            self.seen.pop_front();
        }
        self.seen.push_back((time, layer));
    }

    /// The highest layer with which there are not more frames than that; `None`: all of them.
    fn layers_for(&self, rate: u32, now: MediaTime) -> Option<u8> {
        let top = self.seen.iter().map(|(_, layer)| *layer).max().unwrap_or(0);
        let (first, _) = self.seen.front()?;
        let span = now.saturating_since(*first);
        if top == 0 || span < ENOUGH {
            return self.limit;
        }
        // A little more than asked for is nearer to it than half of it.
        let most = f64::from(rate) * 1.15 * span.as_secs_f64() + 1.0;
        let up_to = |limit: u8| {
            self.seen
                .iter()
                .filter(|(_, layer)| *layer <= limit)
                .count()
        };
        let limit = (0..=top).rev().find(|limit| up_to(*limit) as f64 <= most);
        let limit = limit.unwrap_or(0);
        (limit < top).then_some(limit)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// So many frames at 30 a second, a key frame every 60, in three temporal layers or in one; how
    /// many go through of the last 60.
    fn admitted(subset: &mut TemporalSubset, from: i64, frames: i64, layers: &[u8]) -> usize {
        let mut through = Vec::new();
        for n in from..from + frames {
            let time = MediaTime::from_micros(n * 33_333);
            let frame = EncodedFrame {
                temporal_id: layers[n as usize % layers.len()],
                ..EncodedFrame::video(time, n % 60 == 0, Bytes::new())
            };
            through.push(subset.admits(&frame));
        }
        let last = &through[through.len().saturating_sub(60)..];
        last.iter().filter(|through| **through).count()
    }

    const THREE: [u8; 4] = [0, 2, 1, 2];

    #[test]
    fn upper_layers_are_left_out_for_fewer_frames_a_second() {
        let mut subset = TemporalSubset::default();
        assert_eq!(admitted(&mut subset, 0, 120, &THREE), 60);
        subset.set_rate(Some(15));
        assert_eq!(admitted(&mut subset, 120, 120, &THREE), 30);
        subset.set_rate(Some(7));
        assert_eq!(admitted(&mut subset, 240, 120, &THREE), 15);
        // Never less than the base.
        subset.set_rate(Some(1));
        assert_eq!(admitted(&mut subset, 360, 120, &THREE), 15);
        subset.set_rate(None);
        assert_eq!(admitted(&mut subset, 480, 120, &THREE), 60);
    }

    #[test]
    fn upper_layers_come_back_at_a_key_frame() {
        let mut subset = TemporalSubset::default();
        subset.set_rate(Some(15));
        admitted(&mut subset, 0, 90, &THREE);
        subset.set_rate(None);
        // Frames 90 to 119 stay at half, from 120 on all come.
        assert_eq!(admitted(&mut subset, 90, 30, &THREE), 15);
        assert_eq!(admitted(&mut subset, 120, 30, &THREE), 30);
    }

    #[test]
    fn a_track_without_temporal_layers_stays_whole() {
        let mut subset = TemporalSubset::default();
        subset.set_rate(Some(5));
        assert_eq!(admitted(&mut subset, 0, 240, &[0]), 60);
    }
}
