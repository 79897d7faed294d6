use parvis_wire::{FullTrackName, Location, TrackName, TrackNamespace};

use crate::{ChatSeq, ParticipantId, RoomCode, SessionId};

/// A participant's commands, in [`inbox`].
pub const COMMANDS: &str = "commands";
/// What the authority says to one participant, in [`outbox`].
pub const REPLIES: &str = "replies";
/// The room's state, in [`control`]: object 0 of a group is a snapshot, others are deltas.
pub const STATE: &str = "state";
/// The chat, in [`control`]; see [`chat_location`].
pub const CHAT: &str = "chat";
/// Reactions, in [`control`].
pub const REACTIONS: &str = "reactions";

/// Data of a participant's app to everybody, in [`media_of`]: a group for each message. In [`probe`] what
/// is sent to measure a path.
pub const DATA: &str = "data";

/// How many chat messages a group has.
pub const CHAT_GROUP: u64 = 64;

/// `["parvis", CODE]`: the media of a room.
pub fn media(code: &RoomCode) -> TrackNamespace {
    namespace(&["parvis", code.compact()])
}

/// `["parvis", CODE, PID]`: a participant's media.
pub fn media_of(code: &RoomCode, participant: &ParticipantId) -> TrackNamespace {
    namespace(&["parvis", code.compact(), participant.as_str()])
}

/// `["parvis.control", "in"]`: what the authority reads.
pub fn inboxes() -> TrackNamespace {
    namespace(&["parvis.control", "in"])
}

/// `["parvis.control", "in", CODE, PID]`: a participant's commands.
pub fn inbox(code: &RoomCode, participant: &ParticipantId) -> TrackNamespace {
    namespace(&["parvis.control", "in", code.compact(), participant.as_str()])
}

/// Whose commands lie in a namespace, if it is an [`inbox`].
pub fn owner_of_inbox(namespace: &TrackNamespace) -> Option<(RoomCode, ParticipantId)> {
    let [application, direction, code, participant] = namespace.fields() else {
        return None;
    };
    if &application[..] != b"parvis.control" || &direction[..] != b"in" {
        return None;
    }
    let text = std::str::from_utf8(code).ok()?;
    let code = RoomCode::parse(text).ok()?;
    let participant = std::str::from_utf8(participant).ok()?;
    let participant = ParticipantId::new(participant).ok()?;
    (code.compact() == text).then_some((code, participant))
}

/// `["parvis.control", "out"]`: what the authority publishes under.
pub fn outboxes() -> TrackNamespace {
    namespace(&["parvis.control", "out"])
}

/// `["parvis.control", "out", CODE]`: what every member of a room reads.
pub fn control(code: &RoomCode) -> TrackNamespace {
    namespace(&["parvis.control", "out", code.compact()])
}

/// `["parvis.control", "out", CODE, PID]`: what one participant reads.
pub fn outbox(code: &RoomCode, participant: &ParticipantId) -> TrackNamespace {
    namespace(&[
        "parvis.control",
        "out",
        code.compact(),
        participant.as_str(),
    ])
}

/// `["parvis.probe", PID]`: what the holder of a ticket for a connection test sends to itself.
pub fn probe(participant: &ParticipantId) -> TrackNamespace {
    namespace(&["parvis.probe", participant.as_str()])
}

/// A track of ours in one of these namespaces.
pub fn track(namespace: TrackNamespace, name: &'static str) -> FullTrackName {
    FullTrackName::new(namespace, TrackName::from(name)).expect("short names are within the limit")
}

/// Where a chat message lies on the chat track.
pub fn chat_location(session: SessionId, seq: ChatSeq) -> Location {
    let group = session.0.saturating_add(seq.0 / CHAT_GROUP);
    Location::new(group, seq.0 % CHAT_GROUP)
}

/// The chat message that lies there; `None`: none can.
pub fn chat_seq(session: SessionId, location: Location) -> Option<ChatSeq> {
    if location.object.0 >= CHAT_GROUP {
        return None;
    }
    let group = location.group.0.checked_sub(session.0)?;
    let first = group.checked_mul(CHAT_GROUP)?;
    first.checked_add(location.object.0).map(ChatSeq)
}

fn namespace(fields: &[&str]) -> TrackNamespace {
    let fields = fields.iter().map(|field| field.as_bytes().to_vec());
    TrackNamespace::new(fields).expect("a few short fields are a namespace")
}
