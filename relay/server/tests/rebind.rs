//! A client whose address changes, as behind a router that forgets or on a phone that moves.

mod support;

use std::net::SocketAddr;

use bytes::Bytes;
use parvis_wire::{Draft::D22, Parameters};
use tokio::{net::UdpSocket, sync::mpsc};

use support::{Client, relay};

/// Passes packets on between one client and the relay, from a new port whenever it is told.
struct Router {
    addr: SocketAddr,
    forget: mpsc::Sender<()>,
}

impl Router {
    async fn start(relay: SocketAddr) -> Self {
        let inside = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addr = inside.local_addr().unwrap();
        let (forget, forgets) = mpsc::channel(1);
        tokio::spawn(route(inside, relay, forgets));
        Self { addr, forget }
    }
}

async fn route(inside: UdpSocket, relay: SocketAddr, mut forgets: mpsc::Receiver<()>) {
    let mut outside = port_to(relay).await;
    let mut client = None;
    let (mut up, mut down) = ([0; 2048], [0; 2048]);
    loop {
        tokio::select! {
            received = inside.recv_from(&mut up) => {
                let (length, from) = received.unwrap();
                client = Some(from);
                outside.send(&up[..length]).await.unwrap();
            }
            received = outside.recv(&mut down) => {
                if let (Ok(length), Some(client)) = (received, client) {
                    inside.send_to(&down[..length], client).await.unwrap();
                }
            }
            told = forgets.recv() => match told {
                Some(()) => outside = port_to(relay).await,
                None => return,
            }
        }
    }
}

async fn port_to(relay: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(relay).await.unwrap();
    socket
}

#[tokio::test]
async fn a_client_whose_port_changes_stays_with_its_thread() {
    let relay = relay(4);
    let router = Router::start(relay.local_addr()).await;
    let url = format!("moqt://{}/", router.addr);
    let mut publisher = Client::connect_to(&relay, &url, D22).await;
    let mut subscriber = Client::connect(&relay, D22).await;
    publisher.publish_namespace().await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;

    let mut group = 0;
    // The kernel gives a new port to some thread, in one of four cases the same.
    while relay.stats().datagrams_moved < 10 {
        assert!(group < 200, "{:?}", relay.stats_by_thread());
        if group % 10 == 0 {
            router.forget.send(()).await.unwrap();
        }
        let stream = publisher.send(served, group, &[b"first"]).await;
        publisher
            .send_more(stream, 1, Bytes::from_static(b"second"))
            .await;
        publisher.finish(stream).await;
        let objects = subscriber.objects(wanted, 2).await;
        assert_eq!(objects[1].location.group.0, group);
        group += 1;
    }
    assert_eq!(relay.stats().sessions, 2);
}
