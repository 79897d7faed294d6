use std::sync::{Arc, Mutex, PoisonError};

use parvis::meeting;
use tokio::runtime::Handle;

use crate::{MeetingEvent, MeetingState, meeting::Inner, pull::Pull};

/// The events of a meeting, from the call on that made it.
#[derive(uniffi::Object)]
pub struct MeetingEvents {
    events: Pull<meeting::MeetingEvents>,
}

/// What is known of a meeting, again each time that it is another; what a slow reader misses is
/// overtaken by what is newer.
#[derive(uniffi::Object)]
pub struct MeetingStates {
    states: Pull<States>,
    seen: Mutex<Option<Arc<meeting::MeetingState>>>,
}

struct States(Arc<Inner>);

#[uniffi::export]
impl MeetingEvents {
    /// The next one; none: the meeting is over, or this was cancelled.
    pub async fn next(&self) -> Option<MeetingEvent> {
        let event = self.events.next(|events| Box::pin(events.next())).await;
        event.map(MeetingEvent::from)
    }

    /// Ends it: a `next` that waits returns none.
    pub fn cancel(&self) {
        self.events.cancel();
    }
}

impl MeetingEvents {
    pub(crate) fn new(handle: Handle, events: Option<meeting::MeetingEvents>) -> Self {
        Self {
            events: Pull::new(handle, events),
        }
    }
}

#[uniffi::export]
impl MeetingStates {
    /// What is known, at the first call at once; then when it is another. None: the meeting is over,
    /// or this was cancelled.
    pub async fn next(&self) -> Option<MeetingState> {
        let seen = self.lock_seen().clone();
        let state = self
            .states
            .next(|states| Box::pin(states.next(seen.clone())));
        let state = state.await?;
        *self.lock_seen() = Some(Arc::clone(&state));
        Some(MeetingState::from(&*state))
    }

    /// Ends it: a `next` that waits returns none.
    pub fn cancel(&self) {
        self.states.cancel();
    }
}

impl MeetingStates {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self {
            states: Pull::new(inner.handle().clone(), Some(States(inner))),
            seen: Mutex::default(),
        }
    }

    fn lock_seen(&self) -> std::sync::MutexGuard<'_, Option<Arc<meeting::MeetingState>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl States {
    async fn next(
        &mut self,
        seen: Option<Arc<meeting::MeetingState>>,
    ) -> Option<Arc<meeting::MeetingState>> {
        match seen {
            None => self.0.state(),
            Some(seen) if matches!(seen.phase, meeting::Phase::Disconnected(_)) => None,
            Some(seen) => self.0.changed(seen).await,
        }
    }
}
