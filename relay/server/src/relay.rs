use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Instant,
};

use parvis_quic::{
    Admission, AdmissionPolicy, Attempt, EndpointConfig, Limits,
    tls::ServerTls,
    udp::{BatchSocket, SocketOptions},
};
use parvis_session::{Rate, SendLimits};
use parvis_token::{Rules, Verifier};
use parvis_wire::{Draft, HopId};

use crate::{
    Config, Limit, Running, StartError, WebTransport,
    access::{Gate, KeySource, KeyWatch, Loaded},
    certificate::{Certificate, Watch},
    http::HttpServer,
    placement::Placement,
    running::{Stopper, Thread},
    shard::{
        Command, Leaving, Links, Parts, Relations, Shard, Shared, Subjects, Upstream, random_hop,
        waker,
    },
    shards::{Handle, Shards},
    upstream::{IMPLEMENTATION, upstream},
};

/// A relay that is about to run.
#[derive(Debug)]
pub struct Relay;

impl Relay {
    /// Starts the threads of a relay. When this returns, clients can connect.
    ///
    /// ```
    /// use std::time::Duration;
    /// use parvis_relay::{Config, Relay};
    ///
    /// let running = Relay::start(Config {
    ///     listen: "127.0.0.1:0".parse()?,
    ///     ..Config::default()
    /// })?;
    /// println!("moqt://{}, certificate {}", running.local_addr(), running.fingerprint());
    /// running.shutdown(Duration::ZERO)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a relay is started once, with a configuration of its own"
    )]
    pub fn start(config: Config) -> Result<Running, StartError> {
        config.check()?;
        let successor = config.hand_over;
        let pages = |addr| HttpServer::pages(addr, successor);
        let http = config.http.map(pages).transpose()?;
        let control = match (config.control, &config.control_secret) {
            (Some(addr), Some(secret)) => Some(HttpServer::control(addr, successor, secret)?),
            _ => None,
        };
        let (certificate, tls) = Certificate::load(&config)?;
        let (gate, loaded) = gate(&config)?;
        let count = config.threads.get();
        let listen = |source| StartError::Listen {
            addr: config.listen,
            source,
        };
        let sockets = bind(config.listen, count, config.hand_over).map_err(listen)?;
        let local_addr = sockets[0].local_addr().map_err(listen)?;
        let (wakers, wakeups): (Vec<_>, Vec<_>) = (0..count)
            .map(|_| waker())
            .collect::<io::Result<Vec<_>>>()
            .map_err(StartError::Thread)?
            .into_iter()
            .unzip();
        let links = Links::mesh(&wakers);
        let mut handles = Vec::with_capacity(count);
        let mut receivers = Vec::with_capacity(count);
        for waker in wakers {
            let (commands, receiver) = mpsc::sync_channel(COMMANDS);
            receivers.push(receiver);
            handles.push(Handle {
                commands,
                waker,
                shared: Arc::default(),
            });
        }
        let hop = random_hop();
        let mut upstream = upstream(&config, hop)?
            .map(|target| Upstream::new(target, local_addr.is_ipv6(), handles[0].waker.clone()));
        let shared: Vec<_> = handles.iter().map(|handle| handle.shared.clone()).collect();
        let servers = [&http, &control].into_iter().flatten();
        let leaving = servers.filter(|_| config.hand_over).map(HttpServer::leave);
        let shards = Arc::new(Shards::new(handles, leaving.collect()));
        let sessions = Arc::new(AtomicUsize::new(0));
        let subjects = Arc::new(Subjects::new(config.max_subject_sessions));
        let placement = placement(&config, &sockets);
        let mut running = Running {
            local_addr,
            threads: Vec::with_capacity(count),
            shards: shards.clone(),
            certificate: Arc::new(certificate),
            watch: None,
            keys: None,
            http,
            control,
        };
        let parts = sockets.into_iter().zip(links).zip(wakeups).zip(receivers);
        for (index, (((socket, links), wakeups), commands)) in parts.enumerate() {
            let admission = Box::new(admission(&config, sessions.clone(), shared[index].clone()));
            let parts = Parts {
                index: index as u8,
                endpoint: endpoint(
                    &config,
                    tls.clone(),
                    index as u8,
                    !socket.may_fragment(),
                    hop,
                    admission,
                ),
                forwarder: parvis_forwarding::Config {
                    hop,
                    ..forwarder(&config)
                },
                links,
                wakeups,
                commands,
                shared: shared[index].clone(),
                sessions: sessions.clone(),
                token_deadline: config.auth_deadline,
                subjects: subjects.clone(),
                coalesce: config.coalesce,
                placement: placement.clone(),
                relations: Relations {
                    accept: config.accept_relays,
                    is_below: config.upstream.is_some(),
                    // The first thread's.
                    upstream: upstream.take(),
                },
                leaving: Leaving {
                    uri: config.drain_to.clone(),
                    hand_over: config.hand_over,
                },
                gate: gate.clone(),
            };
            let thread = spawn(index, parts, socket, Stopper::new(shards.clone()));
            // An error drops what runs already, which stops it.
            running.threads.push(thread.map_err(StartError::Thread)?);
        }
        running.watch = Watch::start(running.certificate_reload()).map_err(StartError::Thread)?;
        if let Some(loaded) = loaded {
            let told = shards.clone();
            let watch = KeyWatch::start(loaded, config.auth_reload, move |gate| {
                told.tell(|| Command::Gate(gate.clone()));
            });
            running.keys = Some(watch.map_err(StartError::Thread)?);
        } else {
            tracing::warn!(
                addr = %local_addr,
                "DEVELOPMENT MODE: no tokens are asked for (`auth-keys` is not set); every program \
                 on this machine may publish and subscribe"
            );
        }
        for server in [&running.http, &running.control].into_iter().flatten() {
            server.is_ready(shards.clone());
        }
        tracing::info!(
            addr = %local_addr,
            threads = count,
            certificate = %running.fingerprint(),
            "listening"
        );
        Ok(running)
    }
}

