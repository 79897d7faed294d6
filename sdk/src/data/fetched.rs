use bytes::Bytes;
use parvis_wire::{FullTrackName, Location};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::CloseReason;

/// Why objects of the past are not to be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The relay or the publisher says no, or has none of them.
    #[error("the objects are refused: {0}")]
    Rejected(String),
    /// They took too long.
    #[error("the objects did not come in time: try again")]
    TimedOut,
    /// The connection is over.
    #[error("the connection is closed ({0})")]
    Closed(CloseReason),
}

/// Objects and their places.
pub(crate) type Answer = Vec<(Location, Bytes)>;

/// Somebody asks for objects that are not kept any more. Dropping it refuses.
#[derive(Debug)]
pub struct FetchQuery {
    /// The track.
    pub track: FullTrackName,
    /// The first object.
    pub start: Location,
    /// The last object.
    pub end: Location,
    pub(crate) reply: oneshot::Sender<Answer>,
    pub(crate) wake: Wake,
}

/// Has the connections' tasks look for answers.
#[derive(Debug)]
pub(crate) struct Wake(pub(crate) std::sync::Weak<dyn Waker>);

/// What [`Wake`] wakes.
pub(crate) trait Waker: std::fmt::Debug + Send + Sync {
    fn wake(&self);
}

impl Drop for Wake {
    fn drop(&mut self) {
        if let Some(waker) = self.0.upgrade() {
            waker.wake();
        }
    }
}

impl FetchQuery {
    /// Gives the objects that there are, in the order of their places.
    pub fn answer(self, objects: Vec<(Location, Bytes)>) {
        let Self { reply, wake, .. } = self;
        // Whoever asked may have gone.
        let _ = reply.send(objects);
        drop(wake);
    }
}
