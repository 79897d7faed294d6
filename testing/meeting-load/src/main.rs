//! A meeting of hundreds in one process of simulated clients, with the relay and the authority in
//! processes of their own: what it costs them, and how long things take in it.
//!
//! Each figure is a row `ok|short ROW FIGURE TARGET`, and with `--markdown` a row of a table.

mod clients;
mod large;
mod measure;
mod process;
mod raw;
mod rows;
mod services;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::rows::Rows;

#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    role: Option<Role>,
    /// How many are in the room.
    #[arg(long, default_value_t = 300)]
    people: usize,
    /// How often each thing is measured.
    #[arg(long, default_value_t = 60)]
    samples: usize,
    /// Prints a table too.
    #[arg(long)]
    markdown: bool,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Runs the relay; for this program itself.
    Relay { folder: PathBuf },
    /// Runs the authority; for this program itself.
    Authority { folder: PathBuf, relay: String },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    match args.role {
        Some(Role::Relay { folder }) => services::relay(&folder).await,
        Some(Role::Authority { folder, relay }) => services::authority(&folder, &relay).await,
        None => {
            let mut rows = Rows::default();
            let measured = measure::run(args.people, args.samples, &mut rows).await;
            rows.print(args.markdown);
            measured.context("not everything was measured")?;
            anyhow::ensure!(!rows.is_short(), "something is short of its target");
            Ok(())
        }
    }
}
