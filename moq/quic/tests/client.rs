//! The async client against a server on the loopback interface.
#![cfg(all(feature = "tokio", unix))]

mod server;

use std::time::Duration;

use parvis_quic::{
    CloseReason, ConnectionEvent,
    client::{ConnectError, ConnectOptions, Connection, Gone, NotNow},
    tls::{ClientTls, Fingerprint},
};
use parvis_session::{Event, StreamEnd};
use parvis_wire::{
    Draft, FullTrackName, Parameters, Properties, SessionErrorCode, TrackName, TrackNamespace,
};
use server::{Behaviour, Server};

const QUIET: Behaviour = Behaviour {
    objects: 0,
    object_len: 0,
};

fn options(server: &Server) -> ConnectOptions {
    ConnectOptions {
        tls: ClientTls::pinned([server.fingerprint]),
        server_name: Some("localhost".to_owned()),
        ..ConnectOptions::default()
    }
}

async fn connect(server: &Server) -> Connection {
    Connection::connect(
        &format!("moqt://{}/room?x=1", server.address),
        options(server),
    )
    .await
    .unwrap()
}

fn track() -> FullTrackName {
    let namespace = TrackNamespace::new(["parvis", "room", "alice"]).unwrap();
    FullTrackName::new(namespace, TrackName::from("audio")).unwrap()
}

fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

#[tokio::test]
async fn a_client_subscribes_gets_objects_and_closes() {
    let server = Server::start(
        "127.0.0.1:0",
        Behaviour {
            objects: 50,
            object_len: 3000,
        },
    );
    let mut connection = connect(&server).await;
    assert_eq!(connection.draft(), Draft::D22);
    assert_eq!(connection.remote_address(), server.address);
    let key = connection
        .with(|session, now| session.subscribe(track(), Parameters::default(), now))
        .await
        .unwrap()
        .unwrap();
    let (mut bytes, mut ended) = (0, 0);
    while ended < 50 {
        match connection.next_event().await.unwrap() {
            Event::Object {
                raw, header_len, ..
            } => bytes += raw.len() - header_len,
            Event::ObjectData { data, .. } => bytes += data.len(),
            Event::SubgroupEnd { end, .. } => {
                assert_eq!(end, StreamEnd::Finished);
                ended += 1;
            }
            Event::Accepted { key: accepted, .. } => assert_eq!(accepted, key),
            _ => {}
        }
    }
    assert_eq!(bytes, 50 * 3000);
    assert!(connection.stats().await.unwrap().received_bytes > 150_000);

    let handle = connection.handle();
    connection
        .close(SessionErrorCode::GoawayTimeout, "leaving")
        .await;
    assert_eq!(tasks(), 0);
    assert_eq!(handle.with(|_, _| ()).await, Err(Gone));
    assert_eq!(handle.try_run(|_, _| ()), Err(NotNow::Gone));
    let setup = server.wait_for(|event| match event {
        ConnectionEvent::Session(Event::Established { peer }) => Some(peer.clone()),
        _ => None,
    });
    assert_eq!(setup.path.as_deref(), Some("/room?x=1"));
    assert_eq!(setup.authority, Some(server.address.to_string()));
    let reason = server.wait_for(|event| match event {
        ConnectionEvent::Closed { reason } => Some(reason.clone()),
        _ => None,
    });
    let code = SessionErrorCode::GoawayTimeout;
    assert_eq!(
        reason,
        CloseReason::PeerClosed {
            code,
            reason: "leaving".to_owned()
        }
    );
}

