use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use parvis_format::{
    EncodedFrame, MediaTime,
    mp4::{ReadError, Reader, TrackParams},
};

use crate::{SourceError, TrackInfo, TrackKind};

/// An MP4 file whose tracks are published as they are.
pub struct EncodedFile {
    path: PathBuf,
    reader: Reader<BufReader<File>>,
    tracks: Vec<TrackInfo>,
    /// The time of the earliest frame, which counts as zero.
    base: MediaTime,
}

impl EncodedFile {
    /// Reads the file through once, so that a damaged one is found before it is published.
    pub(super) fn open(path: &Path, file: File) -> Result<Self, SourceError> {
        let mut reader = Reader::new(BufReader::new(file)).map_err(|error| explain(path, error))?;
        let mut base = None;
        let mut frames = vec![0_u64; reader.tracks().len()];
        while let Some(demuxed) = reader.read().map_err(|error| explain(path, error))? {
            base = Some(base.map_or(demuxed.frame.time, |base| demuxed.frame.time.min(base)));
            if let Some(count) = frames.get_mut(demuxed.track) {
                *count += 1;
            }
        }
        reader.rewind();
        let Some(base) = base else {
            let reason = "it holds not one frame".to_owned();
            return Err(SourceError::Damaged {
                path: path.to_owned(),
                reason,
            });
        };
        let tracks = name(reader.tracks().iter().map(|track| match &track.params {
            TrackParams::Video(params) => TrackKind::Video(params.clone()),
            TrackParams::Audio(params) => TrackKind::Audio(params.clone()),
        }));
        Ok(Self {
            path: path.to_owned(),
            reader,
            tracks,
            base,
        })
    }

    /// The tracks, as they are named when they are published.
    pub fn tracks(&self) -> &[TrackInfo] {
        &self.tracks
    }

    /// The next frame and the index of its track; times begin at zero. `None` at the end.
    pub fn read(&mut self) -> Result<Option<(usize, EncodedFrame)>, SourceError> {
        let read = self
            .reader
            .read()
            .map_err(|error| explain(&self.path, error))?;
        Ok(read.map(|demuxed| {
            let time = MediaTime::from_micros(demuxed.frame.time.signed_since(self.base));
            (
                demuxed.track,
                EncodedFrame {
                    time,
                    ..demuxed.frame
                },
            )
        }))
    }

    /// Begins again.
    pub fn rewind(&mut self) {
        self.reader.rewind();
    }
}

/// Names tracks as live ones are: `camera/360p`, `microphone`; of two equal names the second gets
/// a number.
fn name(kinds: impl Iterator<Item = TrackKind>) -> Vec<TrackInfo> {
    let mut used: BTreeMap<String, u32> = BTreeMap::new();
    kinds
        .map(|kind| {
            let plain = match &kind {
                TrackKind::Video(params) => format!("camera/{}p", params.height),
                TrackKind::Audio(_) => "microphone".to_owned(),
            };
            let count = used.entry(plain.clone()).or_default();
            *count += 1;
            let name = if *count == 1 {
                plain
            } else {
                format!("{plain}-{count}")
            };
            TrackInfo { name, kind }
        })
        .collect()
}

fn explain(path: &Path, error: ReadError) -> SourceError {
    let path = path.to_owned();
    match error {
        ReadError::Io(error) => SourceError::Io { path, error },
        ReadError::NoTrack(_) => {
            let reason =
                format!("{error}; convert with: ffmpeg -i IN -c:v libaom-av1 -c:a libopus OUT.mp4");
            SourceError::Unsupported { path, reason }
        }
        _ => SourceError::Damaged {
            path,
            reason: error.to_string(),
        },
    }
}

impl fmt::Debug for EncodedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedFile")
            .field("tracks", &self.tracks)
            .finish_non_exhaustive()
    }
}
