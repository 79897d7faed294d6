//! Loads a relay with subscribers and measures what it costs, one JSON line a run.
//!
//! `parvis-load drive` is one publisher and N subscribers through any relay that speaks draft 18 or
//! 22; `parvis-load floor` is the cheapest server thinkable on the same QUIC, which no relay can beat:
//! it makes the objects itself, knows one room and looks at nothing.

mod drive;
mod floor;
mod port;
mod process;
mod publisher;
mod received;
mod workload;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publishes, subscribes and measures.
    Drive(drive::Options),
    /// Serves objects to whoever subscribes, on one thread.
    Floor(floor::Options),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Drive(options) => drive::run(&options),
        Command::Floor(options) => floor::run(&options),
    }
}
