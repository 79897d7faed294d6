use std::{
    collections::VecDeque,
    io::{self, Seek, SeekFrom, Write},
    time::Duration,
};

use thiserror::Error;

use super::{
    fragment::{self, RandomAccess, Run},
    header::{self, MOVIE_TIMESCALE},
};
use crate::{AudioParams, EncodedFrame, MediaTime, VideoParams, av1::ObuError};

mod silence;
mod track;

use track::Track;

/// How a [`Writer`] cuts its file.
#[derive(Debug, Clone)]
pub struct Options {
    /// The longest fragment: what a crash may cost.
    pub fragment: Duration,
    /// How long, in media time, the header waits for a track that has sent nothing. What comes
    /// later still finds its place; a video track is then described by its parameters alone.
    pub header_wait: Duration,
    /// The time that is zero in the file; `None`: that of the earliest frame.
    pub origin: Option<MediaTime>,
    /// What an audio track holds where nothing came.
    pub pauses: Pauses,
}

/// What an audio track holds from its first packet on where nothing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pauses {
    /// Silent packets: players that count samples and ignore times stay in step.
    #[default]
    Silence,
    /// Nothing: the next packet has a later time.
    Gap,
}

impl Default for Options {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            fragment: second,
            header_wait: second,
            origin: None,
            pauses: Pauses::Silence,
        }
    }
}

/// A track of a [`Writer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrackId(usize);

