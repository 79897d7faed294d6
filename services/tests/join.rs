//! Whole meetings: the service, agents and guests, each a process of its own.

mod common;

use std::sync::{Mutex, PoisonError};

use common::{
    Script, failure, run, signal,
    site::{Person, Site},
};

/// Small enough for five encoders on a small machine.
const CAMERA: &str = "test:160x90@10";

/// Held by a test with five encoders and twenty decoders: a small machine has room for one.
static ALONE: Mutex<()> = Mutex::new(());

fn with_media() -> Vec<String> {
    [
        "--camera",
        CAMERA,
        "--microphone",
        "test:",
        "--screen",
        "test:320x180@5",
    ]
    .map(str::to_owned)
    .to_vec()
}

const ALICE: &str = "\
wait connected
wait lobby Chloé
wait lobby David
wait lobby Emma
say early words
# The lobby: one at a time, the first decision counts.
admit Chloé
wait present Chloé
deny David
wait no-lobby David
refused AlreadyDecided deny David
refused NotPresent deny Eve
refused NotPresent mute Eve
wait lobby David
admit David
wait present David
admit all
wait participants 5
say welcome
# Sound and pictures.
wait hears Chloé
wait hears David
wait sees Emma camera
wait speaks Chloé
# Chat to one.
say @Chloé psst
wait private received
# Hands, in order, lowered by a host.
wait hand Chloé 1
wait chat both up
lower Chloé
wait chat I am next
lower all
wait no-hand Emma
wait reaction clapping-hands
wait screen on Bruno
wait sees Bruno screen
# Who may what.
refused LastOwner role Alice member
refused NotSignedIn role Chloé member
role Bruno administrator
wait chat I moderate
forbid camera on
wait camera off Emma
wait chat no camera
forbid camera off
# A muted microphone is silent, and only its owner turns it on.
mute David
wait silence David
wait mic off David
say speak again
wait hears David
lock on
wait locked on
rename Alice A.
remove David
wait absent David
say David is gone
wait chat bye
end
wait ended
";

const BRUNO: &str = "\
wait connected
wait participants 5
screen on
wait role Bruno administrator
refused Forbidden role Alice member
say I moderate
wait chat David is gone
wait present Alice A.
wait absent David
screen off
wait ended
";

const CHLOE: &str = "\
wait waiting
wait connected
# Said before.
wait chat early words
wait chat welcome
wait private psst
say @Alice received
raise
wait hand Chloé 1
say first
wait no-hand Chloé
react clapping-hands
wait sees Bruno screen
refused Forbidden mute all
refused Forbidden end
refused Forbidden admit all
wait forbidden camera on
refused Forbidden camera on
say no camera
wait locked on
wait chat David is gone
say bye
wait ended
";

const DAVID: &str = "\
wait waiting
wait denied
refused Denied knock
# The pause that a denial asks for.
sleep 5s
knock
wait waiting
wait connected
wait chat welcome
wait mic off David
wait chat speak again
mic on
wait removed
";

const EMMA: &str = "\
wait waiting
wait connected
wait chat early words
wait chat welcome
wait chat first
raise
wait hand Emma 2
say both up
wait hand Emma 1
say I am next
wait no-hand Emma
wait ended
";

#[test]
fn a_late_joiner_reads_what_was_said_long_before() {
    let site = Site::start();
    site.account("alice", "alice@example.org");
    site.account("bruno", "bruno@example.org");
    let link = site.room("alice");
    // More than the group of the chat that a newcomer is sent; no faster than one may speak.
    let said: Vec<String> = (0..70)
        .map(|n| format!("say message {n} of Alice\nsleep 210ms\n"))
        .collect();
    let said = said.concat();
    let said =
        format!("wait connected\n{said}say that is all\nwait present Bruno\nwait absent Bruno\n");
    let alice = site.agent(&link, "Alice", "alice");
    let mut alice = Script::start([alice, site.script("alice", &said)].concat());
    alice.event_where("done", |done| done["command"] == "say that is all");
    let heard =
        "wait connected\nwait within 5s chat message 0 of Alice\nwait within 5s chat that is all\n";
    let bruno = site.agent(&link, "Bruno", "bruno");
    let whole = Script::start([bruno, site.script("bruno", heard)].concat()).whole();
    assert!(whole.status.success(), "{}{}", whole.stdout, whole.stderr);
    for n in [0, 5, 6, 63, 64, 69] {
        let text = format!("\"message {n} of Alice\"");
        let times = whole.stdout.matches(&text).count();
        assert_eq!(times, 1, "{text}: {}", whole.stdout);
    }
    alice.succeeds();
    site.stop();
}

