//! The line that a session leaves in the log.

mod support;

use std::{env, process::Command};

use parvis_quic::client::ConnectOptions;
use parvis_relay::{ClosedBy, Config, LogFormat, Relay, install_logging};
use parvis_wire::{
    Draft::{D18, D22},
    Parameters,
};
use serde_json::Value;

use support::{Client, config, until};

const CHILD: &str = "PARVIS_RELAY_TEST_LOGS";

/// A relay with a publisher and a subscriber, in a process of its own for its log.
async fn meet() {
    let config = Config {
        log_format: LogFormat::Json,
        ..config(1)
    };
    install_logging(&config).unwrap();
    let relay = Relay::start(config).unwrap();
    let mut publisher = Client::connect_with(&relay, D22, |options: &mut ConnectOptions| {
        "evil\nlevel=\"ERROR\" {\"fields\":1}".clone_into(&mut options.session.implementation);
    })
    .await;
    let url = format!("https://{}/", relay.local_addr());
    let mut subscriber = Client::connect_to(&relay, &url, D18).await;
    publisher.publish_namespace().await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;
    let stream = publisher.send(served, 7, &[b"key frame", b"delta"]).await;
    publisher.finish(stream).await;
    subscriber.objects(wanted, 2).await;
    publisher.close().await;
    until("its end", || relay.stats().closed_by(ClosedBy::Peer) == 1).await;
    relay.shutdown(std::time::Duration::ZERO).unwrap();
}

#[test]
fn a_session_that_ends_tells_its_story_in_one_line_of_json() {
    if env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(meet());
        return;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "a_session_that_ends_tells_its_story_in_one_line_of_json",
        ])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{log}");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let ended: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "session ended")
        .collect();
    assert_eq!(ended.len(), 2, "{log}");
    let [publisher, subscriber] = [ended[0], ended[1]];

    assert_eq!(publisher["draft"], 22);
    assert_eq!(publisher["transport"], "quic");
    assert!(
        publisher["remote"]
            .as_str()
            .unwrap()
            .starts_with("127.0.0.1:")
    );
    assert_eq!(publisher["objects_in"], 2);
    assert_eq!(publisher["objects_out"], 0);
    assert!(publisher["bytes_in"].as_u64().unwrap() > 14);
    assert!(publisher["seconds"].as_f64().unwrap() > 0.);
    assert!(publisher["rtt_ms"].as_f64().unwrap() > 0.);
    assert_eq!(publisher["closed_by"], "peer");
    assert_eq!(publisher["code"], 0);
    assert!(publisher["reason"].as_str().unwrap().contains("bye"));
    // What the peer calls itself cannot make a line, or a field, of its own.
    assert!(
        publisher["client"]
            .as_str()
            .unwrap()
            .starts_with("\"evil\\nlevel=")
    );
    assert_eq!(publisher["level"], "INFO");

    assert_eq!(subscriber["draft"], 18);
    assert_eq!(subscriber["transport"], "webtransport");
    assert_eq!(subscriber["objects_out"], 2);
    assert_eq!(subscriber["drops"], "");
    assert_eq!(subscriber["closed_by"], "stop");
    assert_eq!(subscriber["code"], 0x10);
}
