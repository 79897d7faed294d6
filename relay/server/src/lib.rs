//! The Parvis relay: configuration, threads and sockets around the forwarder.

mod config;

pub use config::{Args, Config, ConfigError, LogFormat, Options};
