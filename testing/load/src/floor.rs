use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use clap::Args;
use parvis_quic::{
    Transmit,
    udp::{BatchSocket, SocketOptions},
};
use parvis_wire::{
    Draft, GroupId, Message, ObjectHeader, ObjectId, ObjectStatus, Parameters, Properties, Setup,
    SubgroupHeader, SubgroupIdMode, SubscribeOk, TrackAlias,
};
use quinn_proto::{
    Connection, ConnectionHandle, DatagramEvent, Dir, Endpoint, EndpointConfig, Event,
    ServerConfig, StreamEvent, StreamId, TransportConfig, VarInt,
};

use crate::workload::{self, Pacer, Workload, payload};

/// What the floor serves, and where.
#[derive(Debug, Args)]
pub struct Options {
    /// The address to listen at.
    #[arg(long)]
    listen: SocketAddr,
    #[command(flatten)]
    workload: workload::Options,
}

struct Client {
    quic: Connection,
    /// The stream of each subscribed track's current group.
    streams: Vec<Option<StreamId>>,
    subscribed: usize,
    dirty: bool,
    deadline: Option<Instant>,
}

/// Serves until it is ended.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let workload = Workload::new(&options.workload);
    let mut endpoint = Endpoint::new(
        Arc::new(EndpointConfig::default()),
        Some(server_config()?),
        true,
        None,
    );
    let mut socket = BatchSocket::bind(options.listen, &SocketOptions::default())
        .with_context(|| format!("listening at {}", options.listen))?;
    let mut clients: HashMap<ConnectionHandle, Client> = HashMap::new();
    let started = Instant::now();
    let mut tracks: Vec<(Pacer, u64)> = (0..workload.tracks)
        .map(|_| (Pacer::new(workload.rate, started), 0))
        .collect();
    let mut scratch = Vec::new();
    loop {
        let now = Instant::now();
        receive(
            &mut endpoint,
            &mut socket,
            &mut clients,
            now,
            workload.tracks,
        )?;
        for (index, (pacer, sequence)) in tracks.iter_mut().enumerate() {
            for _ in 0..pacer.due(now) {
                fan_out(&mut clients, &workload, index, *sequence);
                *sequence += 1;
            }
        }
        sweep(&mut endpoint, &mut socket, &mut clients, now, &mut scratch)?;
        let next = tracks.iter().map(|(pacer, _)| pacer.next()).min();
        let timer = clients.values().filter_map(|client| client.deadline).min();
        let until = next.into_iter().chain(timer).min();
        let wait = until.map(|until| {
            let wait = until.saturating_duration_since(Instant::now());
            // As the relay: a turn a millisecond at most, so that objects of a turn coalesce.
            wait.max(Duration::from_millis(1))
        });
        socket.wait(wait, None)?;
    }
}

fn receive(
    endpoint: &mut Endpoint,
    socket: &mut BatchSocket,
    clients: &mut HashMap<ConnectionHandle, Client>,
    now: Instant,
    tracks: usize,
) -> anyhow::Result<()> {
    let mut replies: Vec<(Transmit, Vec<u8>)> = Vec::new();
    socket.receive(|datagram| {
        let mut reply = Vec::new();
        let event = endpoint.handle(
            now,
            datagram.from,
            datagram.local_ip,
            None,
            datagram.data,
            &mut reply,
        );
        match event {
            Some(DatagramEvent::NewConnection(incoming)) => {
                if let Ok((handle, quic)) = endpoint.accept(incoming, now, &mut reply, None) {
                    let streams = vec![None; tracks];
                    clients.insert(
                        handle,
                        Client {
                            quic,
                            streams,
                            subscribed: 0,
                            dirty: true,
                            deadline: None,
                        },
                    );
                }
            }
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some(client) = clients.get_mut(&handle) {
                    client.quic.handle_event(event);
                    client.dirty = true;
                }
            }
            Some(DatagramEvent::Response(transmit)) => {
                replies.push((own_transmit(&transmit), reply));
            }
            None => {}
        }
    })?;
    for (transmit, bytes) in replies {
        socket.queue(&transmit, &bytes);
    }
    for client in clients.values_mut() {
        if client.deadline.is_some_and(|deadline| deadline <= now) {
            client.quic.handle_timeout(now);
            client.dirty = true;
        }
        if client.dirty {
            serve(client);
        }
    }
    Ok(())
}

