use std::sync::Arc;

use parvis::meeting::{self, ParticipantId};

use crate::{AudioFrame, Meeting, ParvisError, pull::Pull};

/// Somebody's voice: received while there is one, across mutes and reconnections.
#[derive(uniffi::Object)]
pub struct RemoteVoice {
    voice: Pull<meeting::RemoteVoice>,
}

#[uniffi::export]
impl Meeting {
    /// Receives somebody's voice. What is heard through it tells who speaks.
    pub fn voice(&self, who: String) -> Result<Arc<RemoteVoice>, ParvisError> {
        let who = ParticipantId::new(&who)?;
        let voice = self.inner.look(|meeting| meeting.voice(&who))?;
        Ok(Arc::new(RemoteVoice {
            voice: Pull::new(self.inner.handle().clone(), Some(voice)),
        }))
    }

    /// Receives the sound of a screen that somebody shares; a mixer plays it too.
    pub fn screen_sound(&self, who: String) -> Result<Arc<RemoteVoice>, ParvisError> {
        let who = ParticipantId::new(&who)?;
        let voice = self.inner.look(|meeting| meeting.screen_sound(&who))?;
        Ok(Arc::new(RemoteVoice {
            voice: Pull::new(self.inner.handle().clone(), Some(voice)),
        }))
    }
}

#[uniffi::export]
impl RemoteVoice {
    /// The next sound, 20 ms; none: it left, the meeting is over, or this was cancelled.
    pub async fn next(&self) -> Option<Arc<AudioFrame>> {
        let sound = self.voice.next(|voice| Box::pin(voice.next())).await;
        sound.map(|sound| Arc::new(AudioFrame::from(sound)))
    }

    /// Ends it: a `next` that waits returns none, and nothing more of it is received.
    pub fn cancel(&self) {
        self.voice.cancel();
    }
}
