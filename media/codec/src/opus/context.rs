//! The safe side of libopus's decoder. The crate opus cannot set a decoder's complexity, which is
//! what turns neural concealment on.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};
use std::ptr::{self, NonNull};

use opusic_sys as sys;

use crate::{Channels, SAMPLE_RATE, SAMPLES_PER_FRAME};

/// An open decoder.
pub(super) struct DecoderContext {
    decoder: NonNull<sys::OpusDecoder>,
    channels: Channels,
    /// Samples a channel of the last packet: what a lost one is taken to have had.
    last_samples: usize,
}

// SAFETY: libopus ties a decoder to no thread; `&mut self` makes every call exclusive.
unsafe impl Send for DecoderContext {}

/// What sound is made from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// A packet.
    Packet(&'a [u8]),
    /// The copy of the lost packet in the packet after it.
    RedundancyOf(&'a [u8]),
    /// The past.
    Nothing,
}

/// What libopus says about a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum LibraryError {
    /// The packet's own structure is wrong.
    #[error("invalid packet")]
    InvalidPacket,
    /// Anything else.
    #[error("{}", words(*.0))]
    Code(c_int),
}

impl DecoderContext {
    pub(super) fn open(channels: Channels) -> Result<Self, LibraryError> {
        let mut status = sys::OPUS_OK;
        // SAFETY: the rate and the number of channels are allowed values; `status` is ours.
        let decoder = unsafe {
            sys::opus_decoder_create(
                SAMPLE_RATE.cast_signed(),
                match channels {
                    Channels::Mono => 1,
                    Channels::Stereo => 2,
                },
                &raw mut status,
            )
        };
        check(status)?;
        let decoder = NonNull::new(decoder).ok_or(LibraryError::Code(sys::OPUS_ALLOC_FAIL))?;
        let context = Self {
            decoder,
            channels,
            last_samples: SAMPLES_PER_FRAME,
        };
        // SAFETY: the decoder is open; this request takes an int by value.
        check(unsafe {
            sys::opus_decoder_ctl(
                context.decoder.as_ptr(),
                sys::OPUS_SET_COMPLEXITY_REQUEST,
                NEURAL_CONCEALMENT,
            )
        })?;
        Ok(context)
    }

    /// Gives interleaved samples.
    pub(super) fn decode(&mut self, source: Source<'_>) -> Result<Vec<f32>, LibraryError> {
        let (packet, redundancy, room) = match source {
            Source::Packet(packet) => (packet, 0, MAX_SAMPLES),
            Source::RedundancyOf(packet) => (packet, 1, self.last_samples),
            Source::Nothing => (&[][..], 0, self.last_samples),
        };
        let data = if packet.is_empty() {
            ptr::null()
        } else {
            packet.as_ptr()
        };
        let length =
            sys::opus_int32::try_from(packet.len()).map_err(|_| LibraryError::InvalidPacket)?;
        let frame_size = c_int::try_from(room).map_err(|_| LibraryError::InvalidPacket)?;
        let mut samples = vec![0.0_f32; room * self.channels.count()];
        // SAFETY: the decoder is open; `data` is null or `length` bytes long; `samples` has room
        // for `room` samples a channel, at most 120 ms.
        let decoded = unsafe {
            sys::opus_decode_float(
                self.decoder.as_ptr(),
                data,
                length,
                samples.as_mut_ptr(),
                frame_size,
                redundancy,
            )
        };
        check(decoded)?;
        let decoded = (decoded as usize).min(room);
        samples.truncate(decoded * self.channels.count());
        if matches!(source, Source::Packet(_)) {
            self.last_samples = decoded;
        }
        Ok(samples)
    }

    pub(super) fn reset(&mut self) {
        self.last_samples = SAMPLES_PER_FRAME;
        // SAFETY: the decoder is open; this request takes no argument and cannot fail.
        unsafe { sys::opus_decoder_ctl(self.decoder.as_ptr(), sys::OPUS_RESET_STATE) };
    }
}

impl Drop for DecoderContext {
    fn drop(&mut self) {
        // SAFETY: the decoder is open, and nothing uses it afterwards.
        unsafe { sys::opus_decoder_destroy(self.decoder.as_ptr()) };
    }
}

/// Negative numbers are errors.
fn check(status: c_int) -> Result<(), LibraryError> {
    match status {
        0.. => Ok(()),
        sys::OPUS_INVALID_PACKET => Err(LibraryError::InvalidPacket),
        code => Err(LibraryError::Code(code)),
    }
}

fn words(code: c_int) -> String {
    // SAFETY: libopus answers any code with a static C string.
    let words = unsafe { CStr::from_ptr(sys::opus_strerror(code)) };
    words.to_string_lossy().into_owned()
}

/// From this decoder complexity on libopus conceals losses with its neural network.
const NEURAL_CONCEALMENT: c_int = 5;
/// 120 ms, the longest packet there is.
const MAX_SAMPLES: usize = 5760;
