use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use parvis::meeting;
use tokio::{runtime::Handle, sync::watch, task::JoinHandle};

use crate::{
    Codecs, JoinOptions, MeetingEvents, MeetingState, MeetingStates, ParvisError, Tickets,
    capture::Capturing,
    runtime::{self, drop_within, within},
};

/// A meeting that was joined, or is about to be.
///
/// Freeing it leaves in the background, whatever of it is still held; [`Meeting::leave`] waits until it is left.
#[derive(uniffi::Object)]
pub struct Meeting {
    pub(crate) inner: Arc<Inner>,
}

/// What a meeting's handles share.
pub(crate) struct Inner {
    handle: Handle,
    /// `None`: left, or being left.
    meeting: Mutex<Option<Arc<Held>>>,
    left: watch::Sender<bool>,
    /// What was known when it was left.
    last: watch::Sender<Option<Arc<meeting::MeetingState>>>,
    /// What the app captures, to be stopped when it is over; `None`: it is.
    captured: Mutex<Option<Vec<Weak<Capturing>>>>,
    /// Waits until it is over, and stops what is captured.
    end: Mutex<Option<JoinHandle<()>>>,
}

/// The SDK's meeting, which is freed within the runtime.
struct Held {
    handle: Handle,
    meeting: Option<meeting::Meeting>,
}

/// An answer of the SDK that is waited for.
pub(crate) type Asked<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

#[uniffi::export]
impl Meeting {
    /// Joins the meeting that a link or a code names. Returns once the relay is connected to, in
    /// [`Phase::Connecting`](crate::Phase::Connecting); the events tell how it goes on.
    ///
    /// codecs: the app's own, tried before the built-in ones.
    #[uniffi::constructor(default(codecs = None))]
    pub async fn join(
        link_or_code: String,
        options: JoinOptions,
        tickets: Arc<Tickets>,
        codecs: Option<Codecs>,
    ) -> Result<Arc<Self>, ParvisError> {
        let handle = runtime::handle()?;
        let codecs = codecs.unwrap_or_default();
        let options = options.with(tickets.source(), codecs.into());
        let joining = meeting::Meeting::join(&link_or_code, options);
        let joined = within(&handle, joining).await;
        let joined = joined.map_err(|error| tickets.explain(error))?;
        let held = Held {
            handle: handle.clone(),
            meeting: Some(joined),
        };
        let held = Arc::new(held);
        let inner = Arc::new(Inner {
            handle: handle.clone(),
            meeting: Mutex::new(Some(Arc::clone(&held))),
            left: watch::Sender::new(false),
            last: watch::Sender::default(),
            captured: Mutex::new(Some(Vec::new())),
            end: Mutex::default(),
        });
        let ending = handle.spawn(Arc::clone(&inner).end(held));
        *inner.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(ending);
        Ok(Arc::new(Self { inner }))
    }

    /// What is known now; after leaving, what was known last.
    pub fn state(&self) -> Result<MeetingState, ParvisError> {
        let state = self.inner.state().ok_or_else(ParvisError::left)?;
        Ok(MeetingState::from(&*state))
    }

    /// What is known, again each time that it is another.
    pub fn states(&self) -> Arc<MeetingStates> {
        Arc::new(MeetingStates::new(Arc::clone(&self.inner)))
    }

    /// What happens from here on; [`Meeting::state`] is what happened before.
    pub fn events(&self) -> Arc<MeetingEvents> {
        let events = self.inner.look(meeting::Meeting::events);
        Arc::new(MeetingEvents::new(self.inner.handle.clone(), events.ok()))
    }

    /// Leaves: the others see it at once. Returns when nothing of the meeting runs here, and the app's own captures
    /// have stopped; it is left also where nobody waits for that.
    pub async fn leave(&self) -> Result<(), ParvisError> {
        if self.inner.left.send_replace(true) {
            return Err(ParvisError::left());
        }
        let leaving = self.inner.handle.spawn(Arc::clone(&self.inner).leave());
        // An error is a panic of the task, which was printed where it happened.
        let _ = leaving.await;
        Ok(())
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        if !self.inner.left.send_replace(true) {
            self.inner.handle.spawn(Arc::clone(&self.inner).leave());
        }
    }
}

