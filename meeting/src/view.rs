use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Capture, Change, Delta, HandSeq, Participant, ParticipantId, PerSource, Policy, Quality,
    Revision, SessionId, Snapshot, Source, StateMessage,
};

/// A delta that does not follow: a newer group begins with a snapshot that fills the gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("after revision {have} comes the next one, got {got}")]
pub struct RevisionGap {
    /// The revision that is known.
    pub have: Revision,
    /// That of the delta.
    pub got: Revision,
}

/// What a message did to a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// Nothing: it was known.
    Known,
    /// This change.
    Changed(Change),
    /// Everything may be different.
    Replaced,
}

/// What everybody knows of a room, from its state track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Snapshot", into = "Snapshot")]
pub struct View {
    revision: Revision,
    session: SessionId,
    policy: Policy,
    locked: bool,
    forbidden: PerSource<bool>,
    recording: Option<Capture>,
    transcription: Option<Capture>,
    participants: BTreeMap<ParticipantId, Participant>,
    hands: BTreeSet<(HandSeq, ParticipantId)>,
}

impl View {
    /// A room nobody has entered.
    pub fn empty(session: SessionId, policy: Policy) -> Self {
        Self {
            revision: Revision(0),
            session,
            policy,
            locked: false,
            forbidden: PerSource::default(),
            recording: None,
            transcription: None,
            participants: BTreeMap::new(),
            hands: BTreeSet::new(),
        }
    }

    /// Takes the next object of the state track.
    pub fn apply(&mut self, message: StateMessage) -> Result<Applied, RevisionGap> {
        match message {
            StateMessage::Snapshot { snapshot } => {
                if snapshot.session < self.session
                    || (snapshot.session == self.session && snapshot.revision <= self.revision)
                {
                    return Ok(Applied::Known);
                }
                *self = Self::from(*snapshot);
                Ok(Applied::Replaced)
            }
            StateMessage::Delta { delta } => {
                let Delta { revision, change } = *delta;
                let have = self.revision;
                if revision <= have {
                    return Ok(Applied::Known);
                }
                if revision.0 - have.0 > 1 {
                    let got = revision;
                    return Err(RevisionGap { have, got });
                }
                self.revision = revision;
                self.change(change.clone());
                Ok(Applied::Changed(change))
            }
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Joined { participant } => self.insert(participant),
            Change::Left { participant, .. } => {
                self.set_hand(&participant, None);
                self.participants.remove(&participant);
            }
            Change::Hand { participant, hand } => self.set_hand(&participant, hand),
            Change::HandsLowered => {
                for (_, participant) in std::mem::take(&mut self.hands) {
                    self.edit(&participant, |p| p.hand = None);
                }
            }
            Change::Renamed {
                participant,
                name,
                verified,
            } => self.edit(&participant, |p| {
                p.name = name;
                p.verified = verified;
            }),
            Change::Role { participant, role } => self.edit(&participant, |p| p.role = role),
            Change::Media { participant, media } => self.edit(&participant, |p| p.media = media),
            Change::Quality {
                participant,
                quality,
            } => self.edit(&participant, |p| p.quality = quality),
            Change::Policy { policy } => self.policy = policy,
            Change::Locked { locked } => self.locked = locked,
            Change::Forbidden { forbidden } => self.forbid(forbidden),
            Change::Recording { capture } => self.recording = Some(capture),
            Change::Transcription { capture } => self.transcription = Some(capture),
            Change::Ended { .. } => {
                self.participants.clear();
                self.hands.clear();
            }
            Change::Unknown => {}
        }
    }

    fn forbid(&mut self, forbidden: PerSource<bool>) {
        self.forbidden = forbidden;
        let guests = self.participants.values_mut().filter(|p| !p.role.is_host());
        for participant in guests {
            for source in Source::ALL.into_iter().filter(|s| *forbidden.of(*s)) {
                let state = participant.media.of_mut(source);
                *state = source.stopped(*state);
            }
        }
    }

    fn insert(&mut self, participant: Participant) {
        let id = participant.id.clone();
        self.set_hand(&id, None);
        if let Some(hand) = participant.hand {
            self.hands.insert((hand, id.clone()));
        }
        self.participants.insert(id, participant);
    }

    fn set_hand(&mut self, id: &ParticipantId, hand: Option<HandSeq>) {
        let Some(participant) = self.participants.get_mut(id) else {
            return;
        };
        if let Some(before) = std::mem::replace(&mut participant.hand, hand) {
            self.hands.remove(&(before, id.clone()));
        }
        if let Some(hand) = hand {
            self.hands.insert((hand, id.clone()));
        }
    }

    fn edit(&mut self, id: &ParticipantId, change: impl FnOnce(&mut Participant)) {
        if let Some(participant) = self.participants.get_mut(id) {
            change(participant);
        }
    }

    /// All of it, as the first object of a group says it.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            revision: self.revision,
            session: self.session,
            policy: self.policy.clone(),
            locked: self.locked,
            forbidden: self.forbidden,
            recording: self.recording.clone(),
            transcription: self.transcription.clone(),
            participants: self.participants.values().cloned().collect(),
        }
    }

    /// How many changes there were.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// This run of the room.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// What hosts set.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether newcomers have to be admitted whatever the access level.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Which sources only hosts may use.
    pub fn forbidden(&self) -> &PerSource<bool> {
        &self.forbidden
    }

    /// The last recording.
    pub fn recording(&self) -> Option<&Capture> {
        self.recording.as_ref()
    }

    /// The last transcription.
    pub fn transcription(&self) -> Option<&Capture> {
        self.transcription.as_ref()
    }

    /// How many are in.
    pub fn len(&self) -> usize {
        self.participants.len()
    }

    /// Whether nobody is in.
    pub fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }

    /// Somebody who is in.
    pub fn participant(&self, id: &ParticipantId) -> Option<&Participant> {
        self.participants.get(id)
    }

    /// Everybody who is in, by id.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.participants.values()
    }

    /// Whose hands are up, the first first.
    pub fn hands(&self) -> impl Iterator<Item = &ParticipantId> {
        self.hands.iter().map(|(_, participant)| participant)
    }

    /// The place of a raised hand, the first is 1.
    pub fn hand_position(&self, id: &ParticipantId) -> Option<usize> {
        let at = self.hands().position(|participant| participant == id)?;
        Some(at + 1)
    }

    /// Everybody as a list shows them: hands in order, then `me`, then by name.
    pub fn listed(&self, me: Option<&ParticipantId>) -> Vec<&Participant> {
        let mut list: Vec<&Participant> = self.participants.values().collect();
        list.sort_by_cached_key(|p| {
            let hand = p.hand.map_or(u64::MAX, |hand| hand.0);
            (hand, Some(&p.id) != me, p.name.to_lowercase(), p.id.clone())
        });
        list
    }

    /// Whether somebody is in whose connection is not gone.
    pub fn is_connected(&self, id: &ParticipantId) -> bool {
        let participant = self.participants.get(id);
        participant.is_some_and(|p| p.quality != Quality::Lost)
    }
}

impl From<View> for Snapshot {
    fn from(view: View) -> Self {
        view.snapshot()
    }
}

impl From<Snapshot> for View {
    fn from(snapshot: Snapshot) -> Self {
        let mut view = Self::empty(snapshot.session, snapshot.policy);
        view.revision = snapshot.revision;
        view.locked = snapshot.locked;
        view.forbidden = snapshot.forbidden;
        view.recording = snapshot.recording;
        view.transcription = snapshot.transcription;
        for participant in snapshot.participants {
            view.insert(participant);
        }
        view
    }
}
