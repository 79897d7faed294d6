use parvis::meeting;
use tokio::runtime::Handle;

use crate::{Done, ParvisError, runtime::within};

/// A message of one's own, which is shown at once.
#[derive(uniffi::Object)]
pub struct Pending {
    handle: Handle,
    pending: meeting::Pending,
}

/// Where a message of one's own is on its way.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum PendingState {
    /// It is said until it is answered.
    Sending,
    /// It is in the chat.
    Sent {
        /// Where and since when.
        done: Done,
    },
    /// It is refused, or nobody answered: [`Pending::retry`] sends it again.
    Failed {
        /// Why.
        error: ParvisError,
    },
}

#[uniffi::export]
impl Pending {
    /// What it is called; [`ChatMessage`](crate::ChatMessage) has the same.
    pub fn client_id(&self) -> String {
        self.pending.client_id.clone()
    }

    /// The text as it was sent.
    pub fn text(&self) -> String {
        self.pending.text.clone()
    }

    /// Where it is on its way.
    pub fn state(&self) -> PendingState {
        self.pending.state().into()
    }

    /// Waits until it is sent, or has failed.
    pub async fn outcome(&self) -> Result<Done, ParvisError> {
        let done = within(&self.handle, self.pending.outcome()).await?;
        Ok(done.into())
    }

    /// Sends it again, under the same id, when it has failed; returns when it is in the chat, once,
    /// whether an earlier try had reached it or not.
    pub async fn retry(&self) -> Result<Done, ParvisError> {
        let done = within(&self.handle, self.pending.retry()).await?;
        Ok(done.into())
    }
}

impl Pending {
    pub(crate) fn new(handle: &Handle, pending: meeting::Pending) -> Self {
        Self {
            handle: handle.clone(),
            pending,
        }
    }
}

impl From<meeting::PendingState> for PendingState {
    fn from(state: meeting::PendingState) -> Self {
        match state {
            meeting::PendingState::Sending => Self::Sending,
            meeting::PendingState::Sent(done) => Self::Sent { done: done.into() },
            meeting::PendingState::Failed(error) => Self::Failed {
                error: error.into(),
            },
        }
    }
}
