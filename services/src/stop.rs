use std::{future::pending, time::Duration};

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