/// Answers the handshake and every SUBSCRIBE, reading nothing of it.
fn serve(client: &mut Client) {
    while let Some(event) = client.quic.poll() {
        match event {
            Event::Connected => {
                let mut setup = Vec::new();
                let message = Message::Setup(Setup::default());
                message
                    .encode(Draft::D22, &mut setup)
                    .expect("an empty SETUP is sound");
                if let Some(control) = client.quic.streams().open(Dir::Uni) {
                    let _ = client.quic.send_stream(control).write(&setup);
                }
            }
            Event::Stream(StreamEvent::Opened { dir }) => {
                while let Some(id) = client.quic.streams().accept(dir) {
                    if dir == Dir::Bi && client.subscribed < client.streams.len() {
                        let ok = Message::SubscribeOk(SubscribeOk {
                            track_alias: TrackAlias(client.subscribed as u64),
                            parameters: Parameters::default(),
                            track_properties: Properties::default(),
                        });
                        let mut answer = Vec::new();
                        ok.encode(Draft::D22, &mut answer)
                            .expect("a bare answer is sound");
                        let _ = client.quic.send_stream(id).write(&answer);
                        client.subscribed += 1;
                    }
                    drain(&mut client.quic, id);
                }
            }
            Event::Stream(StreamEvent::Readable { id }) => drain(&mut client.quic, id),
            _ => {}
        }
    }
}

fn drain(quic: &mut Connection, id: StreamId) {
    let mut stream = quic.recv_stream(id);
    if let Ok(mut chunks) = stream.read(true) {
        while let Ok(Some(_)) = chunks.next(usize::MAX) {}
        let _ = chunks.finalize();
    }
}

/// Writes one object to everybody: header and payload encoded once.
fn fan_out(
    clients: &mut HashMap<ConnectionHandle, Client>,
    workload: &Workload,
    track: usize,
    sequence: u64,
) {
    let object = sequence % workload.gop;
    let payload = payload(workload.size(sequence));
    let header = ObjectHeader {
        id: ObjectId(object),
        properties: Properties::default(),
        status: ObjectStatus::Normal,
        payload_len: payload.len() as u64,
    };
    let previous = object.checked_sub(1).map(ObjectId);
    let mut encoded = Vec::new();
    header
        .encode(previous, false, &mut encoded)
        .expect("a bare header is sound");
    let mut whole = BytesMut::from(&encoded[..]);
    whole.extend_from_slice(&payload);
    let whole = whole.freeze();
    for client in clients
        .values_mut()
        .filter(|client| client.subscribed > track)
    {
        if object == 0 {
            if let Some(old) = client.streams[track].take() {
                let _ = client.quic.send_stream(old).finish();
            }
            client.streams[track] = open(&mut client.quic, track, sequence / workload.gop);
        }
        if let Some(stream) = client.streams[track] {
            let _ = client
                .quic
                .send_stream(stream)
                .write_chunks(&mut [whole.clone()]);
            if workload.gop == 1 {
                let _ = client.quic.send_stream(stream).finish();
                client.streams[track] = None;
            }
            client.dirty = true;
        }
    }
}

fn open(quic: &mut Connection, track: usize, group: u64) -> Option<StreamId> {
    let stream = quic.streams().open(Dir::Uni)?;
    let header = SubgroupHeader {
        track_alias: TrackAlias(track as u64),
        group: GroupId(group),
        subgroup: SubgroupIdMode::Zero,
        priority: None,
        has_properties: false,
        end_of_group: true,
        first_object: true,
    };
    let mut encoded = Vec::new();
    header.encode(&mut encoded);
    let _ = quic
        .send_stream(stream)
        .write_chunks(&mut [Bytes::from(encoded)]);
    Some(stream)
}

fn sweep(
    endpoint: &mut Endpoint,
    socket: &mut BatchSocket,
    clients: &mut HashMap<ConnectionHandle, Client>,
    now: Instant,
    scratch: &mut Vec<u8>,
) -> anyhow::Result<()> {
    let segments = socket.max_segments();
    for (handle, client) in clients.iter_mut().filter(|(_, client)| client.dirty) {
        client.dirty = false;
        scratch.clear();
        while let Some(transmit) = client.quic.poll_transmit(now, segments, scratch) {
            socket.queue(&own_transmit(&transmit), scratch);
            scratch.clear();
        }
        while let Some(event) = client.quic.poll_endpoint_events() {
            if let Some(event) = endpoint.handle_event(*handle, event) {
                client.quic.handle_event(event);
            }
        }
        client.deadline = client.quic.poll_timeout();
    }
    clients.retain(|_, client| !client.quic.is_drained());
    socket.flush()?;
    Ok(())
}

fn own_transmit(transmit: &quinn_proto::Transmit) -> Transmit {
    Transmit {
        destination: transmit.destination,
        ecn: None,
        size: transmit.size,
        segment_size: transmit.segment_size,
        src_ip: transmit.src_ip,
    }
}

fn server_config() -> anyhow::Result<Arc<ServerConfig>> {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())?;
    tls.alpn_protocols = vec![Draft::D22.alpn().to_vec()];
    let quic = quinn_proto::crypto::rustls::QuicServerConfig::try_from(tls)?;
    let mut config = ServerConfig::with_crypto(Arc::new(quic));
    let mut transport = TransportConfig::default();
    transport.max_concurrent_bidi_streams(VarInt::from_u32(256));
    transport.max_concurrent_uni_streams(VarInt::from_u32(256));
    config.transport_config(Arc::new(transport));
    Ok(Arc::new(config))
}
