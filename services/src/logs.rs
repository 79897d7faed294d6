use std::time::SystemTime;

use parvis_http::Operator;
use parvis_relay::{Config, LogFormat, install_logging};
use serde_json::json;

/// Logs to standard error from now on.
pub fn install(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let config = Config {
        log: filter.to_owned(),
        log_format: format,
        ..Config::default()
    };
    Ok(install_logging(&config)?)
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
