use std::{path::Path, time::Duration};

use tokio::{process::Command, time::timeout};

use crate::report::Case;

const PEER: &str = "moq-test-client 0.2.0";
const SETTING: &str = "Draft 18 over raw QUIC, the peer as client of our relay";
const LIMIT: Duration = Duration::from_mins(1);

/// The cases that moq-test-client lists.
pub const CASES: &[&str] = &[
    "setup-only",
    "publish-namespace-only",
    "subscribe-error",
    "publish-namespace-subscribe",
    "subscribe-before-publish-namespace",
    "publish-namespace-done",
    "publish-track-only",
    "publish-track-subscribe",
    "rendezvous-timeout",
    "data-subgroup-basic",
    "moq-test-subgroup-per-group-eog",
    "moq-test-subgroup-per-object",
    "moq-test-two-subgroups-eog",
    "moq-test-datagram",
    "moq-test-datagram-eog",
    "moq-test-extensions",
    "moq-test-increments",
    "moq-test-forward-zero",
];

/// Runs the cases of moq-test-client whose name contains `only` against the relay at `url`.
pub async fn run(peers: &Path, url: &str, only: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for name in CASES.iter().filter(|name| name.contains(only)) {
        let outcome = run_case(peers, url, name).await;
        cases.push(Case {
            peer: PEER,
            setting: SETTING,
            name: (*name).to_owned(),
            outcome,
        });
    }
    cases
}

async fn run_case(peers: &Path, url: &str, name: &str) -> Result<(), String> {
    let mut command = Command::new(peers.join("moq-test-client"));
    command
        .args([
            "--relay",
            url,
            "--tls-disable-verify",
            "--bind",
            "127.0.0.1:0",
            "--test",
            name,
        ])
        .kill_on_drop(true);
    let output = timeout(LIMIT, command.output())
        .await
        .map_err(|_| format!("no result within {} s", LIMIT.as_secs()))?
        .map_err(|error| format!("moq-test-client does not start: {error}; run `make peers`"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && text.lines().any(|line| line.starts_with("ok ")) {
        return Ok(());
    }
    let told = text
        .lines()
        .filter(|line| !line.starts_with("TAP"))
        .collect::<Vec<_>>()
        .join("; ");
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().last().unwrap_or_default();
    Err(format!("{told} {last}").trim().to_owned())
}
