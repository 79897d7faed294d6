use bytes::Bytes;
use parvis::{
    codec::{CodecOutput, DecodeError, EncodeError, VideoFrame as Picture},
    format::{EncodedFrame as Frame, MediaTime},
};

use crate::{
    ErrorKind, ParvisError,
    picture::{Geometry, Planes},
};

/// Where the app's own encoder puts its packets, from any thread. What comes after the encoder was
/// released is thrown away.
#[derive(uniffi::Object)]
pub struct EncodedSink {
    output: CodecOutput<Frame, EncodeError>,
}

/// Where the app's own decoder puts its pictures, from any thread. What comes after the decoder was
/// released is thrown away.
#[derive(uniffi::Object)]
pub struct PictureSink {
    output: CodecOutput<Picture, DecodeError>,
    max_pixels: u64,
}

#[uniffi::export]
impl EncodedSink {
    /// Puts a packet, each in its order; never waits. It is copied once.
    ///
    /// timestamp_us: of its picture. key: whether it needs no earlier packet. temporal_id: its temporal
    /// layer, 0 the base.
    pub fn push(
        &self,
        payload: &[u8],
        timestamp_us: i64,
        key: bool,
        temporal_id: i32,
    ) -> Result<(), ParvisError> {
        self.output
            .push(encoded(payload, timestamp_us, key, temporal_id)?);
        Ok(())
    }

    /// Says that the encoder is of no use any more, and why: the built-in one takes its place.
    pub fn fail(&self, reason: String) {
        self.output.fail(EncodeError::Library {
            codec: "the app's encoder".into(),
            reason,
        });
    }
}

#[uniffi::export]
impl PictureSink {
    /// Puts a picture, each in its order; never waits. It is copied once.
    ///
    /// As [`Camera::push_i420`](crate::Camera::push_i420) has it. timestamp_us: of its frame.
    #[expect(
        clippy::too_many_arguments,
        reason = "a record would be copied at each call"
    )]
    pub fn push_i420(
        &self,
        y: &[u8],
        u: &[u8],
        v: &[u8],
        width: i32,
        height: i32,
        y_stride: i32,
        uv_stride: i32,
        uv_pixel_stride: i32,
        rotation: i32,
        timestamp_us: i64,
    ) -> Result<(), ParvisError> {
        let strides = (y_stride, uv_stride, uv_pixel_stride);
        let geometry = Geometry::new((width, height), strides, rotation)?;
        geometry.expect_pixels(self.max_pixels)?;
        let time = MediaTime::from_micros(timestamp_us);
        self.output.push(geometry.copy(Planes { y, u, v }, time)?);
        Ok(())
    }

    /// Says that the decoder is of no use any more, and why: the built-in one takes its place where it
    /// can.
    pub fn fail(&self, reason: String) {
        self.output.fail(DecodeError::Library {
            codec: "the app's decoder".into(),
            reason,
        });
    }
}

impl EncodedSink {
    pub(crate) const fn new(output: CodecOutput<Frame, EncodeError>) -> Self {
        Self { output }
    }
}

impl PictureSink {
    pub(crate) fn new(output: CodecOutput<Picture, DecodeError>, max_pixels: u32) -> Self {
        Self {
            output,
            max_pixels: max_pixels.into(),
        }
    }
}

/// A frame of video from what the app lends.
pub(crate) fn encoded(
    payload: &[u8],
    timestamp_us: i64,
    key: bool,
    temporal_id: i32,
) -> Result<Frame, ParvisError> {
    let bad = |rule: &str| Err(ParvisError::new(ErrorKind::BadFrame, rule));
    if payload.is_empty() {
        return bad("an encoded frame has at least one byte");
    }
    let Some(temporal_id) = u8::try_from(temporal_id).ok().filter(|id| *id <= 7) else {
        return bad("a temporal layer is 0 to 7");
    };
    let time = MediaTime::from_micros(timestamp_us);
    Ok(Frame {
        temporal_id,
        ..Frame::video(time, key, Bytes::copy_from_slice(payload))
    })
}
