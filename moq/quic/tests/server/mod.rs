//! A server on a thread of its own, over real UDP, as a relay's thread works.

use std::{
    io::{PipeWriter, pipe},
    net::SocketAddr,
    os::fd::AsFd,
    sync::mpsc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parvis_quic::{
    ConnectionEvent, ConnectionKey, Endpoint, EndpointConfig,
    tls::{Fingerprint, ServerTls},
    udp::{BatchSocket, SocketOptions},
};
use parvis_session::{Event, IncomingRequest, RequestKey, Session, SubgroupOptions};
use parvis_wire::{
    GroupId, ObjectHeader, ObjectId, ObjectStatus, Parameters, Properties, SessionErrorCode,
    SubgroupIdMode,
};

/// Accepts every request, closes on a TRACK_STATUS, and answers each subscription with so many objects, a group each.
#[derive(Clone, Copy)]
pub struct Behaviour {
    pub objects: u64,
    pub object_len: usize,
}

pub struct Server {
    pub address: SocketAddr,
    pub fingerprint: Fingerprint,
    pub events: mpsc::Receiver<ConnectionEvent>,
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(address: &str, behaviour: Behaviour) -> Self {
        let (tls, fingerprint) = ServerTls::self_signed(&["localhost"]).unwrap();
        let socket =
            BatchSocket::bind(address.parse().unwrap(), &SocketOptions::default()).unwrap();
        let address = socket.local_addr().unwrap();
        let (events, received) = mpsc::channel();
        let (stopped, stop) = pipe().unwrap();
        let endpoint = Endpoint::new(EndpointConfig {
            server: Some(tls),
            ..EndpointConfig::default()
        });
        let thread = std::thread::spawn(move || {
            run(endpoint, socket, behaviour, &events, &stopped);
        });
        Self {
            address,
            fingerprint,
            events: received,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Waits for an event that `wanted` makes something of.
    pub fn wait_for<T>(&self, mut wanted: impl FnMut(&ConnectionEvent) -> Option<T>) -> T {
        loop {
            let event = self
                .events
                .recv_timeout(Duration::from_secs(10))
                .expect("an event");
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn run(
    mut endpoint: Endpoint,
    mut socket: BatchSocket,
    behaviour: Behaviour,
    events: &mpsc::Sender<ConnectionEvent>,
    stopped: &impl AsFd,
) {
    loop {
        let now = Instant::now();
        socket
            .receive(|datagram| {
                let (from, local_ip, ecn) = (datagram.from, datagram.local_ip, datagram.ecn);
                endpoint.handle_datagram(now, from, local_ip, ecn, datagram.data);
            })
            .unwrap();
        endpoint.handle_timeout(now);
        while let Some((key, event)) = endpoint.poll() {
            react(&mut endpoint, key, &event, behaviour, now);
            let _ = events.send(event);
        }
        socket.send_all(&mut endpoint, now).unwrap();
        let timeout = endpoint
            .poll_timeout()
            .map(|t| t.saturating_duration_since(Instant::now()));
        if socket.wait(timeout, Some(stopped.as_fd())).unwrap() {
            return;
        }
    }
}

fn react(
    endpoint: &mut Endpoint,
    key: ConnectionKey,
    event: &ConnectionEvent,
    behaviour: Behaviour,
    now: Instant,
) {
    let ConnectionEvent::Session(Event::Request {
        key: asked,
        request,
    }) = event
    else {
        return;
    };
    let Some(session) = endpoint.session(key) else {
        return;
    };
    match request {
        IncomingRequest::Subscribe { .. } => {
            let parameters = Parameters::default();
            session
                .accept_subscribe(*asked, parameters, Properties::EMPTY, now)
                .unwrap();
            for group in 0..behaviour.objects {
                publish(session, *asked, group, behaviour.object_len, now);
            }
        }
        IncomingRequest::Publish { .. } => {
            session
                .accept_publish(*asked, Parameters::default(), now)
                .unwrap();
        }
        IncomingRequest::TrackStatus { .. } => {
            session.close(SessionErrorCode::Unauthorized, "no status");
        }
        _ => {}
    }
}

/// Sends one object in a group of its own.
pub fn publish(session: &mut Session, key: RequestKey, group: u64, len: usize, now: Instant) {
    let options = SubgroupOptions {
        group: GroupId(group),
        subgroup: SubgroupIdMode::Zero,
        priority: None,
        has_properties: false,
        end_of_group: true,
        first_object: true,
    };
    let stream = session.open_subgroup(key, &options, now).unwrap();
    let header = ObjectHeader {
        id: ObjectId(0),
        properties: Properties::EMPTY,
        status: ObjectStatus::Normal,
        payload_len: len as u64,
    };
    let payload = Bytes::from(vec![group as u8; len]);
    session.write_object(stream, &header, payload, now).unwrap();
    session.finish_subgroup(stream, now).unwrap();
}
