/// The codec that works on a track.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CodecInUse {
    /// The implementation, as it calls itself.
    pub backend: String,
    /// The codec string, as catalogs have it.
    pub codec: String,
    /// Why the built-in one took the place of the app's; none: it did not.
    pub fallback: Option<CodecFallback>,
}

/// Why the app's codec is not used.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum CodecFallback {
    /// The app has none for this.
    NotOffered,
    /// It did not open.
    NotOpened {
        /// One line for developers.
        reason: String,
    },
    /// It failed while it worked.
    Failed {
        /// One line for developers.
        reason: String,
    },
    /// What a newer SDK tells.
    Unknown,
}

/// How it stands with a track's codec.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum CodecState {
    /// This one works.
    InUse {
        /// Which.
        codec: CodecInUse,
    },
    /// Nobody here decodes the track.
    NoDecoder {
        /// The codec string of its catalog.
        codec: String,
        /// Why the app's decoder is not used; none: it has no decoders.
        fallback: Option<CodecFallback>,
    },
    /// What a newer SDK tells.
    Unknown,
}

impl From<parvis::CodecInUse> for CodecInUse {
    fn from(in_use: parvis::CodecInUse) -> Self {
        Self {
            backend: in_use.backend,
            codec: in_use.codec,
            fallback: in_use.fallback.map(CodecFallback::from),
        }
    }
}

impl From<parvis::CodecFallback> for CodecFallback {
    fn from(fallback: parvis::CodecFallback) -> Self {
        match fallback {
            parvis::CodecFallback::NotOffered => Self::NotOffered,
            parvis::CodecFallback::NotOpened(reason) => Self::NotOpened { reason },
            parvis::CodecFallback::Failed(reason) => Self::Failed { reason },
            _ => Self::Unknown,
        }
    }
}

impl From<parvis::CodecState> for CodecState {
    fn from(state: parvis::CodecState) -> Self {
        match state {
            parvis::CodecState::InUse(codec) => Self::InUse {
                codec: codec.into(),
            },
            parvis::CodecState::NoDecoder { codec, fallback } => Self::NoDecoder {
                codec,
                fallback: fallback.map(CodecFallback::from),
            },
            _ => Self::Unknown,
        }
    }
}
