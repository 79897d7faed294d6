//! Our MP4 against ffmpeg's: files it made are read, files we make are decoded by it.

mod tools;

use std::{fs, io::Cursor, path::Path, process::Command, time::Duration};

use parvis_format::{
    AudioParams, MediaTime, av1,
    mp4::{Demuxed, Options, Pauses, ReadError, Reader, TrackParams},
};

use tools::{
    assert_decodes, assert_times, of_track, packet_times, path, plain, read_all, remuxed, run,
    write, write_with,
};

#[test]
fn every_kind_of_file_gives_the_same_frames() {
    let (frames, error) = read_all(plain());
    assert!(error.is_none(), "{error:?}");
    let (video, audio) = (of_track(&frames, 0), of_track(&frames, 1));
    assert_eq!(video.len(), 120);
    assert_eq!(audio.len(), 201);
    for (i, frame) in (0_i64..).zip(&video) {
        assert!((frame.time.as_micros() - i * 1_000_000 / 30).abs() <= 1);
        assert_eq!(
            frame.key,
            av1::contains_key_frame(&frame.payload).expect("AV1"),
            "{i}"
        );
    }
    assert_eq!(video.iter().filter(|frame| frame.key).count(), 4);
    for (i, frame) in (0_i64..).zip(&audio) {
        assert_eq!(frame.time, MediaTime::from_millis(20 * i));
    }
    let in_order = frames
        .windows(2)
        .all(|pair| pair[0].frame.time <= pair[1].frame.time + AHEAD);
    assert!(in_order, "frames of all tracks come in order of time");
    let kinds = [
        ("fragmented.mp4", "frag_keyframe+empty_moov"),
        (
            "moof-base.mp4",
            "frag_keyframe+empty_moov+default_base_moof",
        ),
        ("hybrid.mp4", "frag_keyframe"),
        ("faststart.mp4", "faststart"),
        ("separate.mp4", "frag_keyframe+empty_moov+separate_moof"),
    ];
    for (name, flags) in kinds {
        let (other, error) = read_all(&remuxed(name, flags));
        assert!(error.is_none(), "{name}: {error:?}");
        for track in 0..2 {
            let (plain, other) = (of_track(&frames, track), of_track(&other, track));
            assert_eq!(plain.len(), other.len(), "{name}");
            for (plain, other) in plain.iter().zip(other) {
                assert_eq!(
                    (plain.key, &plain.payload),
                    (other.key, &other.payload),
                    "{name}"
                );
                // ffmpeg leaves the edit list, and with it the delay of Opus, out of some files.
                let shift = plain.time.signed_since(other.time).abs();
                assert!(
                    shift <= 1 || (6_480..=6_520).contains(&shift),
                    "{name}: {shift}"
                );
            }
        }
    }
}

/// How far audio may lie before video in the order of decode times.
const AHEAD: Duration = Duration::from_millis(7);

#[test]
fn tracks_are_described() {
    let reader = Reader::new(Cursor::new(plain())).expect("an MP4 file");
    let [video, audio] = reader.tracks() else {
        panic!("two tracks")
    };
    let TrackParams::Video(video) = &video.params else {
        panic!("video first")
    };
    assert_eq!((video.width, video.height), (160, 90));
    assert_eq!(video.codec, "av01.0.00M.08");
    assert!(
        video
            .framerate
            .is_some_and(|rate| (rate - 30.0).abs() < 0.01)
    );
    assert_eq!(audio.params, TrackParams::Audio(AudioParams::opus(1)));
}

#[test]
fn what_we_write_decodes_in_time() {
    let (frames, _) = read_all(plain());
    let file = path("ours.mp4");
    fs::write(&file, write(&frames, |found| Some(found.frame.time))).expect("a temporary file");
    assert_decodes(&file);
    assert_times(
        &packet_times(&file, "v"),
        (0..120).map(|i| f64::from(i) / 30.0),
    );
    let delay = 312.0 / 48_000.0;
    assert_times(
        &packet_times(&file, "a"),
        (0..201).map(|i| f64::from(i) / 50.0 - delay),
    );
    let name = file.to_str().expect("UTF-8");
    let entries = "stream=codec_name,width,height,channels:format=duration";
    let text = run(
        "ffprobe",
        &["-v", "error", "-show_entries", entries, "-of", "csv", name],
    );
    assert!(text.contains("av1,160,90"), "{text}");
    assert!(text.contains("opus,1"), "{text}");
    assert!(text.contains("format,4.0"), "{text}");
    let (again, error) = read_all(&fs::read(&file).expect("it was written"));
    assert!(error.is_none(), "{error:?}");
    for track in 0..2 {
        let (ours, theirs) = (of_track(&again, track), of_track(&frames, track));
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!(ours.time, theirs.time);
            assert_eq!((ours.key, &ours.payload), (theirs.key, &theirs.payload));
        }
    }
}

