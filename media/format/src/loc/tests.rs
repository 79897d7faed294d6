use bytes::Bytes;
use parvis_wire::{Properties, Property};
use proptest::prelude::*;

use super::{Clock, Options, PackError, UnpackError, pack, unpack};
use crate::{AudioLevel, EncodedFrame, MediaKind, MediaTime};

fn frame() -> EncodedFrame {
    EncodedFrame::video(
        MediaTime::from_micros(1_767_225_600_123_456),
        true,
        "payload".into(),
    )
}

#[test]
fn video_carries_its_layers() {
    let frame = EncodedFrame {
        temporal_id: 2,
        spatial_id: 1,
        key: false,
        ..frame()
    };
    let properties = pack(MediaKind::Video, &frame, &Options::default()).unwrap();
    let unpacked = unpack(MediaKind::Video, &properties, frame.payload.clone(), true).unwrap();
    assert_eq!(unpacked.frame, frame);
    assert_eq!(unpacked.clock, Clock::Wall);
}

#[test]
fn key_frame_without_layers_has_the_octets_of_the_draft() {
    let properties = pack(MediaKind::Video, &frame(), &Options::default()).unwrap();
    let pairs = properties.decode().unwrap();
    assert_eq!(pairs[0], Property::bytes(0x09, Bytes::from_static(&[0xE0])));
    assert_eq!(pairs[1], Property::integer(0x10, 1_767_225_600_123_456));
    assert_eq!(pairs.len(), 2);
}

#[test]
fn audio_carries_its_level() {
    let level = AudioLevel {
        voice: true,
        below_full_scale: 23,
    };
    let frame = EncodedFrame {
        audio_level: Some(level),
        ..EncodedFrame::audio(frame().time, None, "".into())
    };
    let properties = pack(MediaKind::Audio, &frame, &Options::default()).unwrap();
    let unpacked = unpack(MediaKind::Audio, &properties, Bytes::new(), false).unwrap();
    assert_eq!(unpacked.frame, frame);
}

#[test]
fn timescale_of_others_is_heeded() {
    let properties = Properties::encode(vec![
        Property::integer(0x10, 96_000),
        Property::integer(0x08, 48_000),
    ]);
    let unpacked = unpack(MediaKind::Audio, &properties, Bytes::new(), true).unwrap();
    assert_eq!(unpacked.frame.time, MediaTime::from_millis(2_000));
    assert_eq!(unpacked.clock, Clock::Media);
}

#[test]
fn unmarked_frame_is_key_where_its_group_starts() {
    let properties = Properties::encode(vec![Property::integer(0x10, 1)]);
    for first in [true, false] {
        let unpacked = unpack(MediaKind::Video, &properties, Bytes::new(), first).unwrap();
        assert_eq!(unpacked.frame.key, first);
    }
}

#[test]
fn config_and_unknown_properties_are_kept() {
    let options = Options {
        clock: Clock::Media,
        config: Some("av1C".into()),
        extra: vec![
            Property::integer(0x40, 7),
            Property::bytes(0x41, "x".into()),
        ],
    };
    let properties = pack(MediaKind::Video, &frame(), &options).unwrap();
    let unpacked = unpack(MediaKind::Video, &properties, "payload".into(), false).unwrap();
    assert_eq!(unpacked.config, options.config);
    assert_eq!(unpacked.extra, options.extra);
    assert_eq!(unpacked.clock, Clock::Media);
    assert_eq!(unpacked.frame, frame());
}

#[test]
fn what_cannot_be_packed_is_refused() {
    let early = EncodedFrame {
        time: MediaTime::from_micros(-1),
        ..frame()
    };
    let pack = |frame: &EncodedFrame, options: &Options| pack(MediaKind::Video, frame, options);
    assert_eq!(
        pack(&early, &Options::default()),
        Err(PackError::NegativeTime(early.time))
    );
    let deep = EncodedFrame {
        temporal_id: 8,
        ..frame()
    };
    assert_eq!(
        pack(&deep, &Options::default()),
        Err(PackError::TemporalId(8))
    );
    let long = Options {
        config: Some(vec![0; 65_536].into()),
        ..Options::default()
    };
    assert_eq!(pack(&frame(), &long), Err(PackError::LongConfig(65_536)));
}

#[test]
fn what_is_no_frame_is_refused() {
    let unpack = |pairs| {
        unpack(
            MediaKind::Video,
            &Properties::encode(pairs),
            Bytes::new(),
            true,
        )
    };
    let time = Property::integer(0x10, 1);
    assert_eq!(unpack(vec![]), Err(UnpackError::NoTimestamp));
    assert_eq!(
        unpack(vec![time.clone(), Property::integer(0x08, 0)]),
        Err(UnpackError::ZeroTimescale)
    );
    assert_eq!(
        unpack(vec![Property::integer(0x10, u64::MAX)]),
        Err(UnpackError::TimestampRange(u64::MAX))
    );
    for length in [0, 5] {
        let marking = Property::bytes(0x09, vec![0; length].into());
        assert_eq!(
            unpack(vec![time.clone(), marking]),
            Err(UnpackError::FrameMarking(length))
        );
    }
}

proptest! {
    #[test]
    fn any_frame_round_trips(
        micros in 0..i64::MAX,
        video: bool,
        key: bool,
        temporal_id in 0_u8..8,
        spatial_id: u8,
        level: Option<u8>,
        media_clock: bool,
        config: Option<Vec<u8>>,
    ) {
        let kind = if video { MediaKind::Video } else { MediaKind::Audio };
        let frame = EncodedFrame {
            time: MediaTime::from_micros(micros),
            duration: None,
            key: key || !video,
            temporal_id: if video { temporal_id } else { 0 },
            spatial_id: if video { spatial_id } else { 0 },
            audio_level: level.filter(|_| !video).map(AudioLevel::from_octet),
            payload: Bytes::from_static(b"payload"),
        };
        let options = Options {
            clock: if media_clock { Clock::Media } else { Clock::Wall },
            config: config.map(Bytes::from),
            extra: Vec::new(),
        };
        let properties = pack(kind, &frame, &options).unwrap();
        let unpacked = unpack(kind, &properties, frame.payload.clone(), false).unwrap();
        prop_assert_eq!(unpacked.frame, frame);
        prop_assert_eq!(unpacked.clock, options.clock);
        prop_assert_eq!(unpacked.config, options.config);
    }

    #[test]
    fn any_properties_are_frame_or_error(bytes: Vec<u8>) {
        if let Ok(properties) = Properties::from_encoded(bytes.into()) {
            let _ = unpack(MediaKind::Video, &properties, Bytes::new(), true);
        }
    }
}
