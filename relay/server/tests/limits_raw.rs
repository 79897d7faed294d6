//! Peers that speak QUIC and no MoQ: streams that say next to nothing, requests before SETUP, floods of
//! datagrams. A call beside them stays whole.

mod support;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use parvis_relay::{Config, Limit, Relay, Running};
use parvis_wire::{Draft, ResetCode};
use tempfile::TempDir;

use support::{call::Call, config};

/// A relay whose certificate is in a file, so that anybody may trust it.
struct Site {
    folder: TempDir,
    relay: Running,
}

impl Site {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (cert, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(folder.path().join("cert.der"), made.cert.der()).unwrap();
        let relay = Relay::start(Config {
            cert: Some(cert),
            key: Some(key),
            max_streams: 16,
            max_subscriptions: 8,
            max_tracks: 8,
            max_namespaces: 8,
            max_prefixes: 8,
            ..config(2)
        });
        Self {
            relay: relay.unwrap(),
            folder,
        }
    }

    /// A connection of QUIC that has said nothing of MoQ.
    async fn connect(&self) -> (quinn::Endpoint, quinn::Connection) {
        let mut roots = rustls::RootCertStore::empty();
        let der = std::fs::read(self.folder.path().join("cert.der")).unwrap();
        roots.add(der.into()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![Draft::D22.alpn().to_vec()];
        let tls = quinn_proto::crypto::rustls::QuicClientConfig::try_from(tls).unwrap();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (config, runtime) = (
            quinn::EndpointConfig::default(),
            Arc::new(quinn::TokioRuntime),
        );
        let mut endpoint = quinn::Endpoint::new(config, None, socket, runtime).unwrap();
        endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(tls)));
        let addr = self.relay.local_addr();
        let connection = endpoint.connect(addr, "localhost").unwrap().await.unwrap();
        (endpoint, connection)
    }
}

/// Whether another stream may be opened, of those that take no answer of the relay.
async fn may_open(connection: &quinn::Connection, kept: &mut Vec<quinn::SendStream>) -> bool {
    let opened = tokio::time::timeout(Duration::from_millis(300), connection.open_bi()).await;
    let Ok(opened) = opened else { return false };
    let (mut stream, _) = opened.unwrap();
    stream.write_all(&[0x03]).await.unwrap();
    kept.push(stream);
    true
}

#[tokio::test]
async fn requests_that_are_begun_and_never_made() {
    let site = Site::start();
    let mut call = Call::start(&site.relay).await;
    let (_endpoint, connection) = site.connect().await;
    let mut kept = Vec::new();
    while may_open(&connection, &mut kept).await {
        call.goes_on().await;
    }
    // As many requests as all its limits allow, and some to spare.
    assert_eq!(kept.len(), 4 * 8 + 64);
    let mut streams = Vec::new();
    while let Ok(opened) =
        tokio::time::timeout(Duration::from_millis(300), connection.open_uni()).await
    {
        let mut stream = opened.unwrap();
        stream.write_all(&[0xc0]).await.unwrap();
        streams.push(stream);
    }
    assert_eq!(streams.len(), 16);
    call.goes_on().await;
}

#[tokio::test]
async fn bytes_of_requests_before_setup() {
    let site = Site::start();
    let mut call = Call::start(&site.relay).await;
    let (_endpoint, connection) = site.connect().await;
    let (mut request, _answer) = connection.open_bi().await.unwrap();
    // Of 300 kB, 256 KiB may wait for the end of SETUP.
    let write = request.write_all(&vec![0; 300_000]).await;
    let stopped = match write {
        Ok(()) => request.stopped().await.unwrap(),
        Err(quinn::WriteError::Stopped(code)) => Some(code),
        Err(error) => panic!("{error}"),
    };
    let code = stopped.map(quinn::VarInt::into_inner);
    assert_eq!(code, Some(ResetCode::ExcessiveLoad.to_u64()));
    assert_eq!(site.relay.stats().limit(Limit::ControlBuffer), 1);
    call.goes_on().await;
}

#[tokio::test]
async fn datagrams_of_nobodys() {
    let site = Site::start();
    let mut call = Call::start(&site.relay).await;
    let (_endpoint, connection) = site.connect().await;
    let nonsense = Bytes::from(vec![0x06; 1000]);
    for number in 0..20_000 {
        if connection
            .send_datagram_wait(nonsense.clone())
            .await
            .is_err()
        {
            // The relay may call it a violation.
            break;
        }
        if number % 2000 == 0 {
            call.goes_on().await;
        }
    }
    call.goes_on().await;
    assert_eq!(site.relay.stats().namespaces, 1);
}
