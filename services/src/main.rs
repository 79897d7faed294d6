//! The `parvis` command: a meeting service, its rooms, taking part; a relay, a publisher, a recorder, a demonstration.

mod account;
mod api;
mod check;
mod cli;
mod demo;
mod entry;
mod join;
mod logs;
mod output;
mod publish;
mod recording;
mod relay;
mod room;
mod serve;
mod stop;
mod token;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use parvis_relay::LogFormat;
use serde_json::json;

use crate::{
    cli::{Cli, Command},
    output::Output,
};

// A relay allocates small and short-lived pieces on each of its threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let message = output::one_line(&error);
            if json {
                output::say(&json!({ "event": "error", "message": message }).to_string());
            }
            eprintln!("parvis: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let (filter, format) = match &cli.command {
        // Its configuration says it.
        Command::Relay(_) => (None, LogFormat::Text),
        Command::Serve(args) => (Some("info"), args.log_format),
        _ => (Some("error"), LogFormat::Text),
    };
    if let Some(filter) = filter {
        logs::install(cli.trace.as_deref().unwrap_or(filter), format)?;
    }
    let output = Output::new(cli.json);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Relay(args) => relay::run(*args, &output).await,
            Command::Publish(args) => publish::run(args, &output).await,
            Command::Watch(args) => watch::run(args, &output).await,
            Command::Demo(args) => demo::run(args, &output).await,
            Command::Serve(args) => serve::run(*args, &output).await,
            Command::Join(args) => join::run(*args, &output).await,
            Command::Check(args) => check::run(args, &output).await,
            Command::Token(args) => token::run(&args, &output),
            Command::Room(args) => room::run(&args, &output),
            Command::Account(args) => account::run(&args, &output),
            Command::Login(args) => account::login(&args, &output),
            Command::Logout(args) => account::logout(&args, &output),
        }
    })
}
