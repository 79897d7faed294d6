use crate::{Act, CaptureKind, Command, Done, ErrorKind, Identity, ParticipantId, Role};

use super::{
    Room,
    answering::Answer,
    memory::{Phase, Place},
};

/// Who may give a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Also those who are not in.
    Anybody,
    /// Whoever is in, services among them.
    Present,
    /// People who are in.
    Persons,
    /// Owners and administrators who are in.
    Hosts,
}

impl Room {
    /// Does what a command says, if it may be done by who gives it.
    pub(super) fn execute(&mut self, who: &ParticipantId, command: Command) -> Answer {
        if self.memory.phase == Phase::Over {
            return Err(ErrorKind::RoomEnded.into());
        }
        if !self.may(who, allowed_to(&command)) {
            return Err(ErrorKind::Forbidden.into());
        }
        match command {
            Command::Knock { name } => self.knock(who, name.as_deref()),
            Command::Admit { who: whom } => self.admit(who, &whom),
            Command::Deny { who: whom } => self.deny(who, &whom),
            Command::RaiseHand => Ok(self.raise_hand(who)),
            Command::LowerHand { whose } => self.lower_hand(who, whose),
            Command::LowerAllHands => Ok(self.lower_all_hands(who)),
            Command::React { emoji } => self.react(who, &emoji),
            Command::Chat {
                client_id,
                text,
                to,
            } => self.chat(who, client_id, &text, to),
            Command::Data { topic, to, payload } => self.give_data(who, topic, to, payload),
            Command::SetMedia {
                microphone,
                camera,
                screen,
            } => self.set_media(who, [microphone, camera, screen]),
            Command::Mute { who: whom } => self.mute(who, &whom),
            Command::Forbid { source, forbidden } => Ok(self.forbid(who, source, forbidden)),
            Command::Rename { who: whom, name } => self.rename(who, whom, &name),
            Command::SetRole { who: whom, role } => self.set_role(who, &whom, role),
            Command::SetAccess {
                level,
                organisation,
            } => self.set_access(who, level, organisation),
            Command::SetHostGate { on } => Ok(self.set_host_gate(who, on)),
            Command::SetHistory { history } => Ok(self.set_history(who, history)),
            Command::Lock { locked } => Ok(self.lock(who, locked)),
            Command::Remove { who: whom } => self.remove(who, &whom),
            Command::EndForAll => {
                self.audit(who, Act::EndedForAll);
                self.end();
                Ok(Done::default())
            }
            Command::RequestRecording => self.request_capture(who, CaptureKind::Recording),
            Command::StartRecording => self.start_recording(who),
            Command::StopRecording => self.stop_capture(who, CaptureKind::Recording),
            Command::RequestTranscription => self.request_capture(who, CaptureKind::Transcription),
            Command::StartTranscription { language, record } => {
                self.start_transcription(who, language, record)
            }
            Command::StopTranscription => self.stop_capture(who, CaptureKind::Transcription),
            Command::Progress { progress } => self.report_progress(who, progress),
            Command::ReportQuality { quality } => self.report_quality(who, quality),
            Command::Resync => Ok(self.resync(who)),
            Command::RenewToken => {
                self.give_token(who);
                Ok(Done::default())
            }
            Command::Leave => Ok(self.leave(who)),
        }
    }

    fn may(&self, who: &ParticipantId, allowed: Who) -> bool {
        let Some(person) = self.memory.people.get(who) else {
            return false;
        };
        let present = person.place == Place::In;
        let service = matches!(person.identity, Identity::Service { .. });
        match allowed {
            Who::Anybody => true,
            Who::Present => present,
            Who::Persons => present && !service,
            Who::Hosts => self.hosts.contains(who),
        }
    }

    /// The role of somebody who is in.
    pub(super) fn role(&self, who: &ParticipantId) -> Role {
        let participant = self.memory.view.participant(who);
        participant.map(|p| p.role).unwrap_or_default()
    }

    pub(super) fn is_in(&self, who: &ParticipantId) -> bool {
        self.memory.view.participant(who).is_some()
    }
}

fn allowed_to(command: &Command) -> Who {
    match command {
        Command::Knock { .. } | Command::Resync | Command::Leave => Who::Anybody,
        Command::Progress { .. } | Command::ReportQuality { .. } | Command::RenewToken => {
            Who::Present
        }
        Command::RaiseHand
        | Command::LowerHand { .. }
        | Command::React { .. }
        | Command::Chat { .. }
        | Command::Data { .. }
        | Command::SetMedia { .. }
        | Command::Rename { .. }
        | Command::RequestRecording
        | Command::RequestTranscription => Who::Persons,
        Command::Admit { .. }
        | Command::Deny { .. }
        | Command::LowerAllHands
        | Command::Mute { .. }
        | Command::Forbid { .. }
        | Command::SetRole { .. }
        | Command::SetAccess { .. }
        | Command::SetHostGate { .. }
        | Command::SetHistory { .. }
        | Command::Lock { .. }
        | Command::Remove { .. }
        | Command::EndForAll
        | Command::StartRecording
        | Command::StopRecording
        | Command::StartTranscription { .. }
        | Command::StopTranscription => Who::Hosts,
    }
}
