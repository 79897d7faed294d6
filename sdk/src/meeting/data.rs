use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use parvis_meeting::{
    Command, DataMessage, ErrorKind, ParticipantId, RoomCode, Topic, from_json, to_json, tracks,
};
use tokio::{
    sync::{broadcast, watch},
    task::{AbortHandle, JoinHandle, JoinSet},
};

use super::{CommandError, Meeting, MeetingState, Phase};
use crate::{
    Room, RoomState,
    data::{DataLink, DataOptions, DataPublisher, DataSubscribe, GroupId, Grouping, Location},
};

/// The most bytes of one message of data.
pub const MAX_DATA: usize = 10 << 10;

/// To whom data goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataTarget {
    /// To everybody who is in, straight through the relay: what is late or lost is not sent again.
    All,
    /// To 1 to 32 who are in, and nobody else can read it; through the meeting's service, 20 a second.
    Some(Vec<ParticipantId>),
}

/// Data of somebody's app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingData {
    /// Whose it is; the relay and the service vouch for that.
    pub from: ParticipantId,
    /// What it is about.
    pub topic: String,
    /// What the app means.
    pub payload: Bytes,
    /// Whether it is for some only.
    pub is_private: bool,
}

/// Data of others on one topic, from the call on. Dropping it ends that.
#[derive(Debug)]
pub struct RemoteData {
    topic: String,
    messages: broadcast::Receiver<MeetingData>,
    state: watch::Receiver<Arc<MeetingState>>,
    /// Ends with the last one who listens.
    _receiving: Arc<Receiving>,
}

/// What the handles of a meeting share of its data.
#[derive(Debug)]
pub(super) struct Data {
    messages: broadcast::Sender<MeetingData>,
    receiving: Mutex<Weak<Receiving>>,
    own: Mutex<Option<Own>>,
}

/// One's own track of data.
#[derive(Debug)]
struct Own {
    track: DataPublisher,
    next: u64,
}

#[derive(Debug)]
struct Receiving(JoinHandle<()>);

/// Messages that wait to be taken; beyond, the oldest are lost.
const MESSAGES: usize = 1024;

impl Meeting {
    /// Gives data to others: at most [`MAX_DATA`] bytes on a topic of 1 to 64 visible ASCII characters.
    /// To all it returns at once, to some when the meeting has acknowledged it.
    pub async fn send_data(
        &self,
        topic: &str,
        payload: &[u8],
        to: DataTarget,
    ) -> Result<(), CommandError> {
        let topic = Topic::new(topic).map_err(|_| refused(ErrorKind::Malformed))?;
        if payload.len() > MAX_DATA {
            return Err(refused(ErrorKind::TooLong));
        }
        let payload = STANDARD.encode(payload);
        match to {
            DataTarget::All => {
                let from = self.state().me.clone();
                let message = DataMessage {
                    from,
                    topic,
                    payload,
                };
                let room = self.shared.room().ok_or(CommandError::Disconnected)?;
                self.shared.data.publish(&room, &message)
            }
            DataTarget::Some(to) => {
                let command = Command::Data { topic, to, payload };
                self.command(command).await.map(drop)
            }
        }
    }

    /// Receives data of others on a topic.
    pub fn data(&self, topic: &str) -> RemoteData {
        let data = &self.shared.data;
        let mut running = lock(&data.receiving);
        let receiving = running.upgrade().unwrap_or_else(|| {
            let state = self.state();
            let following = self.shared.room().map(|room| {
                let (link, known) = (room.data(), room.watch());
                let messages = data.messages.clone();
                follow(link, known, state.code, state.me.clone(), messages)
            });
            let task = tokio::spawn(async move {
                if let Some(following) = following {
                    following.await;
                }
            });
            let receiving = Arc::new(Receiving(task));
            *running = Arc::downgrade(&receiving);
            receiving
        });
        RemoteData {
            topic: topic.to_owned(),
            messages: data.messages.subscribe(),
            state: self.state.clone(),
            _receiving: receiving,
        }
    }
}

