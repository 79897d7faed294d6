use serde::{Deserialize, Serialize};

use crate::{CaptureId, ParticipantId, UnixMillis};

/// How far a recording or transcription is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureStatus {
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

impl CaptureStatus {
    /// Whether another one has to wait.
    pub fn is_running(self) -> bool {
        use CaptureStatus::{Active, LimitReached, Starting, Stopping};
        matches!(self, Starting | Active | Stopping | LimitReached)
    }

    /// Whether `next` may follow.
    pub fn leads_to(self, next: Self) -> bool {
        use CaptureStatus::{
            Aborted, Active, FailedToStart, LimitReached, Notified, Saved, Starting, Stopping,
        };
        match self {
            Starting => matches!(next, Active | Stopping | FailedToStart | Aborted),
            Active => matches!(next, Stopping | LimitReached | Aborted),
            Stopping => matches!(next, Saved | FailedToStart | Aborted),
            LimitReached => matches!(next, Saved | Aborted),
            Saved => next == Notified,
            Notified | FailedToStart | Aborted => false,
        }
    }
}

/// Why a recording or transcription failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CaptureFailure {
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
    #[serde(other)]
    Unknown,
}

/// A recording or transcription, as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Which one.
    pub id: CaptureId,
    /// How far it is.
    pub status: CaptureStatus,
    /// Since when it is so far.
    pub since: UnixMillis,
    /// Who started it.
    pub by: ParticipantId,
    /// What is spoken, of a transcription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<CaptureFailure>,
}

/// What is spoken in a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// French.
    #[default]
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

/// The two services that a host can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureKind {
    /// Keeps the tracks.
    Recording,
    /// Writes what is said.
    Transcription,
}

/// What a recorder or transcriber says of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Of which of the two.
    pub kind: CaptureKind,
    /// Of which one.
    pub id: CaptureId,
    /// How far it is.
    pub status: CaptureStatus,
    /// Why it failed.
    #[serde(default)]
    pub failure: Option<CaptureFailure>,
}
