use std::{
    collections::BTreeMap,
    future::pending,
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use parvis_quic::client::Connection;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
    time::{sleep, sleep_until},
};

use super::{
    Engine,
    attempt::{Made, attempt},
    core::Notice,
    link::LinkId,
    lock, task,
};
use crate::{CloseReason, ConnectError, Connectivity, RoomOptions, TokenSource, token::Wanted};

/// Keeps a room connected: opens a new connection where the relay asks to move or the old one is
/// lost, and closes the old one when everything has moved.
pub(super) struct Supervisor {
    engine: Engine,
    url: String,
    options: RoomOptions,
    notices: mpsc::UnboundedReceiver<Notice>,
    tasks: BTreeMap<LinkId, LinkTask>,
    /// Tasks that only close their connection.
    ending: JoinSet<()>,
    /// Connections that are moved away from, and when each is closed at the latest.
    leaving: BTreeMap<LinkId, Instant>,
    next: u64,
    /// How often in a row a connection was to be left that had just been made.
    circles: u32,
    /// How often in a row a relay did not accept what was shown.
    refused: u32,
}

struct LinkTask {
    since: Instant,
    /// Dropped to end the task.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// The time to move where the relay names none.
const UNHURRIED: Duration = Duration::from_secs(10);
/// The pause after the first attempt that failed; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A connection that lasts so long is no part of a circle of relays that point to each other.
const SETTLED: Duration = Duration::from_secs(5);
/// Connections that are moved away from, at most; the oldest of more is closed at once.
const LEAVING: usize = 2;
/// How many tokens in a row may be refused.
const REFUSALS: u32 = 5;

impl Supervisor {
    pub(super) fn new(
        engine: Engine,
        url: String,
        options: RoomOptions,
        notices: mpsc::UnboundedReceiver<Notice>,
    ) -> Self {
        Self {
            engine,
            url,
            options,
            notices,
            tasks: BTreeMap::new(),
            ending: JoinSet::new(),
            leaving: BTreeMap::new(),
            next: 0,
            circles: 0,
            refused: 0,
        }
    }

    /// Makes a connection the current one.
    pub(super) fn add(&mut self, connection: Connection) -> LinkId {
        let id = LinkId(self.next);
        self.next += 1;
        let way = self.engine.flusher.add(id, connection.handle());
        lock(&self.engine.core).add_link(id, connection.draft(), Instant::now());
        let (stop, stopped) = oneshot::channel();
        let run = task::run(connection, id, way, self.engine.clone(), stopped);
        let task = tokio::spawn(run);
        let since = Instant::now();
        self.tasks.insert(id, LinkTask { since, stop, task });
        // The others look what has changed for them.
        self.engine.flusher.wake();
        id
    }

    /// Runs until the room is left, or lost for good.
    pub(super) async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let reason = tokio::select! {
            reason = self.supervise() => reason,
            _ = &mut stopped => CloseReason::Local,
        };
        lock(&self.engine.core).handle_closed(reason);
        // Each takes a while where nobody answers: all at the same time.
        let tasks = std::mem::take(&mut self.tasks).into_values();
        let tasks: Vec<_> = tasks.map(|LinkTask { task, .. }| task).collect();
        for task in tasks {
            // An error is a panic of the task, which was printed where it happened.
            let _ = task.await;
        }
        while self.ending.join_next().await.is_some() {}
    }