#[tokio::test]
async fn closing_waits_until_everything_has_arrived() {
    let server = Server::start("127.0.0.1:0", QUIET);
    let connection = connect(&server).await;
    connection
        .with(|session, now| {
            let key = session
                .publish(track(), Parameters::default(), Properties::EMPTY, now)
                .unwrap();
            for group in 0..100 {
                server::publish(session, key, group, 5000, now);
            }
        })
        .await
        .unwrap();
    connection.close(SessionErrorCode::NoError, "").await;
    let mut ended = 0;
    server.wait_for(|event| {
        if let ConnectionEvent::Session(Event::SubgroupEnd { end, .. }) = event {
            assert_eq!(*end, StreamEnd::Finished);
            ended += 1;
        }
        matches!(event, ConnectionEvent::Closed { .. }).then_some(())
    });
    assert_eq!(ended, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dropped_connection_tells_the_server_and_leaves_no_task() {
    let server = Server::start("127.0.0.1:0", QUIET);
    let connection = connect(&server).await;
    drop(connection);
    let reason = server.wait_for(|event| match event {
        ConnectionEvent::Closed { reason } => Some(reason.clone()),
        _ => None,
    });
    assert!(
        matches!(reason, CloseReason::PeerClosed { .. }),
        "{reason:?}"
    );
    while tasks() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_that_takes_no_events_holds_the_server_back() {
    let server = Server::start(
        "127.0.0.1:0",
        Behaviour {
            objects: 20,
            object_len: 50_000,
        },
    );
    let mut options = options(&server);
    options.events = 4;
    options.limits.connection_window = 256 * 1024;
    options.limits.stream_window = 64 * 1024;
    let url = format!("moqt://{}", server.address);
    let mut connection = Connection::connect(&url, options).await.unwrap();
    connection
        .with(|session, now| session.subscribe(track(), Parameters::default(), now))
        .await
        .unwrap()
        .unwrap();
    // Commands still work while events wait.
    let mut received = 0;
    while received < 192 * 1024 {
        received = connection.stats().await.unwrap().received_bytes;
    }
    for _ in 0..5000 {
        received = connection.stats().await.unwrap().received_bytes;
    }
    assert!(received < 512 * 1024, "{received}");
    let mut bytes = 0;
    while bytes < 500_000 {
        match connection.next_event().await.unwrap() {
            Event::Object { raw, .. } => bytes += raw.len(),
            Event::ObjectData { data, .. } => bytes += data.len(),
            _ => {}
        }
    }
    connection.close(SessionErrorCode::NoError, "").await;
}

#[tokio::test]
async fn a_closed_session_says_so_once_more_for_each_question() {
    let server = Server::start("127.0.0.1:0", QUIET);
    let mut connection = connect(&server).await;
    connection
        .with(|session, _| session.close(SessionErrorCode::Unauthorized, "own"))
        .await
        .unwrap();
    let reason = loop {
        if let Err(reason) = connection.next_event().await {
            break reason;
        }
    };
    let code = SessionErrorCode::Unauthorized;
    assert_eq!(
        reason,
        CloseReason::Local {
            code,
            reason: "own".to_owned()
        }
    );
    assert_eq!(connection.next_event().await, Err(reason));
    connection.close(SessionErrorCode::NoError, "").await;
    assert_eq!(tasks(), 0);
}

#[tokio::test]
async fn the_servers_close_is_the_last_event() {
    let server = Server::start("127.0.0.1:0", QUIET);
    let mut connection = connect(&server).await;
    connection
        .with(|session, now| session.track_status(track(), Parameters::default(), now))
        .await
        .unwrap()
        .unwrap();
    let reason = loop {
        if let Err(reason) = connection.next_event().await {
            break reason;
        }
    };
    let code = SessionErrorCode::Unauthorized;
    assert_eq!(
        reason,
        CloseReason::PeerClosed {
            code,
            reason: "no status".to_owned()
        }
    );
}

#[tokio::test]
async fn each_failure_to_connect_has_its_own_error() {
    let server = Server::start("127.0.0.1:0", QUIET);
    let url = format!("moqt://{}", server.address);

    let other = ClientTls::pinned([Fingerprint([1; 32])]);
    let error = Connection::connect(
        &url,
        ConnectOptions {
            tls: other,
            ..options(&server)
        },
    )
    .await
    .unwrap_err();
    let ConnectError::Closed(CloseReason::CertificateRejected(text)) = error else {
        panic!("{error:?}");
    };
    assert!(text.contains(&server.fingerprint.to_string()), "{text}");

    let error = Connection::connect("http://localhost/", options(&server))
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Url(_)), "{error:?}");

    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("moqt://{}", silent.local_addr().unwrap());
    let timeout = Duration::from_millis(50);
    let error = Connection::connect(
        &url,
        ConnectOptions {
            timeout,
            ..options(&server)
        },
    )
    .await
    .unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut(_)), "{error:?}");
    while tasks() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_on_one_address_family_is_found_by_name() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        if address.starts_with('[') && std::net::UdpSocket::bind(address).is_err() {
            continue;
        }
        let server = Server::start(address, QUIET);
        let url = format!("moqt://localhost:{}", server.address.port());
        let timeout = Duration::from_secs(1);
        let options = ConnectOptions {
            server_name: None,
            timeout,
            ..options(&server)
        };
        match Connection::connect(&url, options).await {
            Ok(connection) => {
                assert_eq!(connection.remote_address(), server.address);
                connection.close(SessionErrorCode::NoError, "").await;
            }
            // Some systems give the name one family only.
            Err(ConnectError::TimedOut(_)) if server.address.is_ipv6() => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}
