use std::{
    io::{self, Cursor, Write},
    time::Duration,
};

use bytes::Bytes;
use proptest::prelude::*;

use super::{
    Demuxed, Options, Pauses, ReadError, Reader, TrackId, TrackParams, WriteError, Writer,
};
use crate::{
    AudioParams, EncodedFrame, MediaTime, VideoParams,
    samples::{AV1_DELTA, AV1_KEY, OPUS},
};

fn video(micros: i64, key: bool) -> EncodedFrame {
    let payload = if key { AV1_KEY } else { AV1_DELTA };
    EncodedFrame::video(
        MediaTime::from_micros(micros),
        key,
        Bytes::from_static(payload),
    )
}

fn audio(micros: i64) -> EncodedFrame {
    EncodedFrame::audio(
        MediaTime::from_micros(micros),
        None,
        Bytes::from_static(OPUS),
    )
}

fn writer() -> (Writer<Vec<u8>>, TrackId, TrackId) {
    let mut writer = Writer::new(Vec::new(), Options::default());
    let camera = writer.add_video(&VideoParams::av1(64, 48)).unwrap();
    let microphone = writer.add_audio(&AudioParams::opus(2)).unwrap();
    (writer, camera, microphone)
}

/// Two and a half seconds of both tracks.
fn file() -> Vec<u8> {
    let (mut writer, camera, microphone) = writer();
    for i in 0..125 {
        writer.write(microphone, audio(i * 20_000)).unwrap();
        if i % 5 == 0 {
            writer
                .write(camera, video(i * 20_000, i % 50 == 0))
                .unwrap();
        }
    }
    writer.finish().unwrap()
}

fn read_all(file: &[u8]) -> Result<Vec<Demuxed>, (Vec<Demuxed>, ReadError)> {
    let mut frames = Vec::new();
    let mut reader = Reader::new(Cursor::new(file)).map_err(|error| (Vec::new(), error))?;
    loop {
        match reader.read() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return Ok(frames),
            Err(error) => return Err((frames, error)),
        }
    }
}

fn times(frames: &[Demuxed], track: usize) -> Vec<i64> {
    let of_track = frames.iter().filter(|found| found.track == track);
    of_track.map(|found| found.frame.time.as_micros()).collect()
}

/// Where the boxes of the top level end.
fn box_ends(file: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while at < file.len() {
        at += u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        ends.push(at);
    }
    ends
}

#[test]
fn what_is_written_is_read() {
    let file = file();
    let reader = Reader::new(Cursor::new(&file)).unwrap();
    let TrackParams::Video(params) = &reader.tracks()[0].params else {
        panic!("video")
    };
    assert_eq!((params.width, params.height), (64, 48));
    assert_eq!(
        reader.tracks()[1].params,
        TrackParams::Audio(AudioParams::opus(2))
    );
    let frames = read_all(&file).unwrap();
    assert_eq!(
        times(&frames, 0),
        (0..25).map(|i| i * 100_000).collect::<Vec<_>>()
    );
    assert_eq!(
        times(&frames, 1),
        (0..125).map(|i| i * 20_000).collect::<Vec<_>>()
    );
    for found in &frames {
        let expected = match (found.track, found.frame.key) {
            (0, true) => &AV1_KEY[2..],
            (0, false) => &AV1_DELTA[2..],
            _ => OPUS,
        };
        assert_eq!(found.frame.payload, expected);
        let length = if found.track == 0 { 100 } else { 20 };
        assert_eq!(found.frame.duration, Some(Duration::from_millis(length)));
    }
}

#[test]
fn fragments_last_a_second_at_most() {
    let file = file();
    // ftyp, moov, three times moof and mdat, mfra
    assert_eq!(box_ends(&file).len(), 9);
}

#[test]
fn rewound_reader_starts_again() {
    let file = file();
    let mut reader = Reader::new(Cursor::new(&file)).unwrap();
    let first = reader.read().unwrap();
    while reader.read().unwrap().is_some() {}
    reader.rewind();
    assert_eq!(reader.read().unwrap(), first);
}

