use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    CertificateReload,
    files::{Files, Version},
};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Reloads a certificate when its files change. Dropping it ends that.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Looks at the files from now on; `None` where there are none.
    pub(crate) fn start(reload: CertificateReload) -> io::Result<Option<Self>> {
        if reload.certificate.files.is_none() {
            return Ok(None);
        }
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("parvis-relay-certificate".to_owned())
            .spawn(move || {
                if let Some((files, loaded)) = &reload.certificate.files {
                    watch(files, *loaded, &reload, &stopped);
                }
            })?;
        Ok(Some(Self {
            stop: Some(stop),
            thread: Some(thread),
        }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that watches the certificate had failed");
        }
    }
}

/// loaded: what the files were before they were read.
fn watch(
    files: &Files,
    mut loaded: Version,
    reload: &CertificateReload,
    stopped: &mpsc::Receiver<()>,
) {
    let mut seen = loaded;
    while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
        let version = files.version();
        // Two files are not replaced at once: wait until both have been at rest.
        if version == seen && version != loaded {
            loaded = version;
            reload.reload_or_warn();
        }
        seen = version;
    }
}
