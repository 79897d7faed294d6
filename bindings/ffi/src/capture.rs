use std::sync::{Arc, Mutex, PoisonError};

use crate::{Camera, Microphone, ParvisError, Screen};

/// The app's own capture that a source has, if it has one: stopped once, when the source is turned off or the meeting is
/// over.
#[derive(Default)]
pub(crate) struct Capturing(Mutex<Option<Stop>>);

type Stop = Box<dyn FnOnce() -> Result<(), ParvisError> + Send>;

impl Capturing {
    pub(crate) fn stopped_by(
        &self,
        stop: impl FnOnce() -> Result<(), ParvisError> + Send + 'static,
    ) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(stop));
    }

    /// Stops it, unless it has been.
    pub(crate) fn stop(&self) -> Result<(), ParvisError> {
        let stop = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        stop.map_or(Ok(()), |stop| stop())
    }
}

/// The app's own capture of sound.
#[uniffi::export(foreign)]
#[async_trait::async_trait]
pub trait AudioCapture: Send + Sync {
    /// Asks for permission and opens the device; an error is that of the call that turns the
    /// microphone on, and nothing is published.
    ///
    /// Whatever becomes of it, [`AudioCapture::stop`] follows, once: also when it fails, or when whoever
    /// wants the microphone gives up meanwhile.
    async fn open(&self) -> Result<(), ParvisError>;

    /// Gives sound to the microphone from here on.
    fn start(&self, microphone: Arc<Microphone>) -> Result<(), ParvisError>;

    /// Gives no more: the microphone is turned off, or the meeting is over.
    fn stop(&self) -> Result<(), ParvisError>;
}

/// The app's own capture of pictures.
#[uniffi::export(foreign)]
#[async_trait::async_trait]
pub trait CameraCapture: Send + Sync {
    /// Asks for permission and opens the device; an error is that of the call that turns the camera
    /// on, and nothing is published. [`CameraCapture::stop`] follows as for sound.
    async fn open(&self) -> Result<(), ParvisError>;

    /// Gives pictures to the camera from here on.
    fn start(&self, camera: Arc<Camera>) -> Result<(), ParvisError>;

    /// Gives no more: the camera is turned off, or the meeting is over.
    fn stop(&self) -> Result<(), ParvisError>;
}

/// The app's own capture of a screen.
#[uniffi::export(foreign)]
#[async_trait::async_trait]
pub trait ScreenCapture: Send + Sync {
    /// Asks for permission; an error is that of the call that shares the screen, and nothing is
    /// published. [`ScreenCapture::stop`] follows as for sound.
    async fn open(&self) -> Result<(), ParvisError>;

    /// Gives pictures to the screen from here on.
    fn start(&self, screen: Arc<Screen>) -> Result<(), ParvisError>;

    /// Gives no more: the screen is not shared any more, or the meeting is over.
    fn stop(&self) -> Result<(), ParvisError>;
}

/// Stops a capture that was opened for nothing: it failed, or whoever wanted it has given up.
pub(crate) struct Opening<Stop: FnOnce() -> Result<(), ParvisError>>(Option<Stop>);

impl<Stop: FnOnce() -> Result<(), ParvisError>> Opening<Stop> {
    pub(crate) fn stopped_by(stop: Stop) -> Self {
        Self(Some(stop))
    }

    /// Whoever uses it stops it from here on.
    pub(crate) fn hand_over(mut self) {
        self.0 = None;
    }
}

impl<Stop: FnOnce() -> Result<(), ParvisError>> Drop for Opening<Stop> {
    fn drop(&mut self) {
        if let Some(stop) = self.0.take() {
            // What went wrong first is what is told.
            let _ = stop();
        }
    }
}
