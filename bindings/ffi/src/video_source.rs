use std::sync::Arc;

use parvis::{VideoLayer, meeting};

use crate::{
    CameraCapture, CodecInUse, Meeting, ParvisError, ScreenCapture, VideoOptions,
    capture::{Capturing, Opening},
    meeting::Inner,
    numbers::signed,
    own::{Own, own_pictures},
    picture::{Geometry, Planes, captured},
    screen_sound::ScreenSound,
};

/// A track of one's own, whether it is watched, and what became of its frames.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LocalStats {
    /// The track, such as `camera/360p`.
    pub track: String,
    /// Whether anybody takes its frames.
    pub watched: bool,
    /// Frames that were encoded.
    pub encoded: i64,
    /// Frames that were dropped because encoding or sending was behind.
    pub dropped: i64,
    /// Bytes of the frames that were encoded.
    pub bytes: i64,
    /// The video encoder; none: of sound, or of frames that the app encoded.
    pub codec: Option<CodecInUse>,
}

#[uniffi::export]
impl Meeting {
    /// Turns the camera on, in layers of 180, 360 and 720 lines as far as it has them; give it
    /// pictures by [`Camera::push_i420`].
    pub async fn camera(&self, options: VideoOptions) -> Result<Arc<Camera>, ParvisError> {
        let size = options.size()?;
        let video = options.with(30, 720, VideoLayer::ladder)?;
        let asked = self
            .inner
            .ask(|meeting| Box::pin(meeting.camera_with(video)));
        let camera = asked.await?;
        Ok(Camera::new(&self.inner, camera, size))
    }

    /// Turns the camera on once the app's own capture is open, and starts that.
    pub async fn camera_from(
        &self,
        options: VideoOptions,
        capture: Arc<dyn CameraCapture>,
    ) -> Result<Arc<Camera>, ParvisError> {
        let opening = Opening::stopped_by({
            let capture = Arc::clone(&capture);
            move || capture.stop()
        });
        capture.open().await?;
        let camera = self.camera(options).await?;
        opening.hand_over();
        camera.capture.stopped_by({
            let capture = Arc::clone(&capture);
            move || capture.stop()
        });
        if let Err(error) = capture.start(Arc::clone(&camera)) {
            // What went wrong first is what is told.
            let _ = camera.turn_off();
            return Err(error);
        }
        self.inner.keep(&camera.capture)?;
        Ok(camera)
    }

    /// Shares a screen, in two layers of at most 1080 lines unless the options have others; give it
    /// pictures by [`Screen::push_i420`].
    pub async fn screen(&self, options: VideoOptions) -> Result<Arc<Screen>, ParvisError> {
        let size = options.size()?;
        let video = options.with(15, 1080, VideoLayer::pair)?;
        let asked = self
            .inner
            .ask(|meeting| Box::pin(meeting.screen_with(video)));
        let screen = asked.await?;
        Ok(Screen::new(&self.inner, screen, size))
    }

    /// Shares a screen once the app's own capture is open, and starts that.
    pub async fn screen_from(
        &self,
        options: VideoOptions,
        capture: Arc<dyn ScreenCapture>,
    ) -> Result<Arc<Screen>, ParvisError> {
        let opening = Opening::stopped_by({
            let capture = Arc::clone(&capture);
            move || capture.stop()
        });
        capture.open().await?;
        let screen = self.screen(options).await?;
        opening.hand_over();
        screen.capture.stopped_by({
            let capture = Arc::clone(&capture);
            move || capture.stop()
        });
        if let Err(error) = capture.start(Arc::clone(&screen)) {
            // What went wrong first is what is told.
            let _ = screen.turn_off();
            return Err(error);
        }
        self.inner.keep(&screen.capture)?;
        Ok(screen)
    }
}

macro_rules! video_source {
    ($(#[$doc:meta])* $name:ident $(, $sound:ident)?) => {
        $(#[$doc])*
        #[derive(uniffi::Object)]
        pub struct $name {
            pub(crate) own: Own<meeting::$name>,
            $(pub(crate) sound: $sound,)?
            size: (u32, u32),
            capture: Arc<Capturing>,
        }

        #[uniffi::export]
        impl $name {
            /// Gives a picture to the layers that somebody watches; never waits. It is copied once.
            ///
            /// width, height: of the planes, pixels. u, v: half as wide and high, rounded up.
            /// y_stride, uv_stride: bytes from one row to the next. uv_pixel_stride: bytes from one
            /// chroma value to the next; 2 where u and v lie interleaved. rotation: 0, 90, 180 or 270
            /// degrees clockwise that bring the picture upright. timestamp_us: when it was captured, by
            /// [`clock_now_us`](crate::clock_now_us); 0: now.
            #[expect(clippy::too_many_arguments, reason = "a record would be copied at each call")]
            pub fn push_i420(
                &self,
                y: &[u8],
                u: &[u8],
                v: &[u8],
                width: i32,
                height: i32,
                y_stride: i32,
                uv_stride: i32,
                uv_pixel_stride: i32,
                rotation: i32,
                timestamp_us: i64,
            ) -> Result<(), ParvisError> {
                let source = self.own.on()?;
                let geometry = Geometry::new(
                    (width, height),
                    (y_stride, uv_stride, uv_pixel_stride),
                    rotation,
                )?;
                geometry.expect_size(self.size)?;
                source.push(&geometry.copy(Planes { y, u, v }, captured(timestamp_us))?);
                Ok(())
            }

            /// Turns it off, and stops the app's own capture.
            pub fn turn_off(&self) -> Result<(), ParvisError> {
                self.own.turn_off()?;
                self.capture.stop()
            }
        }

        own_pictures!($name);

        impl $name {
            fn new(inner: &Arc<Inner>, source: meeting::$name, size: (u32, u32)) -> Arc<Self> {
                Arc::new(Self {
                    own: Own::new(inner, source),
                    $(sound: $sound::default(),)?
                    size,
                    capture: Arc::default(),
                })
            }
        }
    };
}

video_source! {
    /// One's own camera. [`Camera::turn_off`] or freeing it turns it off.
    Camera
}

video_source! {
    /// A screen that is shared. [`Screen::turn_off`] or freeing it ends that.
    Screen, ScreenSound
}

impl From<parvis::LocalStats> for LocalStats {
    fn from(stats: parvis::LocalStats) -> Self {
        Self {
            track: stats.track,
            watched: stats.watched,
            encoded: signed(stats.encoded),
            dropped: signed(stats.dropped),
            bytes: signed(stats.bytes),
            codec: stats.codec.map(CodecInUse::from),
        }
    }
}
