//! Clients over WebTransport, beside others over raw QUIC, on one real port.

mod support;

use std::time::Duration;

use parvis_quic::CloseReason;
use parvis_relay::{Config, Relay, Running, WebTransport};
use parvis_session::DatagramOptions;
use parvis_wire::{
    Draft::{self, D18, D22},
    GroupId, Location, ObjectId, ObjectStatus, Parameters, Properties, SessionErrorCode,
};
use support::{Client, config, issuer::Issuer, payloads, relay};

async fn connect(relay: &Running, web: bool, draft: Draft) -> Client {
    let scheme = if web { "https" } else { "moqt" };
    let url = format!("{scheme}://{}/room", relay.local_addr());
    Client::connect_to(relay, &url, draft).await
}

#[tokio::test]
async fn objects_travel_between_webtransport_and_raw_quic() {
    for (publisher, subscriber) in [
        ((true, D18), (true, D18)),
        ((true, D22), (false, D22)),
        ((false, D18), (true, D22)),
        ((true, D18), (false, D22)),
    ] {
        let relay = relay(2);
        let mut publishing = connect(&relay, publisher.0, publisher.1).await;
        let mut subscribing = connect(&relay, subscriber.0, subscriber.1).await;
        publishing.publish_namespace().await;
        let wanted = subscribing.ask_for("camera", Parameters::default()).await;
        let served = publishing.serve().await;
        subscribing.accepted(wanted).await;
        for group in 0..20 {
            let stream = publishing
                .send(served, group, &[b"key frame", b"", b"delta"])
                .await;
            publishing.finish(stream).await;
            let objects = subscribing.objects(wanted, 3).await;
            assert_eq!(payloads(&objects), [&b"key frame"[..], b"", b"delta"]);
            assert_eq!(objects[2].location, Location::new(group, 2));
        }
        publishing.close().await;
        subscribing.close().await;
        relay.shutdown(Duration::ZERO).unwrap();
    }
}

#[tokio::test]
async fn datagrams_travel_over_webtransport() {
    let relay = relay(1);
    let mut publisher = connect(&relay, true, D18).await;
    let mut subscriber = connect(&relay, true, D22).await;
    publisher.publish_namespace().await;
    let wanted = subscriber.ask_for("voice", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;
    publisher
        .with(move |session, now| {
            let datagram = DatagramOptions {
                location: Location {
                    group: GroupId(4),
                    object: ObjectId(0),
                },
                priority: None,
                end_of_group: false,
                properties: Properties::EMPTY,
                status: ObjectStatus::Normal,
                payload: b"sound".as_slice().into(),
            };
            session.send_datagram(served, datagram, now).unwrap();
        })
        .await;
    let payload = subscriber
        .wait("datagram", |event| match event {
            parvis_session::Event::Datagram { datagram, .. } => Some(datagram.payload.clone()),
            _ => None,
        })
        .await;
    assert_eq!(payload, &b"sound"[..]);
}

#[tokio::test]
async fn one_port_serves_both_families_and_both_carriers() {
    let relay = Relay::start(Config {
        listen: "[::]:0".parse().unwrap(),
        ..Issuer::new().config(1)
    })
    .unwrap();
    let port = relay.local_addr().port();
    let mut clients = Vec::new();
    for host in ["127.0.0.1", "[::1]"] {
        for scheme in ["moqt", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            clients.push(Client::connect_to(&relay, &url, D22).await);
        }
    }
    assert_eq!(relay.stats().sessions, 4);
}

#[tokio::test]
async fn a_relay_that_stops_tells_a_session_over_webtransport() {
    let relay = relay(1);
    let mut client = connect(&relay, true, D22).await;
    let mut publisher = connect(&relay, false, D22).await;
    publisher.publish_namespace().await;
    let wanted = client.ask_for("camera", Parameters::default()).await;
    publisher.serve().await;
    client.accepted(wanted).await;
    let stopping = tokio::task::spawn_blocking(move || relay.shutdown(Duration::from_millis(200)));
    client
        .wait("GOAWAY", |event| {
            matches!(event, parvis_session::Event::GoAway { .. }).then_some(())
        })
        .await;
    let reason = client.closed().await;
    let CloseReason::PeerClosed { code, .. } = &reason else {
        panic!("{reason:?}");
    };
    assert_ne!(*code, SessionErrorCode::InternalError, "{reason}");
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn webtransport_can_be_turned_off() {
    let relay = Relay::start(Config {
        webtransport: WebTransport::Off,
        ..config(1)
    })
    .unwrap();
    let url = format!("https://{}/", relay.local_addr());
    let refused = Client::try_connect_by(&relay, &url, D22).await.unwrap_err();
    assert!(refused.contains("no draft"), "{refused}");
    Client::connect(&relay, D22).await;
}
