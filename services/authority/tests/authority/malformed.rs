//! Commands that nobody may give, by the hundred thousand: they change nothing and stop nobody.

use parvis_meeting::{Command, ErrorKind, LobbyStatus, MAX_COMMAND_BYTES, Notice, View};

use crate::{
    app::App,
    scene::{Scene, account, agent, guest, now},
};

const COMMANDS: u64 = 100_000;
const PUBLISHERS: u64 = 4;
/// So many at once, then one that is answered.
const AT_ONCE: u64 = 100;

/// With something of a wrong type at `@`, which is never a text.
const WRONG_TYPES: &[&str] = &[
    r#"{"type":"admit","who":@}"#,
    r#"{"type":"raise_hand","extra":@}"#,
    r#"{"type":"react","emoji":@}"#,
    r#"{"type":"chat","client_id":@,"text":"hello"}"#,
    r#"{"type":"chat","client_id":"c","text":"x","to":@}"#,
    r#"{"type":"set_media","microphone":@}"#,
    r#"{"type":"set_role","who":"ann","role":@}"#,
    r#"{"type":"progress","progress":@}"#,
    r#"{"type":@}"#,
    "@",
];

/// Well-formed, and only for hosts or for nobody.
const WRONG_RIGHTS: &[&str] = &[
    r#"{"type":"admit","who":"all"}"#,
    r#"{"type":"deny","who":{"one":"HOST"}}"#,
    r#"{"type":"lower_hand","whose":"HOST"}"#,
    r#"{"type":"lower_all_hands"}"#,
    r#"{"type":"mute","who":"all"}"#,
    r#"{"type":"forbid","source":"camera","forbidden":true}"#,
    r#"{"type":"rename","who":"HOST","name":"Nobody"}"#,
    r#"{"type":"set_role","who":"HOST","role":"guest"}"#,
    r#"{"type":"set_access","level":"public"}"#,
    r#"{"type":"set_host_gate","on":false}"#,
    r#"{"type":"set_history","history":"none"}"#,
    r#"{"type":"lock","locked":true}"#,
    r#"{"type":"remove","who":"HOST"}"#,
    r#"{"type":"end_for_all"}"#,
    r#"{"type":"start_recording"}"#,
    r#"{"type":"stop_transcription"}"#,
    r#"{"type":"progress","progress":{"kind":"recording","id":1,"status":"active"}}"#,
    r#"{"type":"react","emoji":"rocket"}"#,
    r#"{"type":"chat","client_id":"c","text":"  "}"#,
    r#"{"type":"report_quality","quality":"lost"}"#,
];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// Anything but a text.
    fn json(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => "true".to_owned(),
            1 => self.next().to_string(),
            2 => "{}".to_owned(),
            3 => "[]".to_owned(),
            4 => format!("[{},{}]", self.json(depth - 1), self.json(depth - 1)),
            _ => format!("{{\"{:x}\":{}}}", self.next() % 16, self.json(depth - 1)),
        }
    }

    /// An item of CBOR (RFC 8949), such as a client of another protocol would send.
    fn cbor(&mut self, depth: usize, out: &mut Vec<u8>) {
        let kind = self.below(if depth == 0 { 4 } else { 6 }) as u8;
        let length = self.below(8);
        match kind {
            0 | 1 => {
                out.push(kind << 5 | 0x1b);
                out.extend(self.next().to_be_bytes());
            }
            2 | 3 => {
                out.push(kind << 5 | length as u8);
                out.extend((0..length).map(|_| b'a' + self.below(26) as u8));
            }
            4 => {
                out.push(0x80 | length as u8);
                for _ in 0..length {
                    self.cbor(depth - 1, out);
                }
            }
            _ => {
                out.push(0xa0 | length as u8);
                for at in 0..length {
                    out.extend([0x61, b'a' + at as u8]);
                    self.cbor(depth - 1, out);
                }
            }
        }
    }

    fn command(&mut self, number: u64, host: &str) -> Vec<u8> {
        let wrapped =
            |command: &str| format!(r#"{{"id":"m{number}","command":{command}}}"#).into_bytes();
        match self.below(1000) {
            0..=99 => {
                let length = self.below(200);
                (0..length).map(|_| self.next() as u8).collect()
            }
            100..=199 => {
                let mut bytes = Vec::new();
                self.cbor(4, &mut bytes);
                bytes
            }
            200..=299 => self.json(5).into_bytes(),
            300..=549 => {
                let wrong = self.json(3);
                wrapped(&self.of(WRONG_TYPES).replace('@', &wrong))
            }
            550..=849 => wrapped(&self.of(WRONG_RIGHTS).replace("HOST", host)),
            850..=979 => {
                let mut cut = wrapped(self.of(WRONG_RIGHTS));
                cut.truncate(self.below(cut.len()));
                cut
            }
            980..=994 => {
                let depth = 13 + self.below(4000);
                wrapped(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)))
            }
            _ => {
                let text = "a".repeat(MAX_COMMAND_BYTES + self.below(5000));
                wrapped(&format!(
                    r#"{{"type":"chat","client_id":"c","text":"{text}"}}"#
                ))
            }
        }
    }
}

