use std::sync::{
    Mutex, PoisonError, Weak,
    atomic::{AtomicBool, Ordering},
};

use parvis_quic::client::{NotNow, SessionHandle};
use tokio::sync::Notify;

use super::core::Core;

/// Lets encoders' threads have their frames sent, without a detour over the engine's task.
#[derive(Debug)]
pub(super) struct Flusher {
    session: SessionHandle,
    core: Weak<Mutex<Core>>,
    /// A command that sends everything is on its way.
    scheduled: AtomicBool,
    /// Wakes the engine's task.
    pub(super) wake: Notify,
}

impl Flusher {
    pub(super) fn new(session: SessionHandle, core: Weak<Mutex<Core>>) -> Self {
        Self {
            session,
            core,
            scheduled: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// Has the connection's task send what waits in the outboxes; never waits.
    pub(super) fn flush(&self) {
        if self.scheduled.swap(true, Ordering::AcqRel) {
            return;
        }
        let core = self.core.clone();
        let sent = self.session.try_run(move |session, now| {
            if let Some(core) = core.upgrade() {
                let mut core = core.lock().unwrap_or_else(PoisonError::into_inner);
                core.flusher.scheduled.store(false, Ordering::Release);
                core.handle_media(session, now);
            }
        });
        if let Err(NotNow::Full | NotNow::Gone) = sent {
            self.scheduled.store(false, Ordering::Release);
            self.wake.notify_one();
        }
    }
}
