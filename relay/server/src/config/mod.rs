mod args;
mod error;
mod file;
mod units;

#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr, num::NonZeroUsize, path::PathBuf, str::FromStr, thread, time::Duration,
};

use bytesize::ByteSize;
use parvis_quic::ServerUrl;
use parvis_wire::TrackNamespace;
use serde::Deserialize;

pub use self::{
    args::{Args, Options},
    error::ConfigError,
};

/// How a relay behaves. The default is a relay for this machine alone, with a certificate made up
/// at the start.
///
/// A TOML file has the same names as the flags; names that are not known are refused:
///
/// ```
/// let config = parvis_relay::Config::from_toml(r#"
///     listen = "[::]:4433"
///     cache = "512MiB"
///     drain = "30s"
/// "#)?;
/// assert_eq!(config.cache.as_u64(), 512 << 20);
/// # Ok::<(), parvis_relay::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The UDP address to listen on; port 0: any free one.
    pub listen: SocketAddr,
    /// The certificate chain, PEM; `None`: a self-signed certificate is made at the start.
    pub cert: Option<PathBuf>,
    /// The private key of `cert`, PEM.
    pub key: Option<PathBuf>,
    /// The file with 128 hexadecimal digits by which clients of a relay that died learn from the next one
    /// that their sessions are over; `None`: they notice by its silence. Not with `hand_over`, where two
    /// relays share the port.
    pub reset_key: Option<PathBuf>,
    /// Whether sessions come over WebTransport too, on the same port.
    pub webtransport: WebTransport,
    /// Threads that forward, each with its own socket.
    pub threads: NonZeroUsize,
    /// Clients that a thread takes before the next one has its turn; 0: the kernel spreads them.
    pub fill: usize,
    /// The TCP address of the HTTP pages for operators; `None`: there are none.
    pub http: Option<SocketAddr>,

    /// The TCP address that takes orders over HTTP, a loopback one; `None`: nowhere.
    pub control: Option<SocketAddr>,
    /// The file with the secret that whoever gives orders must know.
    pub control_secret: Option<PathBuf>,
    /// The public keys that sign tokens, a JSON Web Key set: a file, or a URL of https. `None`:
    /// nobody needs a token, which is allowed on a loopback address only.
    pub auth_keys: Option<String>,
    /// Who must have issued a token (`iss`); `None`: whoever has one of the keys.
    pub auth_issuer: Option<String>,
    /// Whom a token must be for (`aud`); `None`: nobody in particular.
    pub auth_audience: Option<String>,
    /// The least number of fields of a prefix that a token may grant: those that name a room.
    pub auth_least_prefix: usize,
    /// Namespaces, their fields joined by `/`, in and under which a token may grant to publish by a
    /// prefix: those of services that speak to everybody. No limit of a session binds who has such a
    /// token.
    pub auth_publish_under: Vec<String>,
    /// By how much the clock of who issues tokens may differ.
    #[serde(deserialize_with = "units::deserialize_duration")]
    pub auth_leeway: Duration,
    /// How long a session may be without a token.
    #[serde(deserialize_with = "units::deserialize_duration")]
    pub auth_deadline: Duration,
    /// How often the keys are looked at for changes.
    #[serde(deserialize_with = "units::deserialize_duration")]
    pub auth_reload: Duration,

    /// Sessions, beyond which newcomers are refused.
    pub max_sessions: usize,
    /// Sessions of one participant, beyond which the oldest is closed.
    pub max_subject_sessions: usize,
    /// Handshakes under way, beyond which newcomers must prove their address first.
    pub max_half_open: usize,
    /// Handshakes under way from one network (/24, /64 for IPv6) whose addresses are proved, beyond which
    /// newcomers from there are not answered: they ask again.
    pub max_network_half_open: usize,
    /// Connection attempts a second from one network (/24, /64 for IPv6), beyond which they must
    /// prove their address first.
    pub max_attempts: u32,
    /// Subscriptions of one participant, all its sessions together; of one session where nobody needs a
    /// token. So are the four below.
    pub max_subscriptions: usize,
    /// Tracks that one participant may publish by PUBLISH.
    pub max_tracks: usize,
    /// Namespaces that one participant may publish.
    pub max_namespaces: usize,
    /// Requests for a prefix (SUBSCRIBE_NAMESPACE, SUBSCRIBE_TRACKS) of one participant.
    pub max_prefixes: usize,
    /// Requests of one participant a second; after a pause four times as many at once. Updates of
    /// requests count for their session.
    pub max_requests: u32,
    /// Streams of each direction that a peer may have open.
    pub max_streams: u32,
    /// Bytes that a peer may have in flight or unread.
    #[serde(deserialize_with = "units::deserialize_size")]
    pub receive_window: ByteSize,
    /// Bytes that a peer may have in flight or unread on one stream.
    #[serde(deserialize_with = "units::deserialize_size")]
    pub stream_window: ByteSize,
    /// Bytes sent to a peer that it has not acknowledged.
    #[serde(deserialize_with = "units::deserialize_size")]
    pub send_window: ByteSize,
    /// A peer that is silent for so long is gone.
    #[serde(deserialize_with = "units::deserialize_duration")]
    pub idle_timeout: Duration,

    /// Bytes that wait for one subscription; beyond, its oldest groups are dropped.
    #[serde(deserialize_with = "units::deserialize_size")]
    pub queue: ByteSize,
    /// Bytes that wait for one session; beyond, the oldest group of the least important track is
    /// dropped.
    #[serde(deserialize_with = "units::deserialize_size")]
    pub session_queue: ByteSize,
    /// How long bytes wait; beyond, their group is dropped.
    #[serde(deserialize_with = "units::deserialize_duration")]
    pub queue_age: Duration,
    /// A subscription that keeps dropping for so long is ended.
    #[serde(deserialize_with = "units::deserialize_duration")]
    pub too_far_behind: Duration,
    /// Bytes of answers to FETCH that wait for one session; beyond, the answer that grows is cut off.
    #[serde(deserialize_with = "units::deserialize_size")]
    pub fetch_queue: ByteSize,
    /// Bytes of datagrams that wait for the path to one session; beyond, the oldest are dropped.
    #[serde(deserialize_with = "units::deserialize_size")]
    pub datagram_queue: ByteSize,

    /// Bytes of cached objects in all, shared equally by the threads.
    #[serde(deserialize_with = "units::deserialize_size")]
    pub cache: ByteSize,
    /// Bytes of cached objects of one track.
    #[serde(deserialize_with = "units::deserialize_size")]
    pub track_cache: ByteSize,
    /// How long the objects of a silent track stay cached.
    #[serde(deserialize_with = "units::deserialize_duration")]
    pub cache_age: Duration,
    /// The largest newest group that stays cached longer, while its publisher is there: a catalog.
    #[serde(deserialize_with = "units::deserialize_size")]
    pub max_catalog: ByteSize,

    /// How long packets may wait for each other when there is much to do; zero: not at all.
    #[serde(deserialize_with = "units::deserialize_duration")]
    pub coalesce: Duration,
    /// How long sessions have to move away when the relay is stopped.
    #[serde(deserialize_with = "units::deserialize_duration")]
    pub drain: Duration,
    /// Where sessions move to when the relay is stopped, a URL; `None`: to the one they came by.
    pub drain_to: Option<String>,
    /// The relay whose namespaces are to be had here too, and that is told of those here, a URL.
    pub upstream: Option<String>,
    /// The SHA-256 fingerprint of the upstream relay's certificate.
    pub upstream_fingerprint: Option<String>,
    /// A PEM file with the authority that signed the upstream relay's certificate; `None`: one of
    /// the public ones.
    pub upstream_ca: Option<PathBuf>,
    /// The file with the token that the upstream relay is shown, read at each connect.
    pub upstream_token: Option<PathBuf>,
    /// The draft spoken with the upstream relay, 18 or 22; `None`: the newest that both speak.
    pub upstream_draft: Option<u64>,
    /// Whether clients that say they are relays are treated as such: told of everything, not
    /// bound by the limits of a session.
    pub accept_relays: bool,
    /// Whether the port is shared with a successor: newcomers are its when this relay drains.
    pub hand_over: bool,

    /// What is logged, as in `info` or `warn,parvis_relay=debug`.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
}

