use std::{
    fs::File,
    io::{BufReader, Seek},
    path::{Path, PathBuf},
};

use parvis_codec::{FrameRate, VideoFrame};
use parvis_format::y4m::{Reader, Y4mError};

use super::{Pictures, VideoInput};
use crate::SourceError;

/// Bytes read at a time: about one picture of 360 lines.
const BUFFER: usize = 512 * 1024;

/// The pictures of a y4m file.
pub(super) struct Y4mFile {
    path: PathBuf,
    reader: Reader<BufReader<File>>,
}

impl Y4mFile {
    pub(super) fn open(path: &Path, mut file: File) -> Result<VideoInput, SourceError> {
        let reader = start(path, &mut file)?;
        let (width, height) = (reader.width(), reader.height());
        let rate = FrameRate::new(reader.rate().numerator, reader.rate().denominator);
        let mut pictures = Box::new(Self {
            path: path.to_owned(),
            reader,
        });
        if pictures.next()?.is_none() {
            return Err(SourceError::Damaged {
                path: path.to_owned(),
                reason: "it holds not one picture".to_owned(),
            });
        }
        pictures.rewind()?;
        Ok(VideoInput {
            width,
            height,
            rate,
            pictures,
        })
    }
}

fn start(path: &Path, file: &mut File) -> Result<Reader<BufReader<File>>, SourceError> {
    let io = |error| SourceError::Io {
        path: path.to_owned(),
        error,
    };
    file.rewind().map_err(io)?;
    let file = file.try_clone().map_err(io)?;
    Reader::new(BufReader::with_capacity(BUFFER, file)).map_err(|error| explain(path, error))
}

fn explain(path: &Path, error: Y4mError) -> SourceError {
    let path = path.to_owned();
    match error {
        Y4mError::Io(error) => SourceError::Io { path, error },
        Y4mError::ColourFormat(_) | Y4mError::Interlaced(_) | Y4mError::TooLarge { .. } => {
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

impl Pictures for Y4mFile {
    fn next(&mut self) -> Result<Option<VideoFrame>, SourceError> {
        let (width, height) = (self.reader.width(), self.reader.height());
        let Some(picture) = self
            .reader
            .read()
            .map_err(|error| explain(&self.path, error))?
        else {
            return Ok(None);
        };
        VideoFrame::from_i420(width, height, picture.data, picture.time)
            .map(Some)
            .map_err(|error| SourceError::Unsupported {
                path: self.path.clone(),
                reason: error.to_string(),
            })
    }

    fn rewind(&mut self) -> Result<(), SourceError> {
        let mut file = File::open(&self.path).map_err(|error| SourceError::Io {
            path: self.path.clone(),
            error,
        })?;
        self.reader = start(&self.path, &mut file)?;
        Ok(())
    }
}
