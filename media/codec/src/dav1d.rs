//! AV1 decoder over libdav1d.

mod settings;

use std::borrow::Cow;

use parvis_format::{EncodedFrame, MediaTime};

use crate::{
    DecodeError, OpenError, Plane, VideoDecoder, VideoDecoderCaps, VideoDecoderConfig, VideoFrame,
};

// Only to link the library that it builds, which the crate dav1d then finds.
#[cfg(feature = "dav1d-vendored")]
use libdav1d_sys as _;

/// No delay, 8-bit 4:2:0, every picture bounded in size.
pub(crate) struct Dav1dDecoder {
    decoder: ::dav1d::Decoder,
    max_pixels: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    AwaitsKeyFrame,
    HasReference,
}

impl Dav1dDecoder {
    pub(crate) fn open(config: &VideoDecoderConfig) -> Result<Self, OpenError> {
        let mut settings = settings::quiet_settings();
        settings.set_n_threads(config.threads.clamp(1, 64));
        settings.set_max_frame_delay(1);
        settings.set_frame_size_limit(config.max_pixels);
        // A stream with spatial layers then gives the highest picture only.
        settings.set_all_layers(false);
        let decoder =
            ::dav1d::Decoder::with_settings(&settings).map_err(|error| OpenError::Library {
                codec: NAME.into(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            decoder,
            max_pixels: config.max_pixels,
            state: State::AwaitsKeyFrame,
        })
    }

    fn decode_unit(&mut self, packet: &EncodedFrame) -> Result<Vec<VideoFrame>, DecodeError> {
        if packet.payload.is_empty() {
            return Err(DecodeError::Corrupt("empty packet".to_owned()));
        }
        let time = packet.time.as_micros();
        let mut pictures = Vec::new();
        let mut sent = self
            .decoder
            .send_data(packet.payload.clone(), None, Some(time), None);
        loop {
            let before = pictures.len();
            self.take_pictures(packet.time, &mut pictures)?;
            match sent {
                Ok(()) => break,
                Err(::dav1d::Error::Again) => sent = self.decoder.send_pending_data(),
                Err(error) => return Err(self.decode_error(error)),
            }
            if matches!(sent, Err(::dav1d::Error::Again)) && pictures.len() == before {
                return Err(DecodeError::Corrupt(
                    "the decoder makes no progress".to_owned(),
                ));
            }
        }
        self.take_pictures(packet.time, &mut pictures)?;
        if pictures.is_empty() {
            return Err(DecodeError::Corrupt(
                "a packet without a picture".to_owned(),
            ));
        }
        Ok(pictures)
    }

    fn take_pictures(
        &mut self,
        fallback_time: MediaTime,
        pictures: &mut Vec<VideoFrame>,
    ) -> Result<(), DecodeError> {
        loop {
            let picture = match self.decoder.get_picture() {
                Ok(picture) => picture,
                Err(::dav1d::Error::Again) => return Ok(()),
                Err(error) => return Err(self.decode_error(error)),
            };
            // A few bytes can show an old picture again: without a bound a packet is a memory bomb.
            if pictures.len() == MAX_PICTURES_A_PACKET {
                return Err(DecodeError::Corrupt(
                    "too many pictures in a packet".to_owned(),
                ));
            }
            pictures.push(self.copy(&picture, fallback_time)?);
        }
    }

    fn copy(
        &self,
        picture: &::dav1d::Picture,
        fallback_time: MediaTime,
    ) -> Result<VideoFrame, DecodeError> {
        let (width, height) = (picture.width(), picture.height());
        if u64::from(width) * u64::from(height) > u64::from(self.max_pixels) {
            return Err(DecodeError::TooLarge {
                max_pixels: self.max_pixels,
            });
        }
        if picture.pixel_layout() != ::dav1d::PixelLayout::I420 || picture.bit_depth() != 8 {
            let (layout, depth) = (picture.pixel_layout(), picture.bit_depth());
            return Err(DecodeError::Unsupported(format!("{layout:?}, {depth} bit")));
        }
        let planes = [
            ::dav1d::PlanarImageComponent::Y,
            ::dav1d::PlanarImageComponent::U,
            ::dav1d::PlanarImageComponent::V,
        ]
        .map(|component| (picture.plane(component), picture.stride(component) as usize));
        let row = |plane: Plane, y: usize| {
            let (data, stride) = &planes[plane as usize];
            &data[y * stride..(y + 1) * stride]
        };
        let time = picture
            .timestamp()
            .map_or(fallback_time, MediaTime::from_micros);
        Ok(VideoFrame::from_rows(width, height, time, row)?)
    }

    fn decode_error(&self, error: ::dav1d::Error) -> DecodeError {
        match error {
            ::dav1d::Error::NotEnoughMemory => DecodeError::Library {
                codec: NAME.into(),
                reason: error.to_string(),
            },
            ::dav1d::Error::UnsupportedBitstream => DecodeError::Unsupported(error.to_string()),
            ::dav1d::Error::UnknownError(OUT_OF_RANGE) => DecodeError::TooLarge {
                max_pixels: self.max_pixels,
            },
            _ => DecodeError::Corrupt(error.to_string()),
        }
    }
}

impl VideoDecoder for Dav1dDecoder {
    fn caps(&self) -> &VideoDecoderCaps {
        &CAPS
    }

    fn decode(&mut self, packet: &EncodedFrame) -> Result<Vec<VideoFrame>, DecodeError> {
        if self.state == State::AwaitsKeyFrame && !packet.key {
            return Err(DecodeError::NeedsKeyFrame);
        }
        let pictures = self.decode_unit(packet);
        match pictures {
            Ok(_) => self.state = State::HasReference,
            Err(_) => self.reset(),
        }
        pictures
    }

    fn needs_key_frame(&self) -> bool {
        self.state == State::AwaitsKeyFrame
    }

    fn reset(&mut self) {
        self.decoder.flush();
        self.state = State::AwaitsKeyFrame;
    }

    fn flush(&mut self) -> Result<Vec<VideoFrame>, DecodeError> {
        let mut pictures = Vec::new();
        let taken = self.take_pictures(MediaTime::ZERO, &mut pictures);
        self.reset();
        taken.map(|()| pictures)
    }
}

const NAME: &str = "dav1d";
/// -ERANGE, by which libdav1d says that a picture is over its limit.
const OUT_OF_RANGE: i32 = -34;
/// One a spatial layer at most, and libdav1d gives the highest only; some slack for odd encoders.
const MAX_PICTURES_A_PACKET: usize = 4;
const CAPS: VideoDecoderCaps = VideoDecoderCaps {
    name: Cow::Borrowed(NAME),
    codec: Cow::Borrowed("av01"),
    delay_frames: 0,
};
