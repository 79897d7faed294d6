use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parvis_format::VideoParams;
use parvis_wire::Draft;
use tokio::sync::watch;

use crate::{
    AudioOptions, CloseReason, ConnectError, DataLink, LocalAudio, LocalEncoded, LocalEncodedVideo,
    LocalVideo, Participant, ParticipantName, PublishError, RebindError, RemoteAudio, RemoteTrack,
    RemoteVideo, RoomEvents, RoomName, RoomOptions, RoomState, SubscribeError, TrackKind,
    VideoOptions, WaitError,
    connect::{self, PathStats},
    engine::{Engine, EngineTask},
    token::Wanted,
};

/// A room that was entered.
///
/// Dropping it leaves in the background; [`Room::close`] waits until nothing of it runs.
#[derive(Debug)]
pub struct Room {
    name: RoomName,
    me: Option<ParticipantName>,
    draft: Draft,
    engine: Engine,
    task: EngineTask,
    state: watch::Receiver<Arc<RoomState>>,
}

/// How long the relay may take to say whether a name is taken. One that waits for the track of
/// that name to appear instead of rejecting it means that it is free.
const PROBE: Duration = Duration::from_secs(1);

/// How often a relay may point to another one while a room is entered.
const REDIRECTS: u32 = 3;

/// Why a relay did not let somebody in.
enum Refusal {
    Error(ConnectError),
    /// It is about to stop, and names another one.
    Elsewhere(String, ConnectError),
}

impl Room {
    /// Connects to a relay (`moqt://host:port`) and enters a room there.
    pub async fn connect(url: &str, options: RoomOptions) -> Result<Self, ConnectError> {
        let mut url = url.to_owned();
        let mut redirects = 0;
        loop {
            let error = match Self::try_connect(&url, &options).await {
                Ok(room) => return Ok(room),
                Err(error) => error,
            };
            // A relay that is about to stop says where else to go.
            match error {
                Refusal::Elsewhere(to, _) if redirects < REDIRECTS => {
                    redirects += 1;
                    url = to;
                }
                Refusal::Elsewhere(_, error) | Refusal::Error(error) => return Err(error),
            }
        }
    }

    /// Connects to a relay without entering the room: nobody sees this participant, and it sees
    /// nobody, until [`Room::enter`]. [`Room::data`] works from here on.
    pub async fn open(url: &str, options: RoomOptions) -> Result<Self, ConnectError> {
        let pass = options.pass(Wanted::Any).await?;
        let token = pass.map(|pass| pass.token);
        let (connection, draft) = connect::connect(url, &options, token, Vec::new()).await?;
        let (sender, state) = watch::channel(Arc::new(RoomState::default()));
        let (engine, task) = Engine::start(connection, url.to_owned(), options.clone(), sender);
        Ok(Self {
            name: options.room,
            me: options.participant,
            draft,
            engine,
            task,
            state,
        })
    }

    async fn try_connect(url: &str, options: &RoomOptions) -> Result<Self, Refusal> {
        let room = Self::open(url, options.clone()).await;
        let room = room.map_err(Refusal::Error)?;
        let entered = tokio::time::timeout(options.connect_timeout, room.enter_as_new()).await;
        let result = entered.unwrap_or_else(|_| {
            Err(ConnectError::Unreachable {
                url: url.to_owned(),
                waited: options.connect_timeout,
            })
        });
        match result {
            Ok(()) => Ok(room),
            Err(error) => {
                let to = room.engine.asked_to_move().await;
                let to = to.filter(|to| !to.is_empty());
                room.close().await;
                Err(match to {
                    Some(to) => Refusal::Elsewhere(to, error),
                    None => Refusal::Error(error),
                })
            }
        }
    }

    /// Enters, unless somebody of that name is there.
    async fn enter_as_new(&self) -> Result<(), ConnectError> {
        self.engine.discover().await?;
        let Some(me) = &self.me else {
            self.engine.entered();
            return Ok(());
        };
        let taken = tokio::time::timeout(PROBE, self.engine.probe()).await;
        if taken.unwrap_or(false) {
            return Err(ConnectError::NameTaken {
                name: me.clone(),
                room: self.name.clone(),
            });
        }
        self.engine.announce().await?;
        self.engine.entered();
        Ok(())
    }

    /// Enters a room that was only opened: from here on this participant sees the others and may
    /// publish and subscribe; the others see it from its first track on. Its name is taken to be its
    /// own: who comes back under it takes the place of the one before.
    pub async fn enter(&self) -> Result<(), ConnectError> {
        self.engine.discover().await?;
        self.engine.entered_quietly();
        Ok(())
    }

    /// What data tracks are published and received by, before the room is entered too.
    pub fn data(&self) -> DataLink {
        DataLink::new(self.engine.clone())
    }

    /// The room's name.
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// Who this is; `None`: an observer.
    pub fn participant(&self) -> Option<&ParticipantName> {
        self.me.as_ref()
    }

    /// The draft of MoQ Transport that was agreed on.
    pub fn draft(&self) -> Draft {
        self.engine.draft().unwrap_or(self.draft)
    }

    /// What is known of the room now.
    pub fn state(&self) -> Arc<RoomState> {
        Arc::clone(&self.state.borrow())
    }

