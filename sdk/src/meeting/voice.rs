use std::{sync::Arc, time::Duration};

use parvis_meeting::{MediaState, ParticipantId, Source};
use tokio::sync::{mpsc, watch};

use super::{
    Meeting, MeetingState, Phase, Receive,
    asking_again::AskingAgain,
    shared::{Heard, Shared},
};
use crate::{DecodedAudio, ParticipantName, RemoteAudio, RoomState};

/// Somebody's voice, or the sound of a screen that is shared: received while there is one, across mutes
/// and reconnections.
#[derive(Debug)]
pub struct RemoteVoice {
    who: ParticipantId,
    source: Source,
    shared: Arc<Shared>,
    heard: mpsc::Sender<Heard>,
    state: watch::Receiver<Arc<MeetingState>>,
    track: Option<RemoteAudio>,
    asking: AskingAgain,
}

/// Receives voices, without the meeting at hand.
#[derive(Debug, Clone)]
pub(super) struct VoiceReceiver {
    shared: Arc<Shared>,
    heard: mpsc::Sender<Heard>,
    state: watch::Receiver<Arc<MeetingState>>,
}

/// The track of a shared screen's sound.
pub(super) const SCREEN_SOUND: &str = "screen/sound";
/// How long it takes at most until a voice that does not come is asked for again.
const LONGEST: Duration = Duration::from_secs(1);

impl Meeting {
    /// Receives somebody's voice. What is heard through it tells who speaks.
    pub fn voice(&self, who: &ParticipantId) -> RemoteVoice {
        self.voices().voice(who, Source::Microphone)
    }

    /// Receives the sound of the screen that somebody shares; silent while it has none.
    pub fn screen_sound(&self, who: &ParticipantId) -> RemoteVoice {
        self.voices().voice(who, Source::Screen)
    }

    pub(super) fn voices(&self) -> VoiceReceiver {
        VoiceReceiver {
            shared: Arc::clone(&self.shared),
            heard: self.heard.clone(),
            state: self.state.clone(),
        }
    }

    /// Receives all pictures, their smallest layers, or sound only.
    pub fn set_receive(&self, receive: Receive) {
        self.shared
            .wishes
            .send_modify(|wishes| wishes.receive = receive);
    }
}

impl VoiceReceiver {
    /// source: the microphone, or the screen for its sound.
    pub(super) fn voice(&self, who: &ParticipantId, source: Source) -> RemoteVoice {
        RemoteVoice {
            who: who.clone(),
            source,
            shared: Arc::clone(&self.shared),
            heard: self.heard.clone(),
            state: self.state.clone(),
            track: None,
            asking: AskingAgain::default(),
        }
    }

    pub(super) fn state(&self) -> watch::Receiver<Arc<MeetingState>> {
        self.state.clone()
    }
}

impl RemoteVoice {
    /// The next sound, as loud as [`Meeting::set_volume`] has it; `None`: it left, or the meeting is
    /// over.
    pub async fn next(&mut self) -> Option<DecodedAudio> {
        let mut sound = self.next_as_sent().await?;
        let volumes = self.shared.volumes.borrow();
        sound.frame = volumes.apply(&self.who, sound.frame);
        Some(sound)
    }

    /// The next sound, whatever the volume.
    pub(super) async fn next_as_sent(&mut self) -> Option<DecodedAudio> {
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
            // Whoever shares a film does not speak.
            if let Some(level) = sound.level
                && self.source == Source::Microphone
            {
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
        is_on(&mut self.state, &self.who, self.source).await?;
        let track = match self.source {
            Source::Screen => SCREEN_SOUND,
            source => source.name(),
        };
        let room = self.shared.room()?;
        let mut known = room.watch();
        let listed = |state: &RoomState| {
            let participant = state.participants.get(&name);
            participant.is_some_and(|p| p.track(track).is_some())
        };
        // The catalog may come later than the roster, or not at all.
        tokio::select! {
            listed = known.wait_for(|state| listed(state) || state.closed.is_some()) => {
                listed.ok()?;
            }
            changed = self.state.changed() => return changed.ok(),
        }
        match room.subscribe_audio(&name, track).await {
            Ok(track) => {
                self.asking.done();
                self.track = Some(track);
            }
            Err(error) => {
                tracing::debug!(who = %self.who, %error, "no voice yet");
                tokio::time::sleep(self.asking.pause(LONGEST)).await;
            }
        }
        Some(())
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
pub(super) fn is_over(state: &MeetingState, who: &ParticipantId) -> bool {
    let view = state.view.as_ref();
    // Before one is in, what is known may be older than the other.
    let gone = state.is_connected() && view.is_some_and(|view| view.participant(who).is_none());
    gone || matches!(state.phase, Phase::Disconnected(_))
}
