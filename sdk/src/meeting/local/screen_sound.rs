use parvis_codec::AudioFrame;
use parvis_meeting::{ErrorKind, Source};
use tokio::sync::OnceCell;

use super::{EncodedSource, Screen, Switch, over};
use crate::{AudioOptions, LocalAudio, PublishError, meeting::voice::SCREEN_SOUND};

/// The sound of a shared screen, once there is one; it ends with the screen.
#[derive(Debug, Default)]
pub(super) struct ScreenSound(OnceCell<LocalAudio>);

impl ScreenSound {
    async fn share(&self, switch: &Switch, options: AudioOptions) -> Result<(), PublishError> {
        if switch.source() != Source::Screen {
            return Err(PublishError::Refused(ErrorKind::Forbidden));
        }
        let options = AudioOptions {
            name: SCREEN_SOUND.to_owned(),
            ..options
        };
        let room = switch.shared().room().ok_or_else(over)?;
        let publish = self.0.get_or_try_init(|| room.publish_audio(options));
        publish.await.map(drop)
    }

    fn push(&self, switch: &Switch, sound: &AudioFrame) {
        if let Some(audio) = self.0.get().filter(|_| !switch.is_stopped()) {
            audio.push(sound);
        }
    }
}

macro_rules! screen_sound {
    ($name:ident) => {
        impl $name {
            /// Shares the sound of the screen too; give it by [`push_sound`](Self::push_sound). It is
            /// muted, forbidden and ends with the screen; a camera has none. Once it is shared this
            /// changes nothing.
            pub async fn share_sound(&self, options: AudioOptions) -> Result<(), PublishError> {
                self.sound.share(&self.switch, options).await
            }

            /// Gives sound of the screen, as much as a device gives at a time; never waits.
            pub fn push_sound(&self, sound: &AudioFrame) {
                self.sound.push(&self.switch, sound);
            }
        }
    };
}

screen_sound!(Screen);
screen_sound!(EncodedSource);
