use std::{
    io::{Read, Seek},
    time::Duration,
};

use mp4_atom::{Tfdt, Tfhd, Trun, TrunSamples};

use super::{ReadError, SampleRef, movie::Source, table::Cursor};
use crate::{
    MediaTime,
    mp4::boxes::{Child, TopLevel},
};

/// Reads fragment after fragment.
#[derive(Debug)]
pub(super) struct Fragments {
    /// Where the next box of the top level starts.
    position: u64,
    /// What is left of this fragment, a piece for each of its `traf`.
    pieces: Vec<Piece>,
    /// Per track where its samples so far end, in ticks.
    decode_ends: Vec<u64>,
}

/// The samples of one `traf`.
#[derive(Debug)]
struct Piece {
    track: usize,
    runs: Vec<Run>,
    run: usize,
    sample: usize,
    /// Where the next sample lies.
    offset: u64,
    decode: u64,
    duration: u32,
    size: u32,
    flags: u32,
    /// Where `moof` lies, for errors.
    at: u64,
}

#[derive(Debug)]
struct Run {
    /// Where its first sample lies; `None`: after the run before.
    offset: Option<u64>,
    samples: TrunSamples,
}

impl Fragments {
    /// at: where the fragments start. cursors: where the samples of `moov` ended.
    pub(super) fn new(at: u64, cursors: &[Cursor]) -> Self {
        let decode_ends = cursors.iter().map(Cursor::decode_end).collect();
        Self {
            position: at,
            pieces: Vec::new(),
            decode_ends,
        }
    }

    pub(super) fn next_sample<R: Read + Seek>(
        &mut self,
        input: &mut R,
        file: u64,
        sources: &[Source],
    ) -> Result<Option<(usize, SampleRef)>, ReadError> {
        loop {
            self.pieces.retain_mut(Piece::is_left);
            let time = |piece: &Piece| sources[piece.track].decode_time(piece.decode);
            let earliest = self.pieces.iter_mut().min_by_key(|piece| time(piece));
            if let Some(piece) = earliest {
                let sample = piece.next_sample()?;
                self.decode_ends[piece.track] = piece.decode;
                return Ok(Some((piece.track, sample)));
            }
            if !self.read_fragment(input, file, sources)? {
                return Ok(None);
            }
        }
    }

    /// Checks that the fragments last as long as the header says: a file that was cut between two
    /// of them looks whole otherwise.
    pub(super) fn check_end(&self, said: MediaTime, sources: &[Source]) -> Result<(), ReadError> {
        let ends = self.decode_ends.iter().zip(sources);
        let ends = ends.map(|(end, source)| source.decode_time(*end)).max();
        let ends = ends.unwrap_or(MediaTime::ZERO);
        if said.saturating_since(ends) > END_SLACK {
            return Err(ReadError::EndsEarly { said, ends });
        }
        Ok(())
    }

    /// Whether there was another box.
    fn read_fragment<R: Read + Seek>(
        &mut self,
        input: &mut R,
        file: u64,
        sources: &[Source],
    ) -> Result<bool, ReadError> {
        let Some(found) = TopLevel::read(input, self.position, file)? else {
            return Ok(false);
        };
        if &found.kind == b"moof" {
            let content = found.load(input, file, MAX_MOOF)?;
            let moof = Child::root(found.kind, found.at, found.body, &content);
            self.pieces = pieces(moof, sources, &self.decode_ends)?;
        } else if found.end > file {
            return Err(found.truncated(file));
        }
        self.position = found.end;
        Ok(true)
    }
}

impl Piece {
    /// Whether there is another sample; goes on to the run that has it.
    fn is_left(&mut self) -> bool {
        while let Some(run) = self.runs.get(self.run) {
            if self.sample < run.samples.len() {
                return true;
            }
            self.run += 1;
            self.sample = 0;
            if let Some(offset) = self.runs.get(self.run).and_then(|run| run.offset) {
                self.offset = offset;
            }
        }
        false
    }

