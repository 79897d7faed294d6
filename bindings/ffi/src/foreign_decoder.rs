use std::sync::Arc;

use parvis::{
    codec::{self, CodecOutput, DecodeError, OpenError, VideoDecoderConfig},
    format::{EncodedFrame as Frame, VideoParams},
};

use crate::{
    EncodedFrame, ErrorKind, ParvisError, PictureSink, VideoDecoder, VideoDecoderFactory, jvm,
};

/// The app's factory, as the SDK sees it.
pub(crate) struct ForeignDecoders(pub Arc<dyn VideoDecoderFactory>);

/// The app's decoder, as the SDK sees it.
struct ForeignDecoder {
    decoder: Arc<dyn VideoDecoder>,
    caps: codec::VideoDecoderCaps,
    needs_key_frame: bool,
}

impl codec::VideoDecoderFactory for ForeignDecoders {
    fn create(
        &self,
        stream: &VideoParams,
        config: &VideoDecoderConfig,
        output: CodecOutput<codec::VideoFrame, DecodeError>,
    ) -> Result<Option<Box<dyn codec::VideoDecoder>>, OpenError> {
        let sink = Arc::new(PictureSink::new(output, config.max_pixels));
        let created = self.0.create(stream.clone().into(), sink);
        let Some(decoder) = created.map_err(not_opened)? else {
            return Ok(None);
        };
        let caps = match decoder.caps() {
            Ok(caps) => caps,
            Err(error) => {
                // What went wrong first is what is told.
                let _ = decoder.release();
                return Err(not_opened(error));
            }
        };
        let caps = codec::VideoDecoderCaps {
            name: caps.name.into(),
            codec: stream.codec.clone().into(),
            delay_frames: u32::try_from(caps.delay_frames).unwrap_or_default(),
        };
        Ok(Some(Box::new(ForeignDecoder {
            decoder,
            caps,
            needs_key_frame: true,
        })))
    }
}

impl codec::VideoDecoder for ForeignDecoder {
    fn caps(&self) -> &codec::VideoDecoderCaps {
        &self.caps
    }

    fn decode(&mut self, packet: &Frame) -> Result<Vec<codec::VideoFrame>, DecodeError> {
        if self.needs_key_frame && !packet.key {
            return Err(DecodeError::NeedsKeyFrame);
        }
        jvm::attach();
        let decoded = self
            .decoder
            .decode(Arc::new(EncodedFrame::from(packet.clone())));
        self.needs_key_frame = decoded.is_err();
        match decoded {
            Ok(()) => Ok(Vec::new()),
            Err(error) if error.kind() == ErrorKind::BadFrame => {
                Err(DecodeError::Corrupt(error.to_string()))
            }
            Err(error) => Err(DecodeError::Library {
                codec: self.caps.name.clone(),
                reason: error.to_string(),
            }),
        }
    }

    fn needs_key_frame(&self) -> bool {
        self.needs_key_frame
    }

    fn reset(&mut self) {
        jvm::attach();
        self.needs_key_frame = true;
        if let Err(error) = self.decoder.reset() {
            tracing::warn!(decoder = %self.caps.name, %error, "a decoder was not reset");
        }
    }

    fn flush(&mut self) -> Result<Vec<codec::VideoFrame>, DecodeError> {
        jvm::attach();
        self.needs_key_frame = true;
        match self.decoder.flush() {
            Ok(()) => Ok(Vec::new()),
            Err(error) => Err(DecodeError::Library {
                codec: self.caps.name.clone(),
                reason: error.to_string(),
            }),
        }
    }
}

impl Drop for ForeignDecoder {
    fn drop(&mut self) {
        jvm::attach();
        if let Err(error) = self.decoder.release() {
            tracing::warn!(decoder = %self.caps.name, %error, "a decoder was not released");
        }
    }
}

fn not_opened(error: ParvisError) -> OpenError {
    OpenError::Library {
        codec: "the app's decoder".into(),
        reason: error.to_string(),
    }
}
