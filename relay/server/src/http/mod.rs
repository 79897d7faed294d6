//! Pages for operators over HTTP, by a thread of their own: nothing here is on an object's way.

mod control;
mod metrics;
mod pages;
mod serving;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use axum::Router;
use tokio::sync::{Notify, oneshot};

use self::control::Secret;
use crate::{StartError, shards::Shards};

/// The HTTP pages of a relay. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct HttpServer {
    local_addr: SocketAddr,
    state: State,
    /// Told to leave the address to a successor.
    leave: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the pages see of the relay.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// Empty while the relay starts.
    shards: Arc<OnceLock<Arc<Shards>>>,
}

impl State {
    /// The relay's threads; `None`: it has not started.
    pub(crate) fn shards(&self) -> Option<&Arc<Shards>> {
        self.shards.get()
    }
}

impl HttpServer {
    /// Binds the address and shows pages from then on; not ready until it is told.
    ///
    /// successor: whether another relay may be about to leave the address.
    pub(crate) fn pages(addr: SocketAddr, successor: bool) -> Result<Self, StartError> {
        Self::bind(addr, successor, "http", pages::router)
            .map_err(|source| StartError::Http { addr, source })
    }

    /// Binds the address and takes orders from then on, from those who know the secret.
    ///
    /// successor: whether another relay may be about to leave the address.
    pub(crate) fn control(
        addr: SocketAddr,
        successor: bool,
        secret: &Path,
    ) -> Result<Self, StartError> {
        let known = Secret::read(secret).map_err(|source| StartError::Secret {
            path: secret.to_owned(),
            source,
        })?;
        Self::bind(addr, successor, "control", |state| {
            control::router(state, known)
        })
        .map_err(|source| StartError::Control { addr, source })
    }

    /// name: of the thread and in the log.
    fn bind(
        addr: SocketAddr,
        successor: bool,
        name: &'static str,
        router: impl FnOnce(State) -> Router,
    ) -> io::Result<Self> {
        let listener = bind_patiently(addr, successor)?;
        listener.set_nonblocking(true)?;
        let local_addr = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let state = State::default();
        let router = router(state.clone());
        let (stop, stopped) = oneshot::channel();
        let leave = Arc::new(Notify::new());
        let left = Arc::clone(&leave);
        let thread = thread::Builder::new()
            .name(format!("parvis-relay-{name}"))
            .spawn(move || runtime.block_on(serve(listener, router, left, stopped)))?;
        tracing::info!(addr = %local_addr, "{name} over HTTP");
        Ok(Self {
            local_addr,
            state,
            leave,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(crate) const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Who tells it to leave its address to a successor.
    pub(crate) fn leave(&self) -> Arc<Notify> {
        Arc::clone(&self.leave)
    }

    /// The relay has started: its sockets are bound, its threads run.
    pub(crate) fn is_ready(&self, shards: Arc<Shards>) {
        // An error says that it was told before.
        let _ = self.state.shards.set(shards);
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the HTTP thread had failed");
        }
    }
}

/// Answers until it is stopped; then connections are cut.
async fn serve(
    listener: TcpListener,
    router: Router,
    left: Arc<Notify>,
    stopped: oneshot::Receiver<()>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "no HTTP");
            return;
        }
    };
    tokio::select! {
        () = serving::serve(listener, router) => {}
        () = left.notified() => {}
        _ = stopped => {}
    }
}

/// How long a predecessor may take to leave the address.
const PATIENCE: Duration = Duration::from_secs(5);

/// Binds an address, which another relay may be about to leave.
fn bind_patiently(addr: SocketAddr, successor: bool) -> io::Result<TcpListener> {
    let until = Instant::now() + PATIENCE;
    loop {
        match TcpListener::bind(addr) {
            Err(error)
                if successor
                    && error.kind() == io::ErrorKind::AddrInUse
                    && Instant::now() < until =>
            {
                thread::sleep(Duration::from_millis(20));
            }
            result => return result,
        }
    }
}
