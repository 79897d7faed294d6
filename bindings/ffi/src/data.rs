use std::sync::Arc;

use parvis::meeting::{self, ParticipantId};

use crate::{Meeting, ParvisError, pull::Pull};

/// To whom data goes.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum DataTarget {
    /// To everybody who is in, straight through the relay: what is late or lost is not sent again.
    All,
    /// To 1 to 32 who are in, and nobody else can read it; through the meeting's service, 20 a second.
    Some {
        /// Who.
        participants: Vec<String>,
    },
}

/// Data of somebody's app.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MeetingData {
    /// Whose it is; the relay and the service vouch for that.
    pub from: String,
    /// What it is about.
    pub topic: String,
    /// What the app means.
    pub payload: Vec<u8>,
    /// Whether it is for some only.
    pub is_private: bool,
}

/// Data of others on one topic, from the call on that made it.
#[derive(uniffi::Object)]
pub struct RemoteData {
    data: Pull<meeting::RemoteData>,
}

#[uniffi::export]
impl Meeting {
    /// Gives data to others: at most 10 KiB on a topic of 1 to 64 visible ASCII characters. To all it
    /// returns at once, to some when the meeting has acknowledged it.
    pub async fn send_data(
        &self,
        topic: String,
        payload: Vec<u8>,
        to: DataTarget,
    ) -> Result<(), ParvisError> {
        let to = match to {
            DataTarget::All => meeting::DataTarget::All,
            DataTarget::Some { participants } => {
                let ids = participants.iter().map(|id| ParticipantId::new(id));
                meeting::DataTarget::Some(ids.collect::<Result<_, _>>()?)
            }
        };
        self.inner
            .ask(|meeting| Box::pin(async move { meeting.send_data(&topic, &payload, to).await }))
            .await
    }

    /// Receives data of others on a topic.
    pub fn data(&self, topic: String) -> Result<Arc<RemoteData>, ParvisError> {
        let data = self.inner.look(|meeting| meeting.data(&topic))?;
        Ok(Arc::new(RemoteData {
            data: Pull::new(self.inner.handle().clone(), Some(data)),
        }))
    }
}

#[uniffi::export]
impl RemoteData {
    /// The next message; none: the meeting is over, or this was cancelled.
    pub async fn next(&self) -> Option<MeetingData> {
        let data = self.data.next(|data| Box::pin(data.next())).await;
        data.map(MeetingData::from)
    }

    /// Ends it: a `next` that waits returns none.
    pub fn cancel(&self) {
        self.data.cancel();
    }
}

impl From<meeting::MeetingData> for MeetingData {
    fn from(data: meeting::MeetingData) -> Self {
        Self {
            from: data.from.into(),
            topic: data.topic,
            payload: data.payload.into(),
            is_private: data.is_private,
        }
    }
}
