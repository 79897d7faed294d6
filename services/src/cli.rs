use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use parvis::{Draft, ParticipantName, RoomName};
use parvis_token::Grant;

use crate::{
    account::{AccountArgs, LoginArgs, LogoutArgs},
    check::CheckArgs,
    demo::DemoArgs,
    join::JoinArgs,
    room::RoomCommandArgs,
    serve::ServeArgs,
};

/// Meetings on Media over QUIC: the whole service, taking part, its rooms and accounts; a relay, a publisher, a recorder
#[derive(Debug, Parser)]
#[command(name = "parvis", version, after_help = EXAMPLES, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print one JSON object a line instead of text, for scripts
    #[arg(long, global = true)]
    pub json: bool,
    /// What is logged to standard error, as in `info` or `warn,parvis=debug`; `relay` has options of its
    /// own [default: info of `serve`, error of the others]
    #[arg(long, value_name = "FILTER", env = "PARVIS_LOG", global = true)]
    pub trace: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  parvis demo
      Two agents and three guests hold a meeting of the whole service on this machine.
  parvis serve
      A meeting service on this machine; `parvis room create` makes a room, `parvis join LINK --name Zoé` takes part.
  parvis relay
      A relay on 127.0.0.1:4433; prints the fingerprint of its certificate.
  parvis publish talk.y4m --audio talk.wav --url moqt://127.0.0.1:4433 --room stand-up --name zoe --fingerprint HEX
  parvis watch --url moqt://127.0.0.1:4433 --room stand-up --out zoe.mp4 --fingerprint HEX";

/// A subcommand.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a relay
    Relay(Box<parvis_relay::Args>),
    /// Publish a file or a test picture into a room
    Publish(PublishArgs),
    /// Record a participant of a room into an MP4 file, without coding anew
    Watch(WatchArgs),
    /// Hold a meeting of five people on this machine, and show each step
    Demo(DemoArgs),
    /// Serve meetings: a relay, the HTTP service and the authority of rooms
    Serve(Box<ServeArgs>),
    /// Take part in a meeting
    Join(Box<JoinArgs>),
    /// Test the connection to a meeting, without knocking
    Check(CheckArgs),
    /// Make keys and tokens for a relay that asks for them
    Token(TokenArgs),
    /// Make, list, schedule rooms of a meeting service
    Room(RoomCommandArgs),
    /// Make an account of a meeting service
    Account(AccountArgs),
    /// Sign in to a meeting service
    Login(LoginArgs),
    /// Sign out of a meeting service
    Logout(LogoutArgs),
}

/// Where the room is.
#[derive(Debug, Clone, Args)]
pub struct RoomArgs {
    /// The relay, as in moqt://relay.example:4433
    #[arg(long, value_name = "URL", env = "PARVIS_URL")]
    pub url: String,
    /// The room's name
    #[arg(long, value_name = "NAME")]
    pub room: RoomName,
    /// Trust the certificate with this SHA-256 fingerprint, which the relay prints
    #[arg(long, value_name = "HEX", group = "trust")]
    pub fingerprint: Option<String>,
    /// Trust certificates that the authority in this PEM file signed
    #[arg(long, value_name = "FILE", group = "trust")]
    pub ca: Option<PathBuf>,
    /// Trust any certificate; for tests on one machine only
    #[arg(long, group = "trust")]
    pub insecure: bool,
    /// The file with the token that lets one in, read at each connect
    #[arg(long, value_name = "FILE", env = "PARVIS_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Offer only this draft of MoQ Transport
    #[arg(long, value_enum)]
    pub draft: Option<DraftArg>,
    /// How long connecting may take
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// How long a connection that was lost is tried to be replaced; 0s: not at all
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub reconnect: Duration,
}

/// A draft on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DraftArg {
    /// draft-ietf-moq-transport-22
    #[value(name = "22")]
    D22,
    /// draft-ietf-moq-transport-18
    #[value(name = "18")]
    D18,
}

impl From<DraftArg> for Draft {
    fn from(draft: DraftArg) -> Self {
        match draft {
            DraftArg::D22 => Self::D22,
            DraftArg::D18 => Self::D18,
        }
    }
}

/// What `parvis publish` takes.
#[derive(Debug, Args)]
#[command(after_help = PUBLISH_EXAMPLES)]
pub struct PublishArgs {
    /// A y4m or wav file, an MP4 file with AV1 and Opus (sent as it is), or a generator:
    /// test: or test:WIDTHxHEIGHT@FPS
    #[arg(value_name = "FILE")]
    pub source: String,
    /// Where to publish it.
    #[command(flatten)]
    pub room: RoomArgs,
    /// The participant's name in the room
    #[arg(long, value_name = "NAME")]
    pub name: ParticipantName,
    /// A wav file with the sound to a y4m file
    #[arg(long, value_name = "FILE")]
    pub audio: Option<PathBuf>,
    /// Begin again at the end of the file
    #[arg(long = "loop")]
    pub looped: bool,
    /// The video encoder
    #[arg(long, value_enum, default_value_t = EncoderArg::Aom)]
    pub codec: EncoderArg,
    /// The lines of the largest layer; a second one has half of them
    #[arg(long, value_name = "LINES", default_value_t = 360)]
    pub max_height: u32,
    /// Stop after this time, as in 90s or 5m
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub duration: Option<Duration>,
}

