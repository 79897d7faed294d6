use parvis::codec::Channels;
use tokio::sync::OnceCell;

use crate::{AudioOptions, EncodedSource, ErrorKind, ParvisError, Screen, sound};

/// How the sound of a shared screen lies, once it is shared.
#[derive(Default)]
pub(crate) struct ScreenSound(OnceCell<Channels>);

impl ScreenSound {
    fn channels(&self) -> Result<Channels, ParvisError> {
        self.0.get().copied().ok_or_else(|| {
            let reason = "the sound of the screen is not shared: share_sound comes first";
            ParvisError::new(ErrorKind::NoSuchTrack, reason)
        })
    }
}

macro_rules! screen_sound {
    ($name:ident) => {
        #[uniffi::export]
        impl $name {
            /// Shares the sound of the screen too; give it by `push_sound_f32` or `push_sound_i16`. It is
            /// muted, forbidden and ends with the screen; a camera has none. Once it is shared this
            /// changes nothing.
            pub async fn share_sound(&self, options: AudioOptions) -> Result<(), ParvisError> {
                let options = parvis::AudioOptions::try_from(options)?;
                let screen = self.own.on()?;
                let sharing = async {
                    let channels = options.channels;
                    screen.share_sound(options).await?;
                    Ok::<_, ParvisError>(channels)
                };
                let shared = self.own.ask(self.sound.0.get_or_try_init(|| sharing));
                shared.await.map(drop)
            }

            /// Gives sound of the screen, of any length; never waits.
            ///
            /// pcm: interleaved f32, little endian, 48 kHz, -1 to 1. timestamp_us: when its first sample
            /// was captured, by [`clock_now_us`](crate::clock_now_us); 0: it ends now.
            pub fn push_sound_f32(&self, pcm: &[u8], timestamp_us: i64) -> Result<(), ParvisError> {
                let screen = self.own.on()?;
                screen.push_sound(&sound::from_f32(pcm, self.sound.channels()?, timestamp_us)?);
                Ok(())
            }

            /// Gives sound of the screen, as `push_sound_f32` does.
            ///
            /// pcm: interleaved i16, little endian, 48 kHz.
            pub fn push_sound_i16(&self, pcm: &[u8], timestamp_us: i64) -> Result<(), ParvisError> {
                let screen = self.own.on()?;
                screen.push_sound(&sound::from_i16(pcm, self.sound.channels()?, timestamp_us)?);
                Ok(())
            }
        }
    };
}

screen_sound!(Screen);
screen_sound!(EncodedSource);
