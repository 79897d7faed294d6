use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicBool, Ordering},
};

use parvis_quic::client::{NotNow, SessionHandle};
use tokio::sync::Notify;

use super::{core::Core, link::LinkId};
use crate::data::Waker;

/// Lets encoders' threads have their frames sent, without a detour over the engine's tasks.
#[derive(Debug)]
pub(super) struct Flusher {
    core: Weak<Mutex<Core>>,
    links: Mutex<Vec<Arc<LinkFlusher>>>,
}

/// The way to one connection's task.
#[derive(Debug)]
pub(super) struct LinkFlusher {
    id: LinkId,
    pub(super) session: SessionHandle,
    /// A command that sends everything is on its way.
    scheduled: AtomicBool,
    /// Wakes the engine's task for that connection.
    pub(super) wake: Notify,
}

impl Waker for Flusher {
    fn wake(&self) {
        Self::wake(self);
    }
}

impl Flusher {
    pub(super) const fn new(core: Weak<Mutex<Core>>) -> Self {
        Self {
            core,
            links: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn add(&self, id: LinkId, session: SessionHandle) -> Arc<LinkFlusher> {
        let link = Arc::new(LinkFlusher {
            id,
            session,
            scheduled: AtomicBool::new(false),
            wake: Notify::new(),
        });
        self.links().push(Arc::clone(&link));
        link
    }

    pub(super) fn remove(&self, id: LinkId) {
        self.links().retain(|link| link.id != id);
    }

    pub(super) fn link(&self, id: LinkId) -> Option<Arc<LinkFlusher>> {
        self.links().iter().find(|link| link.id == id).cloned()
    }

    /// Wakes the tasks of all connections.
    pub(super) fn wake(&self) {
        for link in self.links().iter() {
            link.wake.notify_one();
        }
    }

    /// Has the connections' tasks send what waits in the outboxes; never waits. Not to be called
    /// while the core is locked.
    pub(super) fn flush(&self) {
        let links = self.links();
        if links.is_empty() {
            drop(links);
            if let Some(core) = self.core.upgrade() {
                let mut core = core.lock().unwrap_or_else(PoisonError::into_inner);
                core.take_outboxes();
            }
            return;
        }
        for link in links.iter() {
            link.flush(&self.core);
        }
    }

    /// Has the other connections' tasks send what this one took from the outboxes.
    pub(super) fn flush_others(&self, id: LinkId) {
        for link in self.links().iter().filter(|link| link.id != id) {
            link.flush(&self.core);
        }
    }

    fn links(&self) -> MutexGuard<'_, Vec<Arc<LinkFlusher>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LinkFlusher {
    fn flush(self: &Arc<Self>, core: &Weak<Mutex<Core>>) {
        if self.scheduled.swap(true, Ordering::AcqRel) {
            return;
        }
        let (link, core) = (Arc::clone(self), core.clone());
        let sent = self.session.try_run(move |session, now| {
            link.scheduled.store(false, Ordering::Release);
            if let Some(core) = core.upgrade() {
                let mut core = core.lock().unwrap_or_else(PoisonError::into_inner);
                core.handle_media(link.id, session, now);
            }
        });
        if let Err(NotNow::Full | NotNow::Gone) = sent {
            self.scheduled.store(false, Ordering::Release);
            self.wake.notify_one();
        }
    }
}
