use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicUsize, mpsc},
    thread,
    time::Instant,
};

use parvis_quic::udp::{BatchSocket, SocketOptions};
use parvis_token::Rules;

use crate::{
    Config, Running, StartError,
    access::{Gate, KeySource, KeyWatch, Loaded},
    certificate::{Certificate, Watch},
    http::HttpServer,
    parts::{admission, endpoint, forwarder, receive_window, strangers, subject_limits},
    placement::Placement,
    reset_key,
    running::{Stopper, Thread},
    shard::{
        Command, Leaving, Links, Parts, Relations, Shard, Subjects, Upstream, random_hop, waker,
    },
    shards::{Handle, Shards},
    upstream::upstream,
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
        let reset_key = reset_key::load(&config)?;
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
        let strangers = strangers(&config);
        let subjects = Arc::new(Subjects::new(subject_limits(&config)));
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
                    reset_key.clone(),
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
                fetch_queue: config.fetch_queue.as_u64() as usize,
                receive_window: receive_window(&config),
                strangers: strangers.clone(),
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

#[cfg(target_os = "linux")]
pub(crate) fn steer(socket: &BatchSocket, newcomers: u8, count: usize) -> io::Result<()> {
    socket.steer(newcomers, count as u8)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn steer(_: &BatchSocket, _: u8, _: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Commands that wait for a thread, which takes all of them at each turn.
const COMMANDS: usize = 1024;
