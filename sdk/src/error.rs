use std::{io, path::PathBuf, time::Duration};

use parvis_meeting::ErrorKind;
use parvis_wire::SessionErrorCode;
use thiserror::Error;

use crate::{CodecFallback, ParticipantName, RoomName};

/// Why a room was not entered. Each message is one line: what is wrong, and what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is no address of a relay.
    #[error(
        "{url:?} is no relay address ({reason}): write moqt://HOST:PORT, or https:// for WebTransport"
    )]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The host name has no address.
    #[error("the host of {url} has no address ({reason}): check its spelling and your network")]
    UnknownHost {
        /// The relay.
        url: String,
        /// The resolver's words.
        reason: String,
    },
    /// Nothing answers there.
    #[error(
        "no relay answers at {url} within {} s: check that it runs there and that UDP is not blocked",
        waited.as_secs_f32()
    )]
    Unreachable {
        /// The relay.
        url: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The relay's certificate does not fit what the options trust.
    #[error(
        "the certificate of {url} is not trusted ({reason}): give the fingerprint the relay prints, or the CA that signed it"
    )]
    CertificateRejected {
        /// The relay.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The relay speaks none of the offered drafts.
    #[error(
        "{url} speaks none of the MoQ Transport drafts {offered}: use a relay of one of these drafts"
    )]
    NoCommonDraft {
        /// The relay.
        url: String,
        /// What was offered.
        offered: String,
    },
    /// A certificate or fingerprint given in the options is not one.
    #[error(
        "the trust settings do not work ({0}): a fingerprint is 64 hexadecimal digits, a CA is a PEM file"
    )]
    BadTrust(String),
    /// The token source has no token.
    #[error("there is no token to show to the relay: {0}")]
    NoToken(String),
    /// The relay does not accept the token.
    #[error("the relay does not let you in ({0}): ask for a new token")]
    NotLetIn(String),
    /// A participant of that name is in the room.
    #[error("{name:?} is in room {room:?} already: choose another name, or wait if it was you who left unclean", name = name.as_str(), room = room.as_str())]
    NameTaken {
        /// The name.
        name: ParticipantName,
        /// The room.
        room: RoomName,
    },
    /// The relay rejected what entering a room needs.
    #[error("the relay refuses to {what} ({reason}): ask its operator for access")]
    Refused {
        /// What was asked of it.
        what: &'static str,
        /// Its words.
        reason: String,
    },
    /// The relay went away before the room was entered.
    #[error("the relay closed the connection ({0}): try again")]
    Closed(CloseReason),
    /// The machine lets no socket be opened.
    #[error("no UDP socket can be opened ({0}): check the limits of this process")]
    Socket(String),
}

impl ConnectError {
    /// The relay closed the connection: because of the token, or for another reason.
    pub(crate) fn closed(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Relay {
                reason: ref words, ..
            } if reason.is_of_token(false) => Self::NotLetIn(words.clone()),
            reason => Self::Closed(reason),
        }
    }
}

/// Why the connection to the relay is over.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// This side closed it.
    #[error("closed here")]
    Local,
    /// The relay closed it.
    #[error("{reason}, code {code:#x}")]
    Relay {
        /// The code.
        code: u64,
        /// The relay's words.
        reason: String,
    },
    /// Nothing was heard of the relay for too long.
    #[error("nothing heard of it for too long")]
    TimedOut,
    /// One side broke the protocol.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// The connection was lost, and there is no token for another one.
    #[error("not let in again: {0}")]
    NotLetIn(String),
}

impl CloseReason {
    /// Whether the relay closed the connection because of the token.
    ///
    /// let_in: it had been accepted at first, so that only its age is against it.
    pub(crate) fn is_of_token(&self, let_in: bool) -> bool {
        let Self::Relay { code, .. } = self else {
            return false;
        };
        let at_first = [
            SessionErrorCode::Unauthorized,
            SessionErrorCode::MalformedAuthToken,
        ];
        *code == SessionErrorCode::ExpiredAuthToken.to_u64()
            || !let_in && at_first.iter().any(|known| known.to_u64() == *code)
    }
}