    /// Call only after [`Piece::is_left`] said so.
    fn next_sample(&mut self) -> Result<SampleRef, ReadError> {
        let entry = self
            .runs
            .get(self.run)
            .and_then(|run| run.samples.get(self.sample));
        let entry = entry.unwrap_or_default();
        let size = entry.size.unwrap_or(self.size);
        if size == 0 {
            return Err(ReadError::malformed(*b"moof", self.at, "a sample is empty"));
        }
        let duration = entry.duration.unwrap_or(self.duration);
        let found = SampleRef {
            offset: self.offset,
            size,
            decode: self.decode,
            composition: entry.cts.unwrap_or(0),
            duration,
            key: entry.flags.unwrap_or(self.flags) & NO_SYNC == 0,
        };
        self.sample += 1;
        self.offset = self.offset.saturating_add(size.into());
        self.decode = self.decode.saturating_add(duration.into());
        Ok(found)
    }

    /// Where its data ends, if its runs follow each other.
    fn data_end(&self) -> u64 {
        let mut end = self.offset;
        for run in &self.runs {
            end = run.offset.unwrap_or(end);
            let size: u64 = match &run.samples {
                TrunSamples::Inherited { count, .. } => u64::from(*count) * u64::from(self.size),
                TrunSamples::Explicit(entries) => entries
                    .iter()
                    .map(|e| u64::from(e.size.unwrap_or(self.size)))
                    .sum(),
            };
            end = end.saturating_add(size);
        }
        end
    }
}

fn pieces(
    moof: Child<'_>,
    sources: &[Source],
    decode_ends: &[u64],
) -> Result<Vec<Piece>, ReadError> {
    let mut pieces: Vec<Piece> = Vec::new();
    // Without a base of its own a traf's data follows that of the traf before.
    let mut follows = moof.at;
    for traf in moof.children(0) {
        let traf = traf?;
        if &traf.kind != b"traf" {
            continue;
        }
        let tfhd: Tfhd = traf.required(*b"tfhd")?.decode()?;
        let base = match tfhd.base_data_offset {
            Some(base) => base,
            None if tfhd.default_base_is_moof => moof.at,
            None => follows,
        };
        let known = sources.iter().position(|source| source.id == tfhd.track_id);
        let defaults = known
            .map(|track| sources[track].defaults.clone())
            .unwrap_or_default();
        let mut runs = Vec::new();
        for child in traf.children(0) {
            let child = child?;
            if &child.kind == b"trun" {
                let trun: Trun = child.decode()?;
                let offset = trun
                    .data_offset
                    .map(|o| base.saturating_add_signed(o.into()));
                runs.push(Run {
                    offset,
                    samples: trun.samples,
                });
            }
        }
        let tfdt = traf
            .child(*b"tfdt")?
            .map(Child::decode::<Tfdt>)
            .transpose()?;
        let continued = known
            .and_then(|track| decode_ends.get(track))
            .copied()
            .unwrap_or(0);
        let piece = Piece {
            track: known.unwrap_or(0),
            offset: runs.first().and_then(|run| run.offset).unwrap_or(base),
            runs,
            run: 0,
            sample: 0,
            decode: tfdt.map_or(continued, |tfdt| tfdt.base_media_decode_time),
            duration: tfhd
                .default_sample_duration
                .unwrap_or(defaults.default_sample_duration),
            size: tfhd
                .default_sample_size
                .unwrap_or(defaults.default_sample_size),
            flags: tfhd
                .default_sample_flags
                .unwrap_or(defaults.default_sample_flags),
            at: moof.at,
        };
        follows = piece.data_end();
        if known.is_some() {
            pieces.push(piece);
        }
    }
    Ok(pieces)
}

/// How much shorter than the header says a file may be: writers round and count differently.
const END_SLACK: Duration = Duration::from_millis(500);
const MAX_MOOF: u64 = 4 * 1024 * 1024;
/// The flag of a sample that is no sync sample.
const NO_SYNC: u32 = 0x0001_0000;
