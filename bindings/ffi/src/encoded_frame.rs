use parvis::format::EncodedFrame as Frame;

use crate::numbers::signed;

/// A frame of video as it was encoded, in the library's memory.
#[derive(uniffi::Object)]
pub struct EncodedFrame {
    frame: Frame,
}

/// Where an encoded frame lies. The address holds while its [`EncodedFrame`] lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct EncodedLayout {
    /// The first byte of the bitstream.
    pub address: i64,
    /// How many bytes there are.
    pub length: i32,
    /// When it was captured, by the publisher's wall clock, microseconds since 1970.
    pub timestamp_us: i64,
    /// Whether it needs no earlier frame.
    pub key: bool,
    /// Its temporal layer, 0 the base.
    pub temporal_id: i32,
}

#[uniffi::export]
impl EncodedFrame {
    /// Where the bitstream lies, and what it is.
    pub fn layout(&self) -> EncodedLayout {
        EncodedLayout {
            address: signed(self.frame.payload.as_ptr() as u64),
            length: i32::try_from(self.frame.payload.len()).unwrap_or(i32::MAX),
            timestamp_us: self.frame.time.as_micros(),
            key: self.frame.key,
            temporal_id: self.frame.temporal_id.into(),
        }
    }

    /// A copy of the bitstream; for tests and tools, since it crosses by value.
    pub fn copy(&self) -> Vec<u8> {
        self.frame.payload.to_vec()
    }
}

impl From<Frame> for EncodedFrame {
    fn from(frame: Frame) -> Self {
        Self { frame }
    }
}
