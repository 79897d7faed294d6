use bytes::Bytes;
use mp4_atom::{
    Encode, FragmentInfo, Mfhd, Mfra, Mfro, Moof, Tfdt, Tfhd, Tfra, Traf, Trun, TrunEntry,
};

use super::WriteError;

/// A sample whose duration is known.
pub(super) struct Sample {
    /// Start in ticks of its track.
    pub start: u64,
    /// Length in ticks of its track.
    pub duration: u32,
    pub key: bool,
    pub payload: Bytes,
}

/// Consecutive samples of one track for one fragment; never empty.
pub(super) struct Run {
    pub track_id: u32,
    pub samples: Vec<Sample>,
}

/// A `moof` and its `mdat`.
pub(super) fn encode(sequence_number: u32, runs: &[Run]) -> Result<Vec<u8>, WriteError> {
    let mut moof = Moof {
        mfhd: Mfhd { sequence_number },
        traf: runs.iter().map(traf).collect(),
    };
    let mut bytes = Vec::new();
    moof.encode(&mut bytes)?;
    let mut offset = bytes.len() + MDAT_HEADER;
    for (traf, run) in moof.traf.iter_mut().zip(runs) {
        let position = i32::try_from(offset).map_err(|_| WriteError::FragmentTooLarge)?;
        traf.trun[0].data_offset = Some(position);
        offset += run
            .samples
            .iter()
            .map(|sample| sample.payload.len())
            .sum::<usize>();
    }
    let moof_len = bytes.len();
    let mdat_len = u32::try_from(offset - moof_len).map_err(|_| WriteError::FragmentTooLarge)?;
    bytes.clear();
    bytes.reserve(offset);
    moof.encode(&mut bytes)?;
    bytes.extend_from_slice(&mdat_len.to_be_bytes());
    bytes.extend_from_slice(b"mdat");
    for sample in runs.iter().flat_map(|run| &run.samples) {
        bytes.extend_from_slice(&sample.payload);
    }
    Ok(bytes)
}

fn traf(run: &Run) -> Traf {
    let entries = run.samples.iter().map(|sample| TrunEntry {
        duration: Some(sample.duration),
        size: Some(sample.payload.len() as u32),
        flags: Some(if sample.key { SYNC } else { NO_SYNC }),
        cts: None,
    });
    Traf {
        tfhd: Tfhd {
            track_id: run.track_id,
            default_base_is_moof: true,
            ..Tfhd::default()
        },
        tfdt: Some(Tfdt {
            base_media_decode_time: run.samples[0].start,
        }),
        trun: vec![Trun {
            // Its number of bytes does not depend on its value, which comes later.
            data_offset: Some(0),
            samples: entries.collect::<Vec<_>>().into(),
        }],
        ..Traf::default()
    }
}

/// Where decoding of a track may start.
#[derive(Debug)]
pub(super) struct RandomAccess {
    pub track_id: u32,
    pub entries: Vec<FragmentInfo>,
}

impl RandomAccess {
    /// Notes the first key frame of each fragment, which lies at `moof_offset` in the file.
    pub(super) fn note(&mut self, moof_offset: u64, runs: &[Run]) {
        let found = runs
            .iter()
            .zip(1..)
            .find(|(run, _)| run.track_id == self.track_id);
        let Some((run, traf_number)) = found else {
            return;
        };
        let key = run.samples.iter().zip(1..).find(|(sample, _)| sample.key);
        if let Some((sample, sample_number)) = key {
            self.entries.push(FragmentInfo {
                time: sample.start,
                moof_offset,
                traf_number,
                trun_number: 1,
                sample_delta: sample_number,
            });
        }
    }
}

/// The index at the end of the file.
pub(super) fn encode_index(tracks: Vec<RandomAccess>) -> Result<Vec<u8>, WriteError> {
    let tfra = tracks
        .into_iter()
        .map(|track| Tfra {
            track_id: track.track_id,
            entries: track.entries,
        })
        .collect();
    let mut mfra = Mfra {
        tfra,
        mfro: Mfro::default(),
    };
    let mut bytes = Vec::new();
    mfra.encode(&mut bytes)?;
    mfra.mfro.parent_size = bytes.len() as u32;
    bytes.clear();
    mfra.encode(&mut bytes)?;
    Ok(bytes)
}

const MDAT_HEADER: usize = 8;
/// Depends on no other sample.
const SYNC: u32 = 0x0200_0000;
/// Depends on others, is no sync sample.
const NO_SYNC: u32 = 0x0101_0000;
