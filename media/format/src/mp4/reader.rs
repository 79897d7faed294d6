use std::io::{self, Read, Seek, SeekFrom};

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use super::boxes::{self, Child, TopLevel};
use crate::{
    AudioParams, EncodedFrame, MediaKind, MediaTime, VideoParams,
    av1::{self, ObuError},
};

mod fragments;
mod movie;
mod table;

use fragments::Fragments;
use movie::{Movie, Source};
use table::Cursor;

/// Why a file cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The input failed.
    #[error("reading the MP4 file: {0}")]
    Io(#[from] io::Error),
    /// The file ends early.
    #[error("{what} at byte {at} needs {needed} bytes, the file ends at byte {file}")]
    Truncated {
        /// What is cut off.
        what: String,
        /// Where it starts.
        at: u64,
        /// Its length.
        needed: u64,
        /// The length of the file.
        file: u64,
    },
    /// Fragments are missing at the end.
    #[error("the file says that it lasts until {said}, its frames end at {ends}")]
    EndsEarly {
        /// The duration that it says it has.
        said: MediaTime,
        /// Where its last frame ends.
        ends: MediaTime,
    },
    /// A box breaks its own rules.
    #[error("box {kind} at byte {at}: {detail}")]
    Malformed {
        /// The box.
        kind: String,
        /// Where it starts.
        at: u64,
        /// What was expected.
        detail: String,
    },
    /// There is no `moov`.
    #[error("the file has no moov box: it is no MP4 file, or it was not finished")]
    NoMovie,
    /// No track can be decoded here.
    #[error("the file has no track of av01 or opus; it has {}", list(.0))]
    NoTrack(Vec<UnsupportedTrack>),
    /// Something is longer than this reader holds in memory.
    #[error("{what} at byte {at} has {size} bytes, {limit} is the most")]
    TooLarge {
        /// What.
        what: String,
        /// Where it starts.
        at: u64,
        /// Its length.
        size: u64,
        /// The limit.
        limit: u64,
    },
}

impl ReadError {
    pub(super) fn malformed(kind: [u8; 4], at: u64, detail: impl Into<String>) -> Self {
        Self::Malformed {
            kind: boxes::name(kind),
            at,
            detail: detail.into(),
        }
    }
}

fn list(tracks: &[UnsupportedTrack]) -> String {
    if tracks.is_empty() {
        return "none at all".to_owned();
    }
    tracks
        .iter()
        .map(|track| track.codec.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// A track whose frames [`Reader::read`] yields.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Its id in the file.
    pub id: u32,
    /// What a decoder needs to know.
    pub params: TrackParams,
}

/// What a decoder needs to know of a track.
#[derive(Debug, Clone, PartialEq)]
pub enum TrackParams {
    /// AV1.
    Video(VideoParams),
    /// Opus.
    Audio(AudioParams),
}

/// A track that is passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedTrack {
    /// Its id in the file.
    pub id: u32,
    /// Whether it is seen or heard; `None`: neither.
    pub kind: Option<MediaKind>,
    /// Its codec, as the file names it.
    pub codec: String,
}

/// A frame and the index of its track in [`Reader::tracks`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demuxed {
    /// The track.
    pub track: usize,
    /// The frame.
    pub frame: EncodedFrame,
}

/// Reads the AV1 and Opus tracks of an MP4 file, plain or fragmented, a frame at a time.
///
/// Memory is bounded by the file's own description of its samples, and that by 64 MiB. The time
/// of an Opus packet is that of its first captured sample: what the decoder yields plays its delay
/// (pre-skip) earlier.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    length: u64,
    movie: Movie,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Samples that `moov` describes: per track where it stands.
    Table(Vec<Cursor>),
    Fragments(Fragments),
    /// The end, or an error.
    Done,
}

/// A sample: where it lies and when it plays.
#[derive(Debug, Clone, Copy)]
struct SampleRef {
    offset: u64,
    size: u32,
    /// Decode time in ticks of the track.
    decode: u64,
    /// Presentation after decode, in ticks.
    composition: i64,
    duration: u32,
    key: bool,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the description of the tracks.
    pub fn new(mut input: R) -> Result<Self, ReadError> {
        let length = input.seek(SeekFrom::End(0))?;
        let mut at = 0;
        let moov = loop {
            let found = TopLevel::read(&mut input, at, length)?.ok_or(ReadError::NoMovie)?;
            if &found.kind == b"moov" {
                break found;
            }
            if found.end > length {
                return Err(found.truncated(length));
            }
            at = found.end;
        };
        let content = moov.load(&mut input, length, MAX_MOOV)?;
        let movie = Movie::parse(
            Child::root(moov.kind, moov.at, moov.body, &content),
            moov.end,
        )?;
        if movie.tracks.is_empty() {
            return Err(ReadError::NoTrack(movie.unsupported));
        }
        let mut reader = Self {
            input,
            length,
            movie,
            stage: Stage::Done,
        };
        reader.rewind();
        Ok(reader)
    }

