use parvis::{
    PublishError,
    data::{DataLink, DataOptions, DataPublisher, GroupId, Location},
};
use parvis_meeting::{Message, ParticipantId, RoomCode, to_json, tracks};

/// The replies track of one participant, with its last messages.
#[derive(Debug)]
pub(crate) struct Replies(DataPublisher);

/// Messages that are kept for somebody who was away.
const KEPT: usize = 64;
const KEPT_BYTES: usize = 256 << 10;

impl Replies {
    pub(crate) fn publish(
        link: &DataLink,
        code: &RoomCode,
        who: &ParticipantId,
    ) -> Result<Self, PublishError> {
        let name = tracks::track(tracks::outbox(code, who), tracks::REPLIES);
        let options = DataOptions {
            keep_objects: KEPT,
            keep_bytes: KEPT_BYTES,
            ..DataOptions::default()
        };
        link.publish(name, options).map(Self)
    }

    pub(crate) fn say(&self, message: &Message) {
        self.0.send(Location::new(message.n, 0), to_json(message));
        self.0.end_group(GroupId(message.n));
    }
}
