//! The clips of `scripts/make-clips.sh`, or generated content in their place.

#![allow(dead_code)]

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use parvis_codec::{AudioFrame, Channels, SAMPLES_PER_FRAME, TestPattern, VideoFrame, test_tone};
use parvis_format::{MediaTime, wav, y4m};

/// Frames of 30 a second, or those of the test pattern where the clip is absent.
pub fn video(name: &str, count: usize) -> Vec<VideoFrame> {
    let Ok(file) = File::open(folder().join(name).with_extension("y4m")) else {
        return pattern(640, 360, count);
    };
    let mut reader = y4m::Reader::new(BufReader::new(file)).expect("make-clips.sh writes y4m");
    let (width, height) = (reader.width(), reader.height());
    (0..count)
        .map(|index| {
            let picture = reader
                .read()
                .expect("the clip is whole")
                .expect("it is long enough");
            VideoFrame::from_i420(width, height, picture.data, time_of(index))
                .expect("the reader gives packed planes")
        })
        .collect()
}

/// Numbered frames of 30 a second.
pub fn pattern(width: u32, height: u32, count: usize) -> Vec<VideoFrame> {
    let pattern = TestPattern::new(width, height);
    (0..count)
        .map(|index| pattern.frame(index as u32, time_of(index)))
        .collect()
}

/// Media time of a frame, 30 a second, from an origin that is not zero.
pub fn time_of(index: usize) -> MediaTime {
    MediaTime::from_micros(5_000_000 + signed(index) * 1_000_000 / 30)
}

/// Frames of 20 ms of real speech, mono, or of the test tone where it is absent.
pub fn speech(count: usize) -> Vec<AudioFrame> {
    let mut samples = Vec::new();
    let mut prompts: Vec<_> = std::fs::read_dir(folder().join("fr"))
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .collect()
        })
        .unwrap_or_default();
    prompts.sort();
    for prompt in prompts {
        if samples.len() >= count * SAMPLES_PER_FRAME {
            break;
        }
        let file = BufReader::new(File::open(&prompt).expect("it was listed"));
        let mut reader = wav::Reader::new(file).expect("make-clips.sh writes wav");
        assert_eq!(reader.channels(), 1);
        let mut prompt = Vec::new();
        while reader
            .read(SAMPLES_PER_FRAME, &mut prompt)
            .expect("the prompt is whole")
            > 0
        {}
        // Some prompts are recorded silence.
        let energy: f32 = prompt.iter().map(|sample| sample * sample).sum();
        if energy > 0.001 * prompt.len() as f32 {
            samples.extend(prompt);
        }
    }
    if samples.len() < count * SAMPLES_PER_FRAME {
        return tone(count, Channels::Mono);
    }
    samples
        .chunks_exact(SAMPLES_PER_FRAME)
        .take(count)
        .enumerate()
        .map(|(index, chunk)| {
            AudioFrame::new(audio_time(index), Channels::Mono, chunk).expect("mono always divides")
        })
        .collect()
}

/// Frames of 20 ms of the test tone.
pub fn tone(count: usize, channels: Channels) -> Vec<AudioFrame> {
    (0..count)
        .map(|index| test_tone(index as u64, channels, audio_time(index)))
        .collect()
}

/// Media time of a frame of 20 ms.
pub fn audio_time(index: usize) -> MediaTime {
    MediaTime::from_millis(7_000 + signed(index) * 20)
}

/// A number of a frame, for sums with media time.
pub fn signed(index: usize) -> i64 {
    i64::try_from(index).expect("clips are short")
}

/// Small repeatable randomness (splitmix64).
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// A damaged copy: flipped bits, a hole of zeros, a cut, a part repeated, or noise.
    pub fn damaged(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let (length, start) = (bytes.len(), self.below(bytes.len()));
        match self.below(5) {
            0 => {
                for _ in 0..=self.below(8) {
                    let (at, bit) = (self.below(length), self.below(8));
                    bytes[at] ^= 1 << bit;
                }
            }
            1 => {
                let end = (start + 1 + self.below(16)).min(length);
                bytes[start..end].fill(0);
            }
            2 => bytes.truncate(start),
            3 => {
                let part = bytes[start..].to_vec();
                bytes.splice(start..start, part);
            }
            _ => bytes[start..].fill_with(|| self.next() as u8),
        }
        bytes
    }
}

fn folder() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from);
    from("PARVIS_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|cache| cache.join("parvis")))
        .or_else(|| from("HOME").map(|home| home.join(".cache/parvis")))
        .unwrap_or_default()
        .join("clips")
}
