use std::{
    net::SocketAddr,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parvis_quic::tls::Fingerprint;

use crate::{
    CertificateReload, KeysReload, RelayError, Stats,
    access::KeyWatch,
    certificate::{Certificate, Watch},
    http::HttpServer,
    shards::Shards,
};

/// A thread of the relay.
pub(crate) type Thread = JoinHandle<Result<(), RelayError>>;

/// A relay that runs. Dropping it stops it at once.
#[derive(Debug)]
pub struct Running {
    pub(crate) local_addr: SocketAddr,
    pub(crate) threads: Vec<Thread>,
    pub(crate) shards: Arc<Shards>,
    pub(crate) certificate: Arc<Certificate>,
    pub(crate) watch: Option<Watch>,
    /// Answers until the threads have ended.
    pub(crate) http: Option<HttpServer>,
    pub(crate) control: Option<HttpServer>,
    pub(crate) keys: Option<KeyWatch>,
}

/// Stops a [`Running`] relay from elsewhere, as from a signal's handler.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<Shards>);

impl Running {
    /// The address that it listens on, with the port that was taken for port 0.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The fingerprint of the certificate that it shows now, by which clients can trust it.
    pub fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }

    /// A handle that reads its certificate again. A change of the files is seen by itself.
    pub fn certificate_reload(&self) -> CertificateReload {
        CertificateReload {
            certificate: self.certificate.clone(),
            shards: self.shards.clone(),
        }
    }

    /// A handle that has the keys of tokens read again; `None`: it asks for no tokens. A change is
    /// seen by itself after a while.
    pub fn keys_reload(&self) -> Option<KeysReload> {
        self.keys.clone().map(KeysReload)
    }

    /// The address that its HTTP pages are at; `None`: it has none.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(HttpServer::local_addr)
    }

    /// The address that it takes orders at; `None`: nowhere.
    pub fn control_addr(&self) -> Option<SocketAddr> {
        self.control.as_ref().map(HttpServer::local_addr)
    }

    /// Counters and gauges, as of the last time that each thread had something to do.
    pub fn stats(&self) -> Stats {
        self.shards.stats()
    }

    /// [`stats`](Self::stats) of each thread.
    pub fn stats_by_thread(&self) -> Vec<Stats> {
        self.shards.stats_by_thread()
    }

    /// A handle that stops this relay.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.shards.clone())
    }

    /// Asks every session to move away (GOAWAY), closes those that are still there after
    /// `timeout`, and waits for the threads. Newcomers are refused meanwhile.
    pub fn shutdown(self, timeout: Duration) -> Result<(), RelayError> {
        self.stopper().stop(timeout);
        self.join()
    }

    /// Waits until the relay was stopped by its [`Stopper`], or failed.
    pub fn join(mut self) -> Result<(), RelayError> {
        self.join_all()
    }

    fn join_all(&mut self) -> Result<(), RelayError> {
        let mut result = Ok(());
        for thread in self.threads.drain(..) {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            let ended = thread.join().unwrap_or(Err(RelayError::ThreadFailed(name)));
            result = result.and(ended);
        }
        result
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.threads.is_empty() {
            self.stopper().stop(Duration::ZERO);
            if let Err(error) = self.join_all() {
                tracing::error!(%error, "the relay had failed");
            }
        }
    }
}

impl Stopper {
    pub(crate) const fn new(shards: Arc<Shards>) -> Self {
        Self(shards)
    }

    /// Asks every session to move away, and closes those that are still there after `timeout`.
    /// Returns at once; [`Running::join`] waits. A second call can only shorten the time.
    pub fn stop(&self, timeout: Duration) {
        self.0.stop(Instant::now() + timeout);
    }

    pub(crate) const fn stop_all_on_drop(self) -> StopAll {
        StopAll(Some(self))
    }
}

/// Stops the relay when it is dropped, unless it is disarmed.
pub(crate) struct StopAll(Option<Stopper>);

impl StopAll {
    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for StopAll {
    fn drop(&mut self) {
        if let Some(all) = &self.0 {
            all.stop(Duration::ZERO);
        }
    }
}
