use std::time::{Duration, Instant};

use anyhow::Context;
use parvis::{
    AudioOptions, RemoteTrack, clock,
    codec::{AudioFrame, Channels},
    meeting::{CommandError, Meeting, MeetingEvent, MeetingState, Microphone, Target},
};
use parvis_meeting::{AccessLevel, Policy, RoomCode};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{interval, timeout},
};

use crate::{
    clients::{House, PATIENCE, sees, until},
    large::hundreds,
    process::Process,
    rows::{Rows, quantile},
};

/// How many are in the rooms in which times are measured.
const ROOM: usize = 50;
/// Of whom nothing comes for so long, nothing comes any more.
const SILENCE: Duration = Duration::from_millis(500);

/// Measures everything.
pub async fn run(people: usize, samples: usize, rows: &mut Rows) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().display().to_string();
    let relay = Process::start(&["relay", &path]).await?;
    let about = relay.about.to_string();
    let authority = Process::start(&["authority", &path, &about]).await?;
    let house = House::open(folder.path(), &relay.about).await?;
    fifty(&house, samples, rows)
        .await
        .context("the room of fifty")?;
    admissions(&house, samples, rows)
        .await
        .context("admissions")?;
    hundreds(&house, people, (&relay, &authority), rows)
        .await
        .context("the large room")
}

pub(crate) fn public() -> Policy {
    Policy {
        access: AccessLevel::Public,
        ..Policy::default()
    }
}

/// People who come into a public room.
pub(crate) async fn crowd(
    house: &House,
    code: &RoomCode,
    count: usize,
) -> anyhow::Result<Vec<Meeting>> {
    let mut people = Vec::new();
    for n in 0..count {
        people.push(house.guest(code, &format!("guest-{n}")).await?);
    }
    Ok(people)
}

/// Chat, joining and muting among fifty.
async fn fifty(house: &House, samples: usize, rows: &mut Rows) -> anyhow::Result<()> {
    let (code, owner) = house.room(public()).await?;
    let host = house.agent(&code, &owner).await?;
    sees(&host, 1).await?;
    let crowd = crowd(house, &code, ROOM - 1).await?;
    for meeting in &crowd {
        sees(meeting, ROOM).await?;
    }

    let mut seen = Vec::new();
    for n in 0..samples {
        let text = format!("message {n}");
        let mut hearing = JoinSet::new();
        for meeting in crowd.iter().chain([&host]) {
            let (mut events, text) = (meeting.events(), text.clone());
            hearing.spawn(async move {
                while let Some(event) = events.next().await {
                    if matches!(&event, MeetingEvent::Chat(message) if message.text == text) {
                        return Some(Instant::now());
                    }
                }
                None
            });
        }
        let sent = Instant::now();
        // Nobody writes more than five a second.
        crowd[n % crowd.len()].chat(&text).await?;
        let mut last = sent;
        while let Some(at) = timeout(PATIENCE, hearing.join_next()).await? {
            last = last.max(at?.context("a meeting is over")?);
        }
        seen.push(last - sent);
    }
    rows.add_time(
        "chat/50/send-to-seen-by-all-p99",
        quantile(&mut seen, 0.99),
        ms(50),
    );
    rows.add(
        "chat/50/p50",
        quantile(&mut seen, 0.5).as_secs_f64() * 1e3,
        "ms",
        None,
    );

    let mut joined = Vec::new();
    for n in 0..samples {
        let begun = Instant::now();
        let newcomer = house.guest(&code, &format!("newcomer-{n}")).await?;
        sees(&newcomer, ROOM + 1).await?;
        joined.push(begun.elapsed());
        newcomer.leave().await;
        until(&host, "a farewell", |state| len(state) == ROOM).await?;
    }
    rows.add_time(
        "join/50/full-state-p95",
        quantile(&mut joined, 0.95),
        ms(200),
    );
    mutes(house, (&code, &host), samples.min(30), rows).await?;
    removals(house, (&code, &host), samples.min(30), rows).await
}

