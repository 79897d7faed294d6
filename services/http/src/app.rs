use std::{
    fmt::Display,
    ops::Deref,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use parvis_meeting::UnixMillis;
use parvis_store::{AuditEntry, Store};
use serde::Serialize;
use tokio::sync::{Notify, Semaphore};

use crate::{
    Config, ReadyCheck, RelayAddress, limiter::Limiters, passphrase::Hasher,
    sign_in::ProviderClient,
};

/// What every request sees.
#[derive(Debug, Clone)]
pub(crate) struct App(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    clock: fn() -> UnixMillis,
    pub(crate) store: Store,
    pub(crate) config: Config,
    /// Where tickets lead by now.
    relay: RwLock<RelayAddress>,
    pub(crate) limiters: Limiters,
    pub(crate) hasher: Hasher,
    /// `None`: local accounts.
    pub(crate) provider: Option<ProviderClient>,
    /// Requests that may be answered at the same time.
    pub(crate) turns: Semaphore,
    /// What is needed besides the store.
    pub(crate) needs: OnceLock<Vec<ReadyCheck>>,
    /// Rings when there is mail to send.
    pub(crate) mail: Notify,
}

impl App {
    pub(crate) fn new(store: Store, config: Config) -> Self {
        Self(Arc::new(Inner {
            limiters: Limiters::new(&config.limits),
            hasher: Hasher::new(),
            provider: config.provider.clone().map(ProviderClient::new),
            turns: Semaphore::new(config.limits.concurrent),
            needs: OnceLock::new(),
            mail: Notify::new(),
            clock: system_clock,
            relay: RwLock::new(config.relay.clone()),
            store,
            config,
        }))
    }

    /// The time.
    pub(crate) fn now(&self) -> UnixMillis {
        (self.clock)()
    }

    /// Where tickets lead.
    pub(crate) fn relay(&self) -> RelayAddress {
        let relay = self.relay.read().unwrap_or_else(PoisonError::into_inner);
        relay.clone()
    }

    /// Tickets lead there from now on.
    pub(crate) fn set_relay(&self, relay: RelayAddress) {
        *self.relay.write().unwrap_or_else(PoisonError::into_inner) = relay;
    }
}

fn system_clock() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixMillis(since.map_or(0, |since| since.as_millis() as u64))
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// An entry of the audit log.
pub(crate) fn audit(
    at: UnixMillis,
    actor: &(impl Display + ?Sized),
    action: &str,
    details: &impl Serialize,
) -> AuditEntry {
    AuditEntry {
        at,
        actor: actor.to_string(),
        action: action.to_owned(),
        details: serde_json::to_string(details).unwrap_or_default(),
    }
}
