use std::sync::Arc;

use parvis::{codec::Channels, meeting};

use crate::{
    AudioCapture, AudioOptions, Meeting, ParvisError,
    capture::{Capturing, Opening},
    own::Own,
    sound,
};

/// One's own microphone. [`Microphone::turn_off`] or freeing it turns it off.
#[derive(uniffi::Object)]
pub struct Microphone {
    own: Own<meeting::Microphone>,
    channels: Channels,
    capture: Arc<Capturing>,
}

#[uniffi::export]
impl Meeting {
    /// Turns the microphone on; give it sound by [`Microphone::push_f32`] or
    /// [`Microphone::push_i16`].
    pub async fn microphone(&self, options: AudioOptions) -> Result<Arc<Microphone>, ParvisError> {
        let options = parvis::AudioOptions::try_from(options)?;
        let channels = options.channels;
        let asked = self
            .inner
            .ask(|meeting| Box::pin(meeting.microphone(options)));
        let microphone = asked.await?;
        Ok(Arc::new(Microphone {
            own: Own::new(&self.inner, microphone),
            channels,
            capture: Arc::default(),
        }))
    }

    /// Turns the microphone on once the app's own capture is open, and starts that.
    pub async fn microphone_from(
        &self,
        options: AudioOptions,
        capture: Arc<dyn AudioCapture>,
    ) -> Result<Arc<Microphone>, ParvisError> {
        let opening = Opening::stopped_by({
            let capture = Arc::clone(&capture);
            move || capture.stop()
        });
        capture.open().await?;
        let microphone = self.microphone(options).await?;
        opening.hand_over();
        microphone.capture.stopped_by({
            let capture = Arc::clone(&capture);
            move || capture.stop()
        });
        if let Err(error) = capture.start(Arc::clone(&microphone)) {
            // What went wrong first is what is told.
            let _ = microphone.turn_off();
            return Err(error);
        }
        self.inner.keep(&microphone.capture)?;
        Ok(microphone)
    }
}

#[uniffi::export]
impl Microphone {
    /// Gives sound of any length; nothing is sent while it is muted, by oneself or by a host.
    ///
    /// pcm: interleaved f32, little endian, 48 kHz, -1 to 1. timestamp_us: when its first sample was
    /// captured, by [`clock_now_us`](crate::clock_now_us); 0: it ends now.
    pub fn push_f32(&self, pcm: &[u8], timestamp_us: i64) -> Result<(), ParvisError> {
        let microphone = self.own.on()?;
        microphone.push(&sound::from_f32(pcm, self.channels, timestamp_us)?);
        Ok(())
    }

    /// Gives sound as [`Microphone::push_f32`] does.
    ///
    /// pcm: interleaved i16, little endian, 48 kHz.
    pub fn push_i16(&self, pcm: &[u8], timestamp_us: i64) -> Result<(), ParvisError> {
        let microphone = self.own.on()?;
        microphone.push(&sound::from_i16(pcm, self.channels, timestamp_us)?);
        Ok(())
    }

    /// How loud one is oneself, in decibels of the loudest that can be, for a bar to show; silence while
    /// it is muted. Before one joins a [`LevelMeter`](crate::LevelMeter) says the same.
    pub fn level(&self) -> Result<f32, ParvisError> {
        Ok(self.own.on()?.level())
    }

    /// Mutes: nothing is captured, and the track stays announced.
    pub async fn mute(&self) -> Result<(), ParvisError> {
        let microphone = self.own.on()?;
        self.own.ask(microphone.mute()).await
    }

    /// Turns it on again, also after a host muted it.
    pub async fn unmute(&self) -> Result<(), ParvisError> {
        let microphone = self.own.on()?;
        self.own.ask(microphone.unmute()).await
    }

    /// Turns it off, and stops the app's own capture.
    pub fn turn_off(&self) -> Result<(), ParvisError> {
        self.own.turn_off()?;
        self.capture.stop()
    }
}
