use parvis::meeting;

use crate::{
    Capture, CaptureKind, ChatMessage, CodecState, Emoji, ErrorKind, ForbiddenSources, HistoryGap,
    LeaveReason, Participant, Phase, Policy, PrivateMessage, Quality, Source, StepDown, Waiter,
    numbers::signed, state::ids,
};

/// Something that happened in a meeting.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum MeetingEvent {
    /// It is somewhere else on its way.
    Phase {
        /// Where.
        phase: Phase,
    },
    /// Somebody came in, or was there before.
    Joined {
        /// Who.
        participant: Participant,
    },
    /// Somebody is gone.
    Left {
        /// Who.
        participant: String,
        /// Why.
        reason: LeaveReason,
    },
    /// Somebody's name, role, media or quality is another.
    Changed {
        /// Who.
        participant: Participant,
    },
    /// Other hands are up, or in another order.
    Hands {
        /// Whose, the first first.
        participants: Vec<String>,
    },
    /// Somebody reacts.
    Reaction {
        /// Who.
        participant: String,
        /// How.
        emoji: Emoji,
    },
    /// How many react, in a large room.
    Reactions {
        /// At least one each.
        counts: Vec<ReactionCount>,
    },
    /// A message to everybody; also one's own, which was pending.
    Chat {
        /// The message.
        message: ChatMessage,
    },
    /// Messages that were missed and cannot be had any more.
    HistoryGap {
        /// Which.
        gap: HistoryGap,
    },
    /// One's own message was refused, or nobody answered; [`Pending::retry`](crate::Pending::retry) sends it
    /// again.
    ChatFailed {
        /// What it was called.
        client_id: String,
        /// Why; [`ErrorKind::NoAnswer`] if nobody said so.
        error: ErrorKind,
    },
    /// A message to oneself alone.
    PrivateMessage {
        /// The message.
        message: PrivateMessage,
    },
    /// Others wait to be let in; for hosts.
    Lobby {
        /// Who, first come first.
        waiters: Vec<Waiter>,
    },
    /// A host stopped one's own source, or forbids it to all; it stays so until one turns it on again.
    Muted {
        /// Which.
        source: Source,
        /// Who did it; oneself: it is forbidden to all.
        by: String,
    },
    /// Somebody would like a recording or transcription; for hosts.
    CaptureRequested {
        /// Which.
        kind: CaptureKind,
        /// Who.
        by: String,
    },
    /// A recording or transcription is further on.
    Capture {
        /// The recording or transcription.
        capture: Capture,
    },
    /// A host set something.
    Policy {
        /// All of it.
        policy: Policy,
    },
    /// The room was locked or unlocked.
    Locked {
        /// Whether it is.
        locked: bool,
    },
    /// Other sources are forbidden.
    Forbidden {
        /// Which are.
        sources: ForbiddenSources,
    },
    /// Others speak.
    Speakers {
        /// Who, the loudest first.
        participants: Vec<String>,
    },
    /// One has spoken for a while with the hand up: an app may ask whether to lower it.
    SuggestLowerHand,
    /// One is connected better or worse.
    Quality {
        /// How well.
        quality: Quality,
    },
    /// More or less is given up because the network is short.
    StepDown {
        /// What is given up now.
        step_down: StepDown,
    },
    /// A track's codec was chosen or replaced, or nobody here decodes it.
    Codec {
        /// Whose track; one's own is encoded, others' are decoded.
        participant: String,
        /// The track.
        track: String,
        /// How it stands with it.
        state: CodecState,
    },
    /// Somebody's tracks are others.
    Tracks {
        /// Whose.
        participant: String,
    },
    /// So many events were not taken in time: look at the state.
    Missed {
        /// How many.
        count: i64,
    },
    /// What a newer SDK tells.
    Unknown,
}

/// How many show a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct ReactionCount {
    /// Which.
    pub emoji: Emoji,
    /// How many since the last such event.
    pub count: i32,
}

impl From<meeting::MeetingEvent> for MeetingEvent {
    fn from(event: meeting::MeetingEvent) -> Self {
        use meeting::MeetingEvent as Event;
        match event {
            Event::Phase(phase) => Self::Phase {
                phase: phase.into(),
            },
            Event::Joined(participant) => Self::Joined {
                participant: participant.into(),
            },
            Event::Left {
                participant,
                reason,
            } => Self::Left {
                participant: participant.into(),
                reason: reason.into(),
            },
            Event::Changed(participant) => Self::Changed {
                participant: participant.into(),
            },
            Event::Hands(participants) => Self::Hands {
                participants: ids(&participants),
            },
            Event::Reaction { participant, emoji } => Self::Reaction {
                participant: participant.into(),
                emoji: emoji.into(),
            },
            Event::Reactions(counts) => Self::Reactions {
                counts: counts.into_iter().map(ReactionCount::from).collect(),
            },
            Event::Chat(message) => Self::Chat {
                message: message.into(),
            },
            Event::HistoryGap(gap) => Self::HistoryGap { gap: gap.into() },
            Event::ChatFailed { client_id, error } => Self::ChatFailed {
                client_id,
                error: match error {
                    // Of a knock that is a refusal. No message is refused by it: nobody answered.
                    meeting::ErrorKind::TimedOut => ErrorKind::NoAnswer,
                    refusal => refusal.into(),
                },
            },
            Event::PrivateMessage(message) => Self::PrivateMessage {
                message: message.into(),
            },
            Event::Lobby(waiters) => Self::Lobby {
                waiters: waiters.into_iter().map(Into::into).collect(),
            },
            Event::Muted { source, by } => Self::Muted {
                source: source.into(),
                by: by.into(),
            },
            Event::CaptureRequested { kind, by } => Self::CaptureRequested {
                kind: kind.into(),
                by: by.into(),
            },
            Event::Capture(capture) => Self::Capture {
                capture: capture.into(),
            },
            Event::Policy(policy) => Self::Policy {
                policy: policy.into(),
            },
            Event::Locked(locked) => Self::Locked { locked },
            Event::Forbidden(sources) => Self::Forbidden {
                sources: sources.into(),
            },
            Event::Speakers(participants) => Self::Speakers {
                participants: ids(&participants),
            },
            Event::SuggestLowerHand => Self::SuggestLowerHand,
            Event::Quality(quality) => Self::Quality {
                quality: quality.into(),
            },
            Event::StepDown(step_down) => Self::StepDown {
                step_down: step_down.into(),
            },
            Event::Codec {
                participant,
                track,
                state,
            } => Self::Codec {
                participant: participant.into(),
                track,
                state: state.into(),
            },
            Event::Tracks(participant) => Self::Tracks {
                participant: participant.into(),
            },
            Event::Missed(count) => Self::Missed {
                count: signed(count),
            },
            _ => Self::Unknown,
        }
    }
}

impl From<(meeting::Emoji, u32)> for ReactionCount {
    fn from((emoji, count): (meeting::Emoji, u32)) -> Self {
        Self {
            emoji: emoji.into(),
            count: crate::numbers::count(count),
        }
    }
}
