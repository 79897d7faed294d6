use std::{io, sync::Arc};

use clap::Args;
use parvis::{
    AudioOptions, PublishError, SourceError, VideoLayer, VideoOptions,
    codec::FrameRate,
    meeting::{Camera, CommandError, Meeting, Microphone, Screen, Source},
    source::{self, AudioInput, Capture, MediaSource, VideoInput},
};
use thiserror::Error;

/// What stands for the devices, which this command does not open.
#[derive(Debug, Clone, Default, Args)]
pub struct MediaArgs {
    /// What the camera shows: a y4m file, or test: or test:WIDTHxHEIGHT@FPS
    #[arg(long, value_name = "FILE")]
    pub camera: Option<String>,
    /// What the microphone hears: a wav file, or test: (a tone)
    #[arg(long, value_name = "FILE")]
    pub microphone: Option<String>,
    /// What is shown when the screen is shared: a y4m file, or test: or test:WIDTHxHEIGHT@FPS
    #[arg(long, value_name = "FILE")]
    pub screen: Option<String>,
    /// What the screen sounds like while it is shared: a wav file, or test: (a tone)
    #[arg(long, value_name = "FILE", requires = "screen")]
    pub screen_sound: Option<String>,
    /// Come in with microphone and camera off
    #[arg(long)]
    pub off: bool,
}

/// One's own microphone, camera and screen.
#[derive(Debug, Default)]
pub struct Media {
    args: MediaArgs,
    camera_rate: Option<FrameRate>,
    microphone: Option<(Arc<Microphone>, Capture)>,
    camera: Option<(Arc<Camera>, Capture)>,
    screen: Option<(Arc<Screen>, Vec<Capture>)>,
}

