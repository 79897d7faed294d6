use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use parvis_quic::ConnectionKey;
use parvis_wire::{Draft, SessionErrorCode};
use serde_json::json;

use crate::{
    port::Port,
    process,
    publisher::Publisher,
    received::Received,
    workload::{self, Pacer, Workload},
};

/// Connections that share a socket.
const PER_PORT: usize = 4;
/// How long until every subscription must stand.
const PATIENCE: Duration = Duration::from_secs(40);

/// How to load what.
#[derive(Debug, Args)]
pub struct Options {
    /// The relay's address.
    #[arg(long)]
    connect: SocketAddr,
    /// The draft to speak: 18 or 22.
    #[arg(long, default_value_t = 22)]
    draft: u8,
    /// The URI path.
    #[arg(long, default_value = "/")]
    path: String,
    /// The relay's name in the report.
    #[arg(long, default_value = "relay")]
    peer: String,
    /// The relay's process, whose CPU is counted.
    #[arg(long)]
    pid: u32,
    /// The relay makes the objects itself: publish nothing.
    #[arg(long)]
    no_publish: bool,
    /// Subscribers that leave, each replaced by a new one, in a second of measuring.
    #[arg(long, default_value_t = 0.0)]
    churn: f64,
    #[command(flatten)]
    workload: workload::Options,
}

/// Runs one workload and prints its line.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let draft = match options.draft {
        18 => Draft::D18,
        22 => Draft::D22,
        other => bail!("draft {other} is not spoken here: 18 or 22"),
    };
    let workload = Workload::new(&options.workload);
    let mut load = Load::new(options, draft, workload)?;
    let base_kb = process::resident_kb(options.pid);

    if !options.no_publish {
        load.run_until(PATIENCE, "the publisher to be let in", |load| {
            load.publisher.announced
        })?;
    }
    load.connect_subscribers()?;
    let wanted = options.workload.subs * load.workload.tracks;
    load.run_until(PATIENCE, "every subscription", |load| {
        load.received.subscribed == wanted
    })?;
    load.run_for(Duration::from_secs_f64(options.workload.warm))?;

    let (cpu, own, udp) = (
        process::cpu_ns(options.pid),
        process::cpu_ns(std::process::id()),
        process::udp_sent(),
    );
    let start_kb = process::resident_kb(options.pid);
    let start = Instant::now();
    load.received.start();
    load.publisher.sent = 0;
    load.churn = (options.churn > 0.0).then(|| Pacer::new(options.churn, start));
    load.run_for(Duration::from_secs_f64(options.workload.secs))?;
    let wall = start.elapsed().as_secs_f64();
    let relay_s = (process::cpu_ns(options.pid) - cpu) as f64 / 1e9;
    let own_s = (process::cpu_ns(std::process::id()) - own) as f64 / 1e9;

    let received = &load.received;
    let workload = &load.workload;
    let sent = if options.no_publish {
        (workload.rate * workload.tracks as f64 * wall) as u64
    } else {
        load.publisher.sent
    };
    let objects = received.objects.max(1) as f64;
    println!(
        "{}",
        json!({
            "peer": options.peer,
            "workload": workload.name,
            "subs": options.workload.subs,
            "tracks": workload.tracks,
            "rate": workload.rate,
            "gop": workload.gop,
            "wall_s": wall,
            "objects": received.objects,
            "bytes": received.bytes,
            "delivered_ratio": objects / (sent.max(1) as f64 * options.workload.subs as f64),
            "us_per_object": relay_s / objects * 1e6,
            "relay_cores": relay_s / wall,
            "gbit_s": received.bytes as f64 * 8.0 / wall / 1e9,
            "p50_us": received.latency.value_at_quantile(0.5),
            "p99_us": received.latency.value_at_quantile(0.99),
            "rss_base_kb": base_kb,
            "rss_start_kb": start_kb,
            "rss_kb": process::resident_kb(options.pid),
            "udp_per_object": (process::udp_sent() - udp) as f64 / objects,
            "load_cores": own_s / wall,
        })
    );
    Ok(())
}

