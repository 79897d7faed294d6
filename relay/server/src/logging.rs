use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt, util::SubscriberInitExt};

use crate::{Config, ConfigError, LogFormat};

/// Logs to standard error as the configuration says, from now on; for programs. Does nothing if
/// the program logs already.
pub fn install_logging(config: &Config) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| ConfigError::Malformed {
        place: "log".to_owned(),
        problem: format!("`{}` is no filter: {error}", config.log),
    })?;
    let builder = fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    // An error says that there is a subscriber already.
    let _ = match config.log_format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    Ok(())
}
