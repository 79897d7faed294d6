//! Commands that nobody may give: they change nothing and stop nobody.

use parvis_meeting::{
    Body, Command, ErrorKind, Input, MAX_COMMAND_BYTES, Outcome, Output, Policy, Settings,
};

use crate::{
    random::Random,
    support::{Meeting, agent, guest, id},
};

const COMMANDS: usize = 100_000;
const SEED: u64 = 22;

/// Commands with a field of a type that it cannot have: `@` anything, `#` anything but a text.
const WRONG_TYPES: &[&str] = &[
    r#"{"type":"admit","who":@}"#,
    r#"{"type":"admit","who":{"one":@}}"#,
    r#"{"type":"deny","who":{"one":"zoe","all":@}}"#,
    r#"{"type":"raise_hand","extra":@}"#,
    r#"{"type":"react","emoji":@}"#,
    r#"{"type":"chat","client_id":@,"text":"hello"}"#,
    r#"{"type":"chat","client_id":"c","text":#}"#,
    r#"{"type":"set_media","microphone":@,"speaker":1}"#,
    r#"{"type":"mute","who":@}"#,
    r#"{"type":"forbid","source":@,"forbidden":true}"#,
    r#"{"type":"rename","name":#}"#,
    r#"{"type":"set_role","who":"ann","role":@}"#,
    r#"{"type":"set_access","level":@}"#,
    r#"{"type":"lock","locked":@,"twice":true}"#,
    r#"{"type":"remove","who":@}"#,
    r#"{"type":"progress","progress":@}"#,
    r#"{"type":@}"#,
    "@",
];

/// Well-formed commands that only hosts may give.
const WRONG_RIGHTS: &[&str] = &[
    r#"{"type":"admit","who":"all"}"#,
    r#"{"type":"deny","who":{"one":"gus"}}"#,
    r#"{"type":"lower_hand","whose":"zoe"}"#,
    r#"{"type":"lower_all_hands"}"#,
    r#"{"type":"mute","who":"all"}"#,
    r#"{"type":"forbid","source":"camera","forbidden":true}"#,
    r#"{"type":"rename","who":"zoe","name":"Nobody"}"#,
    r#"{"type":"set_role","who":"ann","role":"owner"}"#,
    r#"{"type":"set_access","level":"public"}"#,
    r#"{"type":"set_host_gate","on":false}"#,
    r#"{"type":"set_history","history":"none"}"#,
    r#"{"type":"lock","locked":true}"#,
    r#"{"type":"remove","who":"zoe"}"#,
    r#"{"type":"end_for_all"}"#,
    r#"{"type":"start_recording"}"#,
    r#"{"type":"stop_transcription"}"#,
    r#"{"type":"progress","progress":{"kind":"recording","id":1,"status":"active"}}"#,
    r#"{"type":"react","emoji":"rocket"}"#,
    r#"{"type":"chat","client_id":"c","text":"  "}"#,
    r#"{"type":"chat","client_id":"c","text":"hello","to":"nobody"}"#,
    r#"{"type":"report_quality","quality":"lost"}"#,
    r#"{"type":"rename","name":"\u202e"}"#,
];

fn value(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 6 } else { 8 }) {
        0 => "true".to_owned(),
        1 => format!("-{}.5e3", random.next() % 1000),
        2 => random.next().to_string(),
        3 => format!("\"\\u{:04x}{:x} \"", random.next() % 0xd800, random.next()),
        4 => "{}".to_owned(),
        5 => "[]".to_owned(),
        6 => format!(
            "[{},{}]",
            value(random, depth - 1),
            value(random, depth - 1)
        ),
        _ => format!(
            "{{\"{:x}\":{}}}",
            random.next() % 16,
            value(random, depth - 1)
        ),
    }
}

fn command(random: &mut Random, n: usize) -> Vec<u8> {
    let wrapped = |command: String| format!(r#"{{"id":"m{n}","command":{command}}}"#).into_bytes();
    match random.below(100) {
        0..=9 => (0..random.below(200))
            .map(|_| random.next() as u8)
            .collect(),
        10..=24 => value(random, 5).into_bytes(),
        25..=54 => {
            let template = random.of(WRONG_TYPES);
            let mut wrong = value(random, 3);
            while wrong.starts_with('"') && template.contains('#') {
                wrong = value(random, 3);
            }
            wrapped(template.replace(['@', '#'], &wrong))
        }
        55..=84 => wrapped(random.of(WRONG_RIGHTS).to_owned()),
        85..=94 => {
            let mut cut = wrapped(random.of(WRONG_RIGHTS).to_owned());
            cut.truncate(random.below(cut.len()));
            cut
        }
        95..=97 => {
            let depth = 13 + random.below(4000);
            let (open, close) = random.of(&[("[", "]"), ("{\"a\":", "}")]);
            let core = if open == "[" { "" } else { "0" };
            wrapped(format!(
                "{}{core}{}",
                open.repeat(depth),
                close.repeat(depth)
            ))
        }
        _ => {
            let text = "a".repeat(MAX_COMMAND_BYTES + random.below(5000));
            wrapped(format!(
                r#"{{"type":"chat","client_id":"c","text":"{text}"}}"#
            ))
        }
    }
}

fn assault(seed: u64) {
    let settings = Settings {
        commands_per_second: 1_000_000,
        ..Settings::default()
    };
    let mut meeting = Meeting::with(Policy::default(), settings);
    meeting.enter("zoe", agent("zoe"));
    meeting.enter("ann", agent("ann"));
    meeting.enter("gus", guest("Gus"));
    meeting.arrive("out", guest("Outside"));
    meeting.done("zoe", Command::RaiseHand);
    let (view, roles) = (meeting.view().clone(), meeting.room.roles().clone());
    let mut random = Random(seed);
    for n in 0..COMMANDS {
        let bytes = command(&mut random, n);
        let who = random.of(&["ann", "gus", "out", "nobody"]);
        meeting.forget();
        meeting.input(Input::from_object(id(who), &bytes));
        for output in &meeting.outputs {
            let Output::Message { to, message } = output else {
                panic!("{who} caused {output:?}");
            };
            assert_eq!(to.as_str(), who);
            let harmless = match &message.body {
                Body::Reply { outcome, .. } => matches!(outcome, Outcome::Refused(_)),
                Body::Notice { notice } => {
                    matches!(notice, parvis_meeting::Notice::Malformed { .. })
                }
                Body::Unknown => false,
            };
            assert!(
                harmless,
                "{message:?} to {:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
        assert_eq!(
            *meeting.view(),
            view,
            "{:?}",
            String::from_utf8_lossy(&bytes)
        );
        if n % 1000 == 0 {
            assert_eq!(*meeting.room.roles(), roles);
            assert_eq!(meeting.room.waiting(), 1);
            meeting.pass(std::time::Duration::from_millis(1));
            meeting.done("zoe", Command::RaiseHand);
            assert_eq!(
                meeting.refused("ann", Command::LowerAllHands),
                ErrorKind::Forbidden
            );
        }
    }
}

#[test]
fn a_hundred_thousand_malformed_commands_change_nothing_and_stop_nobody() {
    let seed = std::env::var("PARVIS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(SEED);
    let result = std::panic::catch_unwind(|| assault(seed));
    if let Err(panic) = result {
        eprintln!("seed {seed}: run it again with PARVIS_SEED={seed}");
        std::panic::resume_unwind(panic);
    }
}
