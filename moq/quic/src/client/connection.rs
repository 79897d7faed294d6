use std::{io, net::SocketAddr, time::Instant};

use parvis_session::{Event, Session};
use parvis_wire::{Draft, SessionErrorCode};
use thiserror::Error;
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    task::JoinHandle,
};

use super::{
    ConnectError, ConnectOptions, ServerUrl, connect,
    task::{Command, Delivery, Goodbye, Stage, Task},
};
use crate::{CloseReason, PathStats};

/// The connection is over; [`Connection::next_event`] says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the connection is over")]
pub struct Gone;

/// Why a command was not taken at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotNow {
    /// Too many commands wait.
    #[error("too many commands wait")]
    Full,
    /// The connection is over.
    #[error("the connection is over")]
    Gone,
}

/// A connection to a server, with its session. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    handle: SessionHandle,
    events: mpsc::Receiver<Delivery>,
    ended: Option<CloseReason>,
    goodbye: Option<oneshot::Sender<Goodbye>>,
    task: JoinHandle<()>,
    draft: Draft,
    remote: SocketAddr,
}

/// Uses the session of a [`Connection`] from elsewhere; cloned freely. It does not keep the
/// connection open.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    commands: mpsc::Sender<Command>,
}

impl Connection {
    /// Connects to a server such as `moqt://relay.example/`. Dropping the future gives up.
    pub async fn connect(url: &str, options: ConnectOptions) -> Result<Self, ConnectError> {
        let url: ServerUrl = url.parse()?;
        let connected = connect::connect(&url, &options).await?;
        let (commands, command_queue) = mpsc::channel(options.commands.max(1));
        let (event_queue, events) = mpsc::channel(options.events.max(1));
        let (goodbye, goodbye_asked) = oneshot::channel();
        let task = Task {
            driver: connected.driver,
            commands: command_queue,
            events: event_queue,
            goodbye: goodbye_asked,
            close_timeout: options.close_timeout,
            stage: Stage::Running,
            undelivered: None,
            reservation: None,
        };
        Ok(Self {
            handle: SessionHandle { commands },
            events,
            ended: None,
            goodbye: Some(goodbye),
            task: tokio::spawn(task.run()),
            draft: connected.draft,
            remote: connected.remote,
        })
    }

    /// The draft agreed on.
    pub const fn draft(&self) -> Draft {
        self.draft
    }

    /// The server's address at the time of connecting.
    pub const fn remote_address(&self) -> SocketAddr {
        self.remote
    }

    /// Waits for the session's next event; after the last one, says why the connection ended.
    ///
    /// While events are not taken, the server is held back by flow control. Cancel safe.
    pub async fn next_event(&mut self) -> Result<Event, CloseReason> {
        if let Some(reason) = &self.ended {
            return Err(reason.clone());
        }
        let lost = || Err(CloseReason::Io("the runtime has shut down".to_owned()));
        let delivery = self.events.recv().await.unwrap_or_else(lost);
        self.ended = delivery.as_ref().err().cloned();
        delivery
    }

    /// Runs a closure on the session, in the connection's task, and waits for what it returns.
    ///
    /// The closure holds up the connection: compute elsewhere.
    pub async fn with<R, F>(&self, command: F) -> Result<R, Gone>
    where
        R: Send + 'static,
        F: FnOnce(&mut Session, Instant) -> R + Send + 'static,
    {
        self.handle.with(command).await
    }

    /// A handle for other tasks and threads.
    pub fn handle(&self) -> SessionHandle {
        self.handle.clone()
    }

    /// What the connection measured of its path.
    pub async fn stats(&self) -> Result<PathStats, Gone> {
        self.handle.stats().await
    }

    /// Waits until what was sent has arrived, within
    /// [`ConnectOptions::close_timeout`], closes the connection and ends its task.
    pub async fn close(mut self, code: SessionErrorCode, reason: &str) {
        if let Some(goodbye) = self.goodbye.take() {
            let _ = goodbye.send(Goodbye {
                code,
                reason: reason.to_owned(),
            });
        }
        self.events.close();
        // An error says that the runtime stopped the task, which is as good.
        let _ = (&mut self.task).await;
    }
}

impl SessionHandle {
    /// Runs a closure on the session; see [`Connection::with`].
    pub async fn with<R, F>(&self, command: F) -> Result<R, Gone>
    where
        R: Send + 'static,
        F: FnOnce(&mut Session, Instant) -> R + Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        let command = Command::With(Box::new(move |session, now| {
            // The asker may have gone; the command is carried out all the same.
            let _ = answer.send(command(session, now));
        }));
        self.commands.send(command).await.map_err(|_| Gone)?;
        result.await.map_err(|_| Gone)
    }

    /// Queues a closure to run on the session, without waiting; for threads and callbacks.
    pub fn try_run<F>(&self, command: F) -> Result<(), NotNow>
    where
        F: FnOnce(&mut Session, Instant) + Send + 'static,
    {
        self.commands
            .try_send(Command::With(Box::new(command)))
            .map_err(|error| match error {
                TrySendError::Full(_) => NotNow::Full,
                TrySendError::Closed(_) => NotNow::Gone,
            })
    }

    /// Goes over to a new UDP socket, as after a change of networks; the connection goes on.
    pub async fn rebind(&self) -> Result<io::Result<()>, Gone> {
        let (answer, result) = oneshot::channel();
        self.commands
            .send(Command::Rebind(answer))
            .await
            .map_err(|_| Gone)?;
        result.await.map_err(|_| Gone)
    }

    /// What the connection measured of its path.
    pub async fn stats(&self) -> Result<PathStats, Gone> {
        let (answer, result) = oneshot::channel();
        self.commands
            .send(Command::Stats(answer))
            .await
            .map_err(|_| Gone)?;
        result.await.map_err(|_| Gone)
    }
}
