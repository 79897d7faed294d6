//! Units of rate.

use std::fmt;
use std::time::Duration;

/// Bits a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bitrate(u32);

impl Bitrate {
    /// A rate in bits a second.
    pub const fn bps(bits_per_second: u32) -> Self {
        Self(bits_per_second)
    }

    /// A rate in kilobits (1000 bits) a second.
    pub const fn kbps(kilobits_per_second: u32) -> Self {
        Self(kilobits_per_second.saturating_mul(1000))
    }

    /// The rate of a camera picture of this size at 30 frames a second: 130 kbit/s at 320x180,
    /// 400 at 640x360, 1.2 Mbit/s at 1280x720. Larger pictures need fewer bits a pixel.
    pub fn suited_to(width: u32, height: u32) -> Self {
        let of_360p = f64::from(width) * f64::from(height) / (640.0 * 360.0);
        Self::bps((400_000.0 * of_360p.powf(0.8)) as u32).max(Self::kbps(30))
    }

    /// Bits a second.
    pub const fn as_bps(self) -> u32 {
        self.0
    }

    /// Kilobits a second, rounded down, at least 1: encoders take no zero.
    pub const fn as_kbps(self) -> u32 {
        let kilobits = self.0 / 1000;
        if kilobits == 0 { 1 } else { kilobits }
    }
}

impl fmt::Display for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kbit/s", self.0 / 1000)
    }
}

/// Frames a second, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameRate {
    frames: u32,
    seconds: u32,
}

impl FrameRate {
    /// `frames` in `seconds` (30000 in 1001 for NTSC); a zero counts as one.
    pub const fn new(frames: u32, seconds: u32) -> Self {
        Self {
            frames: if frames == 0 { 1 } else { frames },
            seconds: if seconds == 0 { 1 } else { seconds },
        }
    }

    /// A whole number of frames a second.
    pub const fn whole(frames_per_second: u32) -> Self {
        Self::new(frames_per_second, 1)
    }

    /// The numerator.
    pub const fn frames(self) -> u32 {
        self.frames
    }

    /// The denominator.
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    /// How long one frame is shown.
    pub fn frame_duration(self) -> Duration {
        Duration::from_micros(1_000_000 * u64::from(self.seconds) / u64::from(self.frames))
    }
}

#[cfg(test)]
mod tests;
