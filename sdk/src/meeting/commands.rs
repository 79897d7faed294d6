use parvis_meeting::{
    AccessLevel, Command, Done, Emoji, HistoryPolicy, Language, OrganisationId, ParticipantId,
    Role, Source, Target,
};
use tokio::sync::oneshot;

use super::{CommandError, Meeting, driver::Ask};

/// What a participant may ask for; who may do what is for the meeting to say.
impl Meeting {
    /// Asks for something and waits for the answer.
    pub(super) async fn command(&self, command: Command) -> Result<Done, CommandError> {
        let (reply, answer) = oneshot::channel();
        let reply = reply.into();
        let ask = Ask::Command { command, reply };
        self.asks
            .send(ask)
            .await
            .map_err(|_| CommandError::Disconnected)?;
        answer.await.unwrap_or(Err(CommandError::Disconnected))
    }

    async fn do_it(&self, command: Command) -> Result<(), CommandError> {
        self.command(command).await.map(drop)
    }

    /// Knocks again, after a denial or when nobody answered.
    pub async fn knock(&self) -> Result<(), CommandError> {
        self.do_it(Command::Knock { name: None }).await
    }

    /// Writes to everybody; returns when the message is stored. It comes as an event too.
    pub async fn chat(&self, text: &str) -> Result<Done, CommandError> {
        let answer = self.send_chat(text, None).await?;
        answer.await.unwrap_or(Err(CommandError::Disconnected))
    }

    /// Writes to one participant.
    pub async fn chat_privately(
        &self,
        to: ParticipantId,
        text: &str,
    ) -> Result<Done, CommandError> {
        let answer = self.send_chat(text, Some(to)).await?;
        answer.await.unwrap_or(Err(CommandError::Disconnected))
    }

    async fn send_chat(
        &self,
        text: &str,
        to: Option<ParticipantId>,
    ) -> Result<oneshot::Receiver<Result<Done, CommandError>>, CommandError> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Chat {
            client_id: self.shared.new_message_id(),
            text: text.to_owned(),
            to,
            reply,
        };
        self.asks
            .send(ask)
            .await
            .map_err(|_| CommandError::Disconnected)?;
        Ok(answer)
    }

    /// Raises the hand; a raised one keeps its place.
    pub async fn raise_hand(&self) -> Result<Done, CommandError> {
        self.command(Command::RaiseHand).await
    }

    /// Lowers the own hand.
    pub async fn lower_hand(&self) -> Result<(), CommandError> {
        self.do_it(Command::LowerHand { whose: None }).await
    }

    /// Lowers somebody's hand. Hosts.
    pub async fn lower_hand_of(&self, whose: ParticipantId) -> Result<(), CommandError> {
        self.do_it(Command::LowerHand { whose: Some(whose) }).await
    }

    /// Lowers all hands. Hosts.
    pub async fn lower_all_hands(&self) -> Result<(), CommandError> {
        self.do_it(Command::LowerAllHands).await
    }

    /// Shows a reaction.
    pub async fn react(&self, emoji: Emoji) -> Result<(), CommandError> {
        let emoji = emoji.name().to_owned();
        self.do_it(Command::React { emoji }).await
    }

    /// Lets people in who wait, as many as there are places, in the order in which they came; says how many
    /// are in by that, and how many wait still. `RoomFull`: there is no place. Hosts.
    pub async fn admit(&self, who: Target) -> Result<Done, CommandError> {
        self.command(Command::Admit { who }).await
    }

    /// Sends people away who wait. Hosts.
    pub async fn deny(&self, who: Target) -> Result<(), CommandError> {
        self.do_it(Command::Deny { who }).await
    }

    /// Stops microphones; only their owners turn them on again. Hosts.
    pub async fn mute(&self, who: Target) -> Result<(), CommandError> {
        self.do_it(Command::Mute { who }).await
    }

    /// Forbids a source to everybody but hosts, or allows it again. Hosts.
    pub async fn forbid(&self, source: Source, forbidden: bool) -> Result<(), CommandError> {
        self.do_it(Command::Forbid { source, forbidden }).await
    }

    /// Changes the own name.
    pub async fn rename(&self, name: &str) -> Result<(), CommandError> {
        let name = name.to_owned();
        self.do_it(Command::Rename { who: None, name }).await
    }

    /// Changes somebody's name. Hosts.
    pub async fn rename_other(&self, who: ParticipantId, name: &str) -> Result<(), CommandError> {
        let (who, name) = (Some(who), name.to_owned());
        self.do_it(Command::Rename { who, name }).await
    }

    /// Promotes or demotes somebody who is in and signed in. Hosts.
    pub async fn set_role(&self, who: ParticipantId, role: Role) -> Result<(), CommandError> {
        self.do_it(Command::SetRole { who, role }).await
    }

    /// Changes who enters without knocking. Hosts.
    pub async fn set_access(
        &self,
        level: AccessLevel,
        organisation: Option<OrganisationId>,
    ) -> Result<(), CommandError> {
        let command = Command::SetAccess {
            level,
            organisation,
        };
        self.do_it(command).await
    }

    /// Whether guests wait until an agent is in. Hosts.
    pub async fn set_host_gate(&self, on: bool) -> Result<(), CommandError> {
        self.do_it(Command::SetHostGate { on }).await
    }

    /// Which chat messages late joiners get. Hosts.
    pub async fn set_history(&self, history: HistoryPolicy) -> Result<(), CommandError> {
        self.do_it(Command::SetHistory { history }).await
    }

    /// Locks or unlocks the room. Hosts.
    pub async fn lock(&self, locked: bool) -> Result<(), CommandError> {
        self.do_it(Command::Lock { locked }).await
    }

    /// Removes somebody: it has to knock again. Hosts.
    pub async fn remove(&self, who: ParticipantId) -> Result<(), CommandError> {
        self.do_it(Command::Remove { who }).await
    }

    /// Ends the meeting for everybody. Hosts.
    pub async fn end_for_all(&self) -> Result<(), CommandError> {
        self.do_it(Command::EndForAll).await
    }

    /// Asks the hosts to record.
    pub async fn request_recording(&self) -> Result<(), CommandError> {
        self.do_it(Command::RequestRecording).await
    }

    /// Asks the hosts to transcribe.
    pub async fn request_transcription(&self) -> Result<(), CommandError> {
        self.do_it(Command::RequestTranscription).await
    }

    /// Starts a recording; how far it is comes by [`MeetingEvent::Capture`](super::MeetingEvent::Capture). Hosts.
    pub async fn start_recording(&self) -> Result<Done, CommandError> {
        self.command(Command::StartRecording).await
    }

    /// Stops the recording. Hosts.
    pub async fn stop_recording(&self) -> Result<(), CommandError> {
        self.do_it(Command::StopRecording).await
    }

    /// Starts a transcription of what is spoken, and a recording with it if `record`. Hosts.
    pub async fn start_transcription(
        &self,
        language: Language,
        record: bool,
    ) -> Result<Done, CommandError> {
        self.command(Command::StartTranscription { language, record })
            .await
    }

    /// Stops the transcription. Hosts.
    pub async fn stop_transcription(&self) -> Result<(), CommandError> {
        self.do_it(Command::StopTranscription).await
    }
}