impl Inner {
    /// Asks the meeting for something and waits for it, at most until it is left.
    pub(crate) async fn ask<T, E>(
        &self,
        ask: impl for<'a> FnOnce(&'a meeting::Meeting) -> Asked<'a, T, E>,
    ) -> Result<T, ParvisError>
    where
        ParvisError: From<E>,
    {
        let mut left = self.left.subscribe();
        let held = self.held()?;
        within(&self.handle, async {
            tokio::select! {
                biased;
                answer = ask(held.meeting()) => Ok(answer?),
                // The sender is in `self`.
                _ = left.wait_for(|left| *left) => Err(ParvisError::left()),
            }
        })
        .await
    }

    /// Takes something that the meeting has at hand.
    pub(crate) fn look<T>(
        &self,
        look: impl FnOnce(&meeting::Meeting) -> T,
    ) -> Result<T, ParvisError> {
        let _entered = self.handle.enter();
        Ok(look(self.held()?.meeting()))
    }

    /// Whether it was left.
    pub(crate) fn is_left(&self) -> bool {
        *self.left.borrow()
    }

    /// Whether it was left or has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.is_left() || self.lock_captured().is_none()
    }

    /// Has a capture stopped when the meeting is over; if it is already, at once.
    pub(crate) fn keep(&self, capture: &Arc<Capturing>) -> Result<(), ParvisError> {
        if let Some(captured) = self.lock_captured().as_mut() {
            captured.retain(|other| other.strong_count() > 0);
            captured.push(Arc::downgrade(capture));
            return Ok(());
        }
        // What went wrong first is what is told.
        let _ = capture.stop();
        Err(ParvisError::left())
    }

    /// Waits until it is left.
    pub(crate) async fn until_left(&self) {
        let mut left = self.left.subscribe();
        // The sender is in `self`.
        let _ = left.wait_for(|left| *left).await;
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What is known now, or was known last.
    pub(crate) fn state(&self) -> Option<Arc<meeting::MeetingState>> {
        let now = self.look(meeting::Meeting::state).ok();
        now.or_else(|| self.last.borrow().clone())
    }

    /// Waits until what is known is another than `known`.
    pub(crate) async fn changed(
        &self,
        known: Arc<meeting::MeetingState>,
    ) -> Option<Arc<meeting::MeetingState>> {
        let before = Arc::clone(&known);
        let changed = self.ask(move |meeting| {
            Box::pin(async move {
                let is_another =
                    |state: &meeting::MeetingState| !std::ptr::eq(state, Arc::as_ptr(&before));
                Ok::<_, ParvisError>(meeting.wait_for(is_another).await)
            })
        });
        if let Ok(state) = changed.await {
            return Some(state);
        }
        // It is being left: its last state is the next one.
        let mut last = self.last.subscribe();
        let last = last.wait_for(Option::is_some).await;
        last.ok().and_then(|last| last.clone())
    }

    async fn end(self: Arc<Self>, held: Arc<Held>) {
        held.meeting().wait_for(|_| false).await;
        drop(held);
        let captured = self.lock_captured().take().unwrap_or_default();
        let captured: Vec<_> = captured.iter().filter_map(Weak::upgrade).collect();
        if captured.is_empty() {
            return;
        }
        // A device takes a while to close.
        let stopping = self.handle.spawn_blocking(move || {
            for capture in captured {
                if let Err(error) = capture.stop() {
                    tracing::warn!(%error, "a capture did not stop");
                }
            }
        });
        // An error is a panic, which was printed where it happened.
        let _ = stopping.await;
    }

    fn lock_captured(&self) -> std::sync::MutexGuard<'_, Option<Vec<Weak<Capturing>>>> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> Result<Arc<Held>, ParvisError> {
        self.lock_meeting().clone().ok_or_else(ParvisError::left)
    }

    fn lock_meeting(&self) -> std::sync::MutexGuard<'_, Option<Arc<Held>>> {
        self.meeting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves. Who else waits for something of it is not waited for: an app may not look at that for long.
    async fn leave(self: Arc<Self>) {
        let Some(held) = self.lock_meeting().take() else {
            return;
        };
        let mut last = meeting::MeetingState::clone(&held.meeting().state());
        held.meeting().leave().await;
        let ending = self
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(ending) = ending {
            let _ = ending.await;
        }
        if !matches!(last.phase, meeting::Phase::Disconnected(_)) {
            last.phase = meeting::Phase::Disconnected(meeting::DisconnectReason::Left);
        }
        self.last.send_replace(Some(Arc::new(last)));
    }
}

impl Held {
    fn meeting(&self) -> &meeting::Meeting {
        self.meeting
            .as_ref()
            .expect("it is taken when this is freed")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop_within(&self.handle, self.meeting.take());
    }
}
