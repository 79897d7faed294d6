use serde::{Deserialize, Serialize};

use crate::{ParticipantId, Topic};

/// Data of an app to some of those who are in. What it means is the app's to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataMessage {
    /// Whose it is.
    pub from: ParticipantId,
    /// What it is about.
    pub topic: Topic,
    /// Base 64 (RFC 4648, with padding), as our SDK writes it.
    pub payload: String,
}