/// Why a connection does not go over to another socket.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RebindError {
    /// There is no connection at the moment: the next one has a new socket anyway.
    #[error("there is no connection to move: it is being made anew")]
    NotConnected,
    /// The machine lets no socket be opened; the connection stays where it is.
    #[error("no UDP socket can be opened ({0}): check the network")]
    Socket(String),
}

/// Why a track is not published.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The room was entered without a name.
    #[error("this room was entered as an observer: enter it with a participant name to publish")]
    Observer,
    /// The participant publishes a track of that name.
    #[error("a track {0:?} is published already: stop it first")]
    TrackExists(String),
    /// A layer cannot be made of the source.
    #[error("layer {layer:?} does not work ({reason}): widths and heights are even and not zero")]
    BadLayer {
        /// The layer.
        layer: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The meeting refuses it: a host forbids that source.
    #[error("the meeting refuses it: {0}")]
    Refused(ErrorKind),
    /// No thread can be started for it.
    #[error("no thread can be started ({0}): check the limits of this process")]
    Thread(String),
    /// An encoder does not open.
    #[error("the encoder does not open: {0}")]
    Encoder(#[from] parvis_codec::OpenError),
    /// The room is closed.
    #[error("the room is closed ({0}): enter it again")]
    Closed(CloseReason),
}

/// Why a track is not received.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// Nobody of that name is in the room.
    #[error("{0:?} is not in the room: wait until it joins")]
    NoSuchParticipant(String),
    /// The participant has no such track.
    #[error("{participant:?} has no track {track:?}: its catalog names the tracks it has")]
    NoSuchTrack {
        /// The participant.
        participant: String,
        /// The track.
        track: String,
    },
    /// The track is of another kind or codec than asked for.
    #[error("track {track:?} is {is}, not {wanted}")]
    WrongKind {
        /// The track.
        track: String,
        /// What it is.
        is: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The track is in a codec that is decoded neither by the platform nor by what is built in.
    #[error(
        "nothing here decodes track {track:?}, which is {codec}: take it encoded, or give a decoder"
    )]
    NoDecoder {
        /// The track.
        track: String,
        /// Its codec string.
        codec: String,
        /// Why the platform's decoder is not used; `None`: there is none.
        fallback: Option<CodecFallback>,
    },
    /// The relay or the publisher rejected the subscription.
    #[error("track {track:?} is refused: {reason}")]
    Rejected {
        /// The track.
        track: String,
        /// Why.
        reason: String,
    },
    /// The decoder does not open.
    #[error("the decoder does not open: {0}")]
    Decoder(#[from] parvis_codec::OpenError),
    /// The room is closed.
    #[error("the room is closed ({0}): enter it again")]
    Closed(CloseReason),
}

/// Why nobody was found in a room.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WaitError {
    /// Nobody came.
    #[error("nobody is in room {room:?} after {} s: check the room's name, or wait longer", waited.as_secs_f32(), room = room.as_str())]
    UnknownRoom {
        /// The room.
        room: RoomName,
        /// How long it was waited.
        waited: Duration,
    },
    /// Somebody is there, but not who was waited for.
    #[error("{name:?} is not in room {room:?}, only {present} after {} s: check the name", waited.as_secs_f32(), name = name.as_str(), room = room.as_str())]
    UnknownParticipant {
        /// Who was waited for.
        name: ParticipantName,
        /// The room.
        room: RoomName,
        /// Who is there.
        present: String,
        /// How long it was waited.
        waited: Duration,
    },
    /// The room is closed.
    #[error("the room is closed ({0}): enter it again")]
    Closed(CloseReason),
}

/// Why a source of pictures or sound cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is none of the known kinds.
    #[error("{} is no video or sound that Parvis reads: give y4m, wav, or MP4 with AV1 and Opus (ffmpeg converts)", .0.display())]
    NotMedia(PathBuf),
    /// The file is damaged or cut off.
    #[error("{} is damaged or cut off ({reason}): make it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense.
        reason: String,
    },
    /// The file is well, but not of a kind that can be published.
    #[error("{} cannot be published ({reason})", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The generator is unknown.
    #[error("unknown generator {0:?}: write test: or test:WIDTHxHEIGHT@FPS")]
    UnknownGenerator(String),
}
