use std::{path::PathBuf, time::Duration};

use parvis::{
    codec::{Bitrate, Channels, FrameRate},
    meeting::{self, TicketSource},
};

use crate::{ErrorKind, ParvisError};

/// How to join a meeting.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct JoinOptions {
    /// The display name, 1 to 50 characters.
    pub name: String,
    /// A stable random id of this device: a guest is known by it.
    pub device: String,
    /// The site of a bare code, such as `https://meet.example`.
    #[uniffi(default = None)]
    pub site: Option<String>,
    /// Whose certificate is accepted of the relay; none: the ticket says it.
    #[uniffi(default = None)]
    pub trust: Option<Trust>,
    /// How long connecting may take, milliseconds.
    #[uniffi(default = 5000)]
    pub connect_timeout_ms: i64,
    /// How long a connection that was lost is tried to be replaced, milliseconds.
    #[uniffi(default = 120000)]
    pub reconnect_ms: i64,
}

/// Which certificates of a relay are accepted.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Trust {
    /// Those that public certificate authorities signed.
    PublicAuthorities,
    /// Those that an authority in this PEM file signed.
    AuthorityFile {
        /// The file.
        path: String,
    },
    /// The one with this SHA-256 fingerprint, in hexadecimal, with or without colons.
    Fingerprint {
        /// 64 hexadecimal digits.
        sha256: String,
    },
    /// Any: for tests on one machine only, since anybody in between can listen.
    Anyone,
}

/// How the microphone is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct AudioOptions {
    /// 1 or 2; what is pushed is interleaved.
    #[uniffi(default = 1)]
    pub channels: i32,
    /// Target bits a second.
    #[uniffi(default = 32000)]
    pub bitrate: i32,
}

/// How a camera or a screen is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct VideoOptions {
    /// The width of what is pushed, after its rotation, pixels.
    pub width: i32,
    /// Its height.
    pub height: i32,
    /// Pictures a second; 0: 30 of a camera, 15 of a screen.
    #[uniffi(default = 0)]
    pub frame_rate: i32,
    /// The most lines that are sent; 0: 720 of a camera, 1080 of a screen.
    #[uniffi(default = 0)]
    pub max_height: i32,
}

/// What of a picture an app shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct VideoTarget {
    /// Pixels across.
    pub width: i32,
    /// Pixels down.
    pub height: i32,
    /// Whether it is seen at all; if not, nothing of it is received.
    #[uniffi(default = true)]
    pub visible: bool,
}

/// How much is received of others' pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Receive {
    /// What their targets ask for.
    All,
    /// The smallest layer of each.
    Less,
    /// Sound only.
    AudioOnly,
}

impl JoinOptions {
    pub(crate) fn with_tickets(self, tickets: TicketSource) -> meeting::JoinOptions {
        let time = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or_default());
        meeting::JoinOptions {
            site: self.site,
            trust: self.trust.map(Into::into),
            connect_timeout: time(self.connect_timeout_ms),
            reconnect: time(self.reconnect_ms),
            ..meeting::JoinOptions::new(self.name, self.device).with_tickets(tickets)
        }
    }
}

impl From<Trust> for parvis::Trust {
    fn from(trust: Trust) -> Self {
        match trust {
            Trust::PublicAuthorities => Self::PublicAuthorities,
            Trust::AuthorityFile { path } => Self::AuthorityFile(PathBuf::from(path)),
            Trust::Fingerprint { sha256 } => Self::Fingerprint(sha256),
            Trust::Anyone => Self::Anyone,
        }
    }
}

impl TryFrom<AudioOptions> for parvis::AudioOptions {
    type Error = ParvisError;

    fn try_from(options: AudioOptions) -> Result<Self, ParvisError> {
        let channels = match options.channels {
            1 => Channels::Mono,
            2 => Channels::Stereo,
            other => return Err(bad("channels are 1 or 2", other)),
        };
        let bitrate = positive("a bitrate is at least 1", options.bitrate)?;
        Ok(Self {
            channels,
            bitrate: Bitrate::bps(bitrate),
            ..Self::default()
        })
    }
}

impl VideoOptions {
    pub(crate) fn size(&self) -> Result<(u32, u32), ParvisError> {
        let side = |side| positive("a picture's side is at least 1", side);
        Ok((side(self.width)?, side(self.height)?))
    }

    pub(crate) fn frame_rate(&self, usual: u32) -> FrameRate {
        FrameRate::whole(or(self.frame_rate, usual))
    }

    pub(crate) fn max_height(&self, usual: u32) -> u32 {
        or(self.max_height, usual)
    }
}

impl From<VideoTarget> for meeting::VideoTarget {
    fn from(target: VideoTarget) -> Self {
        let side = |side| u32::try_from(side).unwrap_or_default();
        if target.visible {
            Self::new(side(target.width), side(target.height))
        } else {
            Self::HIDDEN
        }
    }
}

impl From<Receive> for meeting::Receive {
    fn from(receive: Receive) -> Self {
        match receive {
            Receive::All => Self::All,
            Receive::Less => Self::Less,
            Receive::AudioOnly => Self::AudioOnly,
        }
    }
}

fn or(value: i32, usual: u32) -> u32 {
    u32::try_from(value)
        .ok()
        .filter(|v| *v > 0)
        .unwrap_or(usual)
}

fn positive(rule: &str, value: i32) -> Result<u32, ParvisError> {
    let positive = u32::try_from(value).ok().filter(|v| *v > 0);
    positive.ok_or_else(|| bad(rule, value))
}

fn bad(rule: &str, got: i32) -> ParvisError {
    ParvisError::new(ErrorKind::BadArgument, format!("{rule}, got {got}"))
}
