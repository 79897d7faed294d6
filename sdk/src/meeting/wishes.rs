use parvis_meeting::{ParticipantId, Source};

use super::Receive;

/// What this participant wants of all pictures.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    pub receive: Receive,
}

impl Wishes {
    /// How much is received of somebody's source, and the least lines that it has.
    pub(super) fn of(&self, _who: &ParticipantId, _source: Source) -> (Receive, Option<u32>) {
        (self.receive, None)
    }
}
