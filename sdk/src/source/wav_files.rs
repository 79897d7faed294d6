use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use parvis_codec::{Channels, SAMPLES_PER_FRAME};
use parvis_format::wav::{Reader, WavError};

use super::{AudioInput, Sound};
use crate::SourceError;

/// The sound of wav files, one after the other.
pub(super) struct WavFiles {
    files: Vec<PathBuf>,
    /// The place of the file after the open one.
    next: usize,
    reader: Option<Reader<BufReader<File>>>,
    channels: Channels,
    /// Samples that do not fill a frame yet.
    rest: Vec<f32>,
}

impl WavFiles {
    /// All files must have as many channels as the first one.
    pub(super) fn open(files: Vec<PathBuf>) -> Result<AudioInput, SourceError> {
        let mut channels = None;
        for path in &files {
            let reader = start(path)?;
            let own = channels_of(&reader);
            if *channels.get_or_insert(own) != own {
                return Err(SourceError::Unsupported {
                    path: path.clone(),
                    reason: "it has another number of channels than the file before".to_owned(),
                });
            }
        }
        let channels = channels.unwrap_or_default();
        let sound = Self {
            files,
            next: 0,
            reader: None,
            channels,
            rest: Vec::new(),
        };
        Ok(AudioInput {
            channels,
            sound: Box::new(sound),
        })
    }
}

fn start(path: &Path) -> Result<Reader<BufReader<File>>, SourceError> {
    let file = File::open(path).map_err(|error| SourceError::Io {
        path: path.to_owned(),
        error,
    })?;
    Reader::new(BufReader::new(file)).map_err(|error| explain(path, error))
}

fn channels_of(reader: &Reader<BufReader<File>>) -> Channels {
    if reader.channels() == 1 {
        Channels::Mono
    } else {
        Channels::Stereo
    }
}

fn explain(path: &Path, error: WavError) -> SourceError {
    let path = path.to_owned();
    match error {
        WavError::Io(error) => SourceError::Io { path, error },
        WavError::Encoding { .. } | WavError::SampleRate(_) | WavError::Channels(_) => {
            SourceError::Unsupported {
                path,
                reason: error.to_string(),
            }
        }
        _ => SourceError::Damaged {
            path,
            reason: error.to_string(),
        },
    }
}

impl Sound for WavFiles {
    fn next(&mut self) -> Result<Option<Vec<f32>>, SourceError> {
        let wanted = SAMPLES_PER_FRAME * self.channels.count();
        while self.rest.len() < wanted {
            let missing = (wanted - self.rest.len()) / self.channels.count();
            let got = match &mut self.reader {
                Some(reader) => {
                    let path = &self.files[self.next - 1];
                    reader
                        .read(missing, &mut self.rest)
                        .map_err(|error| explain(path, error))?
                }
                None => 0,
            };
            if got > 0 {
                continue;
            }
            let Some(path) = self.files.get(self.next) else {
                if self.rest.is_empty() {
                    return Ok(None);
                }
                // The end is filled up with silence.
                self.rest.resize(wanted, 0.0);
                break;
            };
            self.reader = Some(start(path)?);
            self.next += 1;
        }
        let rest = self.rest.split_off(wanted);
        Ok(Some(std::mem::replace(&mut self.rest, rest)))
    }

    fn rewind(&mut self) -> Result<(), SourceError> {
        (self.next, self.reader) = (0, None);
        self.rest.clear();
        Ok(())
    }
}