/// Sends its part; every now and then it asks for something that is answered, so none is lost on the way.
async fn assault(app: &mut App, host: &str, seed: u64) {
    let mut random = Random(seed);
    for number in 0..COMMANDS / PUBLISHERS {
        app.send(random.command(number, host));
        if (number + 1).is_multiple_of(AT_ONCE) {
            app.ask(Command::Resync).await.expect("it may ask");
            app.forget();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_malformed_commands_change_nothing_and_stop_nobody() {
    let seed = std::env::var("PARVIS_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| now().0);
    println!("PARVIS_SEED={seed}");
    let mut scene = Scene::new().await;
    // All of them are looked at: what is beyond a limit would not be.
    let fast = 1_000_000;
    scene.meeting.commands_per_second = fast;
    scene.limits.commands_per_second = fast;
    scene.limits.share = 4 * AT_ONCE as usize;
    scene.limits.queue = 32 * AT_ONCE as usize;
    scene.limits.save_every = 256;
    scene.replace_authority().await;

    let mut zoe = App::host(&scene).await;
    let account = account(&scene.store, "Annabel").await;
    let mut ann = App::new(&scene, agent(&account, "Annabel")).await;
    ann.knock().await.unwrap();
    ann.admitted().await;
    let mut gus = App::new(&scene, guest("Gus")).await;
    gus.knock().await.unwrap();
    let who = parvis_meeting::Target::One(gus.who.clone());
    zoe.ask(Command::Admit { who }).await.unwrap();
    gus.admitted().await;
    let mut waiting = App::new(&scene, guest("Eve")).await;
    waiting.knock().await.unwrap();
    let mut outside = App::new(&scene, guest("Out")).await;
    zoe.ask(Command::RaiseHand).await.unwrap();

    let in_the_room =
        |view: &View| (view.len() == 3 && view.hands().count() == 1).then(|| view.clone());
    let before = zoe.state().await.until("all of them", in_the_room).await;
    let host = zoe.who.to_string();
    let mut written = 0;
    {
        let assaults = async {
            tokio::join!(
                assault(&mut ann, &host, seed),
                assault(&mut gus, &host, seed + 1),
                assault(&mut waiting, &host, seed + 2),
                assault(&mut outside, &host, seed + 3),
            );
        };
        tokio::pin!(assaults);
        loop {
            tokio::select! {
                () = &mut assaults => break,
                done = zoe.write("still here") => {
                    assert_eq!(done.unwrap().seq.map(|seq| seq.0), Some(written));
                    written += 1;
                }
            }
        }
    }
    // Nothing else was heard by anybody, and nothing else is known.
    let after = zoe.state().await.until("the same", in_the_room).await;
    assert_eq!(after, before);
    assert!(written > 0, "the host was heard meanwhile");
    let last = zoe.write("the end").await.unwrap();
    // A message may have been on its way when the others were done.
    assert!(last.seq.is_some_and(|seq| seq.0 <= written + 1), "{last:?}");
    assert_eq!(
        ann.ask(Command::LowerAllHands).await,
        Err(ErrorKind::Forbidden)
    );
    waiting.ask(Command::Resync).await.unwrap();
    let waits = |notice: &Notice| {
        matches!(notice, Notice::Lobby(LobbyStatus::Waiting { .. })).then_some(())
    };
    waiting.notice("place", waits).await;
    let session = scene.store.open_session(&scene.code, now()).await.unwrap();
    assert!(
        session.next_entry >= COMMANDS,
        "only {} were looked at",
        session.next_entry
    );
}