#[test]
fn who_is_signed_in_is_called_as_the_account_is_and_a_guest_says_its_name() {
    let site = Site::start();
    site.account("Zoé", "zoe@example.org");
    let link = site.room("Zoé");
    let login = site.login("Zoé").display().to_string();
    let join = ["join", &link, "--device", "d", "--json", "--login", &login];
    let script = site.script("zoe", "wait connected\nwait present Zoé\nleave\n");
    let said = run(join.map(str::to_owned).into_iter().chain(script));
    assert!(said.status.success(), "{said:?}");
    let events = String::from_utf8_lossy(&said.stdout);
    let mut events = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let joined = events.find(|event: &serde_json::Value| event["event"] == "joined");
    let joined = joined.expect("it is in");
    assert_eq!(joined["name"], "Zoé");
    assert_eq!(joined["verified"], true);

    let line = failure(["join", &link, "--device", "d", "--guest"]);
    assert!(line.contains("Give --name"), "{line}");
}

#[test]
fn whoever_closes_the_terminal_has_left() {
    let site = Site::start();
    site.account("Zoé", "zoe@example.org");
    site.account("Bruno", "bruno@example.org");
    let link = site.room("Zoé");
    let mut zoe = Script::start(site.agent(&link, "Zoé", "Zoé"));
    zoe.event_where("joined", |who| who["name"] == "Zoé");
    let bruno = Script::start(site.agent(&link, "Bruno", "Bruno"));
    zoe.event_where("joined", |who| who["name"] == "Bruno");
    signal(&bruno.child, "-HUP");
    let left = zoe.event("left");
    assert_eq!(left["name"], "Bruno");
    assert_eq!(left["reason"], "left");
    bruno.succeeds();
    zoe.interrupt();
    zoe.succeeds();
}

#[test]
fn two_agents_and_three_guests_meet() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let site = Site::start();
    site.account("Bruno", "bruno@example.org");
    let link = site.room("administrator");
    let guests = [("Chloé", CHLOE), ("David", DAVID), ("Emma", EMMA)];
    let mut people: Vec<Person> = guests
        .map(|(name, script)| {
            let guest = Site::guest(&link, name);
            Person::joins(name, &[guest, with_media(), site.script(name, script)])
        })
        .into();
    for guest in &mut people {
        guest.is("lobby", "waiting-for-host");
    }
    let agents = [("Bruno", "Bruno", BRUNO), ("Alice", "administrator", ALICE)];
    for (name, account, script) in agents {
        let agent = site.agent(&link, name, account);
        people.push(Person::joins(
            name,
            &[agent, with_media(), site.script(name, script)],
        ));
    }
    let failures: Vec<String> = people.into_iter().filter_map(Person::failure).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    site.stop();
}

#[test]
fn a_room_that_is_not_there_waits_for_a_host_for_ever_and_an_agent_is_told() {
    let site = Site::start();
    let link = format!("{}/zzz-zzzz-zzz", site.url);
    let script = site.script("guest", "wait waiting-for-host\n");
    let guest = [Site::guest(&link, "Gil"), script].concat();
    let output = run(guest);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let script = site.script(
        "guest",
        "wait in-lobby\n# never\nwait within 100ms connected\n",
    );
    let line = failure([Site::guest(&link, "Gil"), script].concat());
    assert!(
        line.contains("line 3: wait within 100ms connected: not within 100ms"),
        "{line}"
    );
    assert!(line.contains("waits for its host"), "{line}");

    let line = failure(site.agent(&link, "Alice", "administrator"));
    assert!(line.contains("NotFound"), "{line}");
    site.stop();
}

#[test]
fn who_is_denied_and_cannot_knock_again_is_told_and_is_done() {
    let site = Site::start();
    let link = site.room("administrator");
    let script = site.script(
        "Alice",
        "wait connected\nwait lobby Gil\nwait lobby Hal\nadmit Hal\nwait present Hal\n\
         rename @Hal Hal 9000\nwait present Hal 9000\nwait chat asked\ndeny Gil\nend\n",
    );
    let alice = site.agent(&link, "Alice", "administrator");
    let alice = Person::joins("Alice", &[alice, script]);
    let hal = site.script(
        "Hal",
        "wait connected\nrefused Forbidden rename @Alice Bob\nrequest-transcription\n\
         refused RateLimited request-transcription\nsay asked\nwait ended\n",
    );
    let hal = Person::joins("Hal", &[Site::guest(&link, "Hal"), hal]);
    let gil = [Site::guest(&link, "Gil"), vec!["--plain".to_owned()]].concat();
    let line = failure(gil);
    assert!(line.contains("Denied: a host said no"), "{line}");
    let failures: Vec<String> = [alice, hal]
        .into_iter()
        .filter_map(Person::failure)
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    site.stop();
}

