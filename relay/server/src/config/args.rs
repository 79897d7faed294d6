use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

use bytesize::ByteSize;

use super::{Config, ConfigError, LogFormat, WebTransport, units};

/// The command line of `parvis relay`.
///
/// A flag wins over its environment variable, that over the file, that over the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A TOML file with the same names as the flags, as in `cache = "512MiB"`
    #[arg(long, value_name = "FILE", env = "PARVIS_RELAY_CONFIG")]
    pub config: Option<PathBuf>,

    /// What overrides the file.
    #[command(flatten)]
    pub options: Options,
}

const EXAMPLES: &str = "\
Examples:
  parvis relay
      Listens on 127.0.0.1:4433 with a certificate made up at the start; prints its SHA-256 hash,
      by which clients can trust it.
  parvis relay --listen '[::]:443' --cert fullchain.pem --key privkey.pem --auth-keys keys.json
      Serves everybody who has a token, over IPv6 and IPv4.
  PARVIS_RELAY_CACHE=1GiB parvis relay --config relay.toml --drain 30s
      Takes most from a file.

A flag wins over its environment variable, that over the file, that over the default.
Durations have a unit (500ms, 10s, 2m), sizes may have one (512KiB, 8MiB, 1GB).";

/// Every value of [`Config`], where one is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Network")]
pub struct Options {
    /// The UDP address to listen on; port 0 takes any free one [default: 127.0.0.1:4433]
    #[arg(long, value_name = "ADDR:PORT", env = "PARVIS_RELAY_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// The certificate chain, PEM, the relay's own first [default: a self-signed certificate]
    #[arg(long, value_name = "FILE", env = "PARVIS_RELAY_CERT")]
    pub cert: Option<PathBuf>,
    /// The private key of --cert, PEM
    #[arg(long, value_name = "FILE", env = "PARVIS_RELAY_KEY")]
    pub key: Option<PathBuf>,
    /// The file with 128 hexadecimal digits by which clients of a relay that died learn from the next one
    /// that their sessions are over; not with --hand-over [default: none, they notice by its silence]
    #[arg(long, value_name = "FILE", env = "PARVIS_RELAY_RESET_KEY")]
    pub reset_key: Option<PathBuf>,
    /// The draft of browsers that name none; off: nobody comes over WebTransport [default: 18]
    #[arg(long, value_name = "DRAFT", env = "PARVIS_RELAY_WEBTRANSPORT")]
    pub webtransport: Option<WebTransport>,
    /// Threads that forward, each with its own socket [default: one for each core]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_THREADS")]
    pub threads: Option<NonZeroUsize>,
    /// Clients that a thread takes before the next one has its turn: one meeting is cheapest on
    /// one thread; 0: the kernel spreads clients over the threads [default: 128]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_FILL")]
    pub fill: Option<usize>,
    /// The TCP address of /metrics, /healthz and /readyz, best on loopback: anybody who reaches it
    /// may read them [default: none]
    #[arg(long, value_name = "ADDR:PORT", env = "PARVIS_RELAY_HTTP")]
    pub http: Option<SocketAddr>,
    /// How long packets may wait for each other under load, to go out together; 0: not at all
    /// [default: 2ms]
    #[arg(long, value_name = "TIME", value_parser = units::duration, env = "PARVIS_RELAY_COALESCE")]
    pub coalesce: Option<Duration>,
    /// How long sessions have to move away when the relay is stopped [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = units::duration, env = "PARVIS_RELAY_DRAIN")]
    pub drain: Option<Duration>,
    /// Where sessions move to when the relay is stopped; newcomers are pointed there too
    /// [default: to where they came from; newcomers are refused]
    #[arg(long, value_name = "URL", env = "PARVIS_RELAY_DRAIN_TO")]
    pub drain_to: Option<String>,
    /// Shares the port with a successor: once this relay is stopped, start another with this flag
    /// on the same address, and newcomers are its
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
        env = "PARVIS_RELAY_HAND_OVER"
    )]
    pub hand_over: Option<bool>,

    /// The TCP address that takes orders over HTTP (sessions to end, tracks to stop), a loopback
    /// one; needs --control-secret [default: none]
    #[arg(long, value_name = "ADDR:PORT", env = "PARVIS_RELAY_CONTROL", help_heading = ACCESS)]
    pub control: Option<SocketAddr>,
    /// The file with the secret that whoever gives orders must know [default: none]
    #[arg(long, value_name = "FILE", env = "PARVIS_RELAY_CONTROL_SECRET", help_heading = ACCESS)]
    pub control_secret: Option<PathBuf>,
    /// The public keys that sign tokens, a JSON Web Key set: a file or an https URL [default: no
    /// tokens, on a loopback address only]
    #[arg(long, value_name = "FILE|URL", env = "PARVIS_RELAY_AUTH_KEYS", help_heading = ACCESS)]
    pub auth_keys: Option<String>,
    /// Who must have issued a token (iss) [default: whoever has one of the keys]
    #[arg(long, value_name = "NAME", env = "PARVIS_RELAY_AUTH_ISSUER", help_heading = ACCESS)]
    pub auth_issuer: Option<String>,
    /// Whom a token must be for (aud) [default: nobody in particular]
    #[arg(long, value_name = "NAME", env = "PARVIS_RELAY_AUTH_AUDIENCE", help_heading = ACCESS)]
    pub auth_audience: Option<String>,
    /// The least number of fields of a prefix that a token may grant [default: 2]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_AUTH_LEAST_PREFIX", help_heading = ACCESS)]
    pub auth_least_prefix: Option<usize>,
    /// Namespaces such as a/b, with commas between them, under which a token may grant to publish by a
    /// prefix; no limit of a session binds who has such a token [default: none]
    #[arg(
        long, value_name = "NAMESPACES", value_delimiter = ',',
        env = "PARVIS_RELAY_AUTH_PUBLISH_UNDER", help_heading = ACCESS
    )]
    pub auth_publish_under: Option<Vec<String>>,
    /// By how much the clock of who issues tokens may differ, in whole seconds [default: 5s]
    #[arg(
        long, value_name = "TIME", value_parser = units::duration,
        env = "PARVIS_RELAY_AUTH_LEEWAY", help_heading = ACCESS
    )]
    pub auth_leeway: Option<Duration>,
    /// How often the keys are looked at for changes [default: 10s]
    #[arg(
        long, value_name = "TIME", value_parser = units::duration,
        env = "PARVIS_RELAY_AUTH_RELOAD", help_heading = ACCESS
    )]
    pub auth_reload: Option<Duration>,
    /// How long a session may be without a token [default: 10s]
    #[arg(
        long, value_name = "TIME", value_parser = units::duration,
        env = "PARVIS_RELAY_AUTH_DEADLINE", help_heading = ACCESS
    )]
    pub auth_deadline: Option<Duration>,
    /// Another relay: what is published there is to be had here, and the other way round
    /// [default: none]
    #[arg(long, value_name = "URL", env = "PARVIS_RELAY_UPSTREAM", help_heading = CHAINS)]
    pub upstream: Option<String>,
    /// Trust the upstream relay's certificate with this SHA-256 fingerprint [default: none]
    #[arg(
        long, value_name = "HEX", env = "PARVIS_RELAY_UPSTREAM_FINGERPRINT", help_heading = CHAINS
    )]
    pub upstream_fingerprint: Option<String>,
    /// Trust certificates that the authority in this PEM file signed, of the upstream relay
    /// [default: none]
    #[arg(long, value_name = "FILE", env = "PARVIS_RELAY_UPSTREAM_CA", help_heading = CHAINS)]
    pub upstream_ca: Option<PathBuf>,
    /// The file with the token that the upstream relay is shown, read at each connect
    /// [default: none]
    #[arg(long, value_name = "FILE", env = "PARVIS_RELAY_UPSTREAM_TOKEN", help_heading = CHAINS)]
    pub upstream_token: Option<PathBuf>,
    /// The draft spoken with the upstream relay, 18 or 22 [default: none, the newest of both]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_UPSTREAM_DRAFT", help_heading = CHAINS)]
    pub upstream_draft: Option<u64>,
    /// Treat clients that say they are relays as such: tell them of everything, without the limits
    /// of a session [default: false]
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
        env = "PARVIS_RELAY_ACCEPT_RELAYS", help_heading = CHAINS
    )]
    pub accept_relays: Option<bool>,

    /// Sessions, beyond which newcomers are refused [default: 10000]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_SESSIONS", help_heading = LIMITS)]
    pub max_sessions: Option<usize>,
    /// Sessions of one participant, beyond which the oldest is closed [default: 4]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_SUBJECT_SESSIONS", help_heading = LIMITS)]
    pub max_subject_sessions: Option<usize>,
    /// Handshakes under way, beyond which newcomers must prove their address first
    /// [default: 200]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_HALF_OPEN", help_heading = LIMITS)]
    pub max_half_open: Option<usize>,
    /// Handshakes under way from one network (/24, /64 for IPv6) whose addresses are proved, beyond
    /// which newcomers from there are not answered: they ask again [default: 64]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_NETWORK_HALF_OPEN", help_heading = LIMITS)]
    pub max_network_half_open: Option<usize>,
    /// Connection attempts a second from one network (/24, /64 for IPv6), beyond which they must
    /// prove their address first [default: 50]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_ATTEMPTS", help_heading = LIMITS)]
    pub max_attempts: Option<u32>,
    /// Subscriptions of one participant, in all its sessions; of a session where nobody needs a token,
    /// here and below [default: 200]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_SUBSCRIPTIONS", help_heading = LIMITS)]
    pub max_subscriptions: Option<usize>,
    /// Tracks that one participant may offer by PUBLISH [default: 100]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_TRACKS", help_heading = LIMITS)]
    pub max_tracks: Option<usize>,
    /// Namespaces that one participant may publish [default: 20]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_NAMESPACES", help_heading = LIMITS)]
    pub max_namespaces: Option<usize>,
    /// Requests for a prefix of namespaces or tracks of one participant [default: 20]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_PREFIXES", help_heading = LIMITS)]
    pub max_prefixes: Option<usize>,
    /// Requests of one participant a second; after a pause four times as many at once. Updates count
    /// for their session [default: 50]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_REQUESTS", help_heading = LIMITS)]
    pub max_requests: Option<u32>,
    /// Streams of each direction that a peer may have open [default: 256]
    #[arg(long, value_name = "N", env = "PARVIS_RELAY_MAX_STREAMS", help_heading = LIMITS)]
    pub max_streams: Option<u32>,
    /// Bytes that a peer may have in flight or unread [default: 8MiB]
    #[arg(
        long, value_name = "SIZE", value_parser = units::size,
        env = "PARVIS_RELAY_RECEIVE_WINDOW", help_heading = LIMITS
    )]
    pub receive_window: Option<ByteSize>,
    /// Bytes that a peer may have in flight or unread on one stream [default: 512KiB]
    #[arg(
        long, value_name = "SIZE", value_parser = units::size,
        env = "PARVIS_RELAY_STREAM_WINDOW", help_heading = LIMITS
    )]
    pub stream_window: Option<ByteSize>,
    /// Bytes sent to a peer that it has not acknowledged [default: 2MiB]
    #[arg(
        long, value_name = "SIZE", value_parser = units::size,
        env = "PARVIS_RELAY_SEND_WINDOW", help_heading = LIMITS
    )]
    pub send_window: Option<ByteSize>,
    /// A peer that is silent for so long is gone [default: 15s]
    #[arg(
        long, value_name = "TIME", value_parser = units::duration,
        env = "PARVIS_RELAY_IDLE_TIMEOUT", help_heading = LIMITS
    )]
    pub idle_timeout: Option<Duration>,

    /// Bytes that wait for one subscription; beyond, its oldest groups are dropped
    /// [default: 1MiB]
    #[arg(
        long, value_name = "SIZE", value_parser = units::size,
        env = "PARVIS_RELAY_QUEUE", help_heading = QUEUES
    )]
    pub queue: Option<ByteSize>,
    /// Bytes that wait for one session; beyond, the oldest group of its least important track is
    /// dropped [default: 4MiB]
    #[arg(
        long, value_name = "SIZE", value_parser = units::size,
        env = "PARVIS_RELAY_SESSION_QUEUE", help_heading = QUEUES
    )]
    pub session_queue: Option<ByteSize>,
    /// How long bytes wait; beyond, their group is dropped [default: 2s]
    #[arg(
        long, value_name = "TIME", value_parser = units::duration,
        env = "PARVIS_RELAY_QUEUE_AGE", help_heading = QUEUES
    )]
    pub queue_age: Option<Duration>,
    /// A subscription that keeps dropping for so long is ended [default: 5s]
    #[arg(
        long, value_name = "TIME", value_parser = units::duration,
        env = "PARVIS_RELAY_TOO_FAR_BEHIND", help_heading = QUEUES
    )]
    pub too_far_behind: Option<Duration>,
    /// Bytes of answers to FETCH that wait for one session; beyond, the answer that grows is cut
    /// off [default: 16MiB]
    #[arg(
        long, value_name = "SIZE", value_parser = units::size,
        env = "PARVIS_RELAY_FETCH_QUEUE", help_heading = QUEUES
    )]
    pub fetch_queue: Option<ByteSize>,
    /// Bytes of datagrams that wait for the path to one session; beyond, the oldest are dropped
    /// [default: 64KiB]
    #[arg(
        long, value_name = "SIZE", value_parser = units::size,
        env = "PARVIS_RELAY_DATAGRAM_QUEUE", help_heading = QUEUES
    )]
    pub datagram_queue: Option<ByteSize>,

    /// Bytes of cached objects in all, shared equally by the threads [default: 256MiB]
    #[arg(
        long, value_name = "SIZE", value_parser = units::size,
        env = "PARVIS_RELAY_CACHE", help_heading = CACHE
    )]
    pub cache: Option<ByteSize>,
    /// Bytes of cached objects of one track [default: 8MiB]
    #[arg(
        long, value_name = "SIZE", value_parser = units::size,
        env = "PARVIS_RELAY_TRACK_CACHE", help_heading = CACHE
    )]
    pub track_cache: Option<ByteSize>,
    /// How long the objects of a silent track stay cached [default: 30s]
    #[arg(
        long, value_name = "TIME", value_parser = units::duration,
        env = "PARVIS_RELAY_CACHE_AGE", help_heading = CACHE
    )]
    pub cache_age: Option<Duration>,
    /// The largest newest group that stays cached longer, while its publisher is there: a catalog
    /// [default: 64KiB]
    #[arg(
        long, value_name = "SIZE", value_parser = units::size,
        env = "PARVIS_RELAY_MAX_CATALOG", help_heading = CACHE
    )]
    pub max_catalog: Option<ByteSize>,

    /// What is logged, as in `warn` or `info,parvis_relay=debug` [default: info]
    #[arg(long, value_name = "FILTER", env = "PARVIS_RELAY_LOG", help_heading = LOG)]
    pub log: Option<String>,
    /// How it is logged [default: text]
    #[arg(long, value_name = "FORMAT", env = "PARVIS_RELAY_LOG_FORMAT", help_heading = LOG)]
    pub log_format: Option<LogFormat>,
}

