mod files;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};

use parvis_quic::tls::{Fingerprint, ServerTls};

use self::files::{Files, Version};
pub(crate) use self::watch::Watch;
use crate::{Config, StartError, shard::Command, shards::Shards};

/// What a relay shows its clients, and the files it comes from.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// With what they were when the relay started; `None`: it was made up then.
    files: Option<(Files, Version)>,
    fingerprint: Mutex<Fingerprint>,
}

impl Certificate {
    /// The certificate that the configuration names, or one that is made up.
    pub(crate) fn load(config: &Config) -> Result<(Self, ServerTls), StartError> {
        // Looked at before they are read, so that no change is missed.
        let files = Files::of(config).map(|files| {
            let version = files.version();
            (files, version)
        });
        let tls = match &files {
            Some((files, _)) => files.read()?,
            None => self_signed(config)?,
        };
        let fingerprint = Mutex::new(tls.fingerprint());
        Ok((Self { files, fingerprint }, tls))
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        *self.lock()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Fingerprint> {
        // Poisoned: a reader panicked; the value is whole.
        self.fingerprint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the certificate of a [`Running`](crate::Running) relay again, as on a signal.
#[derive(Debug, Clone)]
pub struct CertificateReload {
    pub(crate) certificate: Arc<Certificate>,
    pub(crate) shards: Arc<Shards>,
}

impl CertificateReload {
    /// The fingerprint of the certificate that is shown now.
    pub fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }

    /// Reads the files again and shows newcomers what is in them from now on; sessions stay as they
    /// are. If the files cannot be used, everybody is shown what was shown before. A certificate
    /// that was made up stays.
    pub fn reload(&self) -> Result<Fingerprint, StartError> {
        let Some((files, _)) = &self.certificate.files else {
            return Ok(self.certificate.fingerprint());
        };
        let tls = files.read()?;
        let fingerprint = tls.fingerprint();
        let before = std::mem::replace(&mut *self.certificate.lock(), fingerprint);
        if before != fingerprint {
            self.shards.tell(|| Command::Certificate(tls.clone()));
            tracing::info!(certificate = %fingerprint, "certificate changed");
        }
        Ok(fingerprint)
    }

    /// [`reload`](Self::reload) for those who can only log; `None`: it could not be read.
    pub fn reload_or_warn(&self) -> Option<Fingerprint> {
        let reloaded = self.reload();
        if let Err(error) = &reloaded {
            tracing::warn!(%error, "the certificate stays as it was");
        }
        reloaded.ok()
    }
}

fn self_signed(config: &Config) -> Result<ServerTls, StartError> {
    let ip = config.listen.ip().to_string();
    let mut names = vec!["localhost", "127.0.0.1", "::1"];
    if !config.listen.ip().is_unspecified() && !names.contains(&ip.as_str()) {
        names.push(&ip);
    }
    let made = ServerTls::self_signed(&names);
    made.map(|(tls, _)| tls).map_err(StartError::SelfSigned)
}
