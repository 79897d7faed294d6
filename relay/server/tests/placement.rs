//! Which thread a client comes to.

mod support;

use parvis_relay::{Config, Relay};
use parvis_wire::{Draft::D22, Parameters};

use support::{Client, config};

#[tokio::test]
async fn threads_are_filled_one_after_another() {
    let relay = Relay::start(Config {
        fill: 3,
        ..config(2)
    })
    .unwrap();
    let mut clients = Vec::new();
    for expected in [[1, 0], [2, 0], [3, 0], [3, 1], [3, 2], [3, 3]] {
        let mut client = Client::connect(&relay, D22).await;
        // Its answer comes after the turn in which the thread told where newcomers go.
        client.publish_namespace().await;
        clients.push(client);
        let sessions: Vec<_> = relay.stats_by_thread().iter().map(|s| s.sessions).collect();
        assert_eq!(sessions, expected);
    }
}

#[tokio::test]
async fn clients_of_different_threads_meet() {
    let relay = Relay::start(Config {
        fill: 1,
        ..config(2)
    })
    .unwrap();
    let mut publisher = Client::connect(&relay, D22).await;
    publisher.publish_namespace().await;
    let mut subscriber = Client::connect(&relay, D22).await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;
    publisher.send(served, 0, &[b"across"]).await;
    let objects = subscriber.objects(wanted, 1).await;
    assert_eq!(objects[0].location.group.0, 0);
    let sessions: Vec<_> = relay.stats_by_thread().iter().map(|s| s.sessions).collect();
    assert_eq!(sessions, [1, 1]);
    assert_eq!(relay.stats().datagrams_moved, 0);
}
