use std::{
    fs::File,
    io::{Read, Seek},
    path::{Path, PathBuf},
};

use super::{EncodedFile, MediaSource, generated, wav_files::WavFiles, y4m_file::Y4mFile};
use crate::SourceError;

/// Opens a generator (`test:`, `test:640x360@30`) or a file: y4m, wav, or MP4 with AV1 and Opus.
/// The kind of a file is told by its first bytes.
pub fn open(source: &str) -> Result<MediaSource, SourceError> {
    if let Some(generator) = source.strip_prefix("test:") {
        return generated::open(generator)
            .ok_or_else(|| SourceError::UnknownGenerator(source.to_owned()));
    }
    open_file(Path::new(source))
}

fn open_file(path: &Path) -> Result<MediaSource, SourceError> {
    let io = |error| SourceError::Io {
        path: path.to_owned(),
        error,
    };
    let mut file = File::open(path).map_err(io)?;
    let mut start = Vec::new();
    file.by_ref().take(12).read_to_end(&mut start).map_err(io)?;
    file.rewind().map_err(io)?;
    let mut media = MediaSource::default();
    match Kind::of(&start) {
        Some(Kind::Y4m) => media.video = Some(Y4mFile::open(path, file)?),
        Some(Kind::Wav) => media.audio = Some(WavFiles::open(vec![path.to_owned()])?),
        Some(Kind::Mp4) => media.encoded = Some(EncodedFile::open(path, file)?),
        None => return Err(SourceError::NotMedia(PathBuf::from(path))),
    }
    Ok(media)
}

enum Kind {
    Y4m,
    Wav,
    Mp4,
}

impl Kind {
    fn of(start: &[u8]) -> Option<Self> {
        if start.starts_with(b"YUV4MPEG2 ") {
            Some(Self::Y4m)
        } else if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WAVE") {
            Some(Self::Wav)
        } else if matches!(start.get(4..8), Some(b"ftyp" | b"styp" | b"moov" | b"moof")) {
            Some(Self::Mp4)
        } else {
            None
        }
    }
}
