use std::{future::pending, time::Duration};

use parvis::{
    LocalStats, Room,
    source::{self, MediaSource, PlayOptions, Playback},
};
use serde_json::json;

use crate::{
    cli::PublishArgs,
    output::Output,
    stop::{Stop, stop},
};

/// How often progress is shown.
const PROGRESS: Duration = Duration::from_millis(500);

/// Publishes a file until it ends, the time is over, or the user stops it.
pub async fn run(args: PublishArgs, output: &Output) -> anyhow::Result<()> {
    // Before connecting: nobody should see a participant whose file is no video.
    let mut media = source::open(&args.source)?;
    if let Some(audio) = &args.audio {
        media.add_audio(source::open(&audio.to_string_lossy())?, audio.clone())?;
    }
    let room = args.room.enter(Some(args.name.clone()), output).await?;
    let result = publish(&room, &args, media, output).await;
    room.close().await;
    result
}

async fn publish(
    room: &Room,
    args: &PublishArgs,
    media: MediaSource,
    output: &Output,
) -> anyhow::Result<()> {
    let options = PlayOptions {
        looped: args.looped,
        encoder: args.codec.into(),
        max_height: args.max_height,
    };
    let mut playback = Playback::start(room, media, options).await?;
    let tracks: Vec<String> = playback
        .stats()
        .into_iter()
        .map(|stats| stats.track)
        .collect();
    output.event(
        "publishing",
        &format!(
            "Publishing {} as {}: {}",
            args.source,
            args.name,
            tracks.join(", ")
        ),
        &json!({ "source": args.source, "name": args.name.as_str(), "tracks": tracks }),
    );
    let mut shown = tokio::time::interval(PROGRESS);
    let end = stop(args.duration);
    tokio::pin!(end);
    let closed = closed(room);
    tokio::pin!(closed);
    let why = loop {
        tokio::select! {
            ended = playback.finished() => {
                ended?;
                break "the source has ended";
            }
            _ = shown.tick() => {
                let stats = playback.stats();
                output.progress(&describe(&stats), &json!({ "tracks": fields(&stats) }));
            }
            stop = &mut end => match stop {
                Stop::Time => break "the time is over",
                Stop::Signal => break "stopped",
            },
            error = &mut closed => return Err(error),
        }
    };
    output.finish();
    let stats = playback.stats();
    output.event(
        "published",
        &format!("{} ({why}): {}", args.source, describe(&stats)),
        &json!({ "source": args.source, "why": why, "tracks": fields(&stats) }),
    );
    Ok(())
}

/// Ends when the connection does.
async fn closed(room: &Room) -> anyhow::Error {
    let mut events = room.events();
    while let Some(event) = events.next().await {
        if let parvis::RoomEvent::Closed(reason) = event {
            let error = anyhow::Error::new(reason);
            return error.context("the relay is gone: start it and publish again");
        }
    }
    pending().await
}

fn describe(stats: &[LocalStats]) -> String {
    let each = stats.iter().map(|stats| {
        let watched = if stats.watched {
            "watched"
        } else {
            "not watched"
        };
        format!(
            "{} {watched}, {} sent, {} dropped",
            stats.track, stats.encoded, stats.dropped
        )
    });
    each.collect::<Vec<_>>().join("; ")
}

fn fields(stats: &[LocalStats]) -> Vec<serde_json::Value> {
    let each = stats.iter().map(|stats| {
        json!({
            "track": stats.track,
            "watched": stats.watched,
            "encoded": stats.encoded,
            "dropped": stats.dropped,
        })
    });
    each.collect()
}
