//! moq-clock-ietf on both sides of our relay.

use std::path::Path;

use anyhow::ensure;

use crate::{program::Program, report::Case};

const PEER: &str = "moq-clock-ietf 0.6.25";
const SETTING: &str = "Draft 18 over raw QUIC, the peer on both sides of our relay; the times that come out are compared";
const PROGRAM: &str = "moq-clock-ietf";
const FILTER: &str = "moq_transport::control=debug";
const TICKS: usize = 3;

/// Runs the cases whose name contains `only` through the relay at `url`.
pub async fn run(peers: &Path, url: &str, only: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, publish, subscribe) in [
        ("clock-streams", &[][..], &[][..]),
        ("clock-datagrams", &["--datagrams"], &[]),
        ("clock-track-status", &[], &["--track-status"]),
    ] {
        if !name.contains(only) {
            continue;
        }
        let outcome = tell_time(peers, url, name, publish, subscribe).await;
        cases.push(Case {
            peer: PEER,
            setting: SETTING,
            name: name.to_owned(),
            outcome: outcome.map_err(|error| format!("{error:#}")),
        });
    }
    cases
}

async fn tell_time(
    peers: &Path,
    url: &str,
    namespace: &str,
    publish: &[&str],
    subscribe: &[&str],
) -> anyhow::Result<()> {
    let common = [
        url,
        "--tls-disable-verify",
        "--bind",
        "127.0.0.1:0",
        "--namespace",
        namespace,
    ];
    let publish = [&common[..], &["--publish"], publish].concat();
    let subscribe = [&common[..], subscribe].concat();
    let mut publisher = Program::start(peers, PROGRAM, &publish, FILTER)?;
    publisher
        .logged(&["direction=\"recv\"", "REQUEST_OK"], 1)
        .await?;
    let mut subscriber = Program::start(peers, PROGRAM, &subscribe, FILTER)?;
    let output = subscriber
        .written(|output| lines(output).len() >= TICKS)
        .await?;
    let heard = lines(&output);
    let last = heard[heard.len() - 1].clone();
    let output = publisher
        .written(|output| lines(output).contains(&last))
        .await?;
    let told = lines(&output);
    ensure!(
        told.windows(heard.len()).any(|told| told == heard),
        "told {told:?}, heard {heard:?}"
    );
    subscriber.stop().await?;
    publisher.stop().await
}

/// The lines of `output` that are whole.
fn lines(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    text.split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .map(str::to_owned)
        .collect()
}
