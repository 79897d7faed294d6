use serde::{Deserialize, Serialize};

/// What of a participant is captured; its tracks are named so, or so with `/` and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Sound of the participant: `microphone`.
    Microphone,
    /// The participant's picture: `camera/360p` and other layers.
    Camera,
    /// A shared screen: `screen/full`, `screen/low`, and its sound `screen/sound`.
    Screen,
}

impl Source {
    /// All sources.
    pub const ALL: [Self; 3] = [Self::Microphone, Self::Camera, Self::Screen];

    /// What its tracks' names begin with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Microphone => "microphone",
            Self::Camera => "camera",
            Self::Screen => "screen",
        }
    }

    /// What becomes of a state when a host stops the source: a screen is gone, others are muted.
    pub fn stopped(self, state: MediaState) -> MediaState {
        match (self, state) {
            (Self::Screen, MediaState::On) => MediaState::Off,
            (_, MediaState::On) => MediaState::Muted,
            (_, state) => state,
        }
    }

    /// The source of a track with that name in a participant's namespace.
    pub fn of_track(track: &str) -> Option<Self> {
        let first = track.split('/').next();
        Self::ALL.into_iter().find(|s| Some(s.name()) == first)
    }
}

/// Whether a source is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// It is captured and published.
    On,
    /// Its track is announced and nothing is captured.
    Muted,
    /// There is no track.
    #[default]
    Off,
}

/// One value for each source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PerSource<T> {
    /// Of the microphone.
    pub microphone: T,
    /// Of the camera.
    pub camera: T,
    /// Of the screen.
    pub screen: T,
}

impl<T> PerSource<T> {
    /// The value of a source.
    pub fn of(&self, source: Source) -> &T {
        match source {
            Source::Microphone => &self.microphone,
            Source::Camera => &self.camera,
            Source::Screen => &self.screen,
        }
    }

    /// The value of a source, to be changed.
    pub fn of_mut(&mut self, source: Source) -> &mut T {
        match source {
            Source::Microphone => &mut self.microphone,
            Source::Camera => &mut self.camera,
            Source::Screen => &mut self.screen,
        }
    }
}

/// How well a participant is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Everything arrives.
    Excellent,
    /// Hardly anything is missing.
    #[default]
    Good,
    /// Much is missing or late.
    Poor,
    /// The connection is gone; it may come back.
    Lost,
}
