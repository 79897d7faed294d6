use mp4_atom::{CttsEntry, StscEntry, StszSamples, SttsEntry};

use super::{ReadError, SampleRef, movie::Source};
use crate::Timescale;

/// The samples that `moov` describes, in the compressed form of the file.
#[derive(Debug)]
pub(super) struct SampleTable {
    /// Where the box lies, for errors.
    pub at: u64,
    pub durations: Vec<SttsEntry>,
    pub offsets: Vec<CttsEntry>,
    pub sizes: StszSamples,
    pub runs: Vec<StscEntry>,
    pub chunks: Vec<u64>,
    /// Numbers of key samples, from 1; `None`: all are.
    pub sync: Option<Vec<u32>>,
}

impl SampleTable {
    pub(super) fn mean_rate(&self, timescale: Timescale) -> Option<f64> {
        let sum = |value: fn(&SttsEntry) -> u64| self.durations.iter().map(value).sum::<u64>();
        let samples = sum(|entry| entry.sample_count.into());
        let ticks = self.durations.iter().try_fold(0_u64, |ticks, entry| {
            ticks.checked_add(u64::from(entry.sample_count) * u64::from(entry.sample_delta))
        })?;
        (ticks > 0).then(|| samples as f64 * timescale.get() as f64 / ticks as f64)
    }

    fn size(&self, sample: u32) -> Option<u32> {
        match &self.sizes {
            StszSamples::Identical { count, size } => (sample < *count).then_some(*size),
            StszSamples::Different { sizes } => sizes.get(sample as usize).copied(),
        }
    }

    fn malformed(&self, detail: &str) -> ReadError {
        ReadError::malformed(*b"stbl", self.at, detail)
    }
}

/// Walks over a [`SampleTable`].
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// The sample that comes next, once it was looked at.
    next: Option<SampleRef>,
    /// Number of samples passed.
    sample: u32,
    /// End of the last sample in ticks.
    decode: u64,
    duration: RunLength,
    offset: RunLength,
    sync: usize,
    /// Chunks started.
    chunk: usize,
    run: usize,
    left_in_chunk: u32,
    position: u64,
}

/// Where a cursor stands in a list of (count, value).
#[derive(Debug, Default)]
struct RunLength {
    entry: usize,
    used: u32,
}

impl RunLength {
    /// The value for the next sample; `None` past the end of the list.
    fn next<'a, T>(&mut self, entries: &'a [T], count: fn(&T) -> u32) -> Option<&'a T> {
        while let Some(entry) = entries.get(self.entry) {
            if self.used < count(entry) {
                self.used += 1;
                return Some(entry);
            }
            self.entry += 1;
            self.used = 0;
        }
        None
    }
}

impl Cursor {
    /// Where the samples passed end, in ticks.
    pub(super) const fn decode_end(&self) -> u64 {
        self.decode
    }

    fn peek(&mut self, table: &SampleTable) -> Result<Option<SampleRef>, ReadError> {
        if self.next.is_none() {
            self.next = self.step(table)?;
        }
        Ok(self.next)
    }

    fn step(&mut self, table: &SampleTable) -> Result<Option<SampleRef>, ReadError> {
        let Some(size) = table.size(self.sample) else {
            return Ok(None);
        };
        if size == 0 {
            return Err(table.malformed("a sample is empty"));
        }
        let duration = self
            .duration
            .next(&table.durations, |entry| entry.sample_count)
            .ok_or_else(|| table.malformed("it has more sizes than durations"))?
            .sample_delta;
        let composition = self.offset.next(&table.offsets, |entry| entry.sample_count);
        self.enter_chunk(table)?;
        self.sample += 1;
        let key = match &table.sync {
            None => true,
            Some(sync) => {
                while sync
                    .get(self.sync)
                    .is_some_and(|&number| number < self.sample)
                {
                    self.sync += 1;
                }
                sync.get(self.sync) == Some(&self.sample)
            }
        };
        let found = SampleRef {
            offset: self.position,
            size,
            decode: self.decode,
            composition: composition.map_or(0, |entry| entry.sample_offset),
            duration,
            key,
        };
        self.left_in_chunk -= 1;
        self.position = self.position.saturating_add(size.into());
        self.decode = self.decode.saturating_add(duration.into());
        Ok(Some(found))
    }

    /// Goes on to the chunk that holds the next sample.
    fn enter_chunk(&mut self, table: &SampleTable) -> Result<(), ReadError> {
        while self.left_in_chunk == 0 {
            self.position = *table
                .chunks
                .get(self.chunk)
                .ok_or_else(|| table.malformed("it has more samples than its chunks hold"))?;
            self.chunk += 1;
            let starts = |run: usize| {
                table
                    .runs
                    .get(run)
                    .is_some_and(|entry| entry.first_chunk as usize <= self.chunk)
            };
            while starts(self.run + 1) {
                self.run += 1;
            }
            let entry = table
                .runs
                .get(self.run)
                .filter(|entry| entry.first_chunk as usize <= self.chunk)
                .ok_or_else(|| table.malformed("a chunk belongs to no run of stsc"))?;
            if entry.sample_description_index != 1 {
                return Err(table.malformed("samples have a second description, expected one"));
            }
            self.left_in_chunk = entry.samples_per_chunk;
        }
        Ok(())
    }
}

/// Takes the earliest sample of all tracks; `None` at the end of all.
pub(super) fn earliest(
    cursors: &mut [Cursor],
    sources: &[Source],
) -> Result<Option<(usize, SampleRef)>, ReadError> {
    let mut first = None;
    for (track, (cursor, source)) in cursors.iter_mut().zip(sources).enumerate() {
        if let Some(sample) = cursor.peek(&source.table)? {
            let time = source.decode_time(sample.decode);
            if first.is_none_or(|(_, _, earliest)| time < earliest) {
                first = Some((track, sample, time));
            }
        }
    }
    Ok(first.map(|(track, sample, _)| {
        cursors[track].next = None;
        (track, sample)
    }))
}
