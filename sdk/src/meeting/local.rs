mod screen_sound;

use std::{sync::Arc, time::Duration};

use parvis_codec::{AudioFrame, VideoFrame};
use parvis_format::{AudioLevel, EncodedFrame, VideoParams};
use parvis_meeting::{MediaState, ParticipantId, Source};
use tokio::sync::mpsc;

use self::screen_sound::ScreenSound;
use super::{
    CommandError, LevelMeter, Meeting, StepDown,
    shared::Heard,
    switch::{Switch, over},
};
use crate::{
    AudioOptions, EncodedDemand, LocalAudio, LocalEncodedVideo, LocalVideo, PublishError, Room,
    VideoLayer, VideoOptions, codec::Content,
};

/// One's own microphone. Dropping it turns it off.
#[derive(Debug)]
pub struct Microphone {
    audio: LocalAudio,
    level: LevelMeter,
    switch: Switch,
    me: ParticipantId,
    heard: mpsc::Sender<Heard>,
}

/// One's own camera. Dropping it turns it off.
#[derive(Debug)]
pub struct Camera {
    video: LocalVideo,
    switch: Switch,
}

/// A screen that is shared. Dropping it ends that.
#[derive(Debug)]
pub struct Screen {
    video: LocalVideo,
    sound: ScreenSound,
    switch: Switch,
}

/// A camera or screen that is encoded outside, such as by a phone's encoder that takes the camera's
/// surface. Dropping it turns it off.
#[derive(Debug)]
pub struct EncodedSource {
    video: LocalEncodedVideo,
    sound: ScreenSound,
    switch: Switch,
}

/// How long encoders may take to hand in their last frames.
const ENDING: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);
/// A screen's pictures a second when the network is short.
const SLOW_SCREEN: u32 = 5;

impl Meeting {
    /// Turns the microphone on; give it sound by [`Microphone::push`].
    pub async fn microphone(&self, options: AudioOptions) -> Result<Microphone, PublishError> {
        let options = AudioOptions {
            name: Source::Microphone.name().to_owned(),
            ..options
        };
        let room = self.room_without(Source::Microphone).await?;
        let audio = room.publish_audio(options).await?;
        let switch = Switch::turn_on(Source::Microphone, &self.shared, &self.asks).await?;
        Ok(Microphone {
            audio,
            level: LevelMeter::default(),
            switch,
            me: self.state().me.clone(),
            heard: self.heard.clone(),
        })
    }

    /// Turns the camera on, in layers of 180, 360 and 720 lines as far as it has them; give it
    /// pictures by [`Camera::push`].
    pub async fn camera(&self, width: u32, height: u32) -> Result<Camera, PublishError> {
        let options = VideoOptions {
            name: Source::Camera.name().to_owned(),
            layers: VideoLayer::ladder(height, 720),
            ..VideoOptions::camera(width, height)
        };
        self.camera_with(options).await
    }

    /// Turns the camera on with other layers, encoder or frame rate.
    pub async fn camera_with(&self, options: VideoOptions) -> Result<Camera, PublishError> {
        let options = VideoOptions {
            name: Source::Camera.name().to_owned(),
            ..options
        };
        let room = self.room_without(Source::Camera).await?;
        let video = room.publish_video(options).await?;
        let switch = Switch::turn_on(Source::Camera, &self.shared, &self.asks).await?;
        Ok(Camera { video, switch })
    }

    /// Shares a screen; give it pictures by [`Screen::push`].
    pub async fn screen(&self, width: u32, height: u32) -> Result<Screen, PublishError> {
        let options = VideoOptions {
            layers: VideoLayer::pair(height, 1080),
            frame_rate: crate::codec::FrameRate::whole(15),
            ..VideoOptions::camera(width, height)
        };
        self.screen_with(options).await
    }

    /// Shares a screen with other layers, encoder or frame rate.
    pub async fn screen_with(&self, options: VideoOptions) -> Result<Screen, PublishError> {
        let options = VideoOptions {
            name: Source::Screen.name().to_owned(),
            content: Content::Screen,
            ..options
        };
        let room = self.room_without(Source::Screen).await?;
        let video = room.publish_video(options).await?;
        let switch = Switch::turn_on(Source::Screen, &self.shared, &self.asks).await?;
        Ok(Screen {
            video,
            sound: ScreenSound::default(),
            switch,
        })
    }

    /// Turns the camera on with frames that are encoded outside, in layers of these codecs and sizes;
    /// give them by [`EncodedSource::push`], and do what [`EncodedSource::next_demand`] says. Key
    /// frames carry the parameter sets of their stream.
    pub async fn camera_encoded(
        &self,
        layers: Vec<VideoParams>,
    ) -> Result<EncodedSource, PublishError> {
        self.encoded(Source::Camera, layers).await
    }

    /// Shares a screen whose frames are encoded outside, as [`Meeting::camera_encoded`] does.
    pub async fn screen_encoded(
        &self,
        layers: Vec<VideoParams>,
    ) -> Result<EncodedSource, PublishError> {
        self.encoded(Source::Screen, layers).await
    }

