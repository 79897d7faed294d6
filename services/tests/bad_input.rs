//! Each thing that goes wrong is told in one line that says what and what to do, and leaves
//! nothing half-written.

mod common;
mod old_server;

use std::{
    fs,
    net::UdpSocket,
    path::Path,
    process::{Command, Stdio},
};

use common::{failure, interrupt, names, one_line, parvis, publisher, relay, run, to, words};
use old_server::OldServer;
use parvis::format::{AudioParams, EncodedFrame, MediaTime, mp4};

fn assert_says(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "no {part:?} in: {line}");
    }
}

#[test]
fn an_unreachable_relay() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("moqt://{}", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mp4").display().to_string();
    let watch = [
        "watch",
        "--url",
        &url,
        "--room",
        "r",
        "--out",
        &out,
        "--timeout",
        "200ms",
    ];
    assert_says(
        &failure(watch),
        &["no relay answers", &url, "check that it runs"],
    );
    assert!(names(folder.path()).is_empty());
    let publish = [
        "publish",
        "test:",
        "--url",
        &url,
        "--room",
        "r",
        "--name",
        "n",
        "--timeout",
        "200ms",
    ];
    assert_says(&failure(publish), &["no relay answers"]);
}

#[test]
fn an_address_that_is_none() {
    let publish = |url| {
        [
            "publish", "test:", "--url", url, "--room", "r", "--name", "n",
        ]
    };
    assert_says(
        &failure(publish("http://relay.example/")),
        &["write moqt://HOST:PORT"],
    );
    assert_says(
        &failure(publish("moqt://no.such.host.invalid")),
        &["no address"],
    );
}

#[test]
fn a_wrong_certificate() {
    let relay = relay();
    let url = format!("moqt://{}", relay.local_addr());
    let base = [
        "publish", "test:", "--url", &url, "--room", "r", "--name", "n",
    ];
    let advice = ["is not trusted", "give the fingerprint"];
    assert_says(&failure(base), &advice);
    let zeros = "0".repeat(64);
    assert_says(
        &failure(base.iter().chain(&["--fingerprint", &zeros])),
        &advice,
    );
    let short = failure(base.iter().chain(&["--fingerprint", "abc"]));
    assert_says(&short, &["64 hexadecimal digits"]);
    let missing = failure(base.iter().chain(&["--ca", "/no/such/file.pem"]));
    assert_says(&missing, &["/no/such/file.pem", "PEM file"]);
}

#[test]
fn no_common_draft() {
    let server = OldServer::start();
    let publish = words(
        "publish test: --room r --name n --insecure --timeout 30s --draft 22 --url",
        &[],
    );
    let line = failure(publish.iter().chain([&server.url]));
    assert_says(
        &line,
        &[
            &server.url,
            "none of the MoQ Transport drafts 22",
            "use a relay",
        ],
    );
}