#[test]
fn a_connection_is_tested_by_both_transports_and_nobody_is_disturbed() {
    let site = Site::start();
    let link = site.room("administrator");
    let output = run(["check", &link, "--json"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let events: Vec<serde_json::Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let transports: Vec<_> = events
        .iter()
        .filter_map(|e| e["transport"].as_str())
        .collect();
    assert_eq!(transports, ["Quic", "WebTransport"], "{said}");
    for transport in &events[1..] {
        assert!(transport["rtt_ms"].as_f64() > Some(0.0), "{said}");
        assert!(transport["answer_ms"].as_f64() > Some(0.0), "{said}");
        assert_eq!(transport["unanswered"], 0, "{said}");
        // Of 10 Mbit/s that are offered, on a machine that does much else.
        let rates = [&transport["up_kbps"], &transport["down_kbps"]];
        for rate in rates {
            let rate = rate.as_u64().unwrap_or_default();
            assert!((500..40_000).contains(&rate), "{said}");
        }
    }
    let line = failure(["check", "abc-defg-hij", "--site", "http://127.0.0.1:9"]);
    assert!(line.contains("http://127.0.0.1:9"), "{line}");
    site.stop();
}

#[test]
fn who_comes_while_a_source_is_forbidden_is_in_without_it() {
    let site = Site::start();
    let link = site.room("administrator");
    let script = site.script(
        "Alice",
        "wait connected\nforbid mic on\nforbid screen on\nwait lobby Hal\nadmit Hal\n\
         wait chat here\nforbid mic off\nwait hears Hal\nend\n",
    );
    let alice = site.agent(&link, "Alice", "administrator");
    let alice = Person::joins("Alice", &[alice, script]);
    let hal = site.script(
        "Hal",
        "wait connected\nwait mic off Hal\nrefused Forbidden mic on\nrefused Forbidden screen on\n\
         say here\nwait forbidden mic off\nmic on\nwait ended\n",
    );
    let hal = Person::joins("Hal", &[Site::guest(&link, "Hal"), with_media(), hal]);
    let failures: Vec<String> = [alice, hal]
        .into_iter()
        .filter_map(Person::failure)
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    site.stop();
}

#[test]
fn the_demonstration_of_a_meeting_shows_each_step() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo").display().to_string();
    let output = run([
        "demo",
        "--json",
        "--generated",
        "--duration",
        "3s",
        "--out",
        &out,
    ]);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stdout}{stderr}");
    let events: Vec<serde_json::Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let steps = events.iter().filter(|event| event["event"] == "step");
    let steps: Vec<&str> = steps.filter_map(|step| step["text"].as_str()).collect();
    assert!(
        steps.contains(&"Emma reads what was written before she came"),
        "{steps:?}"
    );
    assert_eq!(steps.last(), Some(&"Alice ends the meeting for everybody"));
    let summary = events.last().unwrap();
    assert_eq!(summary["event"], "summary");
    // Five people, each of whom sees and hears four.
    let rows = summary["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 20);
    assert!(
        rows.iter().all(|row| row["pictures"].as_u64() > Some(0)),
        "{rows:?}"
    );
    assert!(folder.path().join("demo/summary.json").is_file());
}

const ZOE: &str = "\
wait lobby Ben
admit Ben
wait present Ben
refused NotPresent data note @Nobody x
wait chat ready
data note @Ben for you
CURSORS
wait data thanks got both
wait screen on Ben
wait hears-screen Ben
forbid screen on
wait screen off Ben
end
wait ended
";

const BEN: &str = "\
wait waiting
wait connected
say ready
wait data note for you
wait data cursor 3 7
data thanks @Zoe got both
screen on
wait forbidden screen on
wait ended
";

#[test]
fn data_the_sound_of_a_screen_and_what_is_kept_and_forbidden() {
    let site = Site::start();
    site.account("zoe", "zoe@example.org");
    let link = site.room("zoe");
    // To all it is lost until it is listened to.
    let cursors = "data cursor 3 7\nsleep 100ms\n".repeat(20);
    let zoe = site.script("Zoe", &ZOE.replace("CURSORS\n", &cursors));
    let zoe = Person::joins("Zoe", &[site.agent(&link, "Zoe", "zoe"), zoe]);
    let screen = ["--screen", "test:320x180@5", "--screen-sound", "test:"];
    let screen = screen.map(str::to_owned).to_vec();
    let ben = [Site::guest(&link, "Ben"), site.script("Ben", BEN), screen];
    let mut ben = Script::start(ben.concat());
    assert_eq!(ben.event("retention")["retention_ms"], 60_000);
    let note = ben.event_where("data", |data| data["topic"] == "note");
    assert_eq!(note["text"], "for you");
    assert_eq!(note["private"], true);
    assert_eq!(note["name"], "Zoe");
    let cursor = ben.event_where("data", |data| data["topic"] == "cursor");
    assert_eq!(cursor["private"], false);
    let muted = ben.event("muted");
    assert_eq!(muted["source"], "screen");
    assert_eq!(muted["forbidden"], true);
    assert!(muted["by"].is_null(), "{muted}");
    ben.succeeds();
    assert_eq!(zoe.failure(), None);
    site.stop();
}
