use std::collections::BTreeMap;

use parvis::PublishError;
use parvis::meeting::{
    AccessLevel, CommandError, DataTarget, ErrorKind, Meeting, MeetingState, ParticipantId, Target,
    View,
};
use parvis_meeting::OrganisationId;
use thiserror::Error;

use super::{
    media::{Media, MediaError},
    script::{Act, Agents, Hands, Who},
    told::{Told, tell_admitted},
};

/// Why something is not done.
#[derive(Debug, Error)]
pub enum ActError {
    /// Nobody is called so.
    #[error("NotPresent: nobody here is called {0:?}")]
    Nobody(String),
    /// Several are called so.
    #[error("{} are called {name:?}, say which by id: {}", ids.len(), ids.join(", "))]
    Several {
        /// The name.
        name: String,
        /// Who is called so.
        ids: Vec<String>,
    },
    /// The meeting refuses it.
    #[error("{0:?}: {0}")]
    Refused(ErrorKind),
    /// It was not answered.
    #[error(transparent)]
    Unanswered(CommandError),
    /// One's own source does not go on or off.
    #[error(transparent)]
    Media(MediaError),
}

impl ActError {
    /// Why the meeting refuses it, if it does.
    pub const fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Refused(kind) => Some(*kind),
            Self::Nobody(_) => Some(ErrorKind::NotPresent),
            Self::Several { .. } | Self::Unanswered(_) | Self::Media(_) => None,
        }
    }
}

impl From<CommandError> for ActError {
    fn from(error: CommandError) -> Self {
        match error.kind() {
            Some(kind) => Self::Refused(kind),
            None => Self::Unanswered(error),
        }
    }
}

impl From<MediaError> for ActError {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Refused(error) => error.into(),
            MediaError::Publish(PublishError::Refused(kind)) => Self::Refused(kind),
            error => Self::Media(error),
        }
    }
}

/// How many names of those who waited are remembered.
const WAITERS: usize = 4096;

/// What was so, and the meeting does not say any more.
#[derive(Debug, Default)]
pub struct Memory {
    /// Whose agents were trusted last.
    organisation: Option<OrganisationId>,
    /// Who waited to be let in, by name.
    waiters: BTreeMap<String, ParticipantId>,
}

impl Memory {
    /// Takes note of what is so.
    pub fn note(&mut self, state: &MeetingState) {
        for waiter in &state.lobby {
            if self.waiters.get(&waiter.name) != Some(&waiter.participant) {
                let id = waiter.participant.clone();
                self.waiters.insert(waiter.name.clone(), id);
            }
        }
        while self.waiters.len() > WAITERS {
            self.waiters.pop_first();
        }
        let Some(view) = &state.view else {
            return;
        };
        let policy = view.policy();
        if policy.access == AccessLevel::Trusted || policy.organisation.is_some() {
            self.organisation.clone_from(&policy.organisation);
        }
    }

    /// Whose agents enter, if nobody else is named.
    fn organisation(&self, level: AccessLevel, agents: Option<&Agents>) -> Option<OrganisationId> {
        match agents {
            Some(Agents::Of(organisation)) => Some(organisation.clone()),
            None if level == AccessLevel::Trusted => self.organisation.clone(),
            Some(Agents::All) | None => None,
        }
    }
}

