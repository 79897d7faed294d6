//! What hundreds in one room cost.

use std::time::{Duration, Instant};

use parvis::{AudioOptions, meeting::MeetingEvent};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    clients::{House, PATIENCE, sees},
    measure::{crowd, public, speak},
    process::{Process, Usage},
    rows::Rows,
};

/// The last message in the large room.
const LAST: &str = "good night";
/// How long the large room is watched.
const WATCHED: Duration = Duration::from_secs(20);

/// What hundreds in one room cost.
pub(crate) async fn hundreds(
    house: &House,
    people: usize,
    (relay, authority): (&Process, &Process),
    rows: &mut Rows,
) -> anyhow::Result<()> {
    let (code, owner) = house.room(public()).await?;
    let host = house.agent(&code, &owner).await?;
    sees(&host, 1).await?;
    let before = authority.usage()?;
    let ours = Usage::of(std::process::id())?;
    let begun = Instant::now();
    let crowd = crowd(house, &code, people.saturating_sub(1)).await?;
    for meeting in &crowd {
        sees(meeting, people).await?;
    }
    let joining = authority.usage()?.cpu.saturating_sub(before.cpu);
    let took = begun.elapsed();
    rows.add("large/joining-seconds", took.as_secs_f64(), "s", None);
    // Each of them takes note of each: what that costs is spread over as many phones.
    let ours = Usage::of(std::process::id())?.cpu.saturating_sub(ours.cpu);
    rows.add(
        "large/joining-cpu-of-all-clients",
        ours.as_secs_f64(),
        "s",
        None,
    );
    rows.add(
        "large/authority-cpu-ms-per-join",
        joining.as_secs_f64() * 1e3 / people as f64,
        "ms",
        None,
    );
    let mut talking = Vec::new();
    for meeting in crowd.iter().take(3) {
        talking.push(speak(meeting.microphone(AudioOptions::default()).await?));
    }
    let mut voices = JoinSet::new();
    for meeting in crowd.iter().take(3) {
        let mut voice = host.voice(&meeting.state().me);
        voices.spawn(async move { while voice.next().await.is_some() {} });
    }
    let mut chats = JoinSet::new();
    for meeting in crowd.iter().chain([&host]) {
        let mut events = meeting.events();
        chats.spawn(async move {
            let mut messages = 0;
            while let Some(event) = events.next().await {
                match event {
                    MeetingEvent::Chat(message) if message.text == LAST => return messages,
                    MeetingEvent::Chat(_) => messages += 1,
                    _ => {}
                }
            }
            messages
        });
    }
    let start = (authority.usage()?, relay.usage()?);
    let begun = Instant::now();
    let mut ticks = interval(Duration::from_millis(500));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut n = 0;
    while begun.elapsed() < WATCHED {
        ticks.tick().await;
        // Two messages and a hand a second, as in a lively meeting.
        crowd[n % crowd.len()].chat(&format!("message {n}")).await?;
        if n % 2 == 0 {
            crowd[n % crowd.len()].raise_hand().await?;
        }
        n += 1;
    }
    let took = begun.elapsed();
    let end = (authority.usage()?, relay.usage()?);
    host.chat(LAST).await?;
    let mut fewest = n;
    while let Some(messages) = timeout(PATIENCE, chats.join_next()).await? {
        fewest = fewest.min(messages?);
    }
    anyhow::ensure!(fewest == n, "of {n} messages somebody saw {fewest}");
    rows.add("large/messages-seen-by-each", fewest as f64, "", None);
    let share = |from: Duration, to: Duration| {
        to.saturating_sub(from).as_secs_f64() / took.as_secs_f64() * 1e2
    };
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    rows.add(
        "large/authority-cpu",
        share(start.0.cpu, end.0.cpu),
        "% of a core",
        None,
    );
    rows.add(
        "large/authority-memory",
        mebibytes(end.0.memory),
        "MiB",
        None,
    );
    rows.add(
        "large/relay-cpu",
        share(start.1.cpu, end.1.cpu),
        "% of a core",
        None,
    );
    rows.add("large/relay-memory", mebibytes(end.1.memory), "MiB", None);
    for task in talking {
        task.abort();
    }
    Ok(())
}
