use std::{sync::Arc, time::Duration};

use parvis_meeting::{MediaState, ParticipantId, Source};
use tokio::sync::{mpsc, watch};

use super::{
    Meeting, MeetingState, Phase, Receive, VideoTarget,
    layers::choose,
    shared::{Heard, Shared},
};
use crate::{
    DecodedAudio, DecodedVideo, ParticipantName, RemoteAudio, RemoteStats, RemoteVideo, RoomState,
};

/// Somebody's voice: received while there is one, across mutes and reconnections.
#[derive(Debug)]
pub struct RemoteVoice {
    who: ParticipantId,
    shared: Arc<Shared>,
    heard: mpsc::Sender<Heard>,
    state: watch::Receiver<Arc<MeetingState>>,
    track: Option<RemoteAudio>,
}

/// Somebody's camera or screen, in the layer that fits what is shown.
#[derive(Debug)]
pub struct RemotePicture {
    who: ParticipantId,
    source: Source,
    shared: Arc<Shared>,
    state: watch::Receiver<Arc<MeetingState>>,
    target: watch::Receiver<VideoTarget>,
    set_target: watch::Sender<VideoTarget>,
    receive: watch::Receiver<Receive>,
    track: Option<RemoteVideo>,
    /// A layer that takes the place of the other once it has a picture.
    next: Option<RemoteVideo>,
}

/// How long it takes until a track that does not come is asked for again.
const AGAIN: Duration = Duration::from_millis(250);

impl Meeting {
    /// Receives somebody's voice. What is heard through it tells who speaks.
    pub fn voice(&self, who: &ParticipantId) -> RemoteVoice {
        RemoteVoice {
            who: who.clone(),
            shared: Arc::clone(&self.shared),
            heard: self.heard.clone(),
            state: self.state.clone(),
            track: None,
        }
    }

    /// Receives somebody's camera or screen, for what is shown of it.
    pub fn picture(
        &self,
        who: &ParticipantId,
        source: Source,
        target: VideoTarget,
    ) -> RemotePicture {
        let (set_target, target) = watch::channel(target);
        RemotePicture {
            who: who.clone(),
            source,
            shared: Arc::clone(&self.shared),
            state: self.state.clone(),
            target,
            set_target,
            receive: self.receive.subscribe(),
            track: None,
            next: None,
        }
    }

    /// Receives all pictures, their smallest layers, or sound only.
    pub fn set_receive(&self, receive: Receive) {
        self.receive.send_replace(receive);
    }
}

impl RemoteVoice {
    /// The next sound; `None`: it left, or the meeting is over.
    pub async fn next(&mut self) -> Option<DecodedAudio> {
        loop {
            if self.track.is_none() {
                self.subscribe().await?;
            }
            let Some(track) = &mut self.track else {
                continue;
            };
            let Some(sound) = track.next().await else {
                // Muted, or moved: looked for again.
                self.track = None;
                continue;
            };
            if let Some(level) = sound.level {
                let who = self.who.clone();
                // One level among many.
                let _ = self.heard.try_send(Heard { who, level });
            }
            return Some(sound);
        }
    }

    /// Asks for it once; `None`: it never comes.
    async fn subscribe(&mut self) -> Option<()> {
        let name = ParticipantName::new(self.who.as_str()).ok()?;
        is_on(&mut self.state, &self.who, Source::Microphone).await?;
        let room = self.shared.room()?;
        let mut known = room.watch();
        let listed = |state: &RoomState| {
            let participant = state.participants.get(&name);
            participant.is_some_and(|p| p.track(Source::Microphone.name()).is_some())
        };
        // The catalog may come later than the roster, or not at all.
        tokio::select! {
            listed = known.wait_for(|state| listed(state) || state.closed.is_some()) => {
                listed.ok()?;
            }
            changed = self.state.changed() => return changed.ok(),
        }
        let track = room.subscribe_audio(&name, Source::Microphone.name()).await;
        match track {
            Ok(track) => self.track = Some(track),
            Err(error) => {
                tracing::debug!(who = %self.who, %error, "no voice yet");
                tokio::time::sleep(AGAIN).await;
            }
        }
        Some(())
    }
}

impl RemotePicture {
    /// Says what is shown of it from here on.
    pub fn set_target(&self, target: VideoTarget) {
        self.set_target.send_replace(target);
    }