/// Does it; returns when the meeting has acknowledged it, with what there is to say of it.
pub async fn perform(
    meeting: &Meeting,
    media: &mut Media,
    memory: &Memory,
    act: &Act,
) -> Result<Option<Told>, ActError> {
    let state = meeting.state();
    match act {
        Act::Knock => meeting.knock().await?,
        Act::Say { to: None, text } => {
            meeting.chat(text).await?;
        }
        Act::Say { to: Some(to), text } => {
            let to = present(&state, to)?;
            meeting.chat_privately(to, text).await?;
        }
        Act::Data { topic, to, text } => {
            let to = match to {
                Some(to) => DataTarget::Some(vec![present(&state, to)?]),
                None => DataTarget::All,
            };
            meeting.send_data(topic, text.as_bytes(), to).await?;
        }
        Act::Raise => {
            meeting.raise_hand().await?;
        }
        Act::Lower(Hands::Own) => meeting.lower_hand().await?,
        Act::Lower(Hands::One(name)) => meeting.lower_hand_of(present(&state, name)?).await?,
        Act::Lower(Hands::All) => meeting.lower_all_hands().await?,
        Act::React(emoji) => meeting.react(*emoji).await?,
        Act::Media(source, on) => media.switch(meeting, *source, *on).await?,
        Act::Admit(who) => {
            let done = meeting.admit(waiting(&state, memory, who)?).await?;
            return Ok(tell_admitted(&done));
        }
        Act::Deny(who) => meeting.deny(waiting(&state, memory, who)?).await?,
        Act::Mute(Who::All) => meeting.mute(Target::All).await?,
        Act::Mute(Who::One(name)) => meeting.mute(Target::One(present(&state, name)?)).await?,
        Act::Forbid(source, forbidden) => meeting.forbid(*source, *forbidden).await?,
        Act::Rename { whose: None, name } => meeting.rename(name).await?,
        Act::Rename {
            whose: Some(whose),
            name,
        } => meeting.rename_other(present(&state, whose)?, name).await?,
        Act::Role(name, role) => meeting.set_role(present(&state, name)?, *role).await?,
        Act::Access(level, agents) => {
            let organisation = memory.organisation(*level, agents.as_ref());
            meeting.set_access(*level, organisation).await?;
        }
        Act::Gate(on) => meeting.set_host_gate(*on).await?,
        Act::History(history) => meeting.set_history(*history).await?,
        Act::Lock(locked) => meeting.lock(*locked).await?,
        Act::Remove(name) => meeting.remove(present(&state, name)?).await?,
        Act::End => meeting.end_for_all().await?,
        Act::RequestRecording => meeting.request_recording().await?,
        Act::RequestTranscription => meeting.request_transcription().await?,
    }
    Ok(None)
}

/// Who is in under that id or name.
fn present(state: &MeetingState, name: &str) -> Result<ParticipantId, ActError> {
    let people = state.view.iter().flat_map(View::participants);
    let found = the_one(name, people.map(|who| (&who.id, who.name.as_str())))?;
    found.ok_or_else(|| ActError::Nobody(name.to_owned()))
}

/// Who waits; also who waited, and one's guess by id: the meeting has the answer.
fn waiting(state: &MeetingState, memory: &Memory, who: &Who) -> Result<Target, ActError> {
    let Who::One(name) = who else {
        return Ok(Target::All);
    };
    let waiters = state.lobby.iter();
    let found = the_one(name, waiters.map(|w| (&w.participant, w.name.as_str())))?;
    let found = found.or_else(|| memory.waiters.get(name).cloned());
    let found = found.or_else(|| ParticipantId::new(name).ok().filter(is_id));
    let found = found.ok_or_else(|| ActError::Nobody(name.clone()))?;
    Ok(Target::One(found))
}

/// Whoever has that id, or else the only one of that name.
fn the_one<'a>(
    name: &str,
    people: impl Iterator<Item = (&'a ParticipantId, &'a str)>,
) -> Result<Option<ParticipantId>, ActError> {
    let mut found = Vec::new();
    for (id, called) in people {
        if id.as_str() == name {
            return Ok(Some(id.clone()));
        }
        if called == name {
            found.push(id);
        }
    }
    if found.len() > 1 {
        return Err(ActError::Several {
            name: name.to_owned(),
            ids: found.into_iter().map(ToString::to_string).collect(),
        });
    }
    Ok(found.pop().cloned())
}

/// Whether it looks like an id that the service gave, and not like a name.
fn is_id(id: &ParticipantId) -> bool {
    id.as_str().len() == 13 && id.as_str().starts_with('p')
}

#[cfg(test)]
mod tests;