    /// The tracks that are read.
    pub fn tracks(&self) -> &[Track] {
        &self.movie.tracks
    }

    /// The tracks that are passed over.
    pub fn unsupported(&self) -> &[UnsupportedTrack] {
        &self.movie.unsupported
    }

    /// Starts again with the first frame.
    pub fn rewind(&mut self) {
        self.stage = Stage::Table(
            self.movie
                .sources
                .iter()
                .map(|_| Cursor::default())
                .collect(),
        );
    }

    /// The next frame in order of time, as far as the file's fragments are; `None` at the end.
    /// After an error comes the end.
    pub fn read(&mut self) -> Result<Option<Demuxed>, ReadError> {
        let result = self.advance();
        if !matches!(result, Ok(Some(_))) {
            self.stage = Stage::Done;
        }
        result
    }

    fn advance(&mut self) -> Result<Option<Demuxed>, ReadError> {
        let Some((track, sample)) = self.next_sample()? else {
            return Ok(None);
        };
        let source = &self.movie.sources[track];
        let payload = load_sample(&mut self.input, self.length, &sample, source.id)?;
        let payload = if sample.key {
            with_sequence_header(payload, source)
        } else {
            payload
        };
        let time = source.presentation_time(&sample);
        let ticks = MediaTime::from_ticks(sample.duration.into(), source.timescale);
        let frame = EncodedFrame {
            duration: Some(ticks.saturating_since(MediaTime::ZERO)),
            ..EncodedFrame::video(time, sample.key, payload)
        };
        Ok(Some(Demuxed { track, frame }))
    }

    fn next_sample(&mut self) -> Result<Option<(usize, SampleRef)>, ReadError> {
        if let Stage::Table(cursors) = &mut self.stage {
            if let Some(found) = table::earliest(cursors, &self.movie.sources)? {
                return Ok(Some(found));
            }
            self.stage = match self.movie.fragments_at {
                Some(at) => Stage::Fragments(Fragments::new(at, cursors)),
                None => Stage::Done,
            };
        }
        match &mut self.stage {
            Stage::Fragments(fragments) => {
                let sources = &self.movie.sources;
                let found = fragments.next_sample(&mut self.input, self.length, sources)?;
                match self.movie.duration {
                    Some(said) if found.is_none() => fragments.check_end(said, sources)?,
                    _ => {}
                }
                Ok(found)
            }
            Stage::Table(_) | Stage::Done => Ok(None),
        }
    }
}

fn load_sample<R: Read + Seek>(
    input: &mut R,
    file: u64,
    sample: &SampleRef,
    track: u32,
) -> Result<Bytes, ReadError> {
    let (at, size) = (sample.offset, u64::from(sample.size));
    let what = || format!("a sample of track {track}");
    if at.checked_add(size).is_none_or(|end| end > file) {
        return Err(ReadError::Truncated {
            what: what(),
            at,
            needed: size,
            file,
        });
    }
    if size > MAX_SAMPLE {
        return Err(ReadError::TooLarge {
            what: what(),
            at,
            size,
            limit: MAX_SAMPLE,
        });
    }
    let mut payload = BytesMut::zeroed(size as usize);
    input.seek(SeekFrom::Start(at))?;
    input.read_exact(&mut payload)?;
    Ok(payload.freeze())
}

/// A key frame needs its sequence header in band; a file may have it in `av1C` alone.
fn with_sequence_header(payload: Bytes, source: &Source) -> Bytes {
    if source.sequence_header.is_empty()
        || av1::find_sequence_header(&payload) != Err(ObuError::NoSequenceHeader)
    {
        return payload;
    }
    [&source.sequence_header[..], &payload[..]].concat().into()
}

const MAX_MOOV: u64 = 64 * 1024 * 1024;
const MAX_SAMPLE: u64 = 16 * 1024 * 1024;
