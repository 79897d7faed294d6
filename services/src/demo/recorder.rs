use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use parvis::{ParticipantName, Room, RoomOptions};
use serde::Serialize;
use tokio::{sync::watch, task::JoinSet};

use super::Meeting;
use crate::{
    output::one_line,
    recording::{OutFile, Recorded, Recording},
};

/// How long a participant may take to appear with its tracks.
const PATIENCE: Duration = Duration::from_secs(15);

/// The recording of one participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParticipantRecording {
    /// Who was recorded.
    pub name: String,
    /// The MP4 file.
    pub file: PathBuf,
    /// What it holds.
    pub recorded: Recorded,
}

/// Records everybody, each into a file of its own, until the meeting is over. It is an observer
/// like `parvis watch`.
pub async fn run(
    meeting: Arc<Meeting>,
    folder: PathBuf,
    leaving: watch::Receiver<bool>,
) -> anyhow::Result<Vec<Result<ParticipantRecording, String>>> {
    let options = RoomOptions::observer(meeting.room.clone())
        .with_trust(meeting.trust.clone())
        .with_drafts(meeting.drafts.clone());
    let room = Room::connect(&meeting.url, options)
        .await
        .context("the recorder")?;
    let room = Arc::new(room);
    let mut recordings = JoinSet::new();
    for name in &meeting.names {
        let (room, name, leaving) = (Arc::clone(&room), name.clone(), leaving.clone());
        let file = folder.join(format!("{name}.mp4"));
        recordings.spawn(async move {
            let result = record(&room, &name, &file, leaving).await;
            drop(room);
            result
                .map(|recorded| ParticipantRecording {
                    name: name.to_string(),
                    file,
                    recorded,
                })
                .map_err(|error| format!("the recording of {name}: {}", one_line(&error)))
        });
    }
    let mut all = Vec::new();
    while let Some(recorded) = recordings.join_next().await {
        all.push(recorded?);
    }
    // Every task that shared it has ended.
    if let Some(room) = Arc::into_inner(room) {
        room.close().await;
    }
    all.sort_by_key(|recorded| {
        recorded
            .as_ref()
            .map(|r| r.name.clone())
            .unwrap_or_default()
    });
    Ok(all)
}

async fn record(
    room: &Room,
    name: &ParticipantName,
    file: &Path,
    mut leaving: watch::Receiver<bool>,
) -> anyhow::Result<Recorded> {
    let out = OutFile::create(file)?;
    let found = room.wait_for(Some(name), PATIENCE).await?;
    let found = crate::watch::settled(room, found).await;
    let mut recording = Recording::start(room, &found, out).await?;
    loop {
        tokio::select! {
            more = recording.step() => {
                if !more? {
                    break;
                }
            }
            _ = leaving.wait_for(|leaving| *leaving) => break,
        }
    }
    tokio::task::spawn_blocking(move || recording.finish()).await?
}
