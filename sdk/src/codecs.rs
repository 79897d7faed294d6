//! Codecs of the platform before the built-in ones, and what is told of the choice.

mod opening;

use std::{fmt, sync::Arc};

use parvis_codec::{VideoDecoderFactory, VideoEncoderFactory};
use tokio::sync::broadcast;

use crate::ParticipantName;

pub(crate) use opening::{OpenDecoder, OpenEncoder, video_params};

/// Video codecs of the platform, such as a phone's hardware: tried before the built-in ones.
#[derive(Clone, Default)]
pub struct Codecs {
    /// Makes encoders.
    pub video_encoders: Option<Arc<dyn VideoEncoderFactory>>,
    /// Makes decoders.
    pub video_decoders: Option<Arc<dyn VideoDecoderFactory>>,
}

impl fmt::Debug for Codecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codecs")
            .field("video_encoders", &self.video_encoders.is_some())
            .field("video_decoders", &self.video_decoders.is_some())
            .finish()
    }
}

/// The codec that works on a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecInUse {
    /// The implementation, as it calls itself.
    pub backend: String,
    /// The codec string, as catalogs have it.
    pub codec: String,
    /// Why the built-in one took the place of the platform's; `None`: it did not.
    pub fallback: Option<CodecFallback>,
}

/// Why the platform's codec is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecFallback {
    /// It has none for this.
    NotOffered,
    /// It did not open.
    NotOpened(String),
    /// It failed while it worked.
    Failed(String),
}

/// How it stands with a track's codec.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecState {
    /// This one works.
    InUse(CodecInUse),
    /// Nobody here decodes the track.
    NoDecoder {
        /// The codec string of its catalog.
        codec: String,
        /// Why the platform's decoder is not used; `None`: there is none.
        fallback: Option<CodecFallback>,
    },
}

/// What is told when a track's codec is chosen or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodecReport {
    /// Whose track is decoded; `None`: one's own is encoded.
    pub participant: Option<ParticipantName>,
    pub track: String,
    pub state: CodecState,
}

/// The codecs of a room, and who hears of their choice.
#[derive(Debug, Clone)]
pub(crate) struct CodecDesk {
    codecs: Codecs,
    reports: broadcast::Sender<CodecReport>,
}

/// Reports that wait to be heard, at most: the oldest go first.
const REPORTS: usize = 256;

impl CodecDesk {
    pub(crate) fn new(codecs: Codecs) -> Self {
        Self {
            codecs,
            reports: broadcast::channel(REPORTS).0,
        }
    }

    pub(crate) fn reports(&self) -> broadcast::Receiver<CodecReport> {
        self.reports.subscribe()
    }

    pub(crate) fn report(
        &self,
        participant: Option<&ParticipantName>,
        track: &str,
        state: CodecState,
    ) {
        if let CodecState::InUse(CodecInUse {
            backend,
            fallback: Some(fallback),
            ..
        }) = &state
        {
            tracing::warn!(track, backend, ?fallback, "the built-in codec is used");
        }
        let report = CodecReport {
            participant: participant.cloned(),
            track: track.to_owned(),
            state,
        };
        // Nobody may listen.
        let _ = self.reports.send(report);
    }
}