#[test]
fn file_cut_anywhere_gives_what_is_whole_and_says_where_it_ends() {
    let file = file();
    let whole = read_all(&file).unwrap();
    let ends = box_ends(&file);
    for end in 0..file.len() {
        match read_all(&file[..end]) {
            Ok(frames) => {
                assert!(ends.contains(&end), "{end}");
                assert_eq!(frames, whole[..frames.len()]);
            }
            Err((frames, error)) => {
                assert_eq!(frames, whole[..frames.len()], "{end}");
                match error {
                    ReadError::Truncated { at, file, .. } => {
                        assert_eq!(file, end as u64);
                        assert!(at < file || at > 0, "{end}");
                    }
                    ReadError::NoMovie => assert!(end == 0 || end == ends[0], "{end}"),
                    other => panic!("{end}: {other}"),
                }
            }
        }
    }
}

#[test]
fn file_that_says_its_duration_is_missed_a_fragment() {
    let mut writer = Writer::new(Cursor::new(Vec::new()), Options::default());
    let microphone = writer.add_audio(&AudioParams::opus(2)).unwrap();
    for i in 0..150 {
        writer.write(microphone, audio(i * 20_000)).unwrap();
    }
    let file = writer.finish_with_duration().unwrap().into_inner();
    let whole = read_all(&file).unwrap();
    assert_eq!(whole.len(), 150);
    // ftyp, moov, then moof and mdat of each second, mfra where there is video.
    let ends = box_ends(&file);
    for end in &ends[1..ends.len() - 2] {
        match read_all(&file[..*end]) {
            Err((frames, ReadError::EndsEarly { said, .. })) => {
                assert_eq!(frames, whole[..frames.len()]);
                assert_eq!(said.as_micros(), 3_000_000);
            }
            // In the middle of a fragment.
            Err((_, ReadError::Truncated { .. })) => {}
            other => panic!("{end}: {other:?}"),
        }
    }
}

#[test]
fn late_track_and_wall_clock_keep_their_place() {
    let (mut writer, camera, microphone) = writer();
    let epoch = 1_767_225_600_000_000;
    for i in 0..50 {
        writer
            .write(camera, video(epoch + i * 100_000, i == 0))
            .unwrap();
        if i >= 30 {
            for j in 0..5 {
                writer
                    .write(microphone, audio(epoch + i * 100_000 + j * 20_000))
                    .unwrap();
            }
        }
    }
    let frames = read_all(&writer.finish().unwrap()).unwrap();
    assert_eq!(
        times(&frames, 0),
        (0..50).map(|i| i * 100_000).collect::<Vec<_>>()
    );
    assert_eq!(
        times(&frames, 1),
        (150..250).map(|i| i * 20_000).collect::<Vec<_>>()
    );
}

#[test]
fn jitter_of_sound_is_smoothed_and_gaps_stay() {
    let options = Options {
        pauses: Pauses::Gap,
        ..Options::default()
    };
    let mut writer = Writer::new(Vec::new(), options);
    let microphone = writer.add_audio(&AudioParams::opus(1)).unwrap();
    for micros in [0, 21_000, 39_500, 60_000, 500_000, 520_000] {
        writer.write(microphone, audio(micros)).unwrap();
    }
    let frames = read_all(&writer.finish().unwrap()).unwrap();
    assert_eq!(
        times(&frames, 0),
        [0, 20_000, 40_000, 60_000, 500_000, 520_000]
    );
}

#[test]
fn picture_lasts_until_the_next() {
    let mut writer = Writer::new(Vec::new(), Options::default());
    let camera = writer.add_video(&VideoParams::av1(64, 48)).unwrap();
    for (micros, key) in [(0, true), (40_000, false), (7_000_000, false)] {
        writer.write(camera, video(micros, key)).unwrap();
    }
    let frames = read_all(&writer.finish().unwrap()).unwrap();
    let lengths: Vec<_> = frames
        .iter()
        .map(|f| f.frame.duration.unwrap().as_millis())
        .collect();
    assert_eq!(lengths, [40, 6_960, 1_000]);
}

