use std::{fs, io::Write, path::PathBuf};

use parvis_codec::{FrameRate, TestPattern, VideoFrame};
use parvis_format::MediaTime;

use super::*;
use crate::SourceError;

fn y4m(pictures: u32) -> Vec<u8> {
    let pattern = TestPattern::new(128, 64);
    let mut file = b"YUV4MPEG2 W128 H64 F30:1 Ip C420jpeg\n".to_vec();
    for number in 0..pictures {
        file.extend_from_slice(b"FRAME\n");
        file.extend_from_slice(&pattern.frame(number, MediaTime::ZERO).to_i420());
    }
    file
}

fn wav(samples: u16) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend_from_slice(&48_000_u32.to_le_bytes());
    file.extend_from_slice(&96_000_u32.to_le_bytes());
    file.extend_from_slice(&[2, 0, 16, 0]);
    file.extend_from_slice(b"data");
    file.extend_from_slice(&(2 * u32::from(samples)).to_le_bytes());
    file.extend((0..samples).flat_map(u16::to_le_bytes));
    file
}

fn write(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::File::create(&path).unwrap().write_all(bytes).unwrap();
    path
}

fn number(picture: Option<VideoFrame>) -> Option<u32> {
    TestPattern::read_number(&picture?)
}

#[test]
fn generators_are_told_by_their_text() {
    assert!(open("test:").is_ok());
    let source = open("test:320x180@15").unwrap();
    let video = source.video().unwrap();
    assert_eq!(
        (video.width, video.height, video.rate),
        (320, 180, FrameRate::whole(15))
    );
    for text in [
        "test:0x180",
        "test:321x180",
        "test:320x180@0",
        "test:abc",
        "test:9999x2",
    ] {
        assert!(
            matches!(open(text), Err(SourceError::UnknownGenerator(_))),
            "{text}"
        );
    }
}

#[test]
fn a_y4m_file_gives_its_pictures_again_after_a_rewind() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "a.video", &y4m(3));
    let mut source = open(path.to_str().unwrap()).unwrap();
    let pictures = &mut source.video.as_mut().unwrap().pictures;
    for _ in 0..2 {
        for expected in 0..3 {
            assert_eq!(number(pictures.next().unwrap()), Some(expected));
        }
        assert!(pictures.next().unwrap().is_none());
        pictures.rewind().unwrap();
    }
}

#[test]
fn another_rate_repeats_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "a.y4m", &y4m(3));
    let mut source = open(path.to_str().unwrap()).unwrap();
    source.set_rate(FrameRate::whole(60));
    let pictures = &mut source.video.as_mut().unwrap().pictures;
    let mut given = Vec::new();
    while let Some(picture) = pictures.next().unwrap() {
        given.extend(number(Some(picture)));
    }
    assert_eq!(given, [0, 0, 1, 1, 2, 2]);
}

#[test]
fn a_cut_off_y4m_file_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = y4m(2);
    bytes.truncate(bytes.len() - 10);
    let path = write(&folder, "a.y4m", &bytes);
    let mut source = open(path.to_str().unwrap()).unwrap();
    let pictures = &mut source.video.as_mut().unwrap().pictures;
    assert!(pictures.next().unwrap().is_some());
    assert!(matches!(pictures.next(), Err(SourceError::Damaged { .. })));
}

#[test]
fn a_y4m_file_without_a_whole_picture_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let mut cut = y4m(1);
    cut.truncate(cut.len() - 10);
    for bytes in [y4m(0), cut] {
        let path = write(&folder, "a.y4m", &bytes);
        let opened = open(path.to_str().unwrap());
        assert!(matches!(opened, Err(SourceError::Damaged { .. })));
    }
}

#[test]
fn wav_files_follow_each_other_without_a_hole() {
    let folder = tempfile::tempdir().unwrap();
    let first = write(&folder, "a.wav", &wav(1000));
    let second = write(&folder, "b.wav", &wav(1000));
    let mut media = MediaSource::default();
    media.set_speech(&[first, second]).unwrap();
    let sound = &mut media.audio.as_mut().unwrap().sound;
    let mut samples = Vec::new();
    while let Some(frame) = sound.next().unwrap() {
        assert_eq!(frame.len(), 960);
        samples.extend(frame);
    }
    assert_eq!(samples.len(), 3 * 960);
    let sample = |i: usize| (samples[i] * 32_768.0).round() as i32;
    assert_eq!([sample(999), sample(1000), sample(1999)], [999, 0, 999]);
    assert!(
        samples[2000..]
            .iter()
            .all(|sample| sample.abs() < f32::EPSILON)
    );
    assert_eq!(samples.len() - 2000, 880);
}

#[test]
fn other_files_are_refused_by_their_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let text = write(
        &folder,
        "a.mp4",
        b"This is no video, whatever its name says.",
    );
    assert!(matches!(
        open(text.to_str().unwrap()),
        Err(SourceError::NotMedia(_))
    ));
    let empty = write(&folder, "b.mp4", b"");
    assert!(matches!(
        open(empty.to_str().unwrap()),
        Err(SourceError::NotMedia(_))
    ));
    let missing = folder.path().join("none.y4m");
    assert!(matches!(
        open(missing.to_str().unwrap()),
        Err(SourceError::Io { .. })
    ));
    let cut = write(
        &folder,
        "c.mp4",
        b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\x10\0moov",
    );
    assert!(matches!(
        open(cut.to_str().unwrap()),
        Err(SourceError::Damaged { .. })
    ));
}
