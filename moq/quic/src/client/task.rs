use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use parvis_session::{Event, Session};
use parvis_wire::SessionErrorCode;
use tokio::sync::{
    mpsc::{self, OwnedPermit, error::TrySendError},
    oneshot,
};

use super::driver::Driver;
use crate::{CloseReason, ConnectionEvent, PathStats};

type Action = Box<dyn FnOnce(&mut Session, Instant) + Send>;

/// What a handle asks of the task.
pub(super) enum Command {
    With(Action),
    Stats(oneshot::Sender<PathStats>),
    Rebind(oneshot::Sender<io::Result<()>>),
}

/// How a connection is to end.
#[derive(Debug)]
pub(super) struct Goodbye {
    pub(super) code: SessionErrorCode,
    pub(super) reason: String,
}

impl Default for Goodbye {
    fn default() -> Self {
        Self {
            code: SessionErrorCode::NoError,
            reason: String::new(),
        }
    }
}

pub(super) type Delivery = Result<Event, CloseReason>;

type Reservation =
    Pin<Box<dyn Future<Output = Result<OwnedPermit<Delivery>, mpsc::error::SendError<()>>> + Send>>;

/// The one task of a connection.
pub(super) struct Task {
    pub(super) driver: Driver,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) events: mpsc::Sender<Delivery>,
    /// Ends without a message when the handle is dropped.
    pub(super) goodbye: oneshot::Receiver<Goodbye>,
    pub(super) close_timeout: Duration,
    pub(super) stage: Stage,
    pub(super) undelivered: Option<Delivery>,
    pub(super) reservation: Option<Reservation>,
}

/// Where the end of a connection has come to.
pub(super) enum Stage {
    Running,
    /// What was sent is to arrive before the connection closes.
    Flushing {
        goodbye: Goodbye,
        until: Instant,
        wake: Pin<Box<tokio::time::Sleep>>,
    },
    /// The server is told, and told again while it still sends.
    Lingering {
        wake: Pin<Box<tokio::time::Sleep>>,
    },
}

/// Commands carried out before the other work of the task has its turn.
const MAX_COMMANDS: usize = 64;
/// How long the server is told again at most.
const LINGER: Duration = Duration::from_secs(1);

impl Task {
    pub(super) async fn run(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.driver.now();
        if let Err(error) = self.driver.receive(cx, now) {
            tracing::debug!(%error, "the socket failed");
            self.undelivered = Some(Err(CloseReason::Io(error.to_string())));
        }
        self.take_commands(cx, now);
        let over = match self.stage {
            Stage::Running => self.deliver(cx),
            Stage::Flushing { .. } | Stage::Lingering { .. } => self.discard(),
        };
        self.end(cx, now);
        self.driver.send(cx, now);
        if over || self.has_lingered(cx) {
            return Poll::Ready(());
        }
        self.driver.wait(cx, self.undelivered.is_none());
        Poll::Pending
    }

    fn take_commands(&mut self, cx: &mut Context<'_>, now: Instant) {
        for _ in 0..MAX_COMMANDS {
            let Poll::Ready(Some(command)) = self.commands.poll_recv(cx) else {
                return;
            };
            match command {
                // Without a session the command is dropped, which its sender notices.
                Command::With(command) => {
                    if let Some(session) = self.driver.endpoint.session(self.driver.key) {
                        command(session, now);
                    }
                }
                Command::Rebind(answer) => {
                    // The asker may have gone.
                    let _ = answer.send(self.driver.rebind());
                }
                Command::Stats(answer) => {
                    if let Some(stats) = self.driver.endpoint.stats(self.driver.key) {
                        let _ = answer.send(stats);
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Hands events over while there is room; whether the last one was.
    fn deliver(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            let delivery = match self.undelivered.take() {
                Some(delivery) => delivery,
                None => match self.driver.poll_endpoint() {
                    Some(ConnectionEvent::Session(event)) => Ok(event),
                    Some(ConnectionEvent::Closed { reason }) => Err(reason),
                    Some(ConnectionEvent::Connected { .. }) => continue,
                    None => return false,
                },
            };
            let last = delivery.is_err();
            match self.reserved(cx) {
                Some(Poll::Pending) => {
                    self.undelivered = Some(delivery);
                    return false;
                }
                Some(Poll::Ready(Some(permit))) => drop(permit.send(delivery)),
                // Nobody listens; `end` is about to notice.
                Some(Poll::Ready(None)) => return last,
                None => match self.events.try_send(delivery) {
                    Ok(()) => {}
                    Err(TrySendError::Closed(_)) => return last,
                    Err(TrySendError::Full(delivery)) => {
                        self.undelivered = Some(delivery);
                        self.reservation = Some(Box::pin(self.events.clone().reserve_owned()));
                        continue;
                    }
                },
            }
            if last {
                return true;
            }
        }
    }

    /// Room that was waited for; `None`: none was.
    fn reserved(&mut self, cx: &mut Context<'_>) -> Option<Poll<Option<OwnedPermit<Delivery>>>> {
        let reservation = self.reservation.as_mut()?;
        let Poll::Ready(permit) = reservation.as_mut().poll(cx) else {
            return Some(Poll::Pending);
        };
        self.reservation = None;
        Some(Poll::Ready(permit.ok()))
    }

    /// Throws events away, because nobody wants them any more; whether the last one was among
    /// them and came from the server.
    fn discard(&mut self) -> bool {
        let mut last = matches!(self.undelivered.take(), Some(Err(_)));
        while let Some(event) = self.driver.poll_endpoint() {
            if let ConnectionEvent::Closed { reason } = event {
                last |= !matches!(reason, CloseReason::Local { .. });
            }
        }
        last
    }

    /// Goes on with closing.
    fn end(&mut self, cx: &mut Context<'_>, now: Instant) {
        if let Stage::Running = self.stage
            && let Poll::Ready(goodbye) = Pin::new(&mut self.goodbye).poll(cx)
        {
            self.undelivered = None;
            self.reservation = None;
            let (goodbye, wait) = match goodbye {
                Ok(goodbye) => (goodbye, self.close_timeout),
                Err(_dropped) => (Goodbye::default(), Duration::ZERO),
            };
            let until = now + wait;
            self.stage = Stage::Flushing {
                goodbye,
                until,
                wake: sleep_until(until),
            };
        }
        if let Stage::Flushing {
            goodbye,
            until,
            wake,
        } = &mut self.stage
        {
            if now < *until
                && wake.as_mut().poll(cx).is_pending()
                && !self.driver.endpoint.is_flushed(now, self.driver.key)
            {
                return;
            }
            let (endpoint, key) = (&mut self.driver.endpoint, self.driver.key);
            endpoint.close(now, key, goodbye.code, &goodbye.reason);
            self.discard();
            self.stage = Stage::Lingering {
                wake: sleep_until(now + LINGER),
            };
        }
    }

    fn has_lingered(&mut self, cx: &mut Context<'_>) -> bool {
        let Stage::Lingering { wake } = &mut self.stage else {
            return false;
        };
        self.driver.endpoint.connections() == 0 || wake.as_mut().poll(cx).is_ready()
    }
}

fn sleep_until(time: Instant) -> Pin<Box<tokio::time::Sleep>> {
    Box::pin(tokio::time::sleep_until(time.into()))
}
