use crate::{
    AccountId, AuditEntry, CaptureId, CaptureKind, ChatMessage, EndReason, HistoryPolicy, Language,
    Message, ParticipantId, Policy, Reactions, Role, SessionId, Source, StateMessage,
};

/// What a room wants done. All outputs of one input are one unit: the driver stores what is to be
/// stored in one transaction, then publishes in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The first one came in.
    Began {
        /// This run of the room.
        session: SessionId,
    },
    /// An object of the state track.
    State {
        /// Its group; the next one is one more, or much more in another session.
        group: u64,
        /// Its place in the group.
        object: u64,
        /// What it says.
        message: StateMessage,
    },
    /// A message to everybody, to be stored unless `history` is `None`. With
    /// [`HistoryPolicy::Session`] it is an object of the chat track at
    /// [`chat_location`](crate::tracks::chat_location); otherwise notices carry it.
    Chat {
        /// The session it belongs to.
        session: SessionId,
        /// The message.
        message: ChatMessage,
        /// Who gets it later.
        history: HistoryPolicy,
    },
    /// An object of the reactions track.
    Reactions(Reactions),
    /// An object of a participant's replies track.
    Message {
        /// Whose.
        to: ParticipantId,
        /// What it says.
        message: Message,
    },
    /// Somebody is in and needs a token: the driver signs one and publishes
    /// [`Message::admitted`].
    Admit {
        /// Who.
        to: ParticipantId,
        /// The message's number.
        n: u64,
    },
    /// An order to the relay.
    Order(Order),
    /// An order to the recorder or transcriber.
    Capture(CaptureOrder),
    /// An act for the audit log.
    Audit(AuditEntry),
    /// A role to be stored.
    RoleChanged {
        /// Whose.
        account: AccountId,
        /// The role; guest: none.
        role: Role,
    },
    /// What hosts set, to be stored.
    PolicyChanged(Policy),
    /// The session is over. After [`EndReason::Ended`] the room does nothing more; after
    /// [`EndReason::Empty`] it goes on for those who wait, or [`Room::is_deserted`](crate::Room::is_deserted).
    Ended {
        /// Which run of the room.
        session: SessionId,
        /// Why.
        reason: EndReason,
    },
}

/// What the relay has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Forward nothing more of a participant's source.
    Stop {
        /// Whose.
        participant: ParticipantId,
        /// Which of its tracks.
        source: Source,
    },
    /// Forward it again when it is published anew.
    Allow {
        /// Whose.
        participant: ParticipantId,
        /// Which of its tracks.
        source: Source,
    },
    /// End a participant's sessions and refuse its tokens.
    Remove {
        /// Whose.
        participant: ParticipantId,
    },
}

/// What the recorder or transcriber has to do; it answers with progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureOrder {
    /// Begin.
    Start {
        /// Which of the two.
        kind: CaptureKind,
        /// Under which id.
        id: CaptureId,
        /// Who wants it.
        by: ParticipantId,
        /// What is spoken, for a transcription.
        language: Option<Language>,
    },
    /// Come to an end.
    Stop {
        /// Which of the two.
        kind: CaptureKind,
        /// Which one.
        id: CaptureId,
    },
}
