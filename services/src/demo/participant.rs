use std::{collections::BTreeSet, sync::Arc};

use anyhow::Context;
use parvis::{
    Participant, Room, RoomEvent, RoomOptions,
    source::{MediaSource, PlayOptions, Playback},
};
use tokio::{sync::watch, task::JoinSet};

use super::Meeting;

/// Who takes part, and until when.
pub struct Place {
    /// The meeting.
    pub meeting: Arc<Meeting>,
    /// Its place among the names.
    pub number: usize,
    /// Turns true when the meeting is over.
    pub leaving: watch::Receiver<bool>,
}

/// Takes part: publishes a clip, watches and hears everybody else, until the meeting is over.
pub async fn run(place: Place, media: MediaSource) -> anyhow::Result<()> {
    let Place {
        meeting,
        number,
        mut leaving,
    } = place;
    let name = meeting.names[number].clone();
    let options = RoomOptions::new(meeting.room.clone(), name.clone())
        .with_trust(meeting.trust.clone())
        .with_drafts(meeting.drafts.clone());
    let room = Room::connect(&meeting.url, options)
        .await
        .with_context(|| format!("{name} cannot enter the room"))?;
    let room = Arc::new(room);
    let options = PlayOptions {
        looped: true,
        encoder: meeting.encoder,
        ..PlayOptions::default()
    };
    let mut playback = Playback::start(&room, media, options).await?;
    let mut events = room.events();
    let mut watched = BTreeSet::new();
    let mut watching = JoinSet::new();
    let result = loop {
        tokio::select! {
            event = events.next() => match event {
                Some(RoomEvent::Joined(other) | RoomEvent::Changed(other)) => {
                    watch(&meeting, number, &room, &other, &mut watched, &mut watching);
                }
                Some(
                    RoomEvent::Left(_)
                    | RoomEvent::Moving
                    | RoomEvent::Reconnecting(_)
                    | RoomEvent::Moved,
                ) => {}
                Some(RoomEvent::Closed(reason)) => {
                    break Err(anyhow::Error::new(reason).context(format!("{name} lost the relay")));
                }
                None => break Ok(()),
            },
            ended = playback.finished() => {
                if let Err(error) = ended {
                    break Err(error.into());
                }
                // It is looped: it ends because the room does.
            }
            Some(ended) = watching.join_next() => {
                if let Err(error) = ended.map_err(anyhow::Error::from).and_then(|result| result) {
                    break Err(error.context(format!("{name} cannot watch")));
                }
            }
            _ = leaving.wait_for(|leaving| *leaving) => break Ok(()),
        }
    };
    drop(playback);
    watching.shutdown().await;
    // Every task that shared it has ended.
    if let Some(room) = Arc::into_inner(room) {
        room.close().await;
    }
    result
}

/// Subscribes to what is new of another participant.
fn watch(
    meeting: &Arc<Meeting>,
    number: usize,
    room: &Arc<Room>,
    other: &Participant,
    watched: &mut BTreeSet<(String, &'static str)>,
    watching: &mut JoinSet<anyhow::Result<()>>,
) {
    let viewer = meeting.names[number].to_string();
    let Some(place) = meeting.names.iter().position(|name| *name == other.name) else {
        return;
    };
    // The next one in the circle is shown large, the others small.
    let large = (number + 1) % meeting.names.len() == place;
    let videos = other.video_tracks();
    let chosen = if large { videos.first() } else { videos.get(1) };
    if let Some((track, _)) = chosen
        && watched.insert((other.name.to_string(), "video"))
    {
        let (meeting, room, track) = (Arc::clone(meeting), Arc::clone(room), (*track).to_owned());
        let (viewer, from) = (viewer.clone(), other.name.clone());
        watching.spawn(async move {
            let mut video = room.subscribe_video(&from, &track).await?;
            meeting.note(&viewer, from.as_str(), |figures| figures.watch(&track));
            while let Some(picture) = video.next().await {
                let stats = video.stats();
                meeting.note(&viewer, from.as_str(), |figures| {
                    figures.saw(&picture, stats);
                });
            }
            Ok(())
        });
    }
    if let Some((track, _)) = other.audio_tracks().first()
        && watched.insert((other.name.to_string(), "audio"))
    {
        let (meeting, room, track) = (Arc::clone(meeting), Arc::clone(room), (*track).to_owned());
        let from = other.name.clone();
        watching.spawn(async move {
            let mut audio = room.subscribe_audio(&from, &track).await?;
            while let Some(sound) = audio.next().await {
                meeting.note(&viewer, from.as_str(), |figures| figures.heard(&sound));
            }
            Ok(())
        });
    }
}
