use mp4_atom::{
    Audio, Av01, Av1c, Codec, Dinf, Dops, Dref, Edts, Elst, ElstEntry, Encode, FourCC, Ftyp, Hdlr,
    Mdhd, Mdia, Mehd, Minf, Moov, Mvex, Mvhd, Opus, Smhd, Stbl, Stco, Stsd, Tkhd, Trak, Trex, Url,
    Visual, Vmhd,
};

use super::WriteError;
use crate::{Timescale, av1::Av1Config};

/// Ticks per second of the movie as a whole, which only durations and edits use.
pub(super) const MOVIE_TIMESCALE: Timescale = Timescale::new(1_000).expect("not zero");

/// What the header says of a track.
pub(super) enum Description<'a> {
    Video {
        width: u16,
        height: u16,
        config: &'a Av1Config,
    },
    Audio {
        channels: u8,
        pre_skip: u16,
    },
}

impl Description<'_> {
    pub(super) const fn timescale(&self) -> Timescale {
        match self {
            Self::Video { .. } => Timescale::MICROS,
            Self::Audio { .. } => Timescale::AUDIO_48K,
        }
    }
}

/// The start of a file, and where in it the box lies that may later say the duration.
pub(super) struct Start {
    pub bytes: Vec<u8>,
    pub duration_box: usize,
}

/// `ftyp` and `moov`; track ids count from 1 in the order given.
pub(super) fn encode(tracks: &[Description<'_>]) -> Result<Start, WriteError> {
    let mut bytes = Vec::new();
    Ftyp {
        major_brand: FourCC::new(b"iso6"),
        minor_version: 0,
        compatible_brands: [b"iso6", b"mp41", b"av01"].map(FourCC::new).to_vec(),
    }
    .encode(&mut bytes)?;
    let moov_start = bytes.len();
    moov(tracks).encode(&mut bytes)?;
    let mehd = b"mehd";
    let kind = bytes[moov_start..]
        .windows(mehd.len())
        .position(|window| window == mehd)
        .map(|at| moov_start + at)
        .expect("moov has a mehd");
    // Until the duration is known the box is free space: zero would be a lie.
    bytes[kind..kind + 4].copy_from_slice(b"free");
    Ok(Start {
        bytes,
        duration_box: kind - 4,
    })
}

/// The box that says the duration, to be written at [`Start::duration_box`].
pub(super) fn duration_box(duration: u64) -> Result<Vec<u8>, WriteError> {
    let mut bytes = Vec::new();
    Mehd {
        fragment_duration: duration,
    }
    .encode(&mut bytes)?;
    Ok(bytes)
}

fn moov(tracks: &[Description<'_>]) -> Moov {
    let ids = 1..=tracks.len() as u32;
    Moov {
        mvhd: Mvhd {
            timescale: MOVIE_TIMESCALE.get() as u32,
            rate: 1.into(),
            volume: 1.into(),
            next_track_id: tracks.len() as u32 + 1,
            ..Mvhd::default()
        },
        mvex: Some(Mvex {
            mehd: Some(Mehd {
                fragment_duration: 0,
            }),
            trex: ids
                .clone()
                .map(|track_id| Trex {
                    track_id,
                    default_sample_description_index: 1,
                    ..Trex::default()
                })
                .collect(),
        }),
        trak: ids.zip(tracks).map(|(id, track)| trak(id, track)).collect(),
        ..Moov::default()
    }
}

fn trak(track_id: u32, track: &Description<'_>) -> Trak {
    let (width, height, volume) = match track {
        Description::Video { width, height, .. } => (*width, *height, 0),
        Description::Audio { .. } => (0, 0, 1),
    };
    Trak {
        tkhd: Tkhd {
            track_id,
            enabled: true,
            in_movie: true,
            volume: volume.into(),
            width: width.into(),
            height: height.into(),
            ..Tkhd::default()
        },
        edts: match track {
            Description::Audio { pre_skip, .. } if *pre_skip > 0 => Some(skip(*pre_skip)),
            Description::Video { .. } | Description::Audio { .. } => None,
        },
        mdia: mdia(track),
        ..Trak::default()
    }
}

/// An edit that starts after the decoder's delay; duration 0 is to the end, however many fragments.
fn skip(pre_skip: u16) -> Edts {
    let entry = ElstEntry {
        segment_duration: 0,
        media_time: Some(u64::from(pre_skip)),
        media_rate: 1.into(),
    };
    Edts {
        elst: Some(Elst {
            entries: vec![entry],
        }),
    }
}

fn mdia(track: &Description<'_>) -> Mdia {
    let (handler, name, vmhd, smhd) = match track {
        Description::Video { .. } => (b"vide", "video", Some(Vmhd::default()), None),
        Description::Audio { .. } => (b"soun", "audio", None, Some(Smhd::default())),
    };
    Mdia {
        mdhd: Mdhd {
            timescale: track.timescale().get() as u32,
            language: "und".to_owned(),
            ..Mdhd::default()
        },
        hdlr: Hdlr {
            handler: FourCC::new(handler),
            name: name.to_owned(),
        },
        minf: Minf {
            vmhd,
            smhd,
            dinf: Dinf {
                dref: Dref {
                    entries: vec![mp4_atom::DrefEntry::Url(Url::default())],
                },
            },
            stbl: Stbl {
                stsd: Stsd {
                    codecs: vec![sample_entry(track)],
                },
                stco: Some(Stco::default()),
                ..Stbl::default()
            },
            ..Minf::default()
        },
    }
}

fn sample_entry(track: &Description<'_>) -> Codec {
    match track {
        Description::Video {
            width,
            height,
            config,
        } => Codec::Av01(Av01 {
            visual: Visual {
                data_reference_index: 1,
                width: *width,
                height: *height,
                ..Visual::default()
            },
            av1c: av1c(config),
            ..Av01::default()
        }),
        Description::Audio { channels, pre_skip } => Codec::Opus(Opus {
            audio: Audio {
                data_reference_index: 1,
                channel_count: u16::from(*channels),
                sample_size: 16,
                sample_rate: 48_000.into(),
            },
            dops: Dops {
                output_channel_count: *channels,
                pre_skip: *pre_skip,
                input_sample_rate: 48_000,
                output_gain: 0,
                channel_mapping: None,
            },
            btrt: None,
        }),
    }
}

fn av1c(config: &Av1Config) -> Av1c {
    Av1c {
        seq_profile: config.profile,
        seq_level_idx_0: config.level,
        seq_tier_0: config.high_tier,
        high_bitdepth: config.bit_depth > 8,
        twelve_bit: config.bit_depth > 10,
        monochrome: config.monochrome,
        chroma_subsampling_x: config.subsampling_x,
        chroma_subsampling_y: config.subsampling_y,
        chroma_sample_position: config.chroma_sample_position,
        initial_presentation_delay: None,
        config_obus: config.sequence_header.to_vec(),
    }
}