impl RemoteData {
    /// The next message; `None`: the meeting is over. Whoever is too slow misses the oldest. Cancel safe.
    pub async fn next(&mut self) -> Option<MeetingData> {
        loop {
            let over = |state: &Arc<MeetingState>| matches!(state.phase, Phase::Disconnected(_));
            let message = tokio::select! {
                biased;
                message = self.messages.recv() => message,
                _ = self.state.wait_for(over) => return None,
            };
            match message {
                Ok(message) if message.topic == self.topic => return Some(message),
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

impl Default for Data {
    fn default() -> Self {
        Self {
            messages: broadcast::channel(MESSAGES).0,
            receiving: Mutex::default(),
            own: Mutex::default(),
        }
    }
}

impl Data {
    /// One is in: whoever wants one's data finds the track.
    pub(super) fn open(&self, link: &DataLink, code: &RoomCode, me: &ParticipantId) {
        let mut own = lock(&self.own);
        if own.is_some() {
            return;
        }
        let name = tracks::track(tracks::media_of(code, me), tracks::DATA);
        match link.publish(name, DataOptions::default()) {
            // Behind what one sent before one came back.
            Ok(track) => {
                let next = crate::clock::now().as_micros() as u64;
                *own = Some(Own { track, next });
            }
            Err(error) => tracing::warn!(%error, "no data can be sent"),
        }
    }

    pub(super) fn close(&self) {
        *lock(&self.own) = None;
    }

    fn publish(&self, room: &Room, message: &DataMessage) -> Result<(), CommandError> {
        let mut own = lock(&self.own);
        let own = own.as_mut().ok_or_else(|| refused(ErrorKind::Forbidden))?;
        room.engine().become_visible();
        let group = own.next;
        own.next += 1;
        own.track.send(Location::new(group, 0), to_json(message));
        own.track.end_group(GroupId(group));
        Ok(())
    }

    /// Data came by way of the meeting's service.
    pub(super) fn heard(&self, message: DataMessage) {
        tell(&self.messages, message, true);
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Receives from those who are there, until the room is over.
async fn follow(
    link: DataLink,
    mut known: watch::Receiver<Arc<RoomState>>,
    code: RoomCode,
    me: ParticipantId,
    messages: broadcast::Sender<MeetingData>,
) {
    let mut tasks = JoinSet::new();
    let mut received: BTreeMap<ParticipantId, AbortHandle> = BTreeMap::new();
    loop {
        let state = Arc::clone(&known.borrow_and_update());
        if state.closed.is_some() {
            return;
        }
        let names = state.participants.keys();
        let mut there: BTreeSet<ParticipantId> = names
            .filter_map(|name| ParticipantId::new(name.as_str()).ok())
            .collect();
        there.remove(&me);
        received.retain(|who, task| {
            let stays = there.contains(who) && !task.is_finished();
            if !stays {
                task.abort();
            }
            stays
        });
        for who in there {
            received
                .entry(who.clone())
                .or_insert_with(|| tasks.spawn(receive(link.clone(), code, who, messages.clone())));
        }
        tokio::select! {
            changed = known.changed() => if changed.is_err() { return },
            Some(_) = tasks.join_next() => {}
        }
    }
}

async fn receive(
    link: DataLink,
    code: RoomCode,
    who: ParticipantId,
    messages: broadcast::Sender<MeetingData>,
) {
    let name = tracks::track(tracks::media_of(&code, &who), tracks::DATA);
    let wanted = DataSubscribe::live(Grouping::Sequence(1));
    let mut track = match link.subscribe(name, wanted).await {
        Ok(track) => track,
        Err(error) => {
            tracing::debug!(%who, %error, "no data");
            return std::future::pending().await;
        }
    };
    while let Some(object) = track.next().await {
        match from_json::<DataMessage>(&object.payload) {
            // A track is its publisher's, whatever it says.
            Ok(message) if message.from == who => tell(&messages, message, false),
            Ok(_) => tracing::warn!(%who, "data in another's name"),
            Err(error) => tracing::warn!(%who, %error, "data cannot be read"),
        }
    }
}

fn tell(messages: &broadcast::Sender<MeetingData>, message: DataMessage, is_private: bool) {
    let Ok(payload) = STANDARD.decode(&message.payload) else {
        tracing::warn!(who = %message.from, "data is no base 64");
        return;
    };
    // Nobody may listen.
    let _ = messages.send(MeetingData {
        from: message.from,
        topic: message.topic.to_string(),
        payload: payload.into(),
        is_private,
    });
}

const fn refused(kind: ErrorKind) -> CommandError {
    CommandError::Refused {
        kind,
        retry_after: None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
