use std::{
    future::pending,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Why a command stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The time asked for is over.
    Time,
    /// Ctrl-C, or a request to terminate.
    Signal,
}

/// Waits for a signal, or until the time asked for is over.
pub async fn stop(after: Option<Duration>) -> Stop {
    let time = async {
        match after {
            Some(duration) => tokio::time::sleep(duration).await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = time => Stop::Time,
        () = signal() => Stop::Signal,
    }
}

/// Waits for a signal, or until the terminal is closed.
pub async fn stop_or_hangup() {
    let hangup = async {
        match Hangups::new() {
            Ok(mut hangups) => hangups.next().await,
            // It ends the process then.
            Err(_) => pending().await,
        }
    };
    tokio::select! {
        _ = stop(None) => {}
        () = hangup => {}
    }
}

/// Waits for a signal, which is caught from when this is called.
pub fn caught() -> impl Future<Output = Stop> {
    let mut stopped = Box::pin(stop(None));
    // Handlers are set by the first look.
    let early = match stopped
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(stop) => Some(stop),
        Poll::Pending => None,
    };
    async move {
        match early {
            Some(stop) => stop,
            None => stopped.await,
        }
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupt().await;
    };
    tokio::select! {
        () = interrupt() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    interrupt().await;
}

async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        // No handler can be set: only the time ends the command.
        pending::<()>().await;
    }
}

/// SIGHUP, which means: read the configuration again. Caught from when this is made.
pub struct Hangups {
    #[cfg(unix)]
    signals: tokio::signal::unix::Signal,
}

impl Hangups {
    #[cfg(unix)]
    pub fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = signal(SignalKind::hangup())?;
        Ok(Self { signals })
    }

    #[cfg(not(unix))]
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        if self.signals.recv().await.is_none() {
            pending::<()>().await;
        }
    }

    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        pending::<()>().await;
    }
}
