//! What a configuration means for the parts of a relay.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parvis_forwarding::Quota;
use parvis_quic::{
    Admission, AdmissionPolicy, Attempt, EndpointConfig, Limits, ResetKey, tls::ServerTls,
};
use parvis_session::{Rate, SendLimits};
use parvis_token::Verifier;
use parvis_wire::{Draft, HopId};

use crate::{
    Config, Limit, WebTransport,
    shard::{Shared, Strangers, SubjectLimits},
    upstream::IMPLEMENTATION,
};

pub(crate) fn endpoint(
    config: &Config,
    tls: ServerTls,
    index: u8,
    mtu_discovery: bool,
    hop: HopId,
    reset_key: Option<ResetKey>,
    admission: Decide,
) -> EndpointConfig {
    // Each request has a stream of its own.
    let requests = config.max_subscriptions
        + config.max_tracks
        + config.max_namespaces
        + config.max_prefixes
        + SPARE_REQUESTS;
    let window = receive_window(config);
    let limits = Limits {
        // More once there is a token, where there must be one.
        connection_window: match config.auth_keys {
            Some(_) => window.min(STRANGERS_WINDOW),
            None => window,
        },
        stream_window: config.stream_window.as_u64() as u32,
        send_window: config.send_window.as_u64() as u32,
        max_uni_streams: config.max_streams,
        max_bidi_streams: requests as u32,
        idle_timeout: config.idle_timeout,
        mtu_discovery,
        ..Limits::default()
    };
    let session = parvis_session::Config {
        implementation: IMPLEMENTATION.to_owned(),
        relay_hops: config.accept_relays.then_some(hop),
        limits: parvis_session::Limits {
            max_peer_requests: requests,
            max_filter_ranges: parvis_forwarding::Config::default().max_filter_ranges,
            request_rate: Some(request_rate(config)),
            token_cache: TOKEN_CACHE,
            send: SendLimits {
                subscription_bytes: config.queue.as_u64() as usize,
                session_bytes: config.session_queue.as_u64() as usize,
                datagram_bytes: config.datagram_queue.as_u64() as usize,
                max_age: config.queue_age,
                behind: config.too_far_behind,
                ..SendLimits::default()
            },
            ..parvis_session::Limits::default()
        },
        ..parvis_session::Config::default()
    };
    let webtransport = match config.webtransport {
        WebTransport::Draft18 => Some(Draft::D18),
        WebTransport::Draft22 => Some(Draft::D22),
        WebTransport::Off => None,
    };
    EndpointConfig {
        server: Some(tls),
        webtransport,
        session,
        limits,
        admission: AdmissionPolicy::Custom(admission),
        id_prefix: Some(index),
        reset_key,
        ..EndpointConfig::default()
    }
}

/// Bytes in flight or unread of a session that has shown no token.
const STRANGERS_WINDOW: u32 = 256 * 1024;

/// Bytes in flight or unread of a session.
pub(crate) const fn receive_window(config: &Config) -> u32 {
    config.receive_window.as_u64() as u32
}

/// Bytes of tokens that a session may register: a few of the largest.
const TOKEN_CACHE: u64 = 4 * Verifier::MAX_TOKEN as u64;

/// TRACK_STATUS, FETCH and requests that end while others begin.
const SPARE_REQUESTS: usize = 64;

/// Seconds' worth of requests that may come at once: whoever enters a room asks for everything.
const BURST: u32 = 4;

type Decide = Box<dyn FnMut(&Attempt) -> Admission + Send>;

/// Who is let in by a thread.
pub(crate) fn admission(
    config: &Config,
    sessions: Arc<AtomicUsize>,
    shared: Arc<Shared>,
) -> impl FnMut(&Attempt) -> Admission + Send + use<> {
    // Newcomers all go to one thread, unless the kernel spreads them.
    let threads = if config.fill == 0 {
        config.threads.get()
    } else {
        1
    };
    let max_sessions = config.max_sessions;
    let max_half_open = config.max_half_open.div_ceil(threads);
    let max_network_half_open = config.max_network_half_open;
    let max_attempts = config.max_attempts.div_ceil(threads as u32);
    // What newcomers get while the relay drains.
    let draining = match &config.drain_to {
        // They try again, and come to the successor then.
        _ if config.hand_over => Some(Admission::Ignore),
        // They are told to go on.
        Some(_) => None,
        None => Some(Admission::Refuse),
    };
    move |attempt| {
        let (limit, decision) = if let Some(decision) = draining
            && shared.is_draining()
        {
            (Limit::Draining, decision)
        } else if sessions.load(Ordering::Relaxed) + attempt.half_open >= max_sessions {
            (Limit::Sessions, Admission::Refuse)
        } else if attempt.validated {
            if attempt.half_open_of_network < max_network_half_open {
                return Admission::Accept;
            }
            // It asks again, and finds a place then.
            (Limit::NetworkHalfOpen, Admission::Ignore)
        } else if attempt.half_open >= max_half_open {
            (Limit::HalfOpen, Admission::Retry)
        } else if attempt.from_network > max_attempts {
            (Limit::Attempts, Admission::Retry)
        } else {
            return Admission::Accept;
        };
        shared.count_newcomer(limit);
        decision
    }
}

const fn request_rate(config: &Config) -> Rate {
    Rate {
        per_second: config.max_requests,
        burst: config.max_requests.saturating_mul(BURST),
    }
}

/// Sessions that may be without a token at a time: those who have one find room.
pub(crate) fn strangers(config: &Config) -> Strangers {
    let most = (config.max_sessions / 4).max(1);
    Strangers::new(most, config.threads.get())
}

/// What a participant may have in all its sessions: as much as one session.
pub(crate) fn subject_limits(config: &Config) -> SubjectLimits {
    SubjectLimits {
        sessions: config.max_subject_sessions,
        uses: Quota::ALL.map(|quota| match quota {
            Quota::Namespaces => config.max_namespaces,
            Quota::Published => config.max_tracks,
            Quota::Subscriptions => config.max_subscriptions,
            Quota::Prefixes => config.max_prefixes,
        }),
        requests: request_rate(config),
    }
}

pub(crate) fn forwarder(config: &Config) -> parvis_forwarding::Config {
    parvis_forwarding::Config {
        max_namespaces: config.max_namespaces,
        max_published_tracks: config.max_tracks,
        max_subscriptions: config.max_subscriptions,
        max_prefixes: config.max_prefixes,
        cache_bytes: config.cache.as_u64() as usize / config.threads.get(),
        track_cache_bytes: config.track_cache.as_u64() as usize,
        cache_age: config.cache_age,
        small_group_bytes: config.max_catalog.as_u64() as usize,
        ..parvis_forwarding::Config::default()
    }
}
