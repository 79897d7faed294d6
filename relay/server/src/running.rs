use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, PoisonError, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parvis_quic::tls::Fingerprint;

use crate::{
    RelayError, Stats,
    shard::{Command, Shared, Waker},
};

/// A relay that runs. Dropping it stops it at once.
#[derive(Debug)]
pub struct Running {
    local_addr: SocketAddr,
    fingerprint: Fingerprint,
    threads: Vec<Thread>,
    stopper: Stopper,
}

#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) thread: JoinHandle<Result<(), RelayError>>,
    pub(crate) shared: Arc<Shared>,
}

/// Stops a [`Running`] relay from elsewhere, as from a signal's handler.
#[derive(Clone)]
pub struct Stopper {
    shards: Arc<Vec<(mpsc::Sender<Command>, Waker)>>,
}

impl Running {
    pub(crate) const fn new(
        local_addr: SocketAddr,
        fingerprint: Fingerprint,
        threads: Vec<Thread>,
        stopper: Stopper,
    ) -> Self {
        Self {
            local_addr,
            fingerprint,
            threads,
            stopper,
        }
    }

    /// The address that it listens on, with the port that was taken for port 0.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The fingerprint of its certificate, by which clients can trust it.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Counters and gauges, as of the last time that each thread had something to do.
    pub fn stats(&self) -> Stats {
        self.stats_by_thread().into_iter().sum()
    }

    /// [`stats`](Self::stats) of each thread.
    pub fn stats_by_thread(&self) -> Vec<Stats> {
        let of = |thread: &Thread| {
            *thread
                .shared
                .stats
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        self.threads.iter().map(of).collect()
    }

    /// A handle that stops this relay.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Asks every session to move away (GOAWAY), closes those that are still there after
    /// `timeout`, and waits for the threads. Newcomers get no answer meanwhile.
    pub fn shutdown(self, timeout: Duration) -> Result<(), RelayError> {
        self.stopper.stop(timeout);
        self.join()
    }

    /// Waits until the relay was stopped by its [`Stopper`], or failed.
    pub fn join(mut self) -> Result<(), RelayError> {
        self.join_all()
    }

    fn join_all(&mut self) -> Result<(), RelayError> {
        let mut result = Ok(());
        for Thread { thread, .. } in self.threads.drain(..) {
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
            self.stopper.stop(Duration::ZERO);
            if let Err(error) = self.join_all() {
                tracing::error!(%error, "the relay had failed");
            }
        }
    }
}

impl Stopper {
    pub(crate) fn new(shards: Vec<(mpsc::Sender<Command>, Waker)>) -> Self {
        Self {
            shards: Arc::new(shards),
        }
    }

    /// Asks every session to move away, and closes those that are still there after `timeout`.
    /// Returns at once; [`Running::join`] waits. A second call can only shorten the time.
    pub fn stop(&self, timeout: Duration) {
        let until = Instant::now() + timeout;
        for (commands, waker) in self.shards.iter() {
            // An error says that the thread is gone.
            let _ = commands.send(Command::Stop { until });
            waker.wake();
        }
    }

    pub(crate) const fn stop_all_on_drop(self) -> StopAll {
        StopAll(Some(self))
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper")
            .field("threads", &self.shards.len())
            .finish()
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
