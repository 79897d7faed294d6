use std::{path::PathBuf, time::Duration};

use parvis::{
    codec::{Bitrate, Channels, FrameRate},
    meeting::{self, TicketSource},
};

use crate::{ErrorKind, ParvisError, mirror::mirror};

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
    /// The PEM file of the authority that signed the certificates of the site, and of a relay whose
    /// fingerprint the ticket does not name; none: a public one.
    #[uniffi(default = None)]
    pub authority: Option<String>,
    /// How long connecting may take, milliseconds.
    #[uniffi(default = 5000)]
    pub connect_timeout_ms: i64,
    /// How long a connection that was lost is tried to be replaced, milliseconds.
    #[uniffi(default = 120000)]
    pub reconnect_ms: i64,
    /// Whether others' cameras, one's own screen and camera are given up step by step when the network is
    /// short.
    #[uniffi(default = true)]
    pub step_down: bool,
    /// How long a command waits for its answer, and is said again, milliseconds; longer than a connection
    /// takes to be replaced.
    #[uniffi(default = 30000)]
    pub command_timeout_ms: i64,
    /// The drafts of MoQ Transport that are offered, preferred first; empty: all.
    #[uniffi(default = [])]
    pub drafts: Vec<Draft>,
}

mirror! {
    /// A draft of MoQ Transport.
    Draft = parvis::Draft {
        /// draft-ietf-moq-transport-18.
        D18,
        /// draft-ietf-moq-transport-22, the preferred one.
        D22,
    }
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
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
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
    /// The layers, each encoded only while somebody watches it; empty: the largest that `max_height` allows,
    /// and halves of it.
    #[uniffi(default = [])]
    pub layers: Vec<VideoLayer>,
    /// Which built-in encoder, where the app has none; none: libaom.
    #[uniffi(default = None)]
    pub encoder: Option<VideoEncoderChoice>,
    /// The longest time between key frames, milliseconds; others come when a subscriber needs one.
    #[uniffi(default = 4000)]
    pub key_interval_ms: i64,
}

/// One encoding of a picture source: a track of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct VideoLayer {
    /// How often the source's width and height are halved.
    pub halvings: i32,
    /// Target bits a second; none: what suits the size.
    #[uniffi(default = None)]
    pub bitrate: Option<i32>,
}

mirror! {
    /// Implementations of video encoders.
    VideoEncoderChoice = parvis::codec::VideoEncoderChoice {
        /// libaom: no delay, live bitrate, real time at 720p on one core.
        Aom,
        /// rav1e: Rust, four frames of delay, fixed bitrate, real time at 180p. Only a library that is built
        /// with the feature `rav1e` has it; another answers [`ErrorKind::Codec`](crate::ErrorKind::Codec).
        Rav1e,
    }
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
    /// Pictures a second, at most; none: all that come.
    #[uniffi(default = None)]
    pub fps: Option<i32>,
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

/// Of a picture's width or height.
const MOST_PIXELS: u32 = 8192;
/// A second.
const MOST_FRAMES: i32 = 240;

impl JoinOptions {
    pub(crate) fn with(
        self,
        tickets: TicketSource,
        codecs: parvis::Codecs,
    ) -> meeting::JoinOptions {
        let plain = meeting::JoinOptions::new(self.name, self.device);
        let time = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or_default());
        meeting::JoinOptions {
            site: self.site,
            trust: self.trust.map(Into::into),
            authority: self.authority.map(PathBuf::from),
            connect_timeout: time(self.connect_timeout_ms),
            reconnect: time(self.reconnect_ms),
            step_down: self.step_down,
            command_timeout: time(self.command_timeout_ms),
            drafts: if self.drafts.is_empty() {
                plain.drafts.clone()
            } else {
                self.drafts.into_iter().map(Into::into).collect()
            },
            tickets,
            codecs,
            ..plain
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
        let channels = channels(options.channels)?;
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
        let side = |side| match positive("a picture's side is at least 1", side)? {
            longer if longer > MOST_PIXELS => Err(bad("a picture's side is at most 8192", side)),
            side => Ok(side),
        };
        Ok((side(self.width)?, side(self.height)?))
    }

    /// As the SDK has them.
    ///
    /// frame_rate, max_height: the usual ones. usual: the layers of a source's lines, of which so many are
    /// sent.
    pub(crate) fn with(
        &self,
        frame_rate: u32,
        max_height: u32,
        usual: impl FnOnce(u32, u32) -> Vec<parvis::VideoLayer>,
    ) -> Result<parvis::VideoOptions, ParvisError> {
        let (width, height) = self.size()?;
        if self.frame_rate > MOST_FRAMES {
            return Err(bad("pictures a second are at most 240", self.frame_rate));
        }
        let plain = parvis::VideoOptions::camera(width, height);
        let layers = self.layers.iter().copied().map(TryInto::try_into);
        let layers = layers.collect::<Result<Vec<_>, ParvisError>>()?;
        let key_interval = u64::try_from(self.key_interval_ms)
            .ok()
            .filter(|ms| *ms > 0);
        Ok(parvis::VideoOptions {
            frame_rate: FrameRate::whole(or(self.frame_rate, frame_rate)),
            layers: if layers.is_empty() {
                usual(height, or(self.max_height, max_height))
            } else {
                layers
            },
            encoder: self.encoder.map_or(plain.encoder, Into::into),
            key_interval: key_interval.map_or(plain.key_interval, Duration::from_millis),
            ..plain
        })
    }
}

impl TryFrom<VideoLayer> for parvis::VideoLayer {
    type Error = ParvisError;

    fn try_from(layer: VideoLayer) -> Result<Self, ParvisError> {
        let halvings = u32::try_from(layer.halvings);
        let halvings = halvings.map_err(|_| bad("halvings are at least 0", layer.halvings))?;
        let bitrate = layer
            .bitrate
            .map(|bitrate| positive("a bitrate is at least 1", bitrate));
        Ok(Self {
            halvings,
            bitrate: bitrate.transpose()?.map(Bitrate::bps),
        })
    }
}

impl From<VideoTarget> for meeting::VideoTarget {
    fn from(target: VideoTarget) -> Self {
        let side = |side| u32::try_from(side).unwrap_or_default();
        if !target.visible {
            return Self::HIDDEN;
        }
        let fps = target.fps.and_then(|fps| u32::try_from(fps).ok());
        Self {
            fps: fps.filter(|fps| *fps > 0),
            ..Self::new(side(target.width), side(target.height))
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

/// Mono or stereo.
pub(crate) fn channels(count: i32) -> Result<Channels, ParvisError> {
    match count {
        1 => Ok(Channels::Mono),
        2 => Ok(Channels::Stereo),
        other => Err(bad("channels are 1 or 2", other)),
    }
}

fn or(value: i32, usual: u32) -> u32 {
    u32::try_from(value)
        .ok()
        .filter(|v| *v > 0)
        .unwrap_or(usual)
}

pub(crate) fn positive(rule: &str, value: i32) -> Result<u32, ParvisError> {
    let positive = u32::try_from(value).ok().filter(|v| *v > 0);
    positive.ok_or_else(|| bad(rule, value))
}

fn bad(rule: &str, got: i32) -> ParvisError {
    ParvisError::new(ErrorKind::BadArgument, format!("{rule}, got {got}"))
}
