//! How long a chat message waits for the disk, with 50 rooms in which somebody writes 4 times a second:
//! `cargo run --release -p parvis-store --example speed -- sqlite:/var/tmp/speed.db`

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parvis_meeting::{ChatSeq, ParticipantId, Policy, UnixMillis};
use parvis_store::{AuditEntry, ChatLine, NewAccount, NewRoom, Store, Unit};
use tokio::time::{MissedTickBehavior, interval_at};

const ROOMS: u32 = 50;
const MESSAGES: u64 = 40;
const PAUSE: Duration = Duration::from_millis(250);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args()
        .nth(1)
        .ok_or("which store? sqlite:FILE or postgres://…")?;
    let store = Store::open(&url).await?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let now = UnixMillis(since.as_millis() as u64);
    let email = format!("{}@example.org", now.0);
    let account = store
        .create_account(&NewAccount::local(&email, "Speed"), now)
        .await?;
    let mut rooms = Vec::new();
    for number in 0..ROOMS {
        let room = NewRoom::new(Store::new_code()?, "Speed", &account, Policy::default());
        let audit = AuditEntry {
            at: now,
            actor: account.to_string(),
            action: "create".to_owned(),
            details: "{}".to_owned(),
        };
        store.create_room(&room, &audit, &[], now).await?;
        let session = store.open_session(&room.code, now).await?;
        let store = store.clone();
        rooms.push(tokio::spawn(async move {
            let first = tokio::time::Instant::now() + PAUSE * number / ROOMS;
            let mut clock = interval_at(first, PAUSE);
            clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut waits = Vec::new();
            for seq in 0..MESSAGES {
                clock.tick().await;
                let began = Instant::now();
                let mut unit = Unit::new(session.key.clone(), session.epoch, seq, now);
                unit.entries = vec!["said something".to_owned()];
                unit.chat = vec![ChatLine {
                    seq: ChatSeq(seq),
                    participant: ParticipantId::new("pgus").expect("an id"),
                    client_id: seq.to_string(),
                    body: "x".repeat(200),
                }];
                store.commit(vec![unit]).await.expect("it is written");
                waits.push(began.elapsed());
            }
            waits
        }));
    }
    let mut waits = Vec::new();
    for room in rooms {
        waits.extend(room.await?);
    }
    store.close().await;
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    println!(
        "{} messages: p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        waits.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}
