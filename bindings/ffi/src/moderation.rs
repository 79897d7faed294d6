use parvis::meeting::{self, OrganisationId, ParticipantId};

use crate::{AccessLevel, Done, HistoryPolicy, Meeting, ParvisError, Role, Source, Target};

/// What hosts may ask for: owners and administrators.
#[uniffi::export]
impl Meeting {
    /// Lets people in who wait, as many as there are places, in the order in which they came; says how many are
    /// in by that, and how many wait still. [`ErrorKind::RoomFull`](crate::ErrorKind::RoomFull): there is no place.
    pub async fn admit(&self, who: Target) -> Result<Done, ParvisError> {
        let who = meeting::Target::try_from(who)?;
        let admitted = self.inner.ask(|meeting| Box::pin(meeting.admit(who)));
        admitted.await.map(Done::from)
    }

    /// Sends people away who wait.
    pub async fn deny(&self, who: Target) -> Result<(), ParvisError> {
        let who = meeting::Target::try_from(who)?;
        self.inner.ask(|meeting| Box::pin(meeting.deny(who))).await
    }

    /// Stops microphones; only their owners turn them on again.
    pub async fn mute(&self, who: Target) -> Result<(), ParvisError> {
        let who = meeting::Target::try_from(who)?;
        self.inner.ask(|meeting| Box::pin(meeting.mute(who))).await
    }

    /// Forbids a source to everybody but hosts, or allows it again.
    pub async fn forbid(&self, source: Source, forbidden: bool) -> Result<(), ParvisError> {
        self.inner
            .ask(move |meeting| Box::pin(meeting.forbid(source.into(), forbidden)))
            .await
    }

    /// Lowers somebody's hand.
    pub async fn lower_hand_of(&self, who: String) -> Result<(), ParvisError> {
        let who = ParticipantId::new(&who)?;
        self.inner
            .ask(|meeting| Box::pin(meeting.lower_hand_of(who)))
            .await
    }

    /// Lowers all hands.
    pub async fn lower_all_hands(&self) -> Result<(), ParvisError> {
        self.inner
            .ask(|meeting| Box::pin(meeting.lower_all_hands()))
            .await
    }

    /// Changes somebody's name.
    pub async fn rename_other(&self, who: String, name: String) -> Result<(), ParvisError> {
        let who = ParticipantId::new(&who)?;
        self.inner
            .ask(|meeting| Box::pin(async move { meeting.rename_other(who, &name).await }))
            .await
    }

    /// Promotes or demotes somebody who is in and signed in.
    pub async fn set_role(&self, who: String, role: Role) -> Result<(), ParvisError> {
        let who = ParticipantId::new(&who)?;
        self.inner
            .ask(move |meeting| Box::pin(meeting.set_role(who, role.into())))
            .await
    }

    /// Changes who enters without knocking; with an organisation, agents of it only.
    pub async fn set_access(
        &self,
        level: AccessLevel,
        organisation: Option<String>,
    ) -> Result<(), ParvisError> {
        let organisation = organisation
            .as_deref()
            .map(OrganisationId::new)
            .transpose()?;
        self.inner
            .ask(move |meeting| Box::pin(meeting.set_access(level.into(), organisation)))
            .await
    }

    /// Whether guests wait until an agent is in.
    pub async fn set_host_gate(&self, on: bool) -> Result<(), ParvisError> {
        self.inner
            .ask(move |meeting| Box::pin(meeting.set_host_gate(on)))
            .await
    }

    /// Which chat messages late joiners get.
    pub async fn set_history(&self, history: HistoryPolicy) -> Result<(), ParvisError> {
        self.inner
            .ask(move |meeting| Box::pin(meeting.set_history(history.into())))
            .await
    }

    /// Locks or unlocks the room.
    pub async fn lock(&self, locked: bool) -> Result<(), ParvisError> {
        self.inner
            .ask(move |meeting| Box::pin(meeting.lock(locked)))
            .await
    }

    /// Removes somebody: it has to knock again.
    pub async fn remove(&self, who: String) -> Result<(), ParvisError> {
        let who = ParticipantId::new(&who)?;
        self.inner
            .ask(|meeting| Box::pin(meeting.remove(who)))
            .await
    }

    /// Ends the meeting for everybody.
    pub async fn end_for_all(&self) -> Result<(), ParvisError> {
        self.inner
            .ask(|meeting| Box::pin(meeting.end_for_all()))
            .await
    }
}