/// Why a frame was not written. The writer goes on after all but [`WriteError::Io`].
#[derive(Debug, Error)]
pub enum WriteError {
    /// The output failed; what is there is a file up to its last whole fragment.
    #[error("writing the MP4 file: {0}")]
    Io(#[from] io::Error),
    /// An earlier write failed.
    #[error("writing the MP4 file failed before")]
    Failed,
    /// The codec has no place here.
    #[error("MP4 files are written with av01 and opus of 1 or 2 channels, not with {codec:?}")]
    UnsupportedCodec {
        /// The codec string, and the number of channels where that is the reason.
        codec: String,
    },
    /// The header is written and cannot name another track.
    #[error("a track cannot be added after the header is written")]
    HeaderWritten,
    /// The track is of another writer.
    #[error("the track does not belong to this writer")]
    UnknownTrack,
    /// A video track starts with a key frame.
    #[error("the first frame of a video track, at {0}, is no key frame")]
    NeedsKeyFrame(MediaTime),
    /// Times of a track increase.
    #[error("a frame at {got} follows one at {last}")]
    OutOfOrder {
        /// The time of the frame before.
        last: MediaTime,
        /// The time of the frame.
        got: MediaTime,
    },
    /// More sound came than time passed.
    #[error("an audio packet at {got} lies more than its length before the end of the last, {end}")]
    Overlap {
        /// Where the sound before ends.
        end: MediaTime,
        /// The time of the packet.
        got: MediaTime,
    },
    /// The frame is earlier than the file.
    #[error("a frame at {got} is before the start of the file, {origin}")]
    BeforeOrigin {
        /// What is zero in the file.
        origin: MediaTime,
        /// The time of the frame.
        got: MediaTime,
    },
    /// The frame is no AV1.
    #[error("a video frame: {0}")]
    Bitstream(#[from] ObuError),
    /// The packet is no Opus.
    #[error("an audio packet of {0} bytes is no Opus")]
    NoOpus(usize),
    /// A fragment has more than 2 GiB.
    #[error("a fragment exceeds 2 GiB")]
    FragmentTooLarge,
    /// A box cannot be encoded.
    #[error("encoding a box: {0}")]
    Box(#[from] mp4_atom::Error),
}

/// Writes a fragmented MP4 file: AV1 video tracks, Opus audio tracks.
///
/// Tracks may start late and pause without shifting what comes after. Durations come from the times
/// of frames. Video is described by its first sequence header; later ones stay in their samples.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    options: Options,
    tracks: Vec<Track>,
    stage: Stage,
    position: u64,
    fragments: u32,
    newest: Option<MediaTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waits for tracks to show what they are.
    Header,
    Fragments {
        origin: MediaTime,
        duration_box: u64,
    },
    Failed,
}

impl<W: Write> Writer<W> {
    /// A file without tracks; nothing is written yet.
    pub fn new(output: W, options: Options) -> Self {
        Self {
            output,
            options,
            tracks: Vec::new(),
            stage: Stage::Header,
            position: 0,
            fragments: 0,
            newest: None,
        }
    }

    /// Adds a video track, before the header is written.
    pub fn add_video(&mut self, params: &VideoParams) -> Result<TrackId, WriteError> {
        self.add(Track::video(self.next_id(), params)?)
    }

    /// Adds an audio track, before the header is written.
    pub fn add_audio(&mut self, params: &AudioParams) -> Result<TrackId, WriteError> {
        self.add(Track::audio(self.next_id(), params)?)
    }

    /// Takes a frame; writes a fragment when enough have come.
    pub fn write(&mut self, track: TrackId, frame: EncodedFrame) -> Result<(), WriteError> {
        let (time, origin) = (frame.time, self.options.origin);
        let zero = match self.stage {
            Stage::Header => origin,
            Stage::Fragments { origin, .. } => Some(origin),
            Stage::Failed => return Err(WriteError::Failed),
        };
        if let Some(origin) = zero
            && time < origin
        {
            return Err(WriteError::BeforeOrigin { origin, got: time });
        }
        self.tracks
            .get_mut(track.0)
            .ok_or(WriteError::UnknownTrack)?
            .push(frame, self.options.pauses)?;
        self.newest = self.newest.max(Some(time));
        if self.stage == Stage::Header && self.header_is_due(time) {
            self.write_header()?;
        }
        if self.stage != Stage::Header && self.fragment_is_due(time) {
            self.write_fragment(Cut::Known)?;
        }
        Ok(())
    }

    /// Writes what is buffered, and the index; gives the output back.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.end()?;
        Ok(self.output)
    }

    /// As [`Writer::finish`], and writes the duration into the header.
    pub fn finish_with_duration(mut self) -> Result<W, WriteError>
    where
        W: Seek,
    {
        let base = self.output.stream_position()?.saturating_sub(self.position);
        self.end()?;
        if let Stage::Fragments { duration_box, .. } = self.stage {
            let ends = self
                .tracks
                .iter()
                .map(|t| t.end().to_ticks(MOVIE_TIMESCALE));
            let duration = u64::try_from(ends.max().unwrap_or(0)).unwrap_or(0);
            self.output.seek(SeekFrom::Start(base + duration_box))?;
            self.output.write_all(&header::duration_box(duration)?)?;
            self.output.seek(SeekFrom::End(0))?;
            self.output.flush()?;
        }
        Ok(self.output)
    }

    fn next_id(&self) -> u32 {
        self.tracks.len() as u32 + 1
    }

    fn add(&mut self, track: Track) -> Result<TrackId, WriteError> {
        if self.stage != Stage::Header {
            return Err(WriteError::HeaderWritten);
        }
        self.tracks.push(track);
        Ok(TrackId(self.tracks.len() - 1))
    }

    fn oldest(&self) -> Option<MediaTime> {
        self.tracks.iter().filter_map(Track::oldest).min()
    }

    fn buffered(&self) -> usize {
        self.tracks.iter().map(Track::buffered).sum()
    }

    fn header_is_due(&self, now: MediaTime) -> bool {
        let waited = self
            .oldest()
            .map_or(Duration::ZERO, |oldest| now.saturating_since(oldest));
        self.tracks.iter().all(|track| track.oldest().is_some())
            || waited >= self.options.header_wait
            || self.buffered() >= MAX_BUFFERED
    }

    fn fragment_is_due(&self, now: MediaTime) -> bool {
        self.oldest()
            .is_some_and(|oldest| now.saturating_since(oldest) >= self.options.fragment)
            || self.buffered() >= MAX_BUFFERED
    }

    fn write_header(&mut self) -> Result<(), WriteError> {
        let oldest = self.oldest().unwrap_or(MediaTime::ZERO);
        let origin = self.options.origin.unwrap_or(oldest);
        let descriptions: Vec<_> = self.tracks.iter_mut().map(Track::describe).collect();
        let start = header::encode(&descriptions)?;
        drop(descriptions);
        self.put(&start.bytes)?;
        self.tracks.iter_mut().for_each(|track| track.place(origin));
        self.stage = Stage::Fragments {
            origin,
            duration_box: start.duration_box as u64,
        };
        Ok(())
    }

    fn write_fragment(&mut self, cut: Cut) -> Result<(), WriteError> {
        let newest = self.newest.unwrap_or(MediaTime::ZERO);
        let give_up = newest - self.options.fragment;
        if self.options.pauses == Pauses::Silence {
            self.tracks
                .iter_mut()
                .for_each(|track| track.fill_pause(give_up));
        }
        let runs: Vec<Run> = self
            .tracks
            .iter_mut()
            .flat_map(|track| track.take(cut, give_up))
            .collect();
        // A track has one run in a fragment; after a pause it goes on in a fragment of its own.
        let mut rounds: VecDeque<Vec<Run>> = VecDeque::new();
        for run in runs {
            let free = rounds
                .iter_mut()
                .find(|r| r.iter().all(|o| o.track_id != run.track_id));
            match free {
                Some(round) => round.push(run),
                None => rounds.push_back(vec![run]),
            }
        }
        for round in rounds {
            self.fragments += 1;
            let bytes = fragment::encode(self.fragments, &round)?;
            for index in self.tracks.iter_mut().filter_map(Track::index_mut) {
                index.note(self.position, &round);
            }
            self.put(&bytes)?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), WriteError> {
        match self.stage {
            Stage::Failed => return Err(WriteError::Failed),
            Stage::Header => self.write_header()?,
            Stage::Fragments { .. } => {}
        }
        self.write_fragment(Cut::All)?;
        let index: Vec<RandomAccess> = self
            .tracks
            .iter_mut()
            .filter_map(Track::take_index)
            .collect();
        if !index.is_empty() {
            self.put(&fragment::encode_index(index)?)?;
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let result = self
            .output
            .write_all(bytes)
            .and_then(|()| self.output.flush());
        if let Err(error) = result {
            self.stage = Stage::Failed;
            return Err(error.into());
        }
        self.position += bytes.len() as u64;
        Ok(())
    }
}

/// Which buffered samples go into a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Those whose next one has come, and those that waited for too long.
    Known,
    /// All.
    All,
}

/// Bytes of payload that wait for their fragment at most.
const MAX_BUFFERED: usize = 16 * 1024 * 1024;