#[test]
fn refused_frames_leave_the_file_whole() {
    let (mut writer, camera, microphone) = writer();
    let refused = |result: Result<(), WriteError>| result.unwrap_err();
    let error = refused(writer.write(camera, video(0, false)));
    assert!(matches!(error, WriteError::NeedsKeyFrame(_)), "{error}");
    writer.write(camera, video(1_000, true)).unwrap();
    writer.write(microphone, audio(1_000)).unwrap();
    let error = refused(writer.write(camera, video(1_000, false)));
    assert!(matches!(error, WriteError::OutOfOrder { .. }), "{error}");
    let error = refused(writer.write(microphone, audio(0)));
    assert!(matches!(error, WriteError::BeforeOrigin { .. }), "{error}");
    let no_opus = EncodedFrame {
        payload: Bytes::new(),
        ..audio(30_000)
    };
    let error = refused(writer.write(microphone, no_opus));
    assert!(matches!(error, WriteError::NoOpus(0)), "{error}");
    let no_av1 = EncodedFrame {
        payload: Bytes::from_static(&[0x80]),
        ..video(2_000, false)
    };
    let error = refused(writer.write(camera, no_av1));
    assert!(matches!(error, WriteError::Bitstream(_)), "{error}");
    writer.write(microphone, audio(2_000)).unwrap();
    let error = refused(writer.write(microphone, audio(3_000)));
    assert!(matches!(error, WriteError::Overlap { .. }), "{error}");
    assert!(matches!(
        writer.add_audio(&AudioParams::opus(1)),
        Err(WriteError::HeaderWritten)
    ));
    assert_eq!(read_all(&writer.finish().unwrap()).unwrap().len(), 3);
}

#[test]
fn unsupported_tracks_are_refused_by_name() {
    let mut writer = Writer::new(Vec::new(), Options::default());
    let h264 = VideoParams {
        codec: "avc1.42E01E".to_owned(),
        ..VideoParams::av1(64, 48)
    };
    let error = writer.add_video(&h264).unwrap_err();
    assert!(error.to_string().contains("avc1.42E01E"), "{error}");
    let error = writer.add_audio(&AudioParams::opus(6)).unwrap_err();
    assert!(error.to_string().contains("opus of 6 channels"), "{error}");
}

#[test]
fn key_frame_without_sequence_header_gets_it_back() {
    let (mut writer, camera, _) = writer();
    writer.write(camera, video(0, true)).unwrap();
    let bare = EncodedFrame {
        payload: Bytes::from_static(&AV1_KEY[14..]),
        ..video(40_000, true)
    };
    writer.write(camera, bare).unwrap();
    let frames = read_all(&writer.finish().unwrap()).unwrap();
    assert_eq!(frames[1].frame.payload, AV1_KEY[2..]);
}

/// Fails after some bytes, as a full disk does.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn failed_output_ends_the_file() {
    let mut writer = Writer::new(Full(3_000), Options::default());
    let microphone = writer.add_audio(&AudioParams::opus(1)).unwrap();
    let mut results = (0..1_000).map(|i| writer.write(microphone, audio(i * 20_000)));
    let error = results.find_map(Result::err).expect("the disk is full");
    assert!(matches!(error, WriteError::Io(_)), "{error}");
    drop(results);
    let error = writer.write(microphone, audio(30_000_000)).unwrap_err();
    assert!(matches!(error, WriteError::Failed), "{error}");
}

#[test]
fn no_mp4_file_is_refused() {
    assert!(matches!(read_all(b""), Err((_, ReadError::NoMovie))));
    let text = b"this is no MP4 file, but it is long enough";
    assert!(matches!(
        read_all(text),
        Err((_, ReadError::Truncated { at: 0, .. }))
    ));
    let empty = Writer::new(Vec::new(), Options::default())
        .finish()
        .unwrap();
    let error = read_all(&empty).unwrap_err().1;
    assert_eq!(
        error.to_string(),
        "the file has no track of av01 or opus; it has none at all"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn mutated_file_is_frames_or_error(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        in_header: bool,
    ) {
        let mut file = file();
        let reach = if in_header { 1_500.min(file.len()) } else { file.len() };
        for (at, byte) in changes {
            file[at.index(reach)] = byte;
        }
        let Ok(mut reader) = Reader::new(Cursor::new(&file)) else { return Ok(()) };
        let mut frames = 0;
        while let Ok(Some(_)) = reader.read() {
            frames += 1;
            prop_assert!(frames <= 100_000, "as many frames as a file has bytes are plenty");
        }
    }

    #[test]
    fn any_times_in_order_are_kept(steps in prop::collection::vec(1_i64..3_000_000, 1..60)) {
        let (mut writer, camera, _) = writer();
        let mut expected = vec![0];
        writer.write(camera, video(0, true)).unwrap();
        for step in steps {
            let time = expected[expected.len() - 1] + step;
            writer.write(camera, video(time, false)).unwrap();
            expected.push(time);
        }
        let frames = read_all(&writer.finish().unwrap()).unwrap();
        prop_assert_eq!(times(&frames, 0), expected);
    }
}
