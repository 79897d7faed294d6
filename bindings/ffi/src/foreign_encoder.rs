use std::sync::Arc;

use parvis::{
    codec::{
        self, Bitrate, CodecOutput, EncodeError, InputFormat, KeyFrame, OpenError,
        VideoEncoderConfig,
    },
    format::EncodedFrame,
};

use crate::{EncodedSink, ParvisError, VideoEncoder, VideoEncoderFactory, VideoFrame, jvm};

/// The app's factory, as the SDK sees it.
pub(crate) struct ForeignEncoders(pub Arc<dyn VideoEncoderFactory>);

/// The app's encoder, as the SDK sees it.
struct ForeignEncoder {
    encoder: Arc<dyn VideoEncoder>,
    caps: codec::VideoEncoderCaps,
}

impl codec::VideoEncoderFactory for ForeignEncoders {
    fn create(
        &self,
        config: &VideoEncoderConfig,
        output: CodecOutput<EncodedFrame, EncodeError>,
    ) -> Result<Option<Box<dyn codec::VideoEncoder>>, OpenError> {
        let sink = Arc::new(EncodedSink::new(output));
        let created = self.0.create(config.into(), sink);
        let Some(encoder) = created.map_err(not_opened)? else {
            return Ok(None);
        };
        let caps = match encoder.caps() {
            Ok(caps) => caps,
            Err(error) => {
                // What went wrong first is what is told.
                let _ = encoder.release();
                return Err(not_opened(error));
            }
        };
        let caps = codec::VideoEncoderCaps {
            name: caps.name.into(),
            codec: caps.codec.into(),
            input: &[InputFormat::I420],
            delay_frames: u32::try_from(caps.delay_frames).unwrap_or_default(),
            live_bitrate: caps.live_bitrate,
            forced_key: caps.forced_key,
            temporal_layers: u8::try_from(caps.temporal_layers).unwrap_or(1),
            spatial_layers: 1,
            screen_content: false,
        };
        Ok(Some(Box::new(ForeignEncoder { encoder, caps })))
    }
}

impl ForeignEncoder {
    fn failed(&self, error: &ParvisError) -> EncodeError {
        EncodeError::Library {
            codec: self.caps.name.clone(),
            reason: error.to_string(),
        }
    }
}

impl codec::VideoEncoder for ForeignEncoder {
    fn caps(&self) -> &codec::VideoEncoderCaps {
        &self.caps
    }

    fn encode(
        &mut self,
        frame: &codec::VideoFrame,
        key: KeyFrame,
    ) -> Result<Vec<EncodedFrame>, EncodeError> {
        jvm::attach();
        let frame = Arc::new(VideoFrame::of(frame.clone()));
        let encoded = self.encoder.encode(frame, key == KeyFrame::Forced);
        encoded.map_err(|error| self.failed(&error))?;
        Ok(Vec::new())
    }

    fn set_bitrate(&mut self, per_layer: &[Bitrate]) -> Result<(), EncodeError> {
        jvm::attach();
        let Some(bitrate) = per_layer.first() else {
            return Ok(());
        };
        let bitrate = i32::try_from(bitrate.as_bps()).unwrap_or(i32::MAX);
        let set = self.encoder.set_bitrate(bitrate);
        set.map_err(|error| self.failed(&error))
    }

    fn flush(&mut self) -> Result<Vec<EncodedFrame>, EncodeError> {
        jvm::attach();
        let flushed = self.encoder.flush();
        flushed.map_err(|error| self.failed(&error))?;
        Ok(Vec::new())
    }
}

impl Drop for ForeignEncoder {
    fn drop(&mut self) {
        jvm::attach();
        if let Err(error) = self.encoder.release() {
            tracing::warn!(encoder = %self.caps.name, %error, "an encoder was not released");
        }
    }
}

fn not_opened(error: ParvisError) -> OpenError {
    OpenError::Library {
        codec: "the app's encoder".into(),
        reason: error.to_string(),
    }
}
