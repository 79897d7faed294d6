use std::{fs, path::Path};

use super::{Config, ConfigError};

impl Config {
    /// Reads a configuration from TOML; what it does not name has its default.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        parse(text, "")
    }

    /// Reads a TOML file.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        parse(&text, &format!("{}, ", path.display()))
    }
}

fn parse(text: &str, file: &str) -> Result<Config, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            1 + text
                .as_bytes()
                .iter()
                .take(span.start)
                .filter(|byte| **byte == b'\n')
                .count()
        });
        let problem = error.message().lines().collect::<Vec<_>>().join(" ");
        ConfigError::Malformed {
            place: format!("{file}line {line}"),
            problem,
        }
    })
}