#[test]
fn an_unknown_room() {
    let relay = relay();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mp4").display().to_string();
    let watch = words("watch --wait 200ms --out", &[out]);
    let line = failure(watch.into_iter().chain(to(&relay)));
    assert_says(&line, &["nobody is in room \"r\"", "check the room's name"]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn an_unknown_participant() {
    let relay = relay();
    let _zoe = publisher(&relay, "zoe");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mp4").display().to_string();
    let watch = words("watch --wait 3s --from zora --out", &[out]);
    let line = failure(watch.into_iter().chain(to(&relay)));
    assert_says(&line, &["\"zora\" is not in room", "only zoe"]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_name_that_is_taken() {
    let relay = relay();
    let _zoe = publisher(&relay, "zoe");
    for draft in ["18", "22"] {
        let publish = words("publish test: --name zoe --draft", &[draft.to_owned()]);
        let line = failure(publish.into_iter().chain(to(&relay)));
        assert_says(
            &line,
            &["\"zoe\" is in room \"r\" already", "choose another name"],
        );
    }
}

/// Publishes a file to an address where nothing is: what is wrong with the file comes first.
fn publish_file(path: &Path) -> String {
    let path = path.display().to_string();
    failure([
        "publish",
        &path,
        "--url",
        "moqt://127.0.0.1:9",
        "--room",
        "r",
        "--name",
        "n",
    ])
}

#[test]
fn a_file_that_is_no_video() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.mp4");
    fs::write(&path, "These are notes, whatever the name says.").unwrap();
    assert_says(
        &publish_file(&path),
        &["notes.mp4 is no video or sound", "ffmpeg converts"],
    );
    assert_says(
        &publish_file(&folder.path().join("none.y4m")),
        &["cannot read", "none.y4m"],
    );
    assert_says(&publish_file(folder.path()), &["cannot read"]);
    let unknown = failure([
        "publish",
        "test:big",
        "--url",
        "moqt://127.0.0.1:9",
        "--room",
        "r",
        "--name",
        "n",
    ]);
    assert_says(&unknown, &["unknown generator", "test:WIDTHxHEIGHT@FPS"]);
}

#[test]
fn a_truncated_mp4() {
    let mut writer = mp4::Writer::new(Vec::new(), mp4::Options::default());
    let track = writer.add_audio(&AudioParams::opus(1)).unwrap();
    for packet in 0..200 {
        let time = MediaTime::from_millis(20 * packet);
        writer
            .write(track, EncodedFrame::audio(time, None, vec![8; 60].into()))
            .unwrap();
    }
    let whole = writer.finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.mp4");
    // In the description, in a fragment's header, in its samples.
    for length in [40, whole.len() / 2, whole.len() * 3 / 4] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_says(
            &publish_file(&path),
            &["cut.mp4 is damaged or cut off", "make it again"],
        );
    }
}

#[test]
fn a_full_disk() {
    let relay = relay();
    let _zoe = publisher(&relay, "zoe");
    let watch = words(
        "watch --wait 30s --duration 60s --out /dev/full",
        &to(&relay),
    );
    let line = failure(watch);
    assert_says(
        &line,
        &[
            "the disk is full",
            "/dev/full was not written",
            "free some space",
        ],
    );
    assert_eq!(line.matches("No space left").count(), 1, "{line}");
}

#[test]
fn a_small_disk_that_fills_up() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=32k", "none"])
        .arg(&disk)
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("not checked: this user may not mount a small disk");
        return;
    }
    let relay = relay();
    let zoe = publisher(&relay, "zoe");
    let out = disk.join("out.mp4").display().to_string();
    let watch = words("watch --wait 30s --duration 60s --out", &[out]);
    let output = run(watch.into_iter().chain(to(&relay)));
    let left = names(&disk);
    drop(zoe);
    let unmounted = Command::new("umount").arg(&disk).status().unwrap();
    assert!(unmounted.success());
    assert_says(
        &one_line(&output),
        &["the disk is full", "out.mp4 was not written"],
    );
    assert_eq!(left, Vec::<String>::new(), "nothing is left");
}

#[test]
fn a_cause_is_told_once() {
    let line = failure(["relay", "--cert", "/no/such.pem", "--key", "/no/such.pem"]);
    assert_says(&line, &["cannot read the certificate /no/such.pem"]);
    assert_eq!(line.matches("No such file").count(), 1, "{line}");
}

#[test]
fn a_place_that_cannot_be_written_to() {
    let watch = |out: &str| {
        failure([
            "watch",
            "--url",
            "moqt://127.0.0.1:9",
            "--room",
            "r",
            "--out",
            out,
        ])
    };
    assert_says(
        &watch("/no/such/folder/out.mp4"),
        &["cannot write", "choose another --out"],
    );
    assert_says(&watch("/tmp"), &["/tmp is a folder"]);
}

#[test]
fn ctrl_c_before_a_recording_begins_leaves_nothing() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("moqt://{}", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mp4").display().to_string();
    let watch = words("watch --room r --timeout 30s --url", &[url]);
    let mut watcher = parvis(watch.iter().map(String::as_str).chain(["--out", &out]))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while names(folder.path()).is_empty() {
        std::thread::yield_now();
    }
    interrupt(&watcher);
    assert_eq!(watcher.wait().unwrap().code(), Some(1));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_port_in_use() {
    let relay = relay();
    let address = relay.local_addr().to_string();
    let port = format!("UDP port {} is in use", relay.local_addr().port());
    assert_says(
        &failure(["relay", "--listen", &address]),
        &["cannot listen", &port],
    );
}

#[test]
fn an_error_is_json_for_scripts_too() {
    let publish = words(
        "--json publish /no/such.y4m --url moqt://127.0.0.1:9 --room r --name n",
        &[],
    );
    let output = parvis(publish).output().unwrap();
    let line = one_line(&output);
    let event: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(event["event"], "error");
    assert_eq!(
        format!("parvis: {}", event["message"].as_str().unwrap()),
        line
    );
}

#[test]
fn wrong_usage_has_a_code_of_its_own() {
    for arguments in [
        vec!["publish"],
        vec!["dance"],
        vec!["demo", "--participants", "1"],
    ] {
        assert_eq!(run(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}