    async fn encoded(
        &self,
        source: Source,
        layers: Vec<VideoParams>,
    ) -> Result<EncodedSource, PublishError> {
        let room = self.room_without(source).await?;
        let video = room.publish_encoded_video(source.name(), layers).await?;
        let switch = Switch::turn_on(source, &self.shared, &self.asks).await?;
        Ok(EncodedSource {
            video,
            sound: ScreenSound::default(),
            switch,
        })
    }

    /// The room, once the tracks of a source that was turned off are over.
    async fn room_without(&self, source: Source) -> Result<Arc<Room>, PublishError> {
        let room = self.shared.room().ok_or_else(over)?;
        let free = async {
            while room
                .engine()
                .publishes(|track| Source::of_track(track) == Some(source))
            {
                tokio::time::sleep(LOOK).await;
            }
        };
        // One that is on still is refused by the room.
        let _ = tokio::time::timeout(ENDING, free).await;
        Ok(room)
    }
}

impl Microphone {
    /// Gives sound, as much as a device gives at a time; nothing is sent while it is muted, by oneself
    /// or by a host.
    pub fn push(&self, sound: &AudioFrame) {
        if self.switch.is_stopped() {
            self.level.clear();
            return;
        }
        self.level.push(sound);
        self.audio.push(sound);
        let level = AudioLevel::measure(sound.samples(), false);
        let who = self.me.clone();
        // One level among many.
        let _ = self.heard.try_send(Heard { who, level });
    }

    /// How loud one is oneself, in decibels of the loudest that can be, for a bar to show; silence
    /// while it is muted. Before one joins a [`LevelMeter`] says the same.
    pub fn level(&self) -> f32 {
        self.level.decibels()
    }

    /// Mutes: nothing is captured, and the track stays announced.
    pub async fn mute(&self) -> Result<(), CommandError> {
        self.switch.set(MediaState::Muted).await
    }

    /// Turns it on again, also after a host muted it.
    pub async fn unmute(&self) -> Result<(), CommandError> {
        self.switch.set(MediaState::On).await
    }
}

impl Camera {
    /// Gives a picture to the layers that somebody watches; never waits.
    pub fn push(&self, frame: &VideoFrame) {
        if !self.switch.is_stopped() {
            let level = self.switch.step_down();
            self.video.set_economical(level >= StepDown::OwnCameraSmall);
            self.video.push(frame);
        }
    }
}

impl Screen {
    /// Gives a picture to the layers that somebody watches; never waits.
    pub fn push(&self, frame: &VideoFrame) {
        if !self.switch.is_stopped() {
            let slow = self.switch.step_down() >= StepDown::ScreenSlow;
            self.video.set_max_rate(slow.then_some(SLOW_SCREEN));
            self.video.push(frame);
        }
    }
}

impl EncodedSource {
    /// How many layers it has.
    pub fn layers(&self) -> usize {
        self.video.layers()
    }

    /// Sends a frame of a layer, in the order in which the layers were given; its time is when it
    /// was captured, by [`clock::now`](crate::clock::now). Never waits. Frames of a layer that nobody
    /// watches are thrown away, as are those of one that there is not.
    pub fn push(&self, layer: usize, frame: EncodedFrame) {
        self.video.set_paused(self.switch.is_stopped());
        self.video.push(layer, frame);
    }

    /// What the encoder is to do next; `None`: the meeting is over. For one caller at a time; cancel
    /// safe. Whoever calls late gets the outcome, nothing piles up.
    pub async fn next_demand(&self) -> Option<EncodedDemand> {
        let mut stopped = self.switch.shared().stopped();
        let mut wishes = self.switch.shared().wishes.subscribe();
        loop {
            self.video.set_paused(self.switch.is_stopped());
            let level = self.switch.step_down();
            match self.switch.source() {
                Source::Camera => self.video.set_economical(level >= StepDown::OwnCameraSmall),
                Source::Screen => {
                    let slow = level >= StepDown::ScreenSlow;
                    self.video.set_max_rate(slow.then_some(SLOW_SCREEN));
                }
                Source::Microphone => {}
            }
            tokio::select! {
                demand = self.video.next_demand() => return demand,
                changed = stopped.changed() => changed.ok()?,
                changed = wishes.changed() => changed.ok()?,
            }
        }
    }
}

macro_rules! pictures {
    ($name:ident) => {
        impl $name {
            /// Mutes: nothing is captured, and the tracks stay announced.
            pub async fn mute(&self) -> Result<(), CommandError> {
                self.switch.set(MediaState::Muted).await
            }

            /// Turns it on again.
            pub async fn unmute(&self) -> Result<(), CommandError> {
                self.switch.set(MediaState::On).await
            }

            /// The tracks, whether they are watched, and what became of their frames.
            pub fn stats(&self) -> Vec<crate::LocalStats> {
                self.video.stats()
            }
        }
    };
}

pictures!(Camera);
pictures!(Screen);
pictures!(EncodedSource);
