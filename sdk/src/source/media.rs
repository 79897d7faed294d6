use std::{fmt, path::PathBuf};

use parvis_codec::{Channels, FrameRate, VideoFrame};

use super::{EncodedFile, wav_files::WavFiles};
use crate::SourceError;

/// Gives pictures, one at a time; their times are not looked at.
pub trait Pictures: Send {
    /// The next picture; `None` at the end.
    fn next(&mut self) -> Result<Option<VideoFrame>, SourceError>;

    /// Begins again.
    fn rewind(&mut self) -> Result<(), SourceError>;
}

/// Gives sound, 20 ms at a time.
pub trait Sound: Send {
    /// The next interleaved samples at 48 kHz, 960 a channel; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<f32>>, SourceError>;

    /// Begins again.
    fn rewind(&mut self) -> Result<(), SourceError>;
}

/// Pictures to encode.
pub struct VideoInput {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pictures a second.
    pub rate: FrameRate,
    /// The pictures.
    pub pictures: Box<dyn Pictures>,
}

/// Sound to encode.
pub struct AudioInput {
    /// Mono or stereo.
    pub channels: Channels,
    /// The sound.
    pub sound: Box<dyn Sound>,
}

/// What can be published: pictures and sound to encode, or a file that is encoded already.
#[derive(Debug, Default)]
pub struct MediaSource {
    pub(super) video: Option<VideoInput>,
    pub(super) audio: Option<AudioInput>,
    pub(super) encoded: Option<EncodedFile>,
}

impl MediaSource {
    /// The pictures to encode.
    pub fn video(&self) -> Option<&VideoInput> {
        self.video.as_ref()
    }

    /// The sound to encode.
    pub fn audio(&self) -> Option<&AudioInput> {
        self.audio.as_ref()
    }

    /// Takes the pictures to encode out of it.
    pub fn take_video(&mut self) -> Option<VideoInput> {
        self.video.take()
    }

    /// Takes the sound to encode out of it.
    pub fn take_audio(&mut self) -> Option<AudioInput> {
        self.audio.take()
    }

    /// The file that is encoded already.
    pub fn encoded(&self) -> Option<&EncodedFile> {
        self.encoded.as_ref()
    }

    /// Takes the sound of another source instead of its own; an error if that has none.
    pub fn add_audio(&mut self, other: Self, path: PathBuf) -> Result<(), SourceError> {
        match other.audio {
            Some(audio) => {
                self.audio = Some(audio);
                Ok(())
            }
            None => Err(SourceError::Unsupported {
                path,
                reason: "it has no sound that can be encoded: give a wav file".to_owned(),
            }),
        }
    }

    /// Takes these wav files, one after the other, as its sound.
    pub fn set_speech(&mut self, files: &[PathBuf]) -> Result<(), SourceError> {
        self.audio = Some(WavFiles::open(files.to_vec())?);
        Ok(())
    }

    /// Gives its pictures at this rate: repeats or leaves out some.
    pub fn set_rate(&mut self, rate: FrameRate) {
        if let Some(video) = self.video.take() {
            self.video = Some(if video.rate == rate {
                video
            } else {
                let from = video.rate;
                let pictures = Box::new(AtRate {
                    pictures: video.pictures,
                    step: u64::from(from.frames()) * u64::from(rate.seconds()),
                    per: u64::from(from.seconds()) * u64::from(rate.frames()),
                    given: 0,
                    read: 0,
                    last: None,
                });
                VideoInput {
                    rate,
                    pictures,
                    ..video
                }
            });
        }
    }
}

/// Pictures at another rate: each given one is the newest of that time.
struct AtRate {
    pictures: Box<dyn Pictures>,
    /// `step / per` pictures are read for each one given.
    step: u64,
    per: u64,
    given: u64,
    read: u64,
    last: Option<VideoFrame>,
}

impl Pictures for AtRate {
    fn next(&mut self) -> Result<Option<VideoFrame>, SourceError> {
        let wanted = self.given * self.step / self.per + 1;
        while self.read < wanted {
            let Some(picture) = self.pictures.next()? else {
                return Ok(None);
            };
            self.last = Some(picture);
            self.read += 1;
        }
        self.given += 1;
        Ok(self.last.clone())
    }

    fn rewind(&mut self) -> Result<(), SourceError> {
        (self.given, self.read, self.last) = (0, 0, None);
        self.pictures.rewind()
    }
}

impl fmt::Debug for VideoInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl fmt::Debug for AudioInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.channels)
    }
}
