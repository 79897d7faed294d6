use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parvis_http::{Rate, ReadyCheck, ServiceError};
use serde_json::json;

use crate::server::{Client, Server};

/// Connects, says something, and reads until the service ends it.
fn raw(addr: SocketAddr, say: &[u8]) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(addr).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream.write_all(say).unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    (
        String::from_utf8_lossy(&answer).into_owned(),
        began.elapsed(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_too_little_is_cut_off() {
    let server = Server::with(|config| {
        config.limits.head = Duration::from_millis(300);
        config.limits.request = Duration::from_millis(600);
    })
    .await;
    let addr = server.running.local_addr();
    for say in [
        &b""[..],
        b"GET / HT",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b",
    ] {
        let (_, took) = raw(addr, say);
        assert!(took >= Duration::from_millis(250), "{took:?}");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    let half = b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                 Content-Length: 100\r\n\r\n{";
    let (answer, took) = raw(addr, half);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(server.guest().get("/healthz").await.status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_closed_at_once() {
    let server = Server::with(|config| config.limits.connections = 3).await;
    let addr = server.running.local_addr();
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let answered = |stream: &mut TcpStream| {
        stream.write_all(request).unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).is_ok() && answer.starts_with(b"HTTP/1.1 200 OK")
    };
    let mut held: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(addr).unwrap()).collect();
    assert!(held.iter_mut().all(answered));
    let (answer, _) = raw(addr, b"");
    assert_eq!(answer, "");
    held.pop();
    // The place is free when the service has seen that it is gone.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut again = TcpStream::connect(addr).unwrap();
        again
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        if again.write_all(request).is_ok() && answered(&mut again) {
            break;
        }
        assert!(Instant::now() < deadline);
    }
    drop(held);
    server.stop().await;
}

#[tokio::test]
async fn requests_of_one_address_are_limited() {
    let server = Server::with(|config| config.limits.requests = Rate::new(5, 1)).await;
    let guest = server.guest();
    for _ in 0..5 {
        assert_eq!(guest.get("/healthz").await.status, 200);
    }
    let refused = guest.get("/healthz").await;
    refused.refused(429, "RateLimited", "try again in");
    server.stop().await;
}

#[tokio::test]
async fn behind_a_proxy_the_address_is_what_the_proxy_says_last() {
    let server = Server::with(|config| {
        config.behind_proxy = true;
        config.limits.requests = Rate::new(2, 1);
    })
    .await;
    let from = |addresses: &'static str| {
        let guest = server.guest();
        async move {
            let headers = [("x-forwarded-for", addresses)];
            guest
                .request("GET", "/healthz", None, &headers)
                .await
                .status
        }
    };
    assert_eq!(from("198.51.100.1, 192.0.2.1").await, 200);
    assert_eq!(from("198.51.100.2, 192.0.2.1").await, 200);
    assert_eq!(
        from("198.51.100.3, 192.0.2.1").await,
        429,
        "what a client adds does not count"
    );
    assert_eq!(from("192.0.2.2").await, 200);
    server.stop().await;
}

#[tokio::test]
async fn tickets_are_limited() {
    let server = Server::with(|config| config.limits.joins = Rate::new(2, 1)).await;
    let body = json!({ "name": "Gus", "device": "d" });
    let join = "/api/v1/rooms/zzz-zzzz-zzz/join";
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(server.guest().post(join, &body).await.status);
    }
    assert_eq!(statuses, [200, 200, 429]);
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let server = Server::start().await;
    let guest = server.guest();
    guest
        .get("/nothing")
        .await
        .refused(404, "NotFound", "openapi.json");
    guest
        .order("DELETE", "/healthz")
        .await
        .refused(405, "Malformed", "DELETE is not for");
    for path in ["/healthz", "/readyz"] {
        let answer = guest.get(path).await;
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.ok(), "ok");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_service_without_its_store_is_not_ready() {
    let server = Server::start().await;
    server.store.close().await;
    let answer = server.guest().get("/readyz").await;
    answer.refused(503, "ServiceUnavailable", "cannot reach its store");
    assert_eq!(server.guest().get("/healthz").await.status, 200);
    server.running.stop(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_service_without_what_it_needs_is_not_ready() {
    let relay_is_there = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&relay_is_there);
    let relay = ReadyCheck::new(move || {
        let there = asked.load(Ordering::Relaxed);
        async move { there.then_some(()).ok_or("the relay is away".to_owned()) }
    });
    let server = Server::needing(vec![relay]).await;
    assert_eq!(server.guest().get("/readyz").await.ok(), "ok");
    relay_is_there.store(false, Ordering::Relaxed);
    let answer = server.guest().get("/readyz").await;
    answer.refused(503, "ServiceUnavailable", "the relay is away");
    assert_eq!(server.guest().get("/healthz").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn passphrases_do_not_cross_a_network_in_the_clear() {
    let server = Server::start().await;
    let config = parvis_http::Config::new(
        "http://192.0.2.1/".parse().unwrap(),
        parvis_http::RelayAddress {
            url: "moqt://127.0.0.1:4433".to_owned(),
            fingerprint: None,
        },
        Arc::new(parvis_token::Signer::from_seed(&[7; 32])),
    );
    let service = parvis_http::Service::new(server.store.clone(), config).unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let refused = service.start(listener).map(drop);
    assert!(
        matches!(&refused, Err(ServiceError::Exposed(_))),
        "{refused:?}"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_serves_over_tls() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, private) = (
        folder.path().join("chain.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&chain, key.cert.pem()).unwrap();
    std::fs::write(&private, key.signing_key.serialize_pem()).unwrap();
    let files = (chain.clone(), private);
    let server = Server::with(|config| config.certificate = Some(files)).await;
    let site = server.site.replace("http://127.0.0.1", "https://localhost");
    let trusting = Client::trusting(&site, &std::fs::read(&chain).unwrap());
    assert_eq!(trusting.get("/healthz").await.ok(), "ok");
    let (answer, _) = raw(
        server.running.local_addr(),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    assert!(!answer.contains("HTTP/1.1 200"), "{answer}");
    server.stop().await;
}