/// Whether a relay takes sessions over WebTransport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, clap::ValueEnum)]
pub enum WebTransport {
    /// It does; clients that name no draft, as Firefox does, get draft 18.
    #[default]
    #[serde(rename = "18")]
    #[value(name = "18")]
    Draft18,
    /// It does; clients that name no draft get draft 22.
    #[serde(rename = "22")]
    #[value(name = "22")]
    Draft22,
    /// It does not.
    #[serde(rename = "off")]
    Off,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4433)),
            cert: None,
            key: None,
            reset_key: None,
            webtransport: WebTransport::default(),
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            fill: 128,
            http: None,
            control: None,
            control_secret: None,
            auth_keys: None,
            auth_issuer: None,
            auth_audience: None,
            auth_least_prefix: 2,
            auth_publish_under: Vec::new(),
            auth_leeway: Duration::from_secs(5),
            auth_reload: Duration::from_secs(10),
            auth_deadline: Duration::from_secs(10),
            max_sessions: 10_000,
            max_subject_sessions: 4,
            max_half_open: 200,
            max_network_half_open: 64,
            max_attempts: 50,
            max_subscriptions: 200,
            max_tracks: 100,
            max_namespaces: 20,
            max_prefixes: 20,
            max_requests: 50,
            max_streams: 256,
            receive_window: ByteSize::mib(8),
            stream_window: ByteSize::kib(512),
            send_window: ByteSize::mib(2),
            idle_timeout: Duration::from_secs(15),
            queue: ByteSize::mib(1),
            session_queue: ByteSize::mib(4),
            queue_age: Duration::from_secs(2),
            too_far_behind: Duration::from_secs(5),
            fetch_queue: ByteSize::mib(16),
            datagram_queue: ByteSize::kib(64),
            cache: ByteSize::mib(256),
            track_cache: ByteSize::mib(8),
            cache_age: Duration::from_secs(30),
            max_catalog: ByteSize::kib(64),
            coalesce: Duration::from_millis(2),
            drain: Duration::from_secs(10),
            drain_to: None,
            upstream: None,
            upstream_fingerprint: None,
            upstream_ca: None,
            upstream_token: None,
            upstream_draft: None,
            accept_relays: false,
            hand_over: false,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    }
}

