use std::{
    io::{self, IsTerminal},
    time::SystemTime,
};

use parvis_http::Operator;
use parvis_relay::LogFormat;
use serde_json::json;
use tracing_subscriber::EnvFilter;

/// Logs to standard error from now on.
pub fn install(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Tells the operator on standard error, whatever is logged; so that each line of it is JSON if the others are.
pub fn operator(format: LogFormat) -> Operator {
    match format {
        LogFormat::Text => Operator::stderr(),
        LogFormat::Json => Operator::new(|message| eprintln!("{}", line(message))),
    }
}

fn line(message: &str) -> serde_json::Value {
    json!({
        "timestamp": humantime::format_rfc3339_micros(SystemTime::now()).to_string(),
        "level": "WARN",
        "target": "parvis::operator",
        "message": message,
    })
}
