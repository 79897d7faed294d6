use parvis::meeting;

use crate::{mirror::mirror, numbers::signed};

/// A recording or transcription, as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Capture {
    /// Which one.
    pub id: i64,
    /// How far it is.
    pub status: CaptureStatus,
    /// Since when it is so far, milliseconds since 1970.
    pub since_ms: i64,
    /// Who started it.
    pub by: String,
    /// What is spoken, of a transcription.
    pub language: Option<Language>,
    /// Why it failed, if it did.
    pub failure: Option<CaptureFailure>,
}

mirror! {
    /// How far a recording or transcription is.
    CaptureStatus = meeting::CaptureStatus {
        /// It was asked for; nothing is kept so far.
        Starting,
        /// The first object is on disk.
        Active,
        /// It ends; what was captured is being finished.
        Stopping,
        /// It ends because it reached its limit; what was captured is being finished.
        LimitReached,
        /// The document is there.
        Saved,
        /// Those concerned were told.
        Notified,
        /// It never began.
        FailedToStart,
        /// It broke off; what was captured until then is kept.
        Aborted,
    }
}

mirror! {
    /// Why a recording or transcription failed.
    CaptureFailure = meeting::CaptureFailure {
        /// No service took it on.
        ServiceUnavailable,
        /// Nothing more can be written.
        StorageFull,
        /// The speech-to-text engine does not answer.
        SttUnavailable,
        /// The documents service refused; the text can be downloaded.
        DocumentsRejected,
        /// The sound cannot be decoded.
        CorruptAudio,
        /// What a newer service says.
        Unknown,
    }
}

mirror! {
    /// What is spoken in a meeting.
    Language = meeting::Language {
        /// French.
        Fr,
        /// English.
        En,
        /// Dutch.
        Nl,
        /// German.
        De,
        /// To be found out.
        Auto,
    }
}

mirror! {
    /// The two services that a host can start.
    CaptureKind = meeting::CaptureKind {
        /// Keeps the tracks.
        Recording,
        /// Writes what is said.
        Transcription,
    }
}

impl From<meeting::Capture> for Capture {
    fn from(capture: meeting::Capture) -> Self {
        Self {
            id: signed(capture.id.0),
            status: capture.status.into(),
            since_ms: signed(capture.since.0),
            by: capture.by.into(),
            language: capture.language.map(Into::into),
            failure: capture.failure.map(Into::into),
        }
    }
}
