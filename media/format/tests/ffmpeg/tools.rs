//! Runs ffmpeg and ffprobe, reads and writes with our own.

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use parvis_format::{
    AudioParams, EncodedFrame, MediaTime, VideoParams,
    mp4::{Demuxed, Options, ReadError, Reader, Writer},
};

pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} does not run: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    assert_eq!(errors, "", "{program} {arguments:?}");
    String::from_utf8(output.stdout).expect("text")
}

pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ffmpeg-{}-{name}", std::process::id()))
}

/// Four seconds of AV1 and Opus in an ordinary MP4 file.
pub fn plain() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = path("plain.mp4");
        let name = file.to_str().expect("a path in UTF-8");
        let video = "testsrc=size=160x90:rate=30:duration=4";
        let audio = "sine=frequency=440:sample_rate=48000:duration=4";
        run(
            "ffmpeg",
            &[
                "-v",
                "error",
                "-y",
                "-f",
                "lavfi",
                "-i",
                video,
                "-f",
                "lavfi",
                "-i",
                audio,
                "-pix_fmt",
                "yuv420p",
                "-c:v",
                "libaom-av1",
                "-usage",
                "realtime",
                "-cpu-used",
                "8",
                "-g",
                "30",
                "-b:v",
                "100k",
                "-c:a",
                "libopus",
                "-b:a",
                "24k",
                name,
            ],
        );
        fs::read(&file).expect("ffmpeg wrote it")
    })
}

/// The same frames in another kind of MP4 file.
pub fn remuxed(name: &str, flags: &str) -> Vec<u8> {
    let (from, to) = (path(&format!("{name}-in.mp4")), path(name));
    fs::write(&from, plain()).expect("a temporary file can be written");
    let (from, to) = (from.to_str().expect("UTF-8"), to.to_str().expect("UTF-8"));
    run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-y",
            "-i",
            from,
            "-c",
            "copy",
            "-movflags",
            flags,
            to,
        ],
    );
    fs::read(to).expect("ffmpeg wrote it")
}

pub fn read_all(file: &[u8]) -> (Vec<Demuxed>, Option<ReadError>) {
    let mut reader = match Reader::new(Cursor::new(file)) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut frames = Vec::new();
    loop {
        match reader.read() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, None),
            Err(error) => {
                assert!(matches!(reader.read(), Ok(None)), "an error ends the file");
                return (frames, Some(error));
            }
        }
    }
}

pub fn of_track(frames: &[Demuxed], track: usize) -> Vec<&EncodedFrame> {
    frames
        .iter()
        .filter(|found| found.track == track)
        .map(|found| &found.frame)
        .collect()
}

/// Track 0 is video, track 1 audio.
pub fn write(frames: &[Demuxed], shift: impl Fn(&Demuxed) -> Option<MediaTime>) -> Vec<u8> {
    write_with(Options::default(), frames, shift)
}

pub fn write_with(
    options: Options,
    frames: &[Demuxed],
    shift: impl Fn(&Demuxed) -> Option<MediaTime>,
) -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()), options);
    let video = writer.add_video(&VideoParams::av1(160, 90)).expect("AV1");
    let audio = writer.add_audio(&AudioParams::opus(1)).expect("Opus");
    for found in frames {
        if let Some(time) = shift(found) {
            let track = if found.track == 0 { video } else { audio };
            let frame = EncodedFrame {
                time,
                duration: None,
                ..found.frame.clone()
            };
            writer.write(track, frame).expect("a frame in order");
        }
    }
    writer
        .finish_with_duration()
        .expect("a vector takes all")
        .into_inner()
}

/// Presentation times of the packets of a stream, in seconds, as ffprobe sees them.
pub fn packet_times(file: &Path, stream: &str) -> Vec<f64> {
    let file = file.to_str().expect("UTF-8");
    let text = run(
        "ffprobe",
        &[
            "-v",
            "error",
            "-select_streams",
            stream,
            "-show_entries",
            "packet=pts_time",
            "-of",
            "csv=p=0",
            file,
        ],
    );
    let times = text.lines().map(|line| line.trim_end_matches(','));
    times
        .map(|time| time.parse().unwrap_or_else(|_| panic!("a time: {time:?}")))
        .collect()
}

pub fn assert_times(found: &[f64], expected: impl IntoIterator<Item = f64>) {
    let expected: Vec<f64> = expected.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 0.0001,
            "{found}, expected {expected}"
        );
    }
}

/// That ffmpeg decodes the whole file and has nothing to say.
pub fn assert_decodes(file: &Path) {
    let file = file.to_str().expect("UTF-8");
    // Without the file's own time base ffmpeg rounds times to its guess of a frame rate.
    let arguments = [
        "-v",
        "error",
        "-i",
        file,
        "-enc_time_base:v",
        "-1",
        "-f",
        "null",
        "-",
    ];
    assert_eq!(run("ffmpeg", &arguments), "");
}
