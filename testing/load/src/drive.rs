use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use parvis_quic::{ConnectionEvent, ConnectionKey, Endpoint};
use parvis_session::{Answer, Event, IncomingRequest, RequestKey, StreamId, SubgroupOptions};
use parvis_wire::{
    Draft, FullTrackName, GroupId, ObjectHeader, ObjectId, ObjectStatus, Parameters, Priority,
    Properties, SubgroupIdMode, TrackName, TrackNamespace,
};
use serde_json::json;

use crate::{
    port::Port,
    process,
    workload::{self, Pacer, Workload, age_us, payload},
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
    load.connect_subscribers(draft)?;
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
    workload: Workload,
    ports: Vec<Port>,
    publisher: Publisher,
    received: Received,
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
            workload,
            ports: vec![port],
            publisher,
            received,
        })
    }

    fn connect_subscribers(&mut self, draft: Draft) -> anyhow::Result<()> {
        for index in 0..self.options.workload.subs {
            if index % PER_PORT == 0 {
                self.ports.push(Port::bind()?);
            }
            let port = self.ports.last_mut().context("there is a port")?;
            port.connect(
                self.options.connect,
                draft,
                &self.options.path,
                Instant::now(),
            )?;
            // A few at a time: a relay may take a burst of handshakes for an attack.
            self.run_for(Duration::from_millis(5))?;
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
            self.turn(end)?;
        }
        Ok(())
    }

    fn turn(&mut self, end: Instant) -> anyhow::Result<()> {
        let mut until = end;
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

struct Publisher {
    key: Option<ConnectionKey>,
    announced: bool,
    tracks: Vec<Track>,
    sent: u64,
}

struct Track {
    subscription: Option<RequestKey>,
    stream: Option<StreamId>,
    sequence: u64,
    pacer: Pacer,
}

impl Publisher {
    fn new(key: Option<ConnectionKey>, workload: &Workload, now: Instant) -> Self {
        let tracks = (0..workload.tracks)
            .map(|_| Track {
                subscription: None,
                stream: None,
                sequence: 0,
                pacer: Pacer::new(workload.rate, now),
            })
            .collect();
        Self {
            key,
            announced: false,
            tracks,
            sent: 0,
        }
    }

    fn next(&self) -> Option<Instant> {
        self.key?;
        self.tracks
            .iter()
            .filter(|track| track.subscription.is_some())
            .map(|track| track.pacer.next())
            .min()
    }

    fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        key: ConnectionKey,
        event: ConnectionEvent,
        now: Instant,
    ) {
        let event = match event {
            ConnectionEvent::Session(event) => event,
            ConnectionEvent::Closed { reason } => {
                eprintln!("publisher: {reason}");
                return;
            }
            ConnectionEvent::Connected { .. } => return,
        };
        let Some(session) = endpoint.session(key) else {
            return;
        };
        match event {
            Event::Established { .. } => {
                let announced = session.publish_namespace(namespace(), Parameters::default(), now);
                if let Err(error) = announced {
                    eprintln!("publisher: {error}");
                }
            }
            Event::Accepted { .. } => self.announced = true,
            Event::Rejected { error, .. } => eprintln!("publisher: {error:?}"),
            Event::Request {
                key,
                request: IncomingRequest::Subscribe { track, .. },
            } => {
                let index = track_index(track.name());
                if let Some(track) = index.and_then(|index| self.tracks.get_mut(index)) {
                    let accepted = session.accept_subscribe(
                        key,
                        Parameters::default(),
                        Properties::default(),
                        now,
                    );
                    if accepted.is_ok() {
                        track.subscription = Some(key);
                        track.pacer = Pacer::new(track.pacer.rate(), now);
                    }
                }
            }
            Event::Updated { key, .. } => {
                let _ = session.accept_update(key, Parameters::default(), now);
            }
            Event::Ended { key, .. } => {
                for track in &mut self.tracks {
                    if track.subscription == Some(key) {
                        track.subscription = None;
                        track.stream = None;
                    }
                }
            }
            _ => {}
        }
    }

    fn publish(&mut self, endpoint: &mut Endpoint, workload: &Workload, now: Instant) {
        let Some(key) = self.key else { return };
        let Some(session) = endpoint.session(key) else {
            return;
        };
        for track in &mut self.tracks {
            let Some(subscription) = track.subscription else {
                continue;
            };
            for _ in 0..track.pacer.due(now) {
                let object = track.sequence % workload.gop;
                if object == 0 {
                    if let Some(stream) = track.stream.take() {
                        let _ = session.finish_subgroup(stream, now);
                    }
                    let options = SubgroupOptions {
                        group: GroupId(track.sequence / workload.gop),
                        subgroup: SubgroupIdMode::Zero,
                        priority: Some(Priority(127)),
                        has_properties: false,
                        end_of_group: true,
                        first_object: true,
                    };
                    track.stream = session.open_subgroup(subscription, &options, now).ok();
                }
                let payload = payload(workload.size(track.sequence));
                let header = ObjectHeader {
                    id: ObjectId(object),
                    properties: Properties::default(),
                    status: ObjectStatus::Normal,
                    payload_len: payload.len() as u64,
                };
                track.sequence += 1;
                if let Some(stream) = track.stream
                    && session.write_object(stream, &header, payload, now).is_ok()
                {
                    self.sent += 1;
                    if workload.gop == 1 {
                        let _ = session.finish_subgroup(stream, now);
                        track.stream = None;
                    }
                }
            }
        }
    }
}

