use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use parvis::{
    clock,
    codec::{AudioFrame, Channels, SAMPLE_RATE},
    format::MediaTime,
    meeting,
};
use tokio::runtime::Handle;

use crate::{
    AudioCapture, AudioOptions, ErrorKind, Meeting, ParvisError, meeting::Inner, runtime::within,
};

/// One's own microphone. [`Microphone::turn_off`] or freeing it turns it off.
#[derive(uniffi::Object)]
pub struct Microphone {
    inner: Arc<Inner>,
    /// `None`: turned off.
    track: RwLock<Option<Arc<meeting::Microphone>>>,
    channels: Channels,
    capture: Mutex<Option<Arc<dyn AudioCapture>>>,
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
            inner: Arc::clone(&self.inner),
            track: RwLock::new(Some(Arc::new(microphone))),
            channels,
            capture: Mutex::default(),
        }))
    }

    /// Turns the microphone on once the app's own capture is open, and starts that.
    pub async fn microphone_from(
        &self,
        options: AudioOptions,
        capture: Arc<dyn AudioCapture>,
    ) -> Result<Arc<Microphone>, ParvisError> {
        capture.open().await?;
        let microphone = self.microphone(options).await;
        let microphone = microphone.inspect_err(|_| {
            // What went wrong first is what is told.
            let _ = capture.stop();
        })?;
        let started = capture.start(Arc::clone(&microphone));
        *microphone.lock_capture() = Some(capture);
        if let Err(error) = started {
            // As above.
            let _ = microphone.turn_off();
            return Err(error);
        }
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
        let (samples, rest) = pcm.as_chunks();
        let samples = samples.iter().copied().map(f32::from_le_bytes);
        self.push(samples, rest.is_empty(), timestamp_us)
    }

    /// Gives sound as [`Microphone::push_f32`] does.
    ///
    /// pcm: interleaved i16, little endian, 48 kHz.
    pub fn push_i16(&self, pcm: &[u8], timestamp_us: i64) -> Result<(), ParvisError> {
        let (samples, rest) = pcm.as_chunks();
        let samples = samples.iter().copied().map(i16::from_le_bytes);
        let samples = samples.map(|sample| f32::from(sample) / 32_768.0);
        self.push(samples, rest.is_empty(), timestamp_us)
    }

    /// How loud one is oneself, in decibels of the loudest that can be, for a bar to show; silence while
    /// it is muted.
    pub fn level(&self) -> Result<f32, ParvisError> {
        Ok(self.on()?.level())
    }

    /// Mutes: nothing is captured, and the track stays announced.
    pub async fn mute(&self) -> Result<(), ParvisError> {
        let microphone = self.on()?;
        within(self.inner.handle(), microphone.mute()).await?;
        Ok(())
    }

    /// Turns it on again, also after a host muted it.
    pub async fn unmute(&self) -> Result<(), ParvisError> {
        let microphone = self.on()?;
        within(self.inner.handle(), microphone.unmute()).await?;
        Ok(())
    }

    /// Turns it off, and stops the app's own capture.
    pub fn turn_off(&self) -> Result<(), ParvisError> {
        let microphone = self
            .track
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let microphone = microphone.ok_or_else(ParvisError::left)?;
        drop_within(self.inner.handle(), microphone);
        let capture = self.lock_capture().take();
        capture.map_or(Ok(()), |capture| capture.stop())
    }
}

impl Microphone {
    fn on(&self) -> Result<Arc<meeting::Microphone>, ParvisError> {
        let microphone = self.track.read().unwrap_or_else(PoisonError::into_inner);
        let on = microphone.as_ref().filter(|_| !self.inner.is_left());
        on.cloned().ok_or_else(ParvisError::left)
    }

    fn push(
        &self,
        samples: impl ExactSizeIterator<Item = f32>,
        whole: bool,
        timestamp_us: i64,
    ) -> Result<(), ParvisError> {
        let microphone = self.on()?;
        let per_channel = samples.len() / self.channels.count();
        let duration = Duration::from_secs(per_channel as u64) / SAMPLE_RATE;
        let time = match timestamp_us {
            0 => clock::now() - duration,
            time => MediaTime::from_micros(time),
        };
        let samples: Arc<[f32]> = samples.collect();
        match AudioFrame::new(time, self.channels, samples) {
            Ok(sound) if whole => {
                microphone.push(&sound);
                Ok(())
            }
            _ => Err(ParvisError::new(
                ErrorKind::BadFrame,
                "sound has whole samples of each channel",
            )),
        }
    }

    fn lock_capture(&self) -> std::sync::MutexGuard<'_, Option<Arc<dyn AudioCapture>>> {
        self.capture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Frees what may need the runtime for that.
pub(crate) fn drop_within<T>(handle: &Handle, what: T) {
    let _entered = handle.enter();
    drop(what);
}