    /// What became of the frames of the track that is received.
    pub fn stats(&self) -> RemoteStats {
        self.track
            .as_ref()
            .map(RemoteVideo::stats)
            .unwrap_or_default()
    }

    /// The track that is received; `None`: none.
    pub fn layer(&self) -> Option<&str> {
        self.track.as_ref().map(|track| track.info().name.as_str())
    }

    /// The next picture; `None`: it left, or the meeting is over. Cancel safe.
    pub async fn next(&mut self) -> Option<DecodedVideo> {
        loop {
            let wanted = self.wanted();
            let has = self.next.as_ref().or(self.track.as_ref());
            let has = has.map(|track| track.info().name.clone());
            if wanted != has {
                self.change(wanted).await?;
            }
            if self.track.is_none() && self.next.is_none() {
                self.wait_for_change().await?;
                continue;
            }
            tokio::select! {
                picture = of(&mut self.next) => match picture {
                    // It begins with a key frame: the other one is not needed any more.
                    Some(picture) => {
                        self.track = self.next.take();
                        return Some(picture);
                    }
                    None => self.next = None,
                },
                picture = of(&mut self.track) => match picture {
                    Some(picture) => return Some(picture),
                    None => self.track = None,
                },
                changed = self.target.changed() => changed.ok()?,
                changed = self.receive.changed() => changed.ok()?,
                changed = self.state.changed() => changed.ok()?,
            }
        }
    }

    /// The layer that fits.
    fn wanted(&self) -> Option<String> {
        let room = self.shared.room()?;
        let name = ParticipantName::new(self.who.as_str()).ok()?;
        let known = room.state();
        let participant = known.participants.get(&name)?;
        let layers: Vec<_> = participant
            .video_tracks()
            .into_iter()
            .filter(|(track, _)| Source::of_track(track) == Some(self.source))
            .collect();
        let target = *self.target.borrow();
        let receive = *self.receive.borrow();
        choose(&layers, target, receive).map(str::to_owned)
    }

    async fn change(&mut self, wanted: Option<String>) -> Option<()> {
        let Some(wanted) = wanted else {
            (self.track, self.next) = (None, None);
            return Some(());
        };
        if self
            .track
            .as_ref()
            .is_some_and(|track| track.info().name == wanted)
        {
            self.next = None;
            return Some(());
        }
        let room = self.shared.room()?;
        let name = ParticipantName::new(self.who.as_str()).ok()?;
        match room.subscribe_video(&name, &wanted).await {
            Ok(track) => self.next = Some(track),
            Err(error) => {
                tracing::debug!(who = %self.who, %error, "no picture yet");
                tokio::time::sleep(AGAIN).await;
            }
        }
        Some(())
    }

    /// Nothing is received: waits until something may be.
    async fn wait_for_change(&mut self) -> Option<()> {
        if is_over(&self.state.borrow(), &self.who) {
            return None;
        }
        let room = self.shared.room()?;
        let mut catalogs = room.watch();
        drop(room);
        catalogs.mark_unchanged();
        if self.wanted().is_some() {
            return Some(());
        }
        tokio::select! {
            changed = catalogs.changed() => changed.ok()?,
            changed = self.target.changed() => changed.ok()?,
            changed = self.receive.changed() => changed.ok()?,
            changed = self.state.changed() => changed.ok()?,
        }
        Some(())
    }
}

async fn of(track: &mut Option<RemoteVideo>) -> Option<DecodedVideo> {
    match track {
        Some(track) => track.next().await,
        None => std::future::pending().await,
    }
}

/// Waits until somebody's source is on; `None`: it never will be.
async fn is_on(
    state: &mut watch::Receiver<Arc<MeetingState>>,
    who: &ParticipantId,
    source: Source,
) -> Option<()> {
    let on = |state: &MeetingState| {
        let participant = state.view.as_ref().and_then(|view| view.participant(who));
        participant.is_some_and(|p| *p.media.of(source) == MediaState::On)
    };
    let known = state
        .wait_for(|state| on(state) || is_over(state, who))
        .await
        .ok()?;
    on(&known).then_some(())
}

/// Whether nothing more comes of somebody.
fn is_over(state: &MeetingState, who: &ParticipantId) -> bool {
    let view = state.view.as_ref();
    // Before one is in, what is known may be older than the other.
    let gone = state.is_connected() && view.is_some_and(|view| view.participant(who).is_none());
    gone || matches!(state.phase, Phase::Disconnected(_))
}
