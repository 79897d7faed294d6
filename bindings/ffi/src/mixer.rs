use std::sync::{Arc, PoisonError, RwLock};

use parvis::{
    clock,
    codec::{AudioFrame as Sound, Channels},
    meeting::{self, ParticipantId},
};

use crate::{AudioFrame, ErrorKind, Meeting, ParvisError, meeting::Inner, runtime::drop_within};

/// The sound of everybody else, mixed, for what plays it to pull. [`Mixer::cancel`] or freeing it ends
/// that.
#[derive(uniffi::Object)]
pub struct Mixer {
    inner: Arc<Inner>,
    /// `None`: ended.
    voices: RwLock<Option<meeting::Mixer>>,
    channels: Channels,
}

/// The most samples of each channel at once: ten seconds.
const MOST: i32 = 480_000;

#[uniffi::export]
impl Meeting {
    /// Receives and mixes everybody else's voice, as people come and go. A meeting has one mixer, and no
    /// [`Meeting::voice`] beside it: a voice is received once.
    ///
    /// channels: 1 or 2.
    pub fn mixer(&self, channels: i32) -> Result<Arc<Mixer>, ParvisError> {
        let channels = crate::options::channels(channels)?;
        let mixer = self.inner.look(|meeting| meeting.mixer(channels))?;
        Ok(Arc::new(Mixer {
            inner: Arc::clone(&self.inner),
            voices: RwLock::new(Some(mixer)),
            channels,
        }))
    }

    /// Plays somebody louder or softer, in the mixer and in [`Meeting::voice`]: 1 as it came, 0 not at
    /// all, 4 at most.
    pub fn set_volume(&self, who: String, volume: f32) -> Result<(), ParvisError> {
        let who = ParticipantId::new(&who)?;
        self.inner.look(|meeting| meeting.set_volume(&who, volume))
    }

    /// How loud somebody is played, mute aside.
    pub fn volume(&self, who: String) -> Result<f32, ParvisError> {
        let who = ParticipantId::new(&who)?;
        self.inner.look(|meeting| meeting.volume(&who))
    }

    /// Mutes somebody for oneself alone, or plays it again. It is received all the same, so that who
    /// speaks is still seen.
    pub fn mute_for_me(&self, who: String, muted: bool) -> Result<(), ParvisError> {
        let who = ParticipantId::new(&who)?;
        self.inner.look(|meeting| meeting.mute_for_me(&who, muted))
    }

    /// Whether one has muted somebody for oneself.
    pub fn is_muted_for_me(&self, who: String) -> Result<bool, ParvisError> {
        let who = ParticipantId::new(&who)?;
        self.inner.look(|meeting| meeting.is_muted_for_me(&who))
    }
}

#[uniffi::export]
impl Mixer {
    /// The next 10 ms of all voices; silence where nobody speaks. Never waits for one.
    pub fn pull(&self) -> Result<Arc<AudioFrame>, ParvisError> {
        self.fill(480)
    }

    /// As much as a device asks for, whose buffers are not of 10 ms.
    ///
    /// samples: of each channel, 48 kHz.
    pub fn fill(&self, samples: i32) -> Result<Arc<AudioFrame>, ParvisError> {
        if !(1..=MOST).contains(&samples) {
            let reason = format!("samples are 1 to {MOST}, got {samples}");
            return Err(ParvisError::new(ErrorKind::BadArgument, reason));
        }
        let mixer = self.voices.read().unwrap_or_else(PoisonError::into_inner);
        let mixer = mixer.as_ref().filter(|_| !self.inner.is_left());
        let mixer = mixer.ok_or_else(ParvisError::left)?;
        let count = usize::try_from(samples).unwrap_or_default() * self.channels.count();
        let mut mixed = vec![0.0; count];
        mixer.fill(&mut mixed);
        let sound = Sound::new(clock::now(), self.channels, mixed)
            .expect("whole samples of each channel were made");
        Ok(Arc::new(AudioFrame::from(sound)))
    }

    /// 1 or 2.
    pub fn channels(&self) -> i32 {
        match self.channels {
            Channels::Mono => 1,
            Channels::Stereo => 2,
        }
    }

    /// Ends it: nothing more is received for it.
    pub fn cancel(&self) {
        let mixer = self
            .voices
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop_within(self.inner.handle(), mixer);
    }
}
