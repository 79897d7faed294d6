use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use parvis_codec::{AudioFrame, VideoFrame};
use tokio::sync::watch;

use super::{
    AudioInput, VideoInput,
    player::{self, Pace},
};
use crate::SourceError;

/// Pictures or sound that are given in their own time, as a device gives them, over and over.
/// Dropping it stops it.
#[derive(Debug)]
pub struct Capture {
    stop: Arc<AtomicBool>,
    failed: watch::Receiver<Option<Arc<SourceError>>>,
}

impl Capture {
    /// Gives pictures, in a thread of its own.
    pub fn pictures(
        input: VideoInput,
        push: impl Fn(&VideoFrame) + Send + 'static,
    ) -> io::Result<Self> {
        Self::start("camera", move |pace| {
            player::pictures(input, push, || false, pace)
        })
    }

    /// Gives sound, in a thread of its own.
    pub fn sound(
        input: AudioInput,
        push: impl Fn(&AudioFrame) + Send + 'static,
    ) -> io::Result<Self> {
        Self::start("microphone", move |pace| {
            player::sound(input, push, || false, pace)
        })
    }

    fn start(
        name: &str,
        body: impl FnOnce(&Pace) -> Result<(), SourceError> + Send + 'static,
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let pace = Pace::new(true, Arc::clone(&stop));
        let (fail, failed) = watch::channel(None);
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                if let Err(error) = body(&pace) {
                    fail.send_replace(Some(Arc::new(error)));
                }
            })?;
        Ok(Self { stop, failed })
    }

    /// Why nothing comes any more, if so.
    pub fn failure(&self) -> Option<Arc<SourceError>> {
        self.failed.borrow().clone()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc,
        time::{Duration, Instant},
    };

    use crate::source;

    use super::*;

    #[test]
    fn sound_comes_in_its_own_time_until_it_is_dropped() {
        let mut source = source::open("test:").unwrap();
        let (push, frames) = mpsc::channel();
        let began = Instant::now();
        let sound = Capture::sound(source.take_audio().unwrap(), move |frame| {
            let _ = push.send(frame.clone());
        });
        let sound = sound.unwrap();
        let frames_of_100_ms = frames.iter().take(5).count();
        assert_eq!(frames_of_100_ms, 5);
        assert!(began.elapsed() >= Duration::from_millis(100));
        assert!(sound.failure().is_none());
        drop(sound);
        // The thread ends, and with it the channel.
        assert!(frames.iter().count() < 10);
    }
}
