//! A process that commits is killed at random points; what it had acknowledged is there, once.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parvis_meeting::{ChatSeq, ParticipantId, RoomCode};
use parvis_postgres::Stop;
use parvis_store::{ChatLine, NewMail, Store, Unit};

use crate::both::{NOW, account, cluster, room};

const URL: &str = "PARVIS_TEST_STORE";
const ROOMS: usize = 4;

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kill_9_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("parvis.db").display());
    Victim::new(&url).kill(100, |_, _| {});
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kill_9_on_postgresql() {
    let cluster = cluster();
    let url = cluster.database("killed");
    Victim::new(&url).kill(100, |_, _| {});
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_a_crash_of_postgresql() {
    let cluster = parvis_postgres::Cluster::start();
    Victim::new(&cluster.url()).kill(5, |round, moment| match moment {
        Moment::Before if round % 2 == 0 => cluster.stop(Stop::Immediate),
        Moment::After if round % 2 == 0 => cluster.resume(),
        Moment::Before | Moment::After => {}
    });
}

/// Not a test of itself: the process that the others kill.
#[test]
#[ignore = "run by the tests above, which kill it"]
fn victim() {
    let Ok(url) = env::var(URL) else {
        return;
    };
    runtime().block_on(async {
        let store = Store::open(&url).await.unwrap();
        let mut writers = Vec::new();
        for code in store.running_rooms().await.unwrap() {
            writers.push(tokio::spawn(write_for_ever(store.clone(), code)));
        }
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

async fn write_for_ever(store: Store, code: RoomCode) {
    let session = store.open_session(&code, NOW).await.unwrap();
    let mut seq = session.next_chat;
    loop {
        let mut unit = Unit::new(session.key.clone(), session.epoch, seq, NOW);
        unit.entries = vec![format!("entry {seq}")];
        unit.chat = vec![line(seq)];
        unit.mail = vec![NewMail {
            key: format!("{code} {seq}"),
            message: String::new(),
        }];
        if store.commit(vec![unit]).await.is_err() {
            // The database was taken away.
            return;
        }
        let acknowledged = format!("ack {code} {seq}\n");
        std::io::stdout()
            .write_all(acknowledged.as_bytes())
            .unwrap();
        seq += 1;
    }
}

fn line(seq: u64) -> ChatLine {
    ChatLine {
        seq: ChatSeq(seq),
        participant: ParticipantId::new("pgus").unwrap(),
        client_id: format!("message {seq}"),
        body: format!("text {seq}"),
    }
}

#[derive(Clone, Copy)]
enum Moment {
    Before,
    After,
}

struct Victim {
    url: String,
    seed: u64,
    /// How many messages of a room are known to be there, in order and once.
    verified: BTreeMap<RoomCode, u64>,
}

impl Victim {
    fn new(url: &str) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = match env::var("PARVIS_SEED") {
            Ok(seed) => seed.parse().expect("a seed is a number"),
            Err(_) => since.as_nanos() as u64,
        };
        println!("PARVIS_SEED={seed}");
        let verified = runtime().block_on(async {
            let store = Store::open(url).await.unwrap();
            let zoe = account(&store, "Zoe").await;
            let mut rooms = BTreeMap::new();
            for _ in 0..ROOMS {
                let code = room(&store, &zoe).await;
                store.open_session(&code, NOW).await.unwrap();
                rooms.insert(code, 0);
            }
            store.close().await;
            rooms
        });
        Self {
            url: url.to_owned(),
            seed,
            verified,
        }
    }

    fn kill(mut self, rounds: u32, around: impl Fn(u32, Moment)) {
        for round in 0..rounds {
            let acknowledged = self.one_round(|moment| around(round, moment));
            self.verify(&acknowledged, round);
        }
        let written: u64 = self.verified.values().sum();
        println!("{written} messages, {rounds} times killed");
        self.mail_is_there_once(written);
    }

    /// Runs it until a random number of acknowledgements, and a little longer.
    fn one_round(&mut self, around: impl Fn(Moment)) -> BTreeMap<RoomCode, u64> {
        let mut child = self.spawn();
        let stdout = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines();
        let wanted = 1 + self.random() % 40;
        let mut acknowledged = BTreeMap::new();
        let mut note = |line: std::io::Result<String>| {
            let line = line.expect("standard output can be read");
            // The harness of the tests writes lines too.
            let Some(rest) = line.split("ack ").nth(1) else {
                return false;
            };
            let (code, seq) = rest.split_once(' ').expect("code and number");
            let code = RoomCode::parse(code).expect("a code");
            acknowledged.insert(code, seq.parse::<u64>().expect("a number"));
            true
        };
        let mut heard = 0;
        for line in lines.by_ref() {
            heard += u64::from(note(line));
            if heard >= wanted {
                break;
            }
        }
        assert!(heard >= wanted, "it ended by itself");
        // The point at which it dies, somewhere between two acknowledgements.
        thread::sleep(Duration::from_micros(self.random() % 5000));
        around(Moment::Before);
        child.kill().expect("it runs, or has ended by itself");
        child.wait().expect("it is ours");
        around(Moment::After);
        for line in lines {
            note(line);
        }
        acknowledged
    }

    fn spawn(&self) -> Child {
        Command::new(env::current_exe().expect("this test is a file"))
            .args(["--exact", "kill::victim", "--ignored", "--nocapture"])
            .env(URL, &self.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("this test can be run")
    }

    fn verify(&mut self, acknowledged: &BTreeMap<RoomCode, u64>, round: u32) {
        let verified = &mut self.verified;
        runtime().block_on(async {
            let store = Store::open(&self.url).await.unwrap();
            for (code, verified) in verified {
                let session = store.open_session(code, NOW).await.unwrap();
                assert_eq!(
                    session.next_entry, session.next_chat,
                    "{code}: halves of units"
                );
                if let Some(last) = acknowledged.get(code) {
                    assert!(
                        session.next_chat > *last,
                        "{code}: {last} is lost, round {round}"
                    );
                }
                while *verified < session.next_chat {
                    let (from, to) = (ChatSeq(*verified), ChatSeq(session.next_chat));
                    let lines = store.chat(&session.key, from, to).await.unwrap();
                    assert!(!lines.is_empty(), "{code}: nothing from {verified}");
                    for found in lines {
                        assert_eq!(found, line(*verified), "{code}");
                        *verified += 1;
                    }
                }
                let beyond = (ChatSeq(*verified), ChatSeq(u64::MAX >> 1));
                let beyond = store.chat(&session.key, beyond.0, beyond.1).await.unwrap();
                assert_eq!(beyond, [], "{code}: more than was counted");
                let entries = (0..session.next_entry).map(|n| format!("entry {n}"));
                assert!(entries.eq(session.entries), "{code}: entries");
            }
            store.close().await;
        });
    }

    fn mail_is_there_once(&self, written: u64) {
        let mail = runtime().block_on(async {
            let store = Store::open(&self.url).await.unwrap();
            let mail = store.due_mail(u32::MAX, NOW, NOW.plus(Duration::from_mins(1)));
            let mail = mail.await.unwrap();
            store.close().await;
            mail
        });
        assert_eq!(mail.len() as u64, written);
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}
