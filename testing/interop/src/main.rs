//! Runs our relay and SDK against other implementations of MoQ Transport, and writes down, or
//! checks, what passes.

mod browser;
mod clip;
mod conformance;
mod foreign_relay;
mod moq_cli;
mod moq_clock;
mod moq_pub_sub;
mod program;
mod reference;
mod report;

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use parvis_relay::{Config, Relay};
use tempfile::TempDir;

use crate::{clip::Clip, report::Known};

/// What does not pass, and why. A case that is here and passes is a surprise too.
const KNOWN: &[Known] = &[Known {
    name: "clock-track-status",
    reason: "the peer's fault (moq-transport 0.17, `Subscriber::track_status`): it sends TRACK_STATUS \
             `0d 001a 00 01 12 636c6f636b2d747261636b2d737461747573 03 6e6f77 00` on its control \
             stream, where draft 18 has each request on a stream of its own (\"Session \
             initialization\"); our relay ends the session with PROTOCOL_VIOLATION, \"TRACK_STATUS \
             on the control stream\"",
}];

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// The folder with the peers' programs.
    #[arg(long)]
    peers: PathBuf,
    /// The folder that `scripts/browser-peer.sh` filled.
    #[arg(long)]
    browser_peer: PathBuf,
    /// The folder with the test clips.
    #[arg(long)]
    clips: PathBuf,
    /// Only cases whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Writes the results into this file.
    #[arg(long, conflicts_with = "check")]
    write: Option<PathBuf>,
    /// Fails unless this file says what the run gave.
    #[arg(long)]
    check: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    // A machine that has much else to do does not look like a slow peer.
    let config = "listen = '127.0.0.1:0'\nqueue-age = '20s'\ntoo-far-behind = '1m'";
    let relay = Relay::start(Config::from_toml(config)?)?;
    let url = format!("moqt://{}", relay.local_addr());
    let mut cases = Vec::new();
    if "reference-subgroups".contains(&cli.only) {
        cases.extend(reference::run(&url).await);
    }
    cases.extend(conformance::run(&cli.peers, &url, &cli.only).await);
    let folder = TempDir::new()?;
    let clip = Clip::make(&cli.clips, folder.path()).await?;
    cases.extend(moq_pub_sub::run(&cli.peers, &url, &clip, &cli.only).await);
    cases.extend(moq_clock::run(&cli.peers, &url, &cli.only).await);
    cases.extend(moq_cli::run(&cli.peers, &url, &clip, &cli.only).await);
    for peer in [foreign_relay::Relay::Moq, foreign_relay::Relay::MoqIetf] {
        if cli.only.is_empty() || cli.only.starts_with("sdk") {
            cases.extend(foreign_relay::run(&cli.peers, peer).await);
        }
    }
    let addr = relay.local_addr().to_string();
    let fingerprint = relay.fingerprint();
    cases.extend(browser::run(&cli.browser_peer, &addr, fingerprint, &cli.only).await);
    tokio::task::spawn_blocking(move || relay.shutdown(Duration::ZERO)).await??;

    for case in &cases {
        match &case.outcome {
            Ok(()) => println!("ok   {:45} {}", case.name, case.peer),
            Err(error) => println!("FAIL {:45} {}: {error}", case.name, case.peer),
        }
    }
    let mut surprises = report::surprises(&cases, KNOWN);
    let differences = [
        moq_pub_sub::DIFFERENCES,
        moq_cli::DIFFERENCES,
        browser::DIFFERENCES,
    ];
    let document = report::markdown(&cases, KNOWN, &differences.concat());
    if let Some(path) = &cli.write {
        fs::write(path, &document).with_context(|| format!("writing {}", path.display()))?;
    }
    if let Some(path) = &cli.check {
        let said =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        if surprises.is_empty() && said != document {
            surprises.push(format!(
                "{} says something else: make interop-write",
                path.display()
            ));
        }
    }
    let passed = cases.iter().filter(|case| case.outcome.is_ok()).count();
    println!("interop: {passed} passed, {} failed", cases.len() - passed);
    for surprise in &surprises {
        eprintln!("interop: {surprise}");
    }
    Ok(if surprises.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
