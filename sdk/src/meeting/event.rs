use std::collections::BTreeMap;

use parvis_meeting::{
    Capture, CaptureKind, ChatMessage, ChatSeq, Emoji, HistoryGap, LeaveReason, Participant,
    ParticipantId, PerSource, Policy, PrivateMessage, Quality, Source, Waiter,
};
use tokio::sync::broadcast;

use super::{Phase, StepDown};
use crate::CodecState;

/// Something that happened in a meeting.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MeetingEvent {
    /// It is somewhere else on its way.
    Phase(Phase),
    /// Somebody came in, or was there before.
    Joined(Participant),
    /// Somebody is gone.
    Left {
        /// Who.
        participant: ParticipantId,
        /// Why.
        reason: LeaveReason,
    },
    /// Somebody's name, role, media or quality is another.
    Changed(Participant),
    /// Other hands are up, or in another order.
    Hands(Vec<ParticipantId>),
    /// Somebody reacts.
    Reaction {
        /// Who.
        participant: ParticipantId,
        /// How.
        emoji: Emoji,
    },
    /// How many react, in a large room.
    Reactions(BTreeMap<Emoji, u32>),
    /// A message to everybody; also one's own, which was pending.
    Chat(ChatMessage),
    /// Messages that were missed and cannot be had any more.
    HistoryGap(HistoryGap),
    /// One's own message was refused, or nobody answered; [`Pending::retry`](super::Pending::retry)
    /// sends it again.
    ChatFailed {
        /// What it was called.
        client_id: String,
        /// Why.
        error: parvis_meeting::ErrorKind,
    },
    /// A message to oneself alone.
    PrivateMessage(PrivateMessage),
    /// Others wait to be let in; for hosts.
    Lobby(Vec<Waiter>),
    /// A host stopped one's own source, or forbids it to all; it stays so until one turns it on again.
    Muted {
        /// Which.
        source: Source,
        /// Who did it; oneself: it is forbidden to all.
        by: ParticipantId,
    },
    /// Somebody would like a recording or transcription; for hosts.
    CaptureRequested {
        /// Which.
        kind: CaptureKind,
        /// Who.
        by: ParticipantId,
    },
    /// A recording or transcription is further on.
    Capture(Capture),
    /// A host set something.
    Policy(Policy),
    /// The room was locked or unlocked.
    Locked(bool),
    /// Other sources are forbidden.
    Forbidden(PerSource<bool>),
    /// Others speak, the loudest first.
    Speakers(Vec<ParticipantId>),
    /// One has spoken for a while with the hand up: an app may ask whether to lower it.
    SuggestLowerHand,
    /// One is connected better or worse.
    Quality(Quality),
    /// More or less is given up because the network is short.
    StepDown(StepDown),
    /// Somebody's tracks are others.
    Tracks(ParticipantId),
    /// A track's codec was chosen or replaced, or nobody here decodes it.
    Codec {
        /// Whose track; one's own is encoded, others' are decoded.
        participant: ParticipantId,
        /// The track.
        track: String,
        /// How it stands with it.
        state: CodecState,
    },
    /// So many events were not taken in time.
    Missed(u64),
}

/// The events of a meeting, from the call on.
#[derive(Debug)]
pub struct MeetingEvents(pub(super) broadcast::Receiver<MeetingEvent>);

/// Events that wait to be taken, at most.
pub(super) const EVENTS: usize = 1024;

impl MeetingEvents {
    /// The next one; `None`: the meeting is over.
    pub async fn next(&mut self) -> Option<MeetingEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(MeetingEvent::Missed(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// A page of the chat's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// The messages, oldest first.
    pub messages: Vec<ChatMessage>,
    /// What cannot be had any more.
    pub gaps: Vec<HistoryGap>,
    /// Before which message the next page lies; `None`: this was the first.
    pub before: Option<ChatSeq>,
}
