//! How a relay starts, whom it lets in, and how it stops.

mod support;

use std::{env, fs, net::UdpSocket, path::PathBuf, sync::Barrier, thread, time::Duration};

use parvis_quic::CloseReason;
use parvis_relay::{Config, Relay, StartError};
use parvis_session::Event;
use parvis_wire::{
    Draft::{D18, D22},
    SessionErrorCode,
};

use support::{Client, config, issuer::Issuer, relay};

fn refusal(config: Config) -> String {
    Relay::start(config).unwrap_err().to_string()
}

#[test]
fn a_port_in_use_is_refused_however_many_threads() {
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    for threads in [1, 2] {
        let listen = other.local_addr().unwrap();
        let error = refusal(Config {
            listen,
            ..config(threads)
        });
        assert_eq!(
            error,
            format!(
                "cannot listen on {listen}: UDP port {} is in use; stop the program that has it, \
                 or set another with `listen`",
                listen.port()
            )
        );
    }
}

#[test]
fn two_relays_do_not_share_a_port() {
    let first = relay(2);
    let listen = first.local_addr();
    let second = Relay::start(Config {
        listen,
        ..config(2)
    });
    assert!(matches!(second, Err(StartError::Listen { .. })));
}

#[test]
fn two_relays_that_start_at_once_do_not_share_a_port() {
    let mut started = 0;
    for _ in 0..20 {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let listen = free.local_addr().unwrap();
        drop(free);
        let line = Barrier::new(2);
        let start = || {
            line.wait();
            Relay::start(Config {
                listen,
                ..config(4)
            })
        };
        let both = thread::scope(|scope| {
            let other = scope.spawn(start);
            [start(), other.join().unwrap()]
        });
        let running = both.into_iter().flatten().count();
        assert!(running < 2, "{listen}");
        started += running;
    }
    assert!(started > 0);
}

#[test]
fn an_address_of_another_machine_is_refused() {
    let listen = "192.0.2.1:4433".parse().unwrap();
    let error = refusal(Config {
        listen,
        ..Issuer::new().config(1)
    });
    assert_eq!(
        error,
        "cannot listen on 192.0.2.1:4433: 192.0.2.1 is no address of this machine; `0.0.0.0:4433` \
         listens on all of them"
    );
}

#[test]
fn certificates_that_cannot_be_used_are_refused_by_name() {
    let folder = env::temp_dir().join(format!("parvis-relay-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let start = || {
        refusal(Config {
            cert: Some(cert.clone()),
            key: Some(key.clone()),
            ..config(1)
        })
    };

    assert!(start().starts_with(&format!("cannot read the certificate {}: ", cert.display())));
    fs::write(&cert, "no PEM").unwrap();
    assert!(start().starts_with(&format!("cannot read the key {}: ", key.display())));
    fs::write(&key, "no PEM").unwrap();
    assert_eq!(
        start(),
        format!(
            "cannot use the certificate {} with the key {}: no private key in the PEM text",
            cert.display(),
            key.display()
        )
    );
    fs::remove_dir_all(folder).unwrap();

    let lone = Config {
        key: Some(PathBuf::from("key.pem")),
        ..config(1)
    };
    assert!(refusal(lone).starts_with("`key` is set and `cert` is not"));
}

#[tokio::test]
async fn a_certificate_from_files_is_shown() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = env::temp_dir().join(format!("parvis-relay-cert-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let relay = Relay::start(Config {
        cert: Some(cert),
        key: Some(key),
        ..config(1)
    })
    .unwrap();
    fs::remove_dir_all(folder).unwrap();

    Client::connect(&relay, D22).await.close().await;
}

#[tokio::test]
async fn a_stopping_relay_asks_its_clients_to_move_and_waits_for_them() {
    let relay = relay(2);
    let mut clients = Vec::new();
    for draft in [D22, D18, D22] {
        clients.push(Client::connect(&relay, draft).await);
    }
    let stopper = relay.stopper();
    stopper.stop(Duration::from_mins(1));
    for mut client in clients {
        let timeout = client
            .wait("GOAWAY", |event| match event {
                Event::GoAway {
                    key: None,
                    timeout_ms,
                    ..
                } => Some(*timeout_ms),
                _ => None,
            })
            .await;
        assert!((50_000..=60_000).contains(&timeout), "{timeout}");
        client.close().await;
    }
    tokio::task::spawn_blocking(|| relay.join())
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn clients_that_stay_are_closed() {
    let relay = relay(2);
    let mut client = Client::connect(&relay, D22).await;
    relay.shutdown(Duration::from_millis(50)).unwrap();

    let reason = client.closed().await;
    let code = SessionErrorCode::GoawayTimeout;
    assert!(
        matches!(&reason, CloseReason::PeerClosed { code: got, .. } if *got == code),
        "{reason:?}"
    );
}

#[tokio::test]
async fn a_full_relay_refuses_newcomers() {
    let relay = Relay::start(Config {
        max_sessions: 1,
        ..config(2)
    })
    .unwrap();
    let _first = Client::connect(&relay, D22).await;
    let error = Client::try_connect(&relay, D22).await.unwrap_err();
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test]
async fn under_a_storm_of_handshakes_newcomers_prove_their_address() {
    let relay = Relay::start(Config {
        max_half_open: 0,
        ..config(1)
    })
    .unwrap();
    let mut publisher = Client::connect(&relay, D22).await;
    publisher.publish_namespace().await;
}

#[tokio::test]
async fn a_dropped_relay_leaves_no_thread() {
    let relay = relay(2);
    let mut client = Client::connect(&relay, D22).await;
    drop(relay);
    client.closed().await;
}