/// Why a source is not turned on or off.
#[derive(Debug, Error)]
pub enum MediaError {
    /// The command line gives none.
    #[error("there is no {0}: give --{0} FILE, or --{0} test:")]
    None(&'static str),
    /// The file has no pictures or no sound that could be encoded.
    #[error("{file} has no {what} to encode: give a {kind} file, or test:")]
    Nothing {
        /// Which file.
        file: String,
        /// What is missing.
        what: &'static str,
        /// What would do.
        kind: &'static str,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The meeting refuses it.
    #[error("{0}")]
    Refused(#[from] CommandError),
    /// No thread can be started.
    #[error("no thread: {0}")]
    Thread(#[from] io::Error),
}

/// The most lines of a camera's largest layer.
const CAMERA_LINES: u32 = 720;
/// A screen's pictures a second.
const SCREEN_RATE: FrameRate = FrameRate::whole(15);

impl Media {
    /// Checks what the command line gives, before anybody is joined.
    pub fn new(args: MediaArgs) -> Result<Self, MediaError> {
        for file in [&args.microphone, &args.screen_sound].into_iter().flatten() {
            drop(sound(file, source::open(file)?)?);
        }
        for file in [&args.camera, &args.screen].into_iter().flatten() {
            drop(pictures(file, source::open(file)?)?);
        }
        Ok(Self {
            args,
            ..Self::default()
        })
    }

    /// With a camera of that many pictures a second, whatever its file has.
    pub fn with_camera_rate(self, rate: FrameRate) -> Self {
        Self {
            camera_rate: Some(rate),
            ..self
        }
    }

    /// Whether the command line gives it.
    pub fn has(&self, source: Source) -> bool {
        match source {
            Source::Microphone => self.args.microphone.is_some(),
            Source::Camera => self.args.camera.is_some(),
            Source::Screen => self.args.screen.is_some(),
        }
    }

    /// What is turned on when one comes in.
    pub fn at_first(&self) -> Vec<Source> {
        let sources = [Source::Microphone, Source::Camera].into_iter();
        let sources = sources.filter(|source| self.has(*source) && !self.args.off);
        sources.collect()
    }

    /// Turns a source on or off. A microphone and a camera stay announced while they are off.
    pub async fn switch(
        &mut self,
        meeting: &Meeting,
        source: Source,
        on: bool,
    ) -> Result<(), MediaError> {
        match (source, on) {
            (Source::Microphone, true) => self.microphone_on(meeting).await,
            (Source::Camera, true) => self.camera_on(meeting).await,
            (Source::Screen, true) => self.screen_on(meeting).await,
            (Source::Microphone, false) => match &self.microphone {
                Some((microphone, _)) => Ok(microphone.mute().await?),
                None => Ok(()),
            },
            (Source::Camera, false) => match &self.camera {
                Some((camera, _)) => Ok(camera.mute().await?),
                None => Ok(()),
            },
            (Source::Screen, false) => {
                if let Some((screen, _)) = self.screen.take() {
                    screen.mute().await?;
                }
                Ok(())
            }
        }
    }

    /// Turns all off: the meeting is over.
    pub fn end(&mut self) {
        (self.microphone, self.camera, self.screen) = (None, None, None);
    }

    async fn microphone_on(&mut self, meeting: &Meeting) -> Result<(), MediaError> {
        if let Some((microphone, _)) = &self.microphone {
            return Ok(microphone.unmute().await?);
        }
        let file = self.args.microphone.clone();
        let file = file.ok_or(MediaError::None("microphone"))?;
        let input = sound(&file, source::open(&file)?)?;
        let options = AudioOptions {
            channels: input.channels,
            ..AudioOptions::default()
        };
        let microphone = Arc::new(meeting.microphone(options).await?);
        // Says whether it is forbidden.
        microphone.unmute().await?;
        let into = Arc::clone(&microphone);
        let capture = Capture::sound(input, move |frame| into.push(frame))?;
        self.microphone = Some((microphone, capture));
        Ok(())
    }

    async fn camera_on(&mut self, meeting: &Meeting) -> Result<(), MediaError> {
        if let Some((camera, _)) = &self.camera {
            return Ok(camera.unmute().await?);
        }
        let file = self.args.camera.clone();
        let file = file.ok_or(MediaError::None("camera"))?;
        let mut media = source::open(&file)?;
        if let Some(rate) = self.camera_rate {
            media.set_rate(rate);
        }
        let input = pictures(&file, media)?;
        let options = VideoOptions {
            frame_rate: input.rate,
            layers: VideoLayer::ladder(input.height, CAMERA_LINES),
            ..VideoOptions::camera(input.width, input.height)
        };
        let camera = Arc::new(meeting.camera_with(options).await?);
        camera.unmute().await?;
        let into = Arc::clone(&camera);
        let capture = Capture::pictures(input, move |frame| into.push(frame))?;
        self.camera = Some((camera, capture));
        Ok(())
    }

    async fn screen_on(&mut self, meeting: &Meeting) -> Result<(), MediaError> {
        if let Some((screen, _)) = &self.screen {
            return Ok(screen.unmute().await?);
        }
        let file = self.args.screen.clone();
        let file = file.ok_or(MediaError::None("screen"))?;
        let mut media = source::open(&file)?;
        media.set_rate(SCREEN_RATE);
        let input = pictures(&file, media)?;
        let screen = Arc::new(meeting.screen(input.width, input.height).await?);
        screen.unmute().await?;
        let into = Arc::clone(&screen);
        let mut captures = vec![Capture::pictures(input, move |frame| into.push(frame))?];
        if let Some(file) = &self.args.screen_sound {
            let input = sound(file, source::open(file)?)?;
            let options = AudioOptions {
                channels: input.channels,
                ..AudioOptions::default()
            };
            screen.share_sound(options).await?;
            let into = Arc::clone(&screen);
            captures.push(Capture::sound(input, move |frame| into.push_sound(frame))?);
        }
        self.screen = Some((screen, captures));
        Ok(())
    }
}

fn sound(file: &str, mut media: MediaSource) -> Result<AudioInput, MediaError> {
    media.take_audio().ok_or_else(|| MediaError::Nothing {
        file: file.to_owned(),
        what: "sound",
        kind: "wav",
    })
}

fn pictures(file: &str, mut media: MediaSource) -> Result<VideoInput, MediaError> {
    media.take_video().ok_or_else(|| MediaError::Nothing {
        file: file.to_owned(),
        what: "pictures",
        kind: "y4m",
    })
}
