use parvis::{
    DecodedVideo,
    codec::{Plane, VideoFrame as Picture},
    format::MediaTime,
};

use crate::numbers::signed;

/// A picture that was received: I420 in the library's memory.
#[derive(uniffi::Object)]
pub struct VideoFrame {
    picture: Picture,
    arrived: Option<MediaTime>,
}

/// Where a picture lies. The addresses hold while its [`VideoFrame`] lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct VideoLayout {
    /// Pixels across.
    pub width: i32,
    /// Pixels down.
    pub height: i32,
    /// When it was captured, by the publisher's wall clock, microseconds since 1970.
    pub timestamp_us: i64,
    /// When it had come whole, by this machine's wall clock, microseconds since 1970; none: it is one's own.
    pub arrived_us: Option<i64>,
    /// The luma plane.
    pub y: i64,
    /// The blue difference plane, half as wide and high, rounded up.
    pub u: i64,
    /// The red difference plane.
    pub v: i64,
    /// Bytes from one row of the luma plane to the next.
    pub y_stride: i32,
    /// Bytes from one row of a chroma plane to the next.
    pub uv_stride: i32,
}

#[uniffi::export]
impl VideoFrame {
    /// Where the planes lie, and when it was captured.
    pub fn layout(&self) -> VideoLayout {
        let address = |plane| signed(self.picture.plane(plane).as_ptr() as u64);
        let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        VideoLayout {
            width: number(self.picture.width() as usize),
            height: number(self.picture.height() as usize),
            timestamp_us: self.picture.time().as_micros(),
            arrived_us: self.arrived.map(MediaTime::as_micros),
            y: address(Plane::Y),
            u: address(Plane::U),
            v: address(Plane::V),
            y_stride: number(self.picture.stride(Plane::Y)),
            uv_stride: number(self.picture.stride(Plane::U)),
        }
    }

    /// A tightly packed copy, Y then U then V; for tests and tools, since it crosses by value.
    pub fn copy(&self) -> Vec<u8> {
        self.picture.to_i420().to_vec()
    }
}

impl VideoFrame {
    pub(crate) const fn of(picture: Picture) -> Self {
        Self {
            picture,
            arrived: None,
        }
    }
}

impl From<DecodedVideo> for VideoFrame {
    fn from(decoded: DecodedVideo) -> Self {
        Self {
            picture: decoded.frame,
            arrived: Some(decoded.arrived),
        }
    }
}