/// Who is let in, and the keys to look at again.
fn gate(config: &Config) -> Result<(Gate, Option<Loaded>), StartError> {
    let Some(keys) = &config.auth_keys else {
        return Ok((Gate::Open, None));
    };
    let rules = Rules {
        issuer: config.auth_issuer.clone(),
        audience: config.auth_audience.clone(),
        leeway: config.auth_leeway.as_secs(),
        least_prefix: config.auth_least_prefix,
        // Checked with the rest of the configuration.
        publish_under: config.publish_under().unwrap_or_default(),
    };
    let (loaded, gate) = Loaded::first(KeySource::parse(keys)?, rules)?;
    Ok((gate, Some(loaded)))
}

fn spawn(index: usize, parts: Parts, socket: BatchSocket, stopper: Stopper) -> io::Result<Thread> {
    thread::Builder::new()
        .name(format!("parvis-relay-{index}"))
        .spawn(move || {
            // If this thread fails the others stop too: a part of the clients without a relay is
            // worse than a restart.
            let all = stopper.stop_all_on_drop();
            Shard::new(parts, Instant::now()).run(socket)?;
            all.disarm();
            Ok(())
        })
}

/// One socket a thread, all on one port.
///
/// hand_over: whether the port may be in use by a relay that leaves it.
fn bind(addr: SocketAddr, count: usize, hand_over: bool) -> io::Result<Vec<BatchSocket>> {
    let shared = SocketOptions {
        share_port: true,
        ..SocketOptions::default()
    };
    let mut sockets = Vec::with_capacity(count);
    if hand_over {
        sockets.push(BatchSocket::bind(addr, &shared)?);
    } else {
        // Shared ports can be bound by two relays: only binding it alone shows that it is free.
        sockets.push(BatchSocket::bind(addr, &SocketOptions::default())?);
        if count > 1 {
            sockets[0].share_port()?;
        }
    }
    let addr = sockets[0].local_addr()?;
    while sockets.len() < count {
        sockets.push(BatchSocket::bind(addr, &shared)?);
    }
    Ok(sockets)
}

/// Lets the relay choose its thread for each client; `None`: the kernel does.
fn placement(config: &Config, sockets: &[BatchSocket]) -> Option<Arc<Placement>> {
    // A successor's sockets would have other numbers than it thinks.
    if config.fill == 0 || sockets.len() == 1 || config.hand_over {
        return None;
    }
    match steer(&sockets[0], 0, sockets.len()) {
        Ok(()) => Some(Arc::new(Placement::new(sockets.len(), config.fill))),
        Err(error) => {
            tracing::info!(%error, "the kernel spreads clients over the threads");
            None
        }
    }
}

pub(crate) fn endpoint(
    config: &Config,
    tls: ServerTls,
    index: u8,
    mtu_discovery: bool,
    hop: HopId,
    admission: Decide,
) -> EndpointConfig {
    // Each request has a stream of its own.
    let requests = config.max_subscriptions
        + config.max_tracks
        + config.max_namespaces
        + config.max_prefixes
        + SPARE_REQUESTS;
    let limits = Limits {
        connection_window: config.receive_window.as_u64() as u32,
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
            request_rate: Some(Rate {
                per_second: config.max_requests,
                burst: config.max_requests.saturating_mul(BURST),
            }),
            token_cache: TOKEN_CACHE,
            send: SendLimits {
                subscription_bytes: config.queue.as_u64() as usize,
                session_bytes: config.session_queue.as_u64() as usize,
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
        ..EndpointConfig::default()
    }
}

/// Commands that wait for a thread, which takes all of them at each turn.
const COMMANDS: usize = 1024;

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
        } else if sessions.load(Ordering::Relaxed) >= max_sessions {
            (Limit::Sessions, Admission::Refuse)
        } else if attempt.validated {
            return Admission::Accept;
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

#[cfg(target_os = "linux")]
pub(crate) fn steer(socket: &BatchSocket, newcomers: u8, count: usize) -> io::Result<()> {
    socket.steer(newcomers, count as u8)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn steer(_: &BatchSocket, _: u8, _: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
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
        ..parvis_forwarding::Config::default()
    }
}
