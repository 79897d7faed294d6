//! Relay, publisher, recorder and demonstration, as a script uses them.

mod common;

use std::{
    fs,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use bytes::Bytes;
use common::{Script, names, parvis, probe, publisher, relay, run, to, words};
use parvis::format::mp4;

/// The payloads of the first video track.
fn pictures(file: &Path) -> Vec<Bytes> {
    let mut reader = mp4::Reader::new(BufReader::new(File::open(file).unwrap())).unwrap();
    let is_video = |track: &mp4::Track| matches!(track.params, mp4::TrackParams::Video(_));
    let video = reader.tracks().iter().position(is_video).unwrap();
    let mut found = Vec::new();
    while let Some(demuxed) = reader.read().unwrap() {
        if demuxed.track == video {
            found.push(demuxed.frame.payload);
        }
    }
    found
}

fn assert_plays(file: &Path, at_least: u64) {
    let streams = probe(file);
    let codecs: Vec<&str> = streams.iter().map(|(codec, _)| codec.as_str()).collect();
    assert_eq!(codecs, ["av1", "opus"]);
    assert!(
        streams.iter().all(|(_, frames)| *frames >= at_least),
        "{streams:?}"
    );
}

#[test]
fn a_relay_of_its_own_serves_a_publisher_and_a_recorder() {
    for draft in ["22", "18"] {
        let mut relay = Script::start(["relay", "--listen", "127.0.0.1:0", "--log", "error"]);
        let listening = relay.event("listening");
        let text = |field: &str| listening[field].as_str().unwrap().to_owned();
        let options = words("--room r --timeout 30s --draft", &[draft.to_owned()])
            .into_iter()
            .chain([
                "--url".to_owned(),
                text("url"),
                "--fingerprint".to_owned(),
                text("fingerprint"),
            ]);
        let options: Vec<String> = options.collect();
        let mut zoe = Script::start(words("publish test:320x180@15 --name zoe", &options));
        let connected = zoe.event("connected");
        assert_eq!(connected["draft"].to_string(), draft);
        zoe.event("publishing");

        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("zoe.mp4");
        let watch = words("watch --wait 30s --out", &[out.display().to_string()]);
        let mut watcher = Script::start(watch.into_iter().chain(options));
        watcher.event_where("progress", |progress| {
            progress["video_frames"].as_u64() >= Some(15)
                && progress["audio_frames"].as_u64() >= Some(50)
        });
        watcher.interrupt();
        let recorded = watcher.event("recorded");
        assert_eq!(recorded["why"], "stopped");
        watcher.succeeds();
        assert_eq!(names(folder.path()), ["zoe.mp4"]);
        assert_plays(&out, 15);

        zoe.interrupt();
        zoe.event("published");
        zoe.succeeds();
        relay.interrupt();
        relay.succeeds();
    }
}

#[test]
fn a_recording_ends_when_its_participant_leaves() {
    let relay = relay();
    let zoe = publisher(&relay, "zoe");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("zoe.mp4");
    let watch = words(
        "watch --wait 30s --from zoe --out",
        &[out.display().to_string()],
    );
    let mut watcher = Script::start(watch.into_iter().chain(to(&relay)));
    watcher.event_where("progress", |progress| {
        progress["video_frames"].as_u64() >= Some(5)
    });
    zoe.interrupt();
    zoe.succeeds();
    assert_eq!(watcher.event("recorded")["why"], "the participant left");
    watcher.succeeds();
    assert_plays(&out, 5);
}

#[test]
fn a_recording_goes_on_when_nobody_reads_the_output() {
    let relay = relay();
    let _zoe = publisher(&relay, "zoe");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("zoe.mp4");
    let watch = words(
        "watch --json --wait 30s --duration 2s --out",
        &[out.display().to_string()],
    );
    let mut watcher = parvis(watch.into_iter().chain(to(&relay)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(watcher.stdout.take());
    let output = watcher.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_plays(&out, 5);
}

#[test]
fn a_recording_that_loses_its_relay_says_so_and_keeps_what_came() {
    let relay = relay();
    let _zoe = publisher(&relay, "zoe");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("zoe.mp4");
    let watch = words(
        "watch --wait 30s --reconnect 0s --out",
        &[out.display().to_string()],
    );
    let mut watcher = Script::start(watch.into_iter().chain(to(&relay)));
    watcher.event_where("progress", |progress| {
        progress["video_frames"].as_u64() >= Some(5)
    });
    relay.shutdown(std::time::Duration::ZERO).unwrap();
    let error = watcher.event("error")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(error.contains("the relay is gone"), "{error}");
    assert!(!watcher.child.wait().unwrap().success());
    assert_plays(&out, 5);
}

#[test]
fn a_recorded_file_is_published_as_it_is() {
    let relay = relay();
    let folder = tempfile::tempdir().unwrap();
    let record = |from: &str, file: &Path, frames: u64| {
        let out = file.display().to_string();
        let watch = words(
            "watch --wait 30s --from",
            &[from.to_owned(), "--out".to_owned(), out],
        );
        let mut watcher = Script::start(watch.into_iter().chain(to(&relay)));
        watcher.event_where("progress", |p| p["video_frames"].as_u64() >= Some(frames));
        watcher.interrupt();
        watcher.succeeds();
    };
    let first = folder.path().join("first.mp4");
    let zoe = publisher(&relay, "zoe");
    record("zoe", &first, 20);
    drop(zoe);

    let publish = words("publish --loop --name tape", &[first.display().to_string()]);
    let mut tape = Script::start(publish.into_iter().chain(to(&relay)));
    tape.event("publishing");
    let second = folder.path().join("second.mp4");
    record("tape", &second, 10);
    tape.interrupt();
    tape.succeeds();
    assert_plays(&second, 10);
    let (original, copy) = (pictures(&first), pictures(&second));
    assert_eq!(copy[0], original[0], "it begins with the key frame");
    let mut looped = original.iter().cycle();
    assert!(
        copy.iter().all(|picture| Some(picture) == looped.next()),
        "every byte is the same"
    );
}

#[test]
fn a_file_that_ends_ends_the_publisher() {
    let relay = relay();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.y4m");
    let mut file = b"YUV4MPEG2 W64 H64 F30:1 Ip C420jpeg\n".to_vec();
    for shade in 0..6_u8 {
        file.extend_from_slice(b"FRAME\n");
        file.extend(std::iter::repeat_n(shade * 40, 64 * 64 * 3 / 2));
    }
    fs::write(&path, file).unwrap();
    let publish = words("publish --name zoe", &[path.display().to_string()]);
    let mut zoe = Script::start(publish.into_iter().chain(to(&relay)));
    assert_eq!(zoe.event("published")["why"], "the source has ended");
    zoe.succeeds();
}

#[test]
fn the_demonstration_shows_everybody_to_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo").display().to_string();
    fs::create_dir(&out).unwrap();
    fs::write(Path::new(&out).join("chloe.mp4"), "of an earlier run").unwrap();
    let demo = [
        "demo",
        "--relay-only",
        "--generated",
        "--duration",
        "5s",
        "--participants",
        "2",
        "--out",
        &out,
    ];
    let output = run(demo.iter().chain(&["--json"]));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stdout}{stderr}");
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["event"], "summary");
    let rows = last["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter().all(|row| row["pictures"].as_u64() > Some(0)),
        "{rows:?}"
    );
    let folder = Path::new(&out);
    assert_eq!(names(folder), ["alice.mp4", "bruno.mp4", "summary.json"]);
    for name in ["alice.mp4", "bruno.mp4"] {
        assert_plays(&folder.join(name), 5);
    }
}

#[test]
fn a_log_in_a_file_has_no_colours() {
    let mut relay = parvis(["relay", "--listen", "127.0.0.1:0", "--log", "info"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(relay.stderr.take().unwrap());
    let listening = log.lines().map(Result::unwrap).find(|line| {
        assert!(!line.contains('\u{1b}'), "{line:?}");
        line.contains("listening")
    });
    relay.kill().unwrap();
    relay.wait().unwrap();
    assert!(listening.is_some());
}

#[test]
fn help_has_examples() {
    for command in ["publish", "watch", "demo", "relay", "join", "serve"] {
        let output = run([command, "--help"]);
        assert!(output.status.success());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("Examples:"), "{command}: {text}");
    }
}