    /// What is known of the room, as it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<RoomState>> {
        self.state.clone()
    }

    /// The changes in the room, those before this call first.
    pub fn events(&self) -> RoomEvents {
        RoomEvents::new(self.state.clone())
    }

    /// Waits until somebody, or that one, is there with a track at least.
    pub async fn wait_for(
        &self,
        who: Option<&ParticipantName>,
        patience: Duration,
    ) -> Result<Participant, WaitError> {
        let found = |state: &Arc<RoomState>| {
            let mut all = state.participants.values();
            let ready =
                all.find(|p| !p.tracks.is_empty() && who.is_none_or(|name| *name == p.name));
            ready.cloned()
        };
        let mut state = self.state.clone();
        let over = |state: &Arc<RoomState>| found(state).is_some() || state.closed.is_some();
        let waited = tokio::time::timeout(patience, state.wait_for(over)).await;
        if let Ok(Ok(state)) = &waited {
            if let Some(participant) = found(state) {
                return Ok(participant);
            }
            return Err(WaitError::Closed(closed(state)));
        }
        drop(waited);
        let present: Vec<String> = self
            .state()
            .participants
            .keys()
            .map(ToString::to_string)
            .collect();
        Err(match who {
            Some(name) if !present.is_empty() => WaitError::UnknownParticipant {
                name: name.clone(),
                room: self.name.clone(),
                present: present.join(", "),
                waited: patience,
            },
            _ => WaitError::UnknownRoom {
                room: self.name.clone(),
                waited: patience,
            },
        })
    }

    /// Publishes a picture source in layers; give it pictures by [`LocalVideo::push`].
    pub async fn publish_video(&self, options: VideoOptions) -> Result<LocalVideo, PublishError> {
        LocalVideo::publish(&self.engine, options).await
    }

    /// Publishes a sound source; give it sound by [`LocalAudio::push`].
    pub async fn publish_audio(&self, options: AudioOptions) -> Result<LocalAudio, PublishError> {
        LocalAudio::publish(&self.engine, options).await
    }

    /// Publishes frames that were encoded elsewhere.
    pub async fn publish_encoded(
        &self,
        track: &str,
        kind: TrackKind,
    ) -> Result<LocalEncoded, PublishError> {
        LocalEncoded::publish(&self.engine, track, kind).await
    }

    /// Publishes a picture source that is encoded outside, with what its subscribers want coming
    /// back: a track `name/360p` for each layer, of which the parameters tell codec and size.
    pub async fn publish_encoded_video(
        &self,
        name: &str,
        layers: Vec<VideoParams>,
    ) -> Result<LocalEncodedVideo, PublishError> {
        LocalEncodedVideo::publish(&self.engine, name, layers).await
    }

    /// Receives a track as it was encoded.
    pub async fn subscribe(
        &self,
        participant: &ParticipantName,
        track: &str,
    ) -> Result<RemoteTrack, SubscribeError> {
        let state = self.state();
        if state.closed.is_some() {
            return Err(SubscribeError::Closed(closed(&state)));
        }
        let Some(found) = state.participants.get(participant) else {
            return Err(SubscribeError::NoSuchParticipant(participant.to_string()));
        };
        let Some(info) = found.track(track) else {
            return Err(SubscribeError::NoSuchTrack {
                participant: participant.to_string(),
                track: track.to_owned(),
            });
        };
        RemoteTrack::subscribe(&self.engine, &self.name, participant, info.clone()).await
    }

    /// Receives and decodes a video track.
    pub async fn subscribe_video(
        &self,
        participant: &ParticipantName,
        track: &str,
    ) -> Result<RemoteVideo, SubscribeError> {
        let track = self.subscribe(participant, track).await?;
        RemoteVideo::decode(&self.engine, participant, track)
    }

    /// Receives and decodes an audio track.
    pub async fn subscribe_audio(
        &self,
        participant: &ParticipantName,
        track: &str,
    ) -> Result<RemoteAudio, SubscribeError> {
        let track = self.subscribe(participant, track).await?;
        RemoteAudio::decode(&self.engine, track)
    }

    /// What was measured of the path to the relay; `None`: the connection is over.
    pub async fn path(&self) -> Option<PathStats> {
        self.engine.path().await
    }

    /// Goes over to a new UDP socket, as an app asks for when the phone has changed networks: the
    /// connection goes on from there, without a new handshake.
    pub async fn rebind(&self) -> Result<(), RebindError> {
        self.engine.rebind().await
    }

    /// Waits until the relay has answered, or it is known that it does not let one in.
    pub(crate) fn let_in(&self) -> impl Future<Output = Result<(), ConnectError>> + use<> {
        let (mut let_in, mut state) = (self.engine.let_in(), self.state.clone());
        async move {
            tokio::select! {
                biased;
                Ok(_) = let_in.wait_for(|let_in| *let_in) => Ok(()),
                Ok(state) = state.wait_for(|state| state.closed.is_some()) => {
                    Err(ConnectError::closed(closed(&state)))
                }
                else => Err(ConnectError::closed(CloseReason::Local)),
            }
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Leaves: ends the tracks, says goodbye, and waits until no task or thread of the room is
    /// left. What still has an end of it sees the end.
    pub async fn close(self) {
        let started = Instant::now();
        self.engine.close(self.task).await;
        tracing::debug!(took = ?started.elapsed(), "left the room");
    }
}

fn closed(state: &RoomState) -> CloseReason {
    state.closed.clone().unwrap_or(CloseReason::Local)
}
