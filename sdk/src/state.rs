use std::{collections::BTreeMap, fmt, sync::Arc};

use parvis_format::{
    AudioParams, VideoParams,
    catalog::{Catalog, Packaging, Role, Track},
};
use tokio::sync::watch;

use crate::{CloseReason, ParticipantName};

/// What a track carries.
#[derive(Debug, Clone, PartialEq)]
pub enum TrackKind {
    /// Pictures.
    Video(VideoParams),
    /// Sound.
    Audio(AudioParams),
}

/// A track that a participant publishes.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackInfo {
    /// Its name, such as `camera/360p`.
    pub name: String,
    /// What it carries.
    pub kind: TrackKind,
}

/// Somebody in the room.
#[derive(Debug, Clone, PartialEq)]
pub struct Participant {
    /// The name.
    pub name: ParticipantName,
    /// The tracks, as the participant's catalog lists them.
    pub tracks: Vec<TrackInfo>,
}

impl Participant {
    /// The track of that name.
    pub fn track(&self, name: &str) -> Option<&TrackInfo> {
        self.tracks.iter().find(|track| track.name == name)
    }

    /// The video tracks, largest picture first.
    pub fn video_tracks(&self) -> Vec<(&str, &VideoParams)> {
        let mut tracks: Vec<(&str, &VideoParams)> = Vec::new();
        for track in &self.tracks {
            if let TrackKind::Video(params) = &track.kind {
                tracks.push((&track.name, params));
            }
        }
        tracks.sort_by_key(|(_, params)| {
            std::cmp::Reverse(u64::from(params.width) * u64::from(params.height))
        });
        tracks
    }

    /// The audio tracks.
    pub fn audio_tracks(&self) -> Vec<(&str, &AudioParams)> {
        let mut tracks: Vec<(&str, &AudioParams)> = Vec::new();
        for track in &self.tracks {
            if let TrackKind::Audio(params) = &track.kind {
                tracks.push((&track.name, params));
            }
        }
        tracks
    }
}

impl TrackInfo {
    /// From an entry of a catalog; `None`: no media, packaged in a way that is not read here, or
    /// named with control characters, which a terminal would obey.
    pub(crate) fn from_catalog(track: &Track) -> Option<Self> {
        let codec = track.codec.as_deref().unwrap_or_default();
        let obeyed = track
            .name
            .chars()
            .chain(codec.chars())
            .any(char::is_control);
        if track.packaging != Packaging::Loc || track.namespace.is_some() || obeyed {
            return None;
        }
        let kind = match (&track.role, track.video_params(), track.audio_params()) {
            (Some(Role::Audio), _, Some(audio)) | (None, None, Some(audio)) => {
                TrackKind::Audio(audio)
            }
            (_, Some(video), _) => TrackKind::Video(video),
            _ => return None,
        };
        Some(Self {
            name: track.name.clone(),
            kind,
        })
    }

    pub(crate) fn to_catalog(&self) -> Track {
        let mut track = match &self.kind {
            TrackKind::Video(params) => Track::video(&self.name, params),
            TrackKind::Audio(params) => Track::audio(&self.name, params),
        };
        track.render_group = Some(1);
        if matches!(self.kind, TrackKind::Video(_)) {
            track.alt_group = Some(1);
        }
        track
    }
}

/// The catalog that lists these tracks.
pub(crate) fn catalog(tracks: &[TrackInfo]) -> Catalog {
    let tracks = tracks.iter().map(TrackInfo::to_catalog).collect();
    Catalog {
        tracks,
        ..Catalog::default()
    }
}

/// What is known of a room.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoomState {
    /// Everybody else in it whose catalog has come.
    pub participants: BTreeMap<ParticipantName, Participant>,
    /// Whether there is a connection.
    pub connectivity: Connectivity,
    /// How often the room has moved to another connection.
    pub moves: u64,
    /// Why the connection is over; `None`: it is not.
    pub closed: Option<CloseReason>,
}

/// What connects a room to its relay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Connectivity {
    /// A connection.
    #[default]
    Connected,
    /// A connection that the relay asked to leave; another one is being made. Media goes on.
    Moving,
    /// None: it was lost for this reason, and another one is being made.
    Reconnecting(CloseReason),
}

/// A change in a room.
#[derive(Debug, Clone, PartialEq)]
pub enum RoomEvent {
    /// Somebody is there.
    Joined(Participant),
    /// Somebody's tracks are others now.
    Changed(Participant),
    /// Somebody left.
    Left(ParticipantName),
    /// The relay asked to move to another connection, which is being made. Media goes on.
    Moving,
    /// The connection is lost; another one is being made.
    Reconnecting(CloseReason),
    /// There is another connection. Tracks go on, nothing has to be done.
    Moved,
    /// The connection is over: the last event.
    Closed(CloseReason),
}

/// The changes in a room, from the entering on.
///
/// Made by comparing what is known now with what was told last: whoever reads late sees the
/// outcome, and nothing piles up.
#[derive(Debug)]
pub struct RoomEvents {
    state: watch::Receiver<Arc<RoomState>>,
    told: RoomState,
}

impl RoomEvents {
    pub(crate) fn new(state: watch::Receiver<Arc<RoomState>>) -> Self {
        Self {
            state,
            told: RoomState::default(),
        }
    }

    /// The next change; `None` after [`RoomEvent::Closed`].
    pub async fn next(&mut self) -> Option<RoomEvent> {
        loop {
            let known = Arc::clone(&self.state.borrow_and_update());
            if let Some(event) = self.difference(&known) {
                return Some(event);
            }
            if self.told.closed.is_some() || self.state.changed().await.is_err() {
                return None;
            }
        }
    }

    fn difference(&mut self, known: &RoomState) -> Option<RoomEvent> {
        let told = &mut self.told;
        let gone = told
            .participants
            .keys()
            .find(|name| !known.participants.contains_key(*name));
        if let Some(name) = gone.cloned() {
            told.participants.remove(&name);
            return Some(RoomEvent::Left(name));
        }
        for (name, participant) in &known.participants {
            let before = told.participants.get(name);
            if before == Some(participant) {
                continue;
            }
            let joined = before.is_none();
            told.participants.insert(name.clone(), participant.clone());
            let participant = participant.clone();
            return Some(if joined {
                RoomEvent::Joined(participant)
            } else {
                RoomEvent::Changed(participant)
            });
        }
        if told.moves < known.moves {
            told.moves = known.moves;
            told.connectivity = Connectivity::Connected;
            return Some(RoomEvent::Moved);
        }
        if told.connectivity != known.connectivity && known.closed.is_none() {
            told.connectivity.clone_from(&known.connectivity);
            match &known.connectivity {
                Connectivity::Moving => return Some(RoomEvent::Moving),
                Connectivity::Reconnecting(reason) => {
                    return Some(RoomEvent::Reconnecting(reason.clone()));
                }
                Connectivity::Connected => {}
            }
        }
        if told.closed.is_none() && known.closed.is_some() {
            told.closed.clone_from(&known.closed);
            return known.closed.clone().map(RoomEvent::Closed);
        }
        None
    }
}

impl fmt::Display for TrackInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TrackKind::Video(params) => {
                write!(
                    f,
                    "{} ({}, {}x{})",
                    self.name, params.codec, params.width, params.height
                )
            }
            TrackKind::Audio(params) => write!(f, "{} ({})", self.name, params.codec),
        }
    }
}

#[cfg(test)]
mod tests;