    /// Returns why the room is lost.
    async fn supervise(&mut self) -> CloseReason {
        loop {
            let deadline = self.leaving.values().min().copied();
            let overdue = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline.into()).await,
                    None => pending().await,
                }
            };
            let notice = tokio::select! {
                Some(notice) = self.notices.recv() => notice,
                () = overdue => {
                    self.leave_overdue();
                    continue;
                }
            };
            match notice {
                Notice::Settled { link } if self.leaving.contains_key(&link) => self.leave(link),
                Notice::GoAway {
                    link,
                    uri,
                    timeout_ms,
                } if self.is_current(link) => {
                    let time = match timeout_ms {
                        0 => UNHURRIED,
                        // Gone before the relay closes.
                        timeout => Duration::from_millis(timeout) * 9 / 10,
                    };
                    let to = (!uri.is_empty()).then_some(uri);
                    self.wait_in_circle(link).await;
                    if let Err(reason) = self.relocate(Some((link, time)), to, None).await {
                        return reason;
                    }
                }
                Notice::Lost {
                    link,
                    reason,
                    retry,
                    let_in,
                } => {
                    self.tasks.remove(&link);
                    let was_leaving = self.leaving.remove(&link).is_some();
                    if was_leaving || lock(&self.engine.core).current.is_some() {
                        continue;
                    }
                    let refused = self.is_refused(&reason, let_in);
                    if !(retry || refused) || self.options.reconnect.is_zero() {
                        return reason;
                    }
                    if let Err(reason) = self.relocate(None, None, Some(reason)).await {
                        return reason;
                    }
                }
                Notice::Settled { .. } | Notice::GoAway { .. } => {}
            }
        }
    }

    /// Waits before a connection is replaced that had just been made, longer each time.
    async fn wait_in_circle(&mut self, link: LinkId) {
        let task = self.tasks.get(&link);
        if task.is_none_or(|task| task.since.elapsed() >= SETTLED) {
            self.circles = 0;
        }
        if self.circles > 0 {
            sleep(pause(self.circles - 1)).await;
        }
        self.circles += 1;
    }

    fn is_current(&self, link: LinkId) -> bool {
        lock(&self.engine.core).current == Some(link)
    }

    /// Whether a connection was lost because of a token, in the place of which there may be another.
    ///
    /// let_in: whether the relay had accepted it at first.
    fn is_refused(&mut self, reason: &CloseReason, let_in: bool) -> bool {
        // Somebody whose token was good may have been turned out.
        let refused = reason.is_of_token(let_in)
            && *lock(&self.engine.core).let_in.borrow()
            && self.options.token.as_ref().is_some_and(TokenSource::renews)
            && (let_in || self.refused < REFUSALS);
        self.refused = match (refused, let_in) {
            (true, false) => self.refused + 1,
            (true, true) => 1,
            (false, _) => 0,
        };
        refused
    }

    /// Opens another connection, with pauses that grow, until one is made or it is in vain:
    /// while an old one lasts, and for the time that the options give when it is lost.
    ///
    /// old: what is moved away from, and how long it may last.
    async fn relocate(
        &mut self,
        mut old: Option<(LinkId, Duration)>,
        to: Option<String>,
        lost: Option<CloseReason>,
    ) -> Result<(), CloseReason> {
        let started = Instant::now();
        let mut target = to.unwrap_or_else(|| self.url.clone());
        let mut number = lost.as_ref().map_or(0, |_| self.refused);
        let mut reason = lost.unwrap_or(CloseReason::TimedOut);
        let mut until = match old {
            Some(_) => None,
            None => Some(started + self.options.reconnect),
        };
        self.show(old.is_some(), &reason);
        let mut wanted = Wanted::Any;
        if number > 0 {
            wanted = Wanted::Another;
            sleep(pause(number - 1)).await;
        }
        loop {
            let outcome = {
                let (options, tokens) = (
                    self.options.clone(),
                    lock(&self.engine.core).data.tokens.all(),
                );
                let connecting = attempt(target.clone(), options, wanted, number, tokens);
                tokio::pin!(connecting);
                loop {
                    tokio::select! {
                        outcome = &mut connecting => break outcome,
                        Some(notice) = self.notices.recv() => {
                            let Notice::Lost { link, reason: why, retry, .. } = notice else {
                                continue;
                            };
                            self.tasks.remove(&link);
                            self.leaving.remove(&link);
                            if old.is_some_and(|(old, _)| old == link) {
                                old = None;
                                if !retry || self.options.reconnect.is_zero() {
                                    return Err(why);
                                }
                                reason = why;
                                until = Some(Instant::now() + self.options.reconnect);
                                lock(&self.engine.core).set_connectivity(
                                    Connectivity::Reconnecting(reason.clone()),
                                    false,
                                );
                            }
                        }
                    }
                }
            };
            match outcome {
                Ok(Made { connection, url }) => {
                    tracing::info!(url, draft = connection.draft().number(), "moved");
                    self.url = url;
                    self.add(connection);
                    lock(&self.engine.core).set_connectivity(Connectivity::Connected, true);
                    let old = old.map(|(link, time)| (link, started + time));
                    self.leaving.extend(old);
                    while self.leaving.len() > LEAVING
                        && let Some(oldest) = self.leaving.keys().next().copied()
                    {
                        self.leave(oldest);
                    }
                    return Ok(());
                }
                Err(failure) => {
                    tracing::debug!(url = target, error = %failure.error, "no connection");
                    if target != self.url && (failure.is_hopeless() || number >= 3) {
                        // The relay pointed to where nobody is: back to where it is known.
                        target.clone_from(&self.url);
                    } else if failure.is_final {
                        until = Some(started);
                        reason = CloseReason::NotLetIn(match &failure.error {
                            ConnectError::NotLetIn(why) => why.clone(),
                            error => error.to_string(),
                        });
                    } else if failure.is_hopeless() {
                        until.get_or_insert(started);
                    }
                    wanted = failure.next(number + 1);
                }
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return match old {
                    // It closes in its time; then the room is lost.
                    Some(_) => Ok(()),
                    None => Err(reason),
                };
            }
            sleep(pause(number)).await;
            number += 1;
        }
    }

    fn show(&self, moving: bool, reason: &CloseReason) {
        let connectivity = if moving {
            Connectivity::Moving
        } else {
            Connectivity::Reconnecting(reason.clone())
        };
        lock(&self.engine.core).set_connectivity(connectivity, false);
    }

    fn leave_overdue(&mut self) {
        let now = Instant::now();
        let overdue = self.leaving.iter().filter(|(_, until)| **until <= now);
        let overdue: Vec<LinkId> = overdue.map(|(link, _)| *link).collect();
        for link in overdue {
            self.leave(link);
        }
    }

    /// Closes a connection that was moved away from.
    fn leave(&mut self, link: LinkId) {
        self.leaving.remove(&link);
        if let Some(LinkTask { stop, task, .. }) = self.tasks.remove(&link) {
            drop(stop);
            self.ending.spawn(async move {
                let _ = task.await;
            });
        }
        while self.ending.try_join_next().is_some() {}
    }
}

/// Between three and five quarters of the pause, so that not all clients of a relay come back in
/// one moment.
fn pause(attempt: u32) -> Duration {
    let pause = (FIRST_PAUSE * (1 << attempt.min(8))).min(LONGEST_PAUSE);
    let random = RandomState::new().hash_one(attempt) % 512;
    pause * (768 + random as u32) / 1024
}