const ACCESS: &str = "Access";
const CHAINS: &str = "Chains";
const LIMITS: &str = "Limits";
const QUEUES: &str = "Queues to subscribers";
const CACHE: &str = "Cache";
const LOG: &str = "Log";

impl Args {
    /// The configuration that these arguments ask for, checked.
    pub fn load(self) -> Result<Config, ConfigError> {
        let mut config = match &self.config {
            Some(path) => Config::from_file(path)?,
            None => Config::default(),
        };
        self.options.apply(&mut config);
        config.check()?;
        Ok(config)
    }
}

impl Options {
    /// Sets what is given.
    pub fn apply(self, config: &mut Config) {
        fn set<T>(value: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *value = given;
            }
        }
        set(&mut config.listen, self.listen);
        set(&mut config.cert, self.cert.map(Some));
        set(&mut config.key, self.key.map(Some));
        set(&mut config.reset_key, self.reset_key.map(Some));
        set(&mut config.webtransport, self.webtransport);
        set(&mut config.threads, self.threads);
        set(&mut config.fill, self.fill);
        set(&mut config.http, self.http.map(Some));
        set(&mut config.coalesce, self.coalesce);
        set(&mut config.drain, self.drain);
        set(&mut config.drain_to, self.drain_to.map(Some));
        set(&mut config.hand_over, self.hand_over);
        set(&mut config.control, self.control.map(Some));
        set(&mut config.control_secret, self.control_secret.map(Some));
        set(&mut config.auth_keys, self.auth_keys.map(Some));
        set(&mut config.auth_issuer, self.auth_issuer.map(Some));
        set(&mut config.auth_audience, self.auth_audience.map(Some));
        set(&mut config.auth_least_prefix, self.auth_least_prefix);
        set(&mut config.auth_publish_under, self.auth_publish_under);
        set(&mut config.auth_leeway, self.auth_leeway);
        set(&mut config.auth_reload, self.auth_reload);
        set(&mut config.auth_deadline, self.auth_deadline);
        set(&mut config.max_subject_sessions, self.max_subject_sessions);
        set(&mut config.upstream, self.upstream.map(Some));
        set(
            &mut config.upstream_fingerprint,
            self.upstream_fingerprint.map(Some),
        );
        set(&mut config.upstream_ca, self.upstream_ca.map(Some));
        set(&mut config.upstream_token, self.upstream_token.map(Some));
        set(&mut config.upstream_draft, self.upstream_draft.map(Some));
        set(&mut config.accept_relays, self.accept_relays);
        set(&mut config.max_sessions, self.max_sessions);
        set(&mut config.max_half_open, self.max_half_open);
        set(
            &mut config.max_network_half_open,
            self.max_network_half_open,
        );
        set(&mut config.max_attempts, self.max_attempts);
        set(&mut config.max_subscriptions, self.max_subscriptions);
        set(&mut config.max_tracks, self.max_tracks);
        set(&mut config.max_namespaces, self.max_namespaces);
        set(&mut config.max_prefixes, self.max_prefixes);
        set(&mut config.max_requests, self.max_requests);
        set(&mut config.max_streams, self.max_streams);
        set(&mut config.receive_window, self.receive_window);
        set(&mut config.stream_window, self.stream_window);
        set(&mut config.send_window, self.send_window);
        set(&mut config.idle_timeout, self.idle_timeout);
        set(&mut config.queue, self.queue);
        set(&mut config.session_queue, self.session_queue);
        set(&mut config.queue_age, self.queue_age);
        set(&mut config.too_far_behind, self.too_far_behind);
        set(&mut config.fetch_queue, self.fetch_queue);
        set(&mut config.datagram_queue, self.datagram_queue);
        set(&mut config.cache, self.cache);
        set(&mut config.track_cache, self.track_cache);
        set(&mut config.cache_age, self.cache_age);
        set(&mut config.max_catalog, self.max_catalog);
        set(&mut config.log, self.log);
        set(&mut config.log_format, self.log_format);
    }
}
