//! A relay in a program of one's own, with the flags of `parvis relay`.

use std::process::ExitCode;

use clap::Parser;
use parvis_relay::{Args, Relay, install_logging};

/// Forwards tracks from publishers to subscribers.
// A relay allocates small and short-lived pieces on each of its threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    relay: Args,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Box<dyn std::error::Error>> {
    let config = cli.relay.load()?;
    install_logging(&config)?;
    let running = Relay::start(config)?;
    println!("moqt://{}/", running.local_addr());
    println!("certificate {}", running.fingerprint());
    // Another thread may call `running.stopper().stop(..)`, on a signal for instance.
    running.join()?;
    Ok(())
}
