use std::time::Duration;

use anyhow::{Context, bail};
use parvis::{Participant, Room, RoomEvent};
use serde_json::json;

use crate::{
    cli::WatchArgs,
    output::Output,
    recording::{OutFile, Recording},
    stop::{Stop, stop},
};

/// How long a participant's list of tracks must stay the same before recording begins: a publisher
/// adds its tracks one after the other.
const SETTLED: Duration = Duration::from_millis(300);

/// Why a recording ended by itself.
const LEFT: &str = "the participant left";

/// How often progress is shown.
const PROGRESS: Duration = Duration::from_millis(500);

/// Records a participant until it leaves, the time is over, or the user stops it.
pub async fn run(args: WatchArgs, output: &Output) -> anyhow::Result<()> {
    let (room, from, recording) = tokio::select! {
        // First, so that a signal is listened to before there is a file that it could leave behind.
        biased;
        _ = stop(None) => bail!("stopped before it began: {} was not written", args.out.display()),
        ready = prepare(&args, output) => ready?,
    };
    let result = record(&room, &from, recording, &args, output).await;
    room.close().await;
    result
}

/// Enters the room and subscribes to who is to be recorded.
async fn prepare(
    args: &WatchArgs,
    output: &Output,
) -> anyhow::Result<(Room, Participant, Recording)> {
    // Before anything else: a place that cannot be written to is not found out after an hour.
    let file = OutFile::create(&args.out)?;
    let room = args.room.enter(None, output).await?;
    match find(&room, args, file).await {
        Ok((from, recording)) => Ok((room, from, recording)),
        Err(error) => {
            room.close().await;
            Err(error)
        }
    }
}

async fn find(
    room: &Room,
    args: &WatchArgs,
    file: OutFile,
) -> anyhow::Result<(Participant, Recording)> {
    let found = room
        .wait_for(args.from.as_ref(), args.wait)
        .await
        .context("nobody to watch")?;
    let from = settled(room, found).await;
    let recording = Recording::start(room, &from, file).await?;
    Ok((from, recording))
}

async fn record(
    room: &Room,
    from: &Participant,
    mut recording: Recording,
    args: &WatchArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let tracks: Vec<String> = recording.tracks().iter().map(ToString::to_string).collect();
    output.event(
        "recording",
        &format!("Recording {}: {}", from.name, tracks.join(", ")),
        &json!({ "from": from.name.as_str(), "tracks": tracks }),
    );
    let mut shown = tokio::time::interval(PROGRESS);
    let end = stop(args.duration);
    tokio::pin!(end);
    let why = loop {
        tokio::select! {
            more = recording.step() => {
                if !more? {
                    break LEFT;
                }
            }
            _ = shown.tick() => {
                let recorded = recording.recorded();
                output.progress(&format!("{}: {}", from.name, recorded.describe()), recorded);
            }
            stop = &mut end => match stop {
                Stop::Time => break "the time is over",
                Stop::Signal => break "stopped",
            },
        }
    };
    output.finish();
    // The tracks end when the connection does; the application's word for it comes with it.
    let lost = room.state().closed.clone().filter(|_| why == LEFT);
    let recorded = tokio::task::spawn_blocking(move || recording.finish()).await??;
    output.event(
        "recorded",
        &format!("{} ({why}): {}", args.out.display(), recorded.describe()),
        &json!({ "out": args.out, "why": why, "recorded": recorded }),
    );
    if let Some(reason) = lost {
        let kept = format!(
            "the relay is gone; {} holds what came until then",
            args.out.display()
        );
        return Err(anyhow::Error::new(reason).context(kept));
    }
    Ok(())
}

/// The participant, once its tracks have stayed the same for a while.
pub async fn settled(room: &Room, mut participant: Participant) -> Participant {
    let mut events = room.events();
    loop {
        match tokio::time::timeout(SETTLED, events.next()).await {
            Ok(Some(RoomEvent::Joined(now) | RoomEvent::Changed(now)))
                if now.name == participant.name =>
            {
                participant = now;
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return participant,
        }
    }
}
