use std::{
    future::Future,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    ParvisError,
    meeting::Inner,
    runtime::{drop_within, within},
};

/// Something of one's own that others receive, until it is turned off or the meeting is left.
pub(crate) struct Own<S> {
    inner: Arc<Inner>,
    /// `None`: turned off.
    source: RwLock<Option<Arc<S>>>,
}

impl<S> Own<S> {
    pub(crate) fn new(inner: &Arc<Inner>, source: S) -> Self {
        Self {
            inner: Arc::clone(inner),
            source: RwLock::new(Some(Arc::new(source))),
        }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// It, while it is on.
    pub(crate) fn on(&self) -> Result<Arc<S>, ParvisError> {
        let source = self.source.read().unwrap_or_else(PoisonError::into_inner);
        let on = source.as_ref().filter(|_| !self.inner.is_over());
        on.cloned().ok_or_else(ParvisError::left)
    }

    /// Waits for an answer of the SDK.
    pub(crate) async fn ask<T, E>(
        &self,
        asking: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ParvisError>
    where
        ParvisError: From<E>,
    {
        Ok(within(self.inner.handle(), asking).await?)
    }

    /// Turns it off, once.
    pub(crate) fn turn_off(&self) -> Result<(), ParvisError> {
        let mut source = self.source.write().unwrap_or_else(PoisonError::into_inner);
        let off = source.take().ok_or_else(ParvisError::left)?;
        drop(source);
        drop_within(self.inner.handle(), off);
        Ok(())
    }
}

/// What every source of pictures can do while it is on.
macro_rules! own_pictures {
    ($name:ident) => {
        #[uniffi::export]
        impl $name {
            /// Mutes: nothing is captured, and the tracks stay announced.
            pub async fn mute(&self) -> Result<(), ParvisError> {
                let source = self.own.on()?;
                self.own.ask(source.mute()).await
            }

            /// Turns it on again.
            pub async fn unmute(&self) -> Result<(), ParvisError> {
                let source = self.own.on()?;
                self.own.ask(source.unmute()).await
            }

            /// The tracks, whether they are watched, and what became of their frames.
            pub fn stats(&self) -> Result<Vec<LocalStats>, ParvisError> {
                let stats = self.own.on()?.stats();
                Ok(stats.into_iter().map(LocalStats::from).collect())
            }
        }
    };
}

pub(crate) use own_pictures;