/// What all subscribers together have got.
struct Received {
    tracks: usize,
    measuring: bool,
    subscribed: usize,
    refused: Option<String>,
    objects: u64,
    bytes: u64,
    latency: Histogram<u64>,
    /// Objects that have come in part: bytes missing, and their age when they began.
    partial: HashMap<(usize, ConnectionKey, StreamId), (u64, u64, bytes::Bytes)>,
}

impl Received {
    fn new(tracks: usize) -> Self {
        let latency = Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are sound");
        Self {
            tracks,
            measuring: false,
            subscribed: 0,
            refused: None,
            objects: 0,
            bytes: 0,
            latency,
            partial: HashMap::new(),
        }
    }

    fn start(&mut self) {
        self.measuring = true;
    }

    fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        (port, key): (usize, ConnectionKey),
        event: ConnectionEvent,
        now: Instant,
    ) {
        let event = match event {
            ConnectionEvent::Session(event) => event,
            ConnectionEvent::Closed { reason } => {
                self.refused = Some(reason.to_string());
                return;
            }
            ConnectionEvent::Connected { .. } => return,
        };
        match event {
            Event::Established { .. } => {
                let Some(session) = endpoint.session(key) else {
                    return;
                };
                for index in 0..self.tracks {
                    if let Err(error) = session.subscribe(track(index), Parameters::default(), now)
                    {
                        self.refused = Some(error.to_string());
                    }
                }
            }
            Event::Accepted {
                answer: Answer::Subscribe { .. },
                ..
            } => self.subscribed += 1,
            Event::Rejected { error, .. } => self.refused = Some(format!("{error:?}")),
            Event::Object {
                stream,
                header,
                raw,
                header_len,
            } => {
                let payload = raw.slice(header_len..);
                let missing = header.payload_len - payload.len() as u64;
                if missing == 0 {
                    self.whole(&payload, header.payload_len);
                } else {
                    let entry = (missing, header.payload_len, payload);
                    self.partial.insert((port, key, stream), entry);
                }
            }
            Event::ObjectData { stream, data } => {
                let place = (port, key, stream);
                if let Some(entry) = self.partial.get_mut(&place) {
                    entry.0 = entry.0.saturating_sub(data.len() as u64);
                    if entry.2.len() < 8 {
                        entry.2 = [&entry.2[..], &data[..]].concat().into();
                    }
                    if entry.0 == 0
                        && let Some((_, len, head)) = self.partial.remove(&place)
                    {
                        self.whole(&head, len);
                    }
                }
            }
            Event::SubgroupEnd { stream, .. } => {
                self.partial.remove(&(port, key, stream));
            }
            _ => {}
        }
    }

    fn whole(&mut self, payload: &[u8], len: u64) {
        if !self.measuring {
            return;
        }
        self.objects += 1;
        self.bytes += len;
        if let Some(age) = age_us(payload) {
            self.latency.saturating_record(age.max(1));
        }
    }
}

fn namespace() -> TrackNamespace {
    TrackNamespace::new(["bench", "room"]).expect("a short name is a name")
}

fn track(index: usize) -> FullTrackName {
    FullTrackName::new(namespace(), TrackName::from(format!("t{index}")))
        .expect("a short name is a name")
}

fn track_index(name: &TrackName) -> Option<usize> {
    std::str::from_utf8(&name.0)
        .ok()?
        .strip_prefix('t')?
        .parse()
        .ok()
}