struct Load<'a> {
    options: &'a Options,
    draft: Draft,
    workload: Workload,
    ports: Vec<Port>,
    publisher: Publisher,
    received: Received,
    /// The subscribers' connections, those there for longest first.
    subscribers: VecDeque<(usize, ConnectionKey)>,
    churn: Option<Pacer>,
}

impl<'a> Load<'a> {
    fn new(options: &'a Options, draft: Draft, workload: Workload) -> anyhow::Result<Self> {
        let mut port = Port::bind()?;
        let now = Instant::now();
        let key = if options.no_publish {
            None
        } else {
            Some(port.connect(options.connect, draft, &options.path, now)?)
        };
        let publisher = Publisher::new(key, &workload, now);
        let received = Received::new(workload.tracks);
        Ok(Self {
            options,
            draft,
            workload,
            ports: vec![port],
            publisher,
            received,
            subscribers: VecDeque::new(),
            churn: None,
        })
    }

    fn connect_subscribers(&mut self) -> anyhow::Result<()> {
        for index in 0..self.options.workload.subs {
            if index % PER_PORT == 0 {
                self.ports.push(Port::bind()?);
            }
            self.connect_subscriber(self.ports.len() - 1)?;
            // A few at a time: a relay may take a burst of handshakes for an attack.
            self.run_for(Duration::from_millis(5))?;
        }
        Ok(())
    }

    fn connect_subscriber(&mut self, port: usize) -> anyhow::Result<()> {
        let (to, path) = (self.options.connect, &self.options.path);
        let key = self.ports[port].connect(to, self.draft, path, Instant::now())?;
        self.subscribers.push_back((port, key));
        Ok(())
    }

    /// Replaces the subscribers whose time has come.
    fn replace_subscribers(&mut self) -> anyhow::Result<()> {
        let now = Instant::now();
        let due = self.churn.as_mut().map_or(0, |pacer| pacer.due(now));
        for _ in 0..due {
            let (port, key) = self.subscribers.pop_front().context("there are some")?;
            let endpoint = &mut self.ports[port].endpoint;
            endpoint.close(now, key, SessionErrorCode::NoError, "");
            self.connect_subscriber(port)?;
        }
        Ok(())
    }

    fn run_until(
        &mut self,
        patience: Duration,
        what: &str,
        mut done: impl FnMut(&Self) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        while !done(self) {
            let refused = self.received.refused.clone();
            ensure!(
                Instant::now() < deadline,
                "waited {} s for {what}{}",
                patience.as_secs(),
                refused
                    .map(|why| format!("; last refusal: {why}"))
                    .unwrap_or_default()
            );
            self.turn(deadline)?;
        }
        Ok(())
    }

    fn run_for(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.replace_subscribers()?;
            self.turn(end)?;
        }
        Ok(())
    }

    fn turn(&mut self, end: Instant) -> anyhow::Result<()> {
        let mut until = end;
        until = until.min(self.churn.as_ref().map_or(end, Pacer::next));
        for (index, port) in self.ports.iter_mut().enumerate() {
            let now = Instant::now();
            if index == 0 {
                self.publisher
                    .publish(&mut port.endpoint, &self.workload, now);
                until = until.min(self.publisher.next().unwrap_or(end));
            }
            port.turn(now, |endpoint, key, event| {
                if self.publisher.key == Some(key) && index == 0 {
                    self.publisher.handle(endpoint, key, event, now);
                } else {
                    self.received.handle(endpoint, (index, key), event, now);
                }
            })?;
            if let Some(timeout) = port.timeout() {
                until = until.min(timeout);
            }
        }
        let mut fds: Vec<PollFd<'_>> = self
            .ports
            .iter()
            .map(|port| PollFd::new(port.fd(), PollFlags::POLLIN))
            .collect();
        let wait = until.saturating_duration_since(Instant::now());
        let millis = u16::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        poll(&mut fds, PollTimeout::from(millis)).context("waiting for packets")?;
        Ok(())
    }
}
