//! Generated pictures and sound that a test can recognise after coding.

use std::f32::consts::TAU;

use bytes::{Bytes, BytesMut};
use parvis_format::MediaTime;

use crate::{AudioFrame, Channels, Plane, SAMPLE_RATE, SAMPLES_PER_FRAME, VideoFrame};

/// A moving picture that carries its frame number as a bar code along its upper edge.
///
/// The number survives lossy coding and scaling: a cell is 1/32 of the width, and the code takes a
/// tenth of the height. Pictures narrower than 96 or lower than 48 pixels are too small for it.
#[derive(Debug, Clone)]
pub struct TestPattern {
    width: u32,
    height: u32,
}

impl TestPattern {
    /// A pattern of this size; a zero counts as one.
    pub fn new(width: u32, height: u32) -> Self {
        Self {
            width: width.clamp(1, 8192),
            height: height.clamp(1, 8192),
        }
    }

    /// Draws one frame. The picture depends on the number alone, of which the lower 24 bits count.
    pub fn frame(&self, number: u32, time: MediaTime) -> VideoFrame {
        let mut data = BytesMut::new();
        for plane in Plane::ALL {
            let (columns, rows) = plane.size(self.width, self.height);
            for y in 0..rows {
                match plane {
                    Plane::Y => data.extend((0..columns).map(|x| self.luma(number, x, y))),
                    Plane::U => data.extend((0..columns).map(|x| chroma(number, x, columns))),
                    Plane::V => data.extend((0..columns).map(|_| chroma(number, y, rows))),
                }
            }
        }
        VideoFrame::from_i420(self.width, self.height, Bytes::from(data), time)
            .expect("the planes were drawn to this size")
    }

    /// Reads the number back, or nothing where the code is damaged or absent.
    pub fn read_number(frame: &VideoFrame) -> Option<u32> {
        let code_rows = code_height(frame.height() as usize);
        let row = frame.rows(Plane::Y).nth(code_rows / 2)?;
        let mut bits = 0_u32;
        for cell in 0..CELLS {
            let middle = (2 * cell + 1) * row.len() / (2 * CELLS);
            bits = bits << 1 | u32::from(*row.get(middle)? > 128);
        }
        let number = bits >> 8;
        (with_check(number) == bits).then_some(number)
    }

    fn luma(&self, number: u32, x: usize, y: usize) -> u8 {
        let (width, height) = (self.width as usize, self.height as usize);
        if y < code_height(height) {
            let cell = x * CELLS / width;
            let bit = with_check(number) >> (CELLS - 1 - cell) & 1;
            return if bit == 1 { 235 } else { 16 };
        }
        let step = number as usize;
        let side = (height / 4).max(1);
        let (left, top) = (
            triangle(step * 3, width.saturating_sub(side).max(1)),
            triangle(step * 2, height.saturating_sub(side).max(1)),
        );
        if (left..left + side).contains(&x) && (top..top + side).contains(&y) {
            let check = ((x - left) * 8 / side + (y - top) * 8 / side) % 2;
            return if check == 0 { 60 } else { 190 };
        }
        (64 + triangle(x + y + step, 128)) as u8
    }
}

/// A frame of 20 ms of a voice-like sound, continuous from one number to the next: a 220 Hz tone
/// with harmonics that swells four times a second.
pub fn test_tone(number: u64, channels: Channels, time: MediaTime) -> AudioFrame {
    let first = number * SAMPLES_PER_FRAME as u64;
    let samples: Vec<f32> = (first..first + SAMPLES_PER_FRAME as u64)
        .flat_map(|index| {
            // All frequencies are whole numbers, so a second is a period.
            let seconds = (index % u64::from(SAMPLE_RATE)) as f32 / SAMPLE_RATE as f32;
            let swell = 0.6 - 0.4 * (TAU * 4.0 * seconds).cos();
            let voice: f32 = [(220.0, 0.5), (440.0, 0.25), (660.0, 0.12), (1100.0, 0.06)]
                .into_iter()
                .map(|(frequency, level)| level * (TAU * frequency * seconds).sin())
                .sum();
            std::iter::repeat_n(0.7 * swell * voice, channels.count())
        })
        .collect();
    AudioFrame::new(time, channels, samples).expect("each sample was repeated for every channel")
}

fn chroma(number: u32, position: usize, length: usize) -> u8 {
    (88 + triangle(position * 160 / length.max(1) + number as usize, 80)) as u8
}

/// Goes up to `top` and down again, one a step.
fn triangle(step: usize, top: usize) -> usize {
    let phase = step % (2 * top);
    if phase < top { phase } else { 2 * top - phase }
}

fn with_check(number: u32) -> u32 {
    let number = number & 0x00ff_ffff;
    let check = number.wrapping_mul(0x9e37_79b1) >> 24 ^ 0xa5;
    number << 8 | check
}

fn code_height(height: usize) -> usize {
    (height / 10).max(4).min(height)
}

const CELLS: usize = 32;

#[cfg(test)]
mod tests;