#[test]
fn late_tracks_and_pauses_keep_their_place() {
    let (frames, _) = read_all(plain());
    let epoch = Duration::from_hours(490_896);
    let hour = Duration::from_hours(1);
    // Audio starts 2.5 s late. From its third second on all is an hour later.
    let time = |found: &Demuxed| {
        let late = found.track == 1 && found.frame.time < MediaTime::from_millis(2_500);
        let pause = if found.frame.time >= MediaTime::from_millis(3_000) {
            hour
        } else {
            Duration::ZERO
        };
        (!late).then(|| found.frame.time + epoch + pause)
    };
    let pause = |time: f64| {
        if time >= 3.0 - 0.0001 {
            time + 3_600.0
        } else {
            time
        }
    };
    let video = || (0..120).map(|i| pause(f64::from(i) / 30.0));
    let delay = 312.0 / 48_000.0;

    let gap = Options {
        pauses: Pauses::Gap,
        ..Options::default()
    };
    let file = path("gaps.mp4");
    fs::write(&file, write_with(gap, &frames, time)).expect("a temporary file");
    assert_decodes(&file);
    assert_times(&packet_times(&file, "v"), video());
    let audio = (125..201).map(|i| pause(f64::from(i) / 50.0) - delay);
    assert_times(&packet_times(&file, "a"), audio);
}

#[test]
fn pause_of_sound_is_silence() {
    let (frames, _) = read_all(plain());
    // Sound pauses for 1.234 s while video goes on, and at the end for 2 s more than video.
    let time = |found: &Demuxed| {
        let millis = found.frame.time.as_micros() / 1_000;
        let pause = match (found.track, millis) {
            (1, 1_000..3_000) => Duration::from_millis(1_234),
            (1, 3_000..) => Duration::from_millis(3_234),
            _ => Duration::ZERO,
        };
        Some(found.frame.time + pause)
    };
    let mut shifted = frames.clone();
    shifted.sort_by_key(|found| time(found));
    let file = path("silence.mp4");
    fs::write(&file, write(&shifted, time)).expect("a temporary file");
    assert_decodes(&file);
    let times = packet_times(&file, "a");
    for pair in times.windows(2) {
        assert!((0.002..0.0201).contains(&(pair[1] - pair[0])), "{pair:?}");
    }
    let end = times.last().expect("packets");
    assert!(
        (end - (4.0 + 3.234 - 312.0 / 48_000.0)).abs() <= 0.005,
        "{end}"
    );
    assert_times(
        &packet_times(&file, "v"),
        (0..120).map(|i| f64::from(i) / 30.0),
    );
}

#[test]
fn cut_off_file_plays_up_to_the_cut() {
    let (frames, _) = read_all(plain());
    let whole = write(&frames, |found| Some(found.frame.time));
    let file = path("cut.mp4");
    let mut last = 0;
    for percent in [40, 60, 80, 95] {
        let part = &whole[..whole.len() * percent / 100];
        let (found, error) = read_all(part);
        assert!(
            matches!(error, Some(ReadError::Truncated { .. })),
            "{percent}: {error:?}"
        );
        assert!(found.len() > last, "{percent}");
        last = found.len();
        fs::write(&file, part).expect("a temporary file");
        let name = file.to_str().expect("UTF-8");
        let output = Command::new("ffmpeg")
            .args(["-v", "fatal", "-i", name, "-f", "null", "-"])
            .output()
            .expect("ffmpeg runs");
        assert!(output.status.success(), "{percent}");
        assert!(packet_count(&file) >= found.len() - 1, "{percent}");
    }
}

fn packet_count(file: &Path) -> usize {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "quiet",
            "-show_entries",
            "packet=pts_time",
            "-of",
            "csv=p=0",
        ])
        .arg(file)
        .output()
        .expect("ffprobe runs");
    String::from_utf8_lossy(&output.stdout).lines().count()
}

#[test]
fn track_without_key_frame_is_described_by_its_parameters() {
    let (frames, _) = read_all(plain());
    let file = path("late-video.mp4");
    // Video comes two seconds after the header is due.
    let time = |found: &Demuxed| {
        let late = if found.track == 0 {
            Duration::from_secs(3)
        } else {
            Duration::ZERO
        };
        Some(found.frame.time + late)
    };
    let mut shifted: Vec<Demuxed> = frames.clone();
    shifted.sort_by_key(|found| time(found));
    fs::write(&file, write(&shifted, time)).expect("a temporary file");
    assert_decodes(&file);
    assert_times(
        &packet_times(&file, "v"),
        (0..120).map(|i| 3.0 + f64::from(i) / 30.0),
    );
}

#[test]
fn other_codecs_are_named() {
    let file = path("others.mp4");
    let name = file.to_str().expect("UTF-8");
    run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            "testsrc=size=64x64:rate=5:duration=1",
            "-f",
            "lavfi",
            "-i",
            "sine=duration=1",
            "-c:v",
            "mpeg4",
            "-c:a",
            "aac",
            name,
        ],
    );
    let error = Reader::new(fs::File::open(&file).expect("it was written")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file has no track of av01 or opus; it has mp4v, mp4a"
    );
}