fn len(state: &MeetingState) -> usize {
    state.view.as_ref().map_or(0, parvis::meeting::View::len)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// From a moderator's mute of somebody who does not obey to the last sound that the relay lets
/// through.
async fn mutes(
    house: &House,
    (code, host): (&RoomCode, &Meeting),
    samples: usize,
    rows: &mut Rows,
) -> anyhow::Result<()> {
    let mut talker = house.raw(code, "talker").await?;
    let listener = house.raw(code, "listener").await?;
    let talking = talker.talk().await?;
    let mut times = Vec::new();
    for _ in 0..samples {
        talker.unmute()?;
        let mut sound = listener.hear(&talker.me).await?;
        for _ in 0..10 {
            timeout(PATIENCE, sound.next()).await?.context("it ended")?;
        }
        let muting = host.mute(Target::One(talker.me.clone()));
        times.push(until_silent(muting, &mut sound).await?);
    }
    talking.abort();
    rows.add_time("mute/last-forwarded-p50", quantile(&mut times, 0.5), ms(50));
    rows.add_time(
        "mute/last-forwarded-max",
        quantile(&mut times, 1.0),
        ms(1000),
    );
    Ok(())
}

/// From a moderator's removal of somebody who goes on to the last sound that the relay lets through.
async fn removals(
    house: &House,
    (code, host): (&RoomCode, &Meeting),
    samples: usize,
    rows: &mut Rows,
) -> anyhow::Result<()> {
    let listener = house.raw(code, "witness").await?;
    let mut times = Vec::new();
    for n in 0..samples {
        let mut talker = house.raw(code, &format!("talker-{n}")).await?;
        let talking = talker.talk().await?;
        talker.unmute()?;
        let mut sound = listener.hear(&talker.me).await?;
        for _ in 0..10 {
            timeout(PATIENCE, sound.next()).await?.context("it ended")?;
        }
        let removing = host.remove(talker.me.clone());
        times.push(until_silent(removing, &mut sound).await?);
        talking.abort();
    }
    rows.add_time(
        "remove/last-forwarded-p50",
        quantile(&mut times, 0.5),
        ms(50),
    );
    rows.add_time(
        "remove/last-forwarded-max",
        quantile(&mut times, 1.0),
        ms(1000),
    );
    Ok(())
}

/// From an order to the last sound of whom it silences.
async fn until_silent(
    order: impl Future<Output = Result<(), CommandError>>,
    sound: &mut RemoteTrack,
) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let listening = async {
        let mut last = begun;
        while let Ok(Some(_)) = timeout(SILENCE, sound.next()).await {
            last = Instant::now();
        }
        last
    };
    let (ordered, last) = tokio::join!(order, listening);
    ordered?;
    Ok(last - begun)
}

/// From the host's word to the first sound of a guest who waited.
async fn admissions(house: &House, samples: usize, rows: &mut Rows) -> anyhow::Result<()> {
    let (code, owner) = house.room(Policy::default()).await?;
    let host = house.agent(&code, &owner).await?;
    sees(&host, 1).await?;
    let talking = speak(host.microphone(AudioOptions::default()).await?);
    let mut times = Vec::new();
    for n in 0..samples {
        let guest = house.guest(&code, &format!("guest-{n}")).await?;
        let who = guest.state().me.clone();
        let knows = |state: &MeetingState| state.lobby.iter().any(|w| w.participant == who);
        until(&host, "the knock", knows).await?;
        let mut voice = guest.voice(&host.state().me);
        let hearing = async { timeout(PATIENCE, voice.next()).await?.context("it left") };
        let begun = Instant::now();
        let admitting = host.admit(Target::One(who.clone()));
        let (admitted, sound) = tokio::join!(admitting, hearing);
        admitted?;
        sound?;
        times.push(begun.elapsed());
        guest.leave().await;
    }
    talking.abort();
    rows.add_time("admit/first-media-p95", quantile(&mut times, 0.95), ms(300));
    Ok(())
}

/// Pushes a tone as a microphone does.
pub(crate) fn speak(microphone: Microphone) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(20));
        let samples: Vec<f32> = (0..960).map(|n| (n as f32 * 0.06).sin() * 0.5).collect();
        loop {
            ticks.tick().await;
            let Ok(frame) = AudioFrame::new(clock::now(), Channels::Mono, samples.clone()) else {
                return;
            };
            microphone.push(&frame);
        }
    })
}
