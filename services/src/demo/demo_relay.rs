use std::time::Duration;

use anyhow::Context;
use parvis_relay::{Config, Relay, Running};

/// The relay of a demonstration, on a free port of this machine.
pub struct DemoRelay {
    running: Running,
}

impl DemoRelay {
    /// Starts it.
    pub fn start() -> anyhow::Result<Self> {
        let config = Config {
            listen: "127.0.0.1:0".parse()?,
            ..Config::default()
        };
        let running = Relay::start(config).context("the demonstration's relay")?;
        Ok(Self { running })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("moqt://{}", self.running.local_addr())
    }

    /// The fingerprint of its certificate.
    pub fn fingerprint(&self) -> String {
        self.running.fingerprint().to_string()
    }

    /// Stops it.
    pub async fn stop(self) -> anyhow::Result<()> {
        tokio::task::spawn_blocking(|| self.running.shutdown(Duration::ZERO)).await??;
        Ok(())
    }
}
