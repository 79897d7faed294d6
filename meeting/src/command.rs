use serde::{Deserialize, Serialize};

use crate::{
    AccessLevel, CommandId, HistoryPolicy, Language, MediaState, OrganisationId, ParticipantId,
    Progress, Quality, Role, Source, Topic,
};

/// A command with the id that its answer names. The same id again is the same request: it is
/// answered again and not done again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Chosen by the client.
    pub id: CommandId,
    /// What is asked for.
    pub command: Command,
}

/// One or all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Everybody who is meant.
    All,
    /// This participant.
    One(ParticipantId),
}

/// What a participant asks of its room. Who may: everybody who is in, where nothing else stands;
/// hosts are owners and administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Asks to come in; also before that.
    Knock {
        /// Another name than the one it joined with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Lets people in who wait. Hosts.
    Admit {
        /// Whom.
        who: Target,
    },
    /// Sends people away who wait. Hosts.
    Deny {
        /// Whom.
        who: Target,
    },
    /// Raises the own hand; a raised hand keeps its place.
    RaiseHand,
    /// Lowers a hand.
    LowerHand {
        /// Whose; another's: hosts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whose: Option<ParticipantId>,
    },
    /// Lowers all hands. Hosts.
    LowerAllHands,
    /// Shows a reaction.
    React {
        /// One of [`Emoji::ALL`](crate::Emoji::ALL), by name.
        emoji: String,
    },
    /// Writes to everybody or to one.
    Chat {
        /// The message's id: sent again, it appears once.
        client_id: CommandId,
        /// 1 to 2000 Unicode scalars after trimming.
        text: String,
        /// To whom; none: to everybody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<ParticipantId>,
    },
    /// Gives data of the app to some, and to nobody else; to everybody it goes on one's own `data` track.
    Data {
        /// What it is about.
        topic: Topic,
        /// To whom: 1 to 32 who are in.
        to: Vec<ParticipantId>,
        /// What the app means, as text.
        payload: String,
    },
    /// Says what is captured from here on; what is not named stays. Turning on what a host muted
    /// lets it through again.
    SetMedia {
        /// The microphone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        microphone: Option<MediaState>,
        /// The camera.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        camera: Option<MediaState>,
        /// The screen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        screen: Option<MediaState>,
    },
    /// Stops microphones; only their owners turn them on again. Hosts.
    Mute {
        /// Whose; all: everybody's but the own.
        who: Target,
    },
    /// Forbids a source to everybody but hosts, or allows it again. Hosts.
    Forbid {
        /// Which.
        source: Source,
        /// Whether it is forbidden.
        forbidden: bool,
    },
    /// Changes a name.
    Rename {
        /// Whose; another's: hosts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<ParticipantId>,
        /// 1 to 50 visible characters.
        name: String,
    },
    /// Promotes or demotes somebody who is in and signed in. Hosts; administrators neither make
    /// owners nor change what owners are.
    SetRole {
        /// Whom, never oneself.
        who: ParticipantId,
        /// The role.
        role: Role,
    },
    /// Changes who enters without knocking; everybody who waits is looked at anew. Hosts.
    SetAccess {
        /// The level.
        level: AccessLevel,
        /// With `trusted`: agents of this organisation only, one that the host belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// Whether guests wait until an agent is in. Hosts.
    SetHostGate {
        /// Whether they do.
        on: bool,
    },
    /// Which chat messages late joiners get, of those to come. Hosts.
    SetHistory {
        /// Which.
        history: HistoryPolicy,
    },
    /// Whether newcomers have to be admitted whatever the access level. Hosts.
    Lock {
        /// Whether they do.
        locked: bool,
    },
    /// Removes somebody: its session ends, its token is dead, it has to knock again. Hosts, and
    /// nobody with a higher role than theirs.
    Remove {
        /// Whom.
        who: ParticipantId,
    },
    /// Ends the meeting. Hosts.
    EndForAll,
    /// Asks the hosts to record.
    RequestRecording,
    /// Starts a recording. Hosts.
    StartRecording,
    /// Stops the recording. Hosts.
    StopRecording,
    /// Asks the hosts to transcribe.
    RequestTranscription,
    /// Starts a transcription. Hosts.
    StartTranscription {
        /// What is spoken.
        #[serde(default)]
        language: Language,
        /// Whether to record, too.
        #[serde(default)]
        record: bool,
    },
    /// Stops the transcription. Hosts.
    StopTranscription,
    /// How far a recording or transcription is. The service concerned.
    Progress {
        /// How far.
        progress: Progress,
    },
    /// Says how well one is connected.
    ReportQuality {
        /// How well.
        quality: Quality,
    },
    /// Asks for what the replies track said last: the own place and, for hosts, the lobby. Also
    /// before coming in.
    Resync,
    /// Asks for a fresh token: the old one is about to expire.
    RenewToken,
    /// Leaves, or stops waiting; also before coming in.
    Leave,
}

impl Command {
    /// Whether it has nothing but its type.
    pub(crate) fn is_bare(&self) -> bool {
        matches!(
            self,
            Self::RaiseHand
                | Self::LowerAllHands
                | Self::EndForAll
                | Self::RequestRecording
                | Self::StartRecording
                | Self::StopRecording
                | Self::RequestTranscription
                | Self::StopTranscription
                | Self::Resync
                | Self::RenewToken
                | Self::Leave
        )
    }
}
