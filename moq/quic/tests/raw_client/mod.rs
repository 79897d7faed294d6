//! A QUIC client that says what it is told, and a server endpoint, in memory and virtual time.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use parvis_quic::{ConnectionEvent, ConnectionKey, Endpoint, EndpointConfig, tls::ServerTls};
use quinn_proto::{
    Connection, ConnectionHandle, DatagramEvent, Dir, Event, StreamId, TransportConfig, VarInt,
    crypto::rustls::QuicClientConfig,
};
use rustls::{RootCertStore, pki_types::CertificateDer};

const DELAY: Duration = Duration::from_millis(5);

pub struct RawClient {
    pub now: Instant,
    pub server: Endpoint,
    pub events: Vec<ConnectionEvent>,
    pub key: Option<ConnectionKey>,
    pub quic: Connection,
    /// Why the client's connection was lost.
    pub lost: Option<quinn_proto::ConnectionError>,
    endpoint: quinn_proto::Endpoint,
    handle: ConnectionHandle,
}

impl RawClient {
    /// A client whose handshake for HTTP/3 is over.
    pub fn connected(config: EndpointConfig, transport: TransportConfig) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = CertificateDer::from(made.cert.der().to_vec());
        let tls = ServerTls::from_pem(
            made.cert.pem().as_bytes(),
            made.signing_key.serialize_pem().as_bytes(),
        )
        .unwrap();
        let server = Endpoint::new(EndpointConfig {
            server: Some(tls),
            ..config
        });
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h3".to_vec()];
        let tls = QuicClientConfig::try_from(tls).unwrap();
        let mut config = quinn_proto::ClientConfig::new(Arc::new(tls));
        config.transport_config(Arc::new(transport));
        let now = Instant::now();
        let mut endpoint = quinn_proto::Endpoint::new(Arc::default(), None, true, None);
        let (handle, quic) = endpoint
            .connect(now, config, address(1), "localhost")
            .unwrap();
        let mut client = Self {
            now,
            server,
            events: Vec::new(),
            key: None,
            quic,
            lost: None,
            endpoint,
            handle,
        };
        client.run(Duration::from_millis(100));
        assert!(!client.quic.is_handshaking());
        client
    }

    /// Opens a stream and writes on it; `fin`: and ends it.
    pub fn open(&mut self, dir: Dir, data: &[u8], fin: bool) -> StreamId {
        let id = self.quic.streams().open(dir).expect("a stream is allowed");
        self.write(id, data, fin);
        id
    }

    pub fn write(&mut self, id: StreamId, data: &[u8], fin: bool) {
        let mut stream = self.quic.send_stream(id);
        assert_eq!(stream.write(data).unwrap(), data.len());
        if fin {
            stream.finish().unwrap();
        }
    }

    /// What has come on a stream, and whether it has ended.
    pub fn read(&mut self, id: StreamId) -> (Vec<u8>, bool) {
        let mut read = Vec::new();
        let mut stream = self.quic.recv_stream(id);
        let Ok(mut chunks) = stream.read(true) else {
            return (read, true);
        };
        loop {
            match chunks.next(usize::MAX) {
                Ok(Some(chunk)) => read.extend_from_slice(&chunk.bytes),
                Ok(None) => return (read, true),
                Err(_) => return (read, false),
            }
        }
    }

    /// Lets both sides do what they want to do in this time.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.client_turn();
            self.now += DELAY;
            self.server_turn();
            self.now += DELAY;
        }
    }

    fn client_turn(&mut self) {
        if self.quic.poll_timeout().is_some_and(|at| at <= self.now) {
            self.quic.handle_timeout(self.now);
        }
        while let Some(event) = self.quic.poll() {
            if let Event::ConnectionLost { reason } = event {
                self.lost = Some(reason);
            }
        }
        while let Some(event) = self.quic.poll_endpoint_events() {
            if let Some(event) = self.endpoint.handle_event(self.handle, event) {
                self.quic.handle_event(event);
            }
        }
        let mut buf = Vec::new();
        while let Some(transmit) = self.quic.poll_transmit(self.now, 1, &mut buf) {
            let data = BytesMut::from(&buf[..transmit.size]);
            self.server
                .handle_datagram(self.now + DELAY, address(0), None, None, data);
            buf.clear();
        }
    }

    fn server_turn(&mut self) {
        self.server.handle_timeout(self.now);
        while let Some((key, event)) = self.server.poll() {
            self.key = Some(key);
            self.events.push(event);
        }
        let mut buf = Vec::new();
        while let Some(transmit) = self.server.poll_transmit(self.now, &mut buf, 1) {
            let data = BytesMut::from(&buf[..transmit.size]);
            let event =
                self.endpoint
                    .handle(self.now, address(1), None, None, data, &mut Vec::new());
            if let Some(DatagramEvent::ConnectionEvent(_, event)) = event {
                self.quic.handle_event(event);
            }
        }
    }

    /// The code and the reason with which the server has closed the connection.
    pub fn closed_with(&self) -> Option<(u64, String)> {
        match self.lost.as_ref()? {
            quinn_proto::ConnectionError::ApplicationClosed(close) => Some((
                VarInt::into_inner(close.error_code),
                String::from_utf8_lossy(&close.reason).into_owned(),
            )),
            other => panic!("{other}"),
        }
    }
}

fn address(side: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, side + 1], 4443))
}
