use std::{future::Future, pin::Pin};

use tokio::{
    runtime::Handle,
    sync::{Mutex, Notify, watch},
};

use crate::runtime::within;

/// What the next item is waited for with.
pub(crate) type Next<'a, R> = Pin<Box<dyn Future<Output = Option<R>> + Send + 'a>>;

/// A stream that is pulled, from any thread, until it ends or is cancelled.
pub(crate) struct Pull<T> {
    handle: Handle,
    from: Mutex<Option<T>>,
    cancelled: watch::Sender<bool>,
    /// Somebody wants to look at it, and is in the queue of the lock.
    looking: Notify,
}

impl<T: Send> Pull<T> {
    /// `None`: it has ended already.
    pub(crate) fn new(handle: Handle, from: Option<T>) -> Self {
        Self {
            handle,
            from: Mutex::new(from),
            cancelled: watch::Sender::new(false),
            looking: Notify::new(),
        }
    }

    /// The next item; `None`: it has ended or was cancelled. `take` must be safe to be dropped.
    pub(crate) async fn next<R>(
        &self,
        take: impl for<'a> Fn(&'a mut T) -> Next<'a, R>,
    ) -> Option<R> {
        let mut cancelled = self.cancelled.subscribe();
        within(&self.handle, async {
            let taking = async {
                loop {
                    let mut from = self.from.lock().await;
                    tokio::select! {
                        biased;
                        item = take(from.as_mut()?) => return item,
                        () = self.looking.notified() => {}
                    }
                }
            };
            let item = tokio::select! {
                biased;
                // The sender is in `self`.
                _ = cancelled.wait_for(|cancelled| *cancelled) => None,
                item = taking => item,
            };
            if item.is_none() {
                *self.from.lock().await = None;
            }
            item
        })
        .await
    }

    /// Looks at what items come from, while a `next` may wait for one; `None`: it has ended.
    pub(crate) async fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        let from = self.from.lock();
        let asked = async {
            self.looking.notify_one();
            std::future::pending::<()>().await;
        };
        let from = tokio::select! {
            biased;
            from = from => from,
            () = asked => None?,
        };
        from.as_ref().map(look)
    }

    /// Ends it: a `next` that waits returns `None`.
    pub(crate) fn cancel(&self) {
        self.cancelled.send_replace(true);
        // Whoever waits in `next` frees it otherwise.
        if let Ok(mut from) = self.from.try_lock() {
            let _entered = self.handle.enter();
            *from = None;
        }
    }
}

impl<T> Drop for Pull<T> {
    fn drop(&mut self) {
        let _entered = self.handle.enter();
        *self.from.get_mut() = None;
    }
}