const PUBLISH_EXAMPLES: &str = "\
Examples:
  parvis publish talk.y4m --audio talk.wav --url moqt://localhost:4433 --room r --name zoe --insecure
  parvis publish recorded.mp4 --loop --url moqt://relay.example:443 --room r --name zoe
  parvis publish test:1280x720@15 --max-height 720 --url moqt://localhost:4433 --room r --name zoe --insecure";

/// A video encoder on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EncoderArg {
    /// libaom: fast, no delay
    Aom,
    /// rav1e: in Rust, four frames of delay, for small pictures
    Rav1e,
}

impl From<EncoderArg> for parvis::codec::VideoEncoderChoice {
    fn from(encoder: EncoderArg) -> Self {
        match encoder {
            EncoderArg::Aom => Self::Aom,
            EncoderArg::Rav1e => Self::Rav1e,
        }
    }
}

/// What `parvis watch` takes.
#[derive(Debug, Args)]
#[command(after_help = WATCH_EXAMPLES)]
pub struct WatchArgs {
    /// The room to watch.
    #[command(flatten)]
    pub room: RoomArgs,
    /// Whom to record; otherwise the first who is there
    #[arg(long, value_name = "NAME")]
    pub from: Option<ParticipantName>,
    /// The MP4 file; it appears when it is whole
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Stop after this time, as in 90s or 5m; otherwise when the participant leaves, or at Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub duration: Option<Duration>,
    /// How long to wait for somebody to be there
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub wait: Duration,
}

const WATCH_EXAMPLES: &str = "\
Examples:
  parvis watch --url moqt://localhost:4433 --room stand-up --out out.mp4 --insecure
  parvis watch --url moqt://localhost:4433 --room stand-up --from zoe --duration 30s --out zoe.mp4 --insecure";

/// What `parvis token` takes.
#[derive(Debug, Args)]
#[command(after_help = TOKEN_EXAMPLES)]
pub struct TokenArgs {
    /// What to make.
    #[command(subcommand)]
    pub command: TokenCommand,
}

const TOKEN_EXAMPLES: &str = "\
Examples:
  parvis token key --out issuer.key
  parvis token key-set issuer.key --out keys.json
  parvis relay --listen '[::]:443' --auth-keys keys.json --cert fullchain.pem --key privkey.pem
  parvis token sign --key issuer.key --room stand-up --name zoe --valid 2h --out zoe.token
  parvis publish talk.mp4 --url moqt://relay.example:443 --room stand-up --name zoe --token-file zoe.token";

/// A subcommand of `parvis token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a private key that signs tokens (Ed25519, as a JSON Web Key)
    Key(KeyArgs),
    /// Print the public halves of private keys, as a relay's --auth-keys wants them
    KeySet(KeySetArgs),
    /// Sign a token
    Sign(SignArgs),
}

/// What `parvis token key` takes.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// The new file; one that exists is kept
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// What `parvis token key-set` takes.
#[derive(Debug, Args)]
pub struct KeySetArgs {
    /// Files with private keys
    #[arg(value_name = "KEY", required = true)]
    pub keys: Vec<PathBuf>,
    /// The file to write; otherwise they are printed
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What `parvis token sign` takes.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The file with the private key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Let its holder see who is in this room, and receive what they publish
    #[arg(long, value_name = "NAME")]
    pub room: Option<RoomName>,
    /// Let its holder publish in the room as this participant
    #[arg(long, value_name = "NAME", requires = "room")]
    pub name: Option<ParticipantName>,
    /// A grant as JSON, as in `{"actions": ["subscribe"], "prefix": ["parvis", "stand-up"]}`
    #[arg(long = "grant", value_name = "JSON", value_parser = grant)]
    pub grants: Vec<Grant>,
    /// Let its holder do everything for those it serves: it is another relay, whose --subject this is
    #[arg(long, requires = "subject")]
    pub relay: bool,
    /// Whose it is (sub); otherwise the participant's name
    #[arg(long, value_name = "WHO")]
    pub subject: Option<String>,
    /// How long it is valid
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    pub valid: Duration,
    /// Who issues it (iss), as the relay's --auth-issuer says
    #[arg(long, value_name = "NAME")]
    pub issuer: Option<String>,
    /// For which relays it is (aud), as their --auth-audience says
    #[arg(long, value_name = "NAME")]
    pub audience: Vec<String>,
    /// The file to write; otherwise it is printed
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

fn grant(text: &str) -> Result<Grant, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