/// More threads have more numbers than a connection id has room for.
const MAX_THREADS: usize = 64;
/// Sums of the numbers of requests of a session fit a QUIC stream limit.
const MAX_REQUESTS: usize = 1_000_000;
/// A point in time this far away always exists.
const LONGEST: Duration = Duration::from_hours(24);

impl Config {
    /// `auth_publish_under` as namespaces; `None`: one of them is none.
    pub(crate) fn publish_under(&self) -> Option<Vec<TrackNamespace>> {
        let namespaces = self.auth_publish_under.iter();
        let namespaces = namespaces.map(|text| {
            let fields = text.split('/').map(|field| field.as_bytes().to_vec());
            TrackNamespace::new(fields).ok()
        });
        namespaces.collect()
    }

    /// Checks what one value alone cannot say.
    pub fn check(&self) -> Result<(), ConfigError> {
        match (&self.cert, &self.key) {
            (Some(_), None) => {
                return Err(ConfigError::Incomplete {
                    has: "cert",
                    lacks: "key",
                });
            }
            (None, Some(_)) => {
                return Err(ConfigError::Incomplete {
                    has: "key",
                    lacks: "cert",
                });
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        for (name, url) in [("drain-to", &self.drain_to), ("upstream", &self.upstream)] {
            if let Some(url) = url {
                ServerUrl::from_str(url).map_err(|source| ConfigError::Url { name, source })?;
            }
        }
        match (&self.control, &self.control_secret) {
            (Some(_), None) => {
                return Err(ConfigError::Incomplete {
                    has: "control",
                    lacks: "control-secret",
                });
            }
            (None, Some(_)) => {
                return Err(ConfigError::Incomplete {
                    has: "control-secret",
                    lacks: "control",
                });
            }
            (Some(control), Some(_)) if !control.ip().to_canonical().is_loopback() => {
                return Err(ConfigError::ControlAfar { control: *control });
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        if self.auth_keys.is_none() {
            let unused = [
                ("auth-issuer", self.auth_issuer.is_some()),
                ("auth-audience", self.auth_audience.is_some()),
                ("auth-publish-under", !self.auth_publish_under.is_empty()),
            ];
            if let Some((name, _)) = unused.into_iter().find(|(_, is_set)| *is_set) {
                return Err(ConfigError::NoKeys { name });
            }
            if !self.listen.ip().to_canonical().is_loopback() {
                return Err(ConfigError::Open {
                    listen: self.listen,
                });
            }
        }
        let out_of_range = |name, allowed| Err(ConfigError::OutOfRange { name, allowed });
        if self.threads.get() > MAX_THREADS {
            return out_of_range("threads", "from 1 to 64");
        }
        if self
            .upstream_draft
            .is_some_and(|draft| !matches!(draft, 18 | 22))
        {
            return out_of_range("upstream-draft", "18 or 22");
        }
        if self.hand_over && self.reset_key.is_some() {
            return out_of_range("reset-key", "left out with `hand-over`");
        }
        if self.max_sessions == 0 {
            return out_of_range("max-sessions", "at least 1");
        }
        for (name, count) in [
            ("max-subscriptions", self.max_subscriptions),
            ("max-tracks", self.max_tracks),
            ("max-namespaces", self.max_namespaces),
            ("max-prefixes", self.max_prefixes),
        ] {
            if count > MAX_REQUESTS {
                return out_of_range(name, "at most 1000000");
            }
        }
        for (name, time) in [
            ("drain", self.drain),
            ("queue-age", self.queue_age),
            ("too-far-behind", self.too_far_behind),
            ("cache-age", self.cache_age),
            ("auth-reload", self.auth_reload),
            ("auth-deadline", self.auth_deadline),
        ] {
            if time > LONGEST {
                return out_of_range(name, "at most 1day");
            }
        }
        if self.max_subject_sessions == 0 {
            return out_of_range("max-subject-sessions", "at least 1");
        }
        if self.max_requests == 0 {
            return out_of_range("max-requests", "at least 1");
        }
        if self.max_streams < 8 {
            return out_of_range("max-streams", "at least 8");
        }
        for (name, window) in [
            ("receive-window", self.receive_window),
            ("stream-window", self.stream_window),
            ("send-window", self.send_window),
        ] {
            if !(64 << 10..=1 << 30).contains(&window.as_u64()) {
                return out_of_range(name, "from 64KiB to 1GiB");
            }
        }
        if !(1 << 10..=16 << 20).contains(&self.datagram_queue.as_u64()) {
            return out_of_range("datagram-queue", "from 1KiB to 16MiB");
        }
        if !(Duration::from_secs(1)..=Duration::from_mins(10)).contains(&self.idle_timeout) {
            return out_of_range("idle-timeout", "from 1s to 10m");
        }
        if self.auth_least_prefix == 0 {
            return out_of_range("auth-least-prefix", "at least 1");
        }
        if self.publish_under().is_none() {
            return out_of_range(
                "auth-publish-under",
                "fields that are not empty, joined by /",
            );
        }
        if self.auth_leeway > Duration::from_mins(5) {
            return out_of_range("auth-leeway", "at most 5m");
        }
        if self.auth_reload < Duration::from_millis(100) {
            return out_of_range("auth-reload", "at least 100ms");
        }
        if self.coalesce > Duration::from_millis(20) {
            return out_of_range("coalesce", "at most 20ms");
        }
        Ok(())
    }
}
