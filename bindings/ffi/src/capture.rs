use std::sync::Arc;

use crate::{Camera, Microphone, ParvisError, Screen};

/// The app's own capture of sound.
#[uniffi::export(foreign)]
#[async_trait::async_trait]
pub trait AudioCapture: Send + Sync {
    /// Asks for permission and opens the device; an error is that of the call that turns the
    /// microphone on, and nothing is published.
    async fn open(&self) -> Result<(), ParvisError>;

    /// Gives sound to the microphone from here on.
    fn start(&self, microphone: Arc<Microphone>) -> Result<(), ParvisError>;

    /// Gives no more: the microphone is turned off.
    fn stop(&self) -> Result<(), ParvisError>;
}

/// The app's own capture of pictures.
#[uniffi::export(foreign)]
#[async_trait::async_trait]
pub trait CameraCapture: Send + Sync {
    /// Asks for permission and opens the device; an error is that of the call that turns the camera
    /// on, and nothing is published.
    async fn open(&self) -> Result<(), ParvisError>;

    /// Gives pictures to the camera from here on.
    fn start(&self, camera: Arc<Camera>) -> Result<(), ParvisError>;

    /// Gives no more: the camera is turned off.
    fn stop(&self) -> Result<(), ParvisError>;
}

/// The app's own capture of a screen.
#[uniffi::export(foreign)]
#[async_trait::async_trait]
pub trait ScreenCapture: Send + Sync {
    /// Asks for permission; an error is that of the call that shares the screen, and nothing is
    /// published.
    async fn open(&self) -> Result<(), ParvisError>;

    /// Gives pictures to the screen from here on.
    fn start(&self, screen: Arc<Screen>) -> Result<(), ParvisError>;

    /// Gives no more: the screen is not shared any more.
    fn stop(&self) -> Result<(), ParvisError>;
}
