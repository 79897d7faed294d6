use bytes::Bytes;
use proptest::prelude::*;

use super::{
    Av1Config, ConfigError, ObuError, ObuKind, SequenceHeader, contains_key_frame,
    find_sequence_header, level_for, obus, strip_temporal_delimiters,
};
use crate::samples::{AV1_DELTA, AV1_KEY};

/// Sequence headers of libaom, without OBU header.
const HIGH_10_BIT_720P: &[u8] = &[0, 0, 0, 0x2D, 0x4C, 0xFF, 0xB3, 0xCC, 0xAF, 0x94, 0x04];
const PROFILE_1_444: &[u8] = &[0x20, 0, 0, 0x02, 0xAF, 0xF7, 0x9B, 0x5F, 0x20, 0x40];
const MONOCHROME: &[u8] = &[0, 0, 0, 0x02, 0xAF, 0xF7, 0x9B, 0x5F, 0x25, 0x40];
const PROFILE_2_422_12_BIT: &[u8] = &[0x40, 0, 0, 0x02, 0xAF, 0xF7, 0x9B, 0x5F, 0x2C, 0x44];

#[test]
fn key_frame_is_taken_apart() {
    let kinds: Vec<ObuKind> = obus(AV1_KEY).map(|obu| obu.unwrap().kind).collect();
    assert_eq!(
        kinds,
        [
            ObuKind::TemporalDelimiter,
            ObuKind::SequenceHeader,
            ObuKind::Frame
        ]
    );
    assert_eq!(contains_key_frame(AV1_KEY), Ok(true));
    assert_eq!(contains_key_frame(AV1_DELTA), Ok(false));
    assert_eq!(
        find_sequence_header(AV1_DELTA),
        Err(ObuError::NoSequenceHeader)
    );
}

#[test]
fn sequence_header_says_size_and_format() {
    let (header, _) = find_sequence_header(AV1_KEY).unwrap();
    assert_eq!((header.max_width, header.max_height), (64, 48));
    assert_eq!((header.profile, header.bit_depth), (0, 8));
    assert!(header.subsampling_x && header.subsampling_y && !header.monochrome);

    let header = SequenceHeader::parse(HIGH_10_BIT_720P).unwrap();
    assert_eq!((header.max_width, header.max_height), (1_280, 720));
    assert_eq!((header.level, header.bit_depth), (5, 10));

    let header = SequenceHeader::parse(PROFILE_1_444).unwrap();
    assert!(header.profile == 1 && !header.subsampling_x && !header.subsampling_y);

    assert!(SequenceHeader::parse(MONOCHROME).unwrap().monochrome);

    let header = SequenceHeader::parse(PROFILE_2_422_12_BIT).unwrap();
    assert_eq!((header.profile, header.bit_depth), (2, 12));
    assert!(header.subsampling_x && !header.subsampling_y);
}

#[test]
fn config_round_trips_and_names_the_codec() {
    let (config, _) = Av1Config::from_key_frame(AV1_KEY).unwrap();
    assert_eq!(config.codec_string(), "av01.0.00M.08");
    assert_eq!(Av1Config::decode(&config.encode()), Ok(config));
    for body in [
        HIGH_10_BIT_720P,
        PROFILE_1_444,
        MONOCHROME,
        PROFILE_2_422_12_BIT,
    ] {
        let obu = [&[0x0A, body.len() as u8], body].concat();
        let (config, _) = Av1Config::from_key_frame(&obu).unwrap();
        assert_eq!(config.sequence_header, obu);
        assert_eq!(Av1Config::decode(&config.encode()), Ok(config));
    }
    let assumed = Av1Config::assumed(1_280, 720);
    assert_eq!(assumed.codec_string(), "av01.0.05M.08");
    assert_eq!(Av1Config::decode(&assumed.encode()), Ok(assumed));
    assert_eq!(Av1Config::decode(&[0x81, 0, 0]), Err(ConfigError::Short(3)));
    assert_eq!(
        Av1Config::decode(&[0x01, 0, 0, 0]),
        Err(ConfigError::Version(1))
    );
}

#[test]
fn temporal_delimiters_are_stripped() {
    let key = Bytes::from_static(AV1_KEY);
    let stripped = strip_temporal_delimiters(&key).unwrap();
    assert_eq!(stripped, AV1_KEY[2..]);
    assert_eq!(stripped.as_ptr(), key[2..].as_ptr(), "nothing is copied");
    let two = Bytes::from([AV1_KEY, AV1_DELTA].concat());
    let both = [&AV1_KEY[2..], &AV1_DELTA[2..]].concat();
    assert_eq!(strip_temporal_delimiters(&two).unwrap(), both);
}

#[test]
fn broken_units_are_errors() {
    assert_eq!(obus(&[0x80]).next(), Some(Err(ObuError::Forbidden(0))));
    let cut = ObuError::Truncated {
        at: 2,
        needed: 12,
        available: 11,
    };
    assert_eq!(obus(&AV1_KEY[..13]).nth(1), Some(Err(cut)));
    assert_eq!(obus(&[0x12, 0xFF]).next(), Some(Err(ObuError::Size(0))));
    let mut walk = obus(&[0x16]);
    assert!(matches!(
        walk.next(),
        Some(Err(ObuError::Truncated { needed: 2, .. }))
    ));
    assert_eq!(walk.next(), None);
    assert_eq!(
        SequenceHeader::parse(&[0, 0]),
        Err(ObuError::SequenceHeader)
    );
}

#[test]
fn levels_follow_the_size() {
    let sizes = [
        (320, 180),
        (640, 360),
        (1_280, 720),
        (1_920, 1_080),
        (3_840, 2_160),
        (60_000, 9),
    ];
    assert_eq!(
        sizes.map(|(width, height)| level_for(width, height)),
        [0, 1, 5, 8, 12, 31]
    );
}

proptest! {
    #[test]
    fn any_bytes_are_units_or_error(bytes: Vec<u8>) {
        let _ = contains_key_frame(&bytes);
        let _ = Av1Config::decode(&bytes);
        let _ = SequenceHeader::parse(&bytes);
        let _ = strip_temporal_delimiters(&bytes.into());
    }

    #[test]
    fn mutated_key_frame_is_unit_or_error(at: prop::sample::Index, byte: u8) {
        let mut unit = AV1_KEY.to_vec();
        let at = at.index(unit.len());
        unit[at] = byte;
        let _ = contains_key_frame(&unit);
        let _ = Av1Config::from_key_frame(&unit);
    }
}
