use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, oneshot},
    time::timeout_at,
};

use crate::{
    Stats,
    shard::{Command, Report, Shared, Waker},
};

/// What others say to the threads of a relay, and see of them. None of it is on an object's way.
pub(crate) struct Shards {
    handles: Vec<Handle>,
    draining: AtomicBool,
    /// What is told when the port is left to a successor.
    leaving: Vec<Arc<Notify>>,
}

/// The way to one thread.
pub(crate) struct Handle {
    pub(crate) commands: mpsc::SyncSender<Command>,
    pub(crate) waker: Waker,
    pub(crate) shared: Arc<Shared>,
}

impl Shards {
    /// leaving: told when the relay stops.
    pub(crate) const fn new(handles: Vec<Handle>, leaving: Vec<Arc<Notify>>) -> Self {
        Self {
            handles,
            draining: AtomicBool::new(false),
            leaving,
        }
    }

    /// Tells every thread something.
    pub(crate) fn tell(&self, mut command: impl FnMut() -> Command) {
        for handle in &self.handles {
            handle.tell(command());
        }
    }

    /// Asks sessions to move, and ends the threads when they have, or at that time.
    pub(crate) fn stop(&self, until: Instant) {
        self.draining.store(true, Ordering::Relaxed);
        for pages in &self.leaving {
            pages.notify_one();
        }
        self.tell(|| Command::Stop { until });
    }

    /// Whether the relay was told to stop.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn stats(&self) -> Stats {
        self.stats_by_thread().into_iter().sum()
    }

    pub(crate) fn stats_by_thread(&self) -> Vec<Stats> {
        self.handles
            .iter()
            .map(|handle| handle.shared.stats())
            .collect()
    }

    /// Asks every thread how its sessions are; `None`: one did not answer in that time.
    pub(crate) async fn report(&self, patience: Duration) -> Option<Report> {
        let reports = self.ask(patience, Command::Report).await?;
        let mut sum = Report::default();
        for report in &reports {
            sum.add(report);
        }
        Some(sum)
    }

    /// Asks every thread something; `None`: one did not answer in that time.
    pub(crate) async fn ask<T>(
        &self,
        patience: Duration,
        mut ask: impl FnMut(oneshot::Sender<T>) -> Command,
    ) -> Option<Vec<T>> {
        // All of them first, so that they answer at the same time.
        let mut waiting = Vec::with_capacity(self.handles.len());
        for handle in &self.handles {
            let (answer, answered) = oneshot::channel();
            handle.tell(ask(answer));
            waiting.push(answered);
        }
        let until = tokio::time::Instant::now() + patience;
        let mut answers = Vec::with_capacity(waiting.len());
        for answered in waiting {
            match timeout_at(until, answered).await.ok()? {
                Ok(answer) => answers.push(answer),
                // A thread that drains is over once its sessions have left.
                Err(_) if self.is_draining() => {}
                Err(_) => return None,
            }
        }
        Some(answers)
    }
}

impl Handle {
    fn tell(&self, command: Command) {
        // Full: the thread hangs, which whoever asks it finds out. Or it is gone.
        let _ = self.commands.try_send(command);
        self.waker.wake();
    }
}

impl fmt::Debug for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shards")
            .field("threads", &self.handles.len())
            .finish_non_exhaustive()
    }
}
