use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::sync::watch;

use crate::ServiceError;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// A certificate from files, read again when they change.
#[derive(Debug)]
pub(crate) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    config: RustlsConfig,
    changed: [Option<SystemTime>; 2],
}

impl Certificate {
    pub(crate) fn read(chain: &Path, key: &Path) -> Result<Self, ServiceError> {
        let changed = changed(chain, key);
        Ok(Self {
            config: RustlsConfig::from_config(read(chain, key)?),
            chain: chain.to_owned(),
            key: key.to_owned(),
            changed,
        })
    }

    /// What new connections are served with, now and after a change.
    pub(crate) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Takes changed files up until it is told to stop; files that do not fit change nothing.
    pub(crate) async fn watch(mut self, mut stop: watch::Receiver<bool>) {
        let mut clock = tokio::time::interval(LOOK);
        while !*stop.borrow() {
            tokio::select! {
                _ = clock.tick() => self.look(),
                // Gone is stopped, too.
                _ = stop.changed() => break,
            }
        }
    }

    fn look(&mut self) {
        let now = changed(&self.chain, &self.key);
        if now == self.changed {
            return;
        }
        match read(&self.chain, &self.key) {
            Ok(config) => {
                self.config.reload_from_config(config);
                self.changed = now;
                tracing::info!("the certificate was read again");
            }
            Err(error) => tracing::warn!(%error, "the certificate stays as it is"),
        }
    }
}

fn changed(chain: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [chain, key].map(|path| fs::metadata(path).and_then(|data| data.modified()).ok())
}

fn read(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, ServiceError> {
    let fault = |path: &Path, reason: String| ServiceError::Certificate {
        path: path.to_owned(),
        reason,
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(chain, error.to_string()))?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| fault(key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(certificates, private)
        })
        .map_err(|error| fault(chain, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
