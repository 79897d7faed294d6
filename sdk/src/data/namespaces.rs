use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use parvis_wire::TrackNamespace;
use tokio::sync::Notify;

use crate::engine::{DataKey, Engine};

/// A namespace under a prefix came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamespaceEvent {
    /// It is published now; what follows the prefix.
    Appeared(TrackNamespace),
    /// The relay is left, and says that it is published there no more; what follows the prefix. Whether it is
    /// published where one goes is told soon: it appears again, or vanishes.
    Missing(TrackNamespace),
    /// It is published no more; what follows the prefix.
    Vanished(TrackNamespace),
}

/// The namespaces under a prefix; dropping it ends the subscription.
///
/// Of what came and went before it was looked at, only the outcome is told: nothing piles up.
#[derive(Debug)]
pub struct Namespaces {
    changes: Changes,
    key: DataKey,
    engine: Engine,
}

/// What was not told yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    changes: BTreeMap<TrackNamespace, Presence>,
    over: bool,
}

/// Whether a namespace is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    There,
    Missing,
    Gone,
}

impl Namespaces {
    pub(crate) const fn new(changes: Changes, key: DataKey, engine: Engine) -> Self {
        Self {
            changes,
            key,
            engine,
        }
    }

    /// The next change; `None`: the connection is over.
    pub async fn next(&mut self) -> Option<NamespaceEvent> {
        loop {
            {
                let mut state = self.changes.state();
                if let Some((suffix, presence)) = state.changes.pop_first() {
                    return Some(match presence {
                        Presence::There => NamespaceEvent::Appeared(suffix),
                        Presence::Missing => NamespaceEvent::Missing(suffix),
                        Presence::Gone => NamespaceEvent::Vanished(suffix),
                    });
                }
                if state.over {
                    return None;
                }
            }
            self.changes.0.changed.notified().await;
        }
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        self.engine.end_discovery(self.key);
    }
}

impl Changes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, suffix: TrackNamespace, presence: Presence) {
        self.state().changes.insert(suffix, presence);
        self.0.changed.notify_one();
    }

    pub(crate) fn end(&self) {
        self.state().over = true;
        self.0.changed.notify_one();
    }
}
