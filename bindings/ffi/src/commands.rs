use std::sync::Arc;

use parvis::meeting::{ChatSeq, ParticipantId};

use crate::{Done, Emoji, HistoryPage, Language, Meeting, ParvisError, Pending, numbers::unsigned};

/// What everybody may ask for. A command returns when the meeting has acknowledged it, which is after
/// it was stored.
#[uniffi::export]
impl Meeting {
    /// Knocks again, after a denial or when nobody answered.
    pub async fn knock(&self) -> Result<(), ParvisError> {
        self.inner.ask(|meeting| Box::pin(meeting.knock())).await
    }

    /// Writes to everybody; returns when the message is stored. It comes as an event too.
    pub async fn chat(&self, text: String) -> Result<Done, ParvisError> {
        let asked = self
            .inner
            .ask(|meeting| Box::pin(async move { meeting.chat(&text).await }));
        asked.await.map(Done::from)
    }

    /// Writes to one participant.
    pub async fn chat_privately(&self, to: String, text: String) -> Result<Done, ParvisError> {
        let to = ParticipantId::new(&to)?;
        let asked = self
            .inner
            .ask(|meeting| Box::pin(async move { meeting.chat_privately(to, &text).await }));
        asked.await.map(Done::from)
    }

    /// Writes to everybody and returns at once what an app shows until the message is there: the
    /// event that brings it has the same id, or says that it failed. [`Pending::state`] says the same,
    /// and [`Pending::retry`] sends it again.
    pub async fn chat_pending(&self, text: String) -> Result<Arc<Pending>, ParvisError> {
        let asked = self
            .inner
            .ask(|meeting| Box::pin(async move { meeting.chat_pending(&text).await }));
        let pending = Pending::new(self.inner.handle(), asked.await?);
        Ok(Arc::new(pending))
    }

    /// Messages of the chat's past, newest first page by page: at most `count` before `before`, or the
    /// newest. What is gone is said, and not left out in silence.
    pub async fn history(
        &self,
        before: Option<i64>,
        count: i32,
    ) -> Result<HistoryPage, ParvisError> {
        let before = before.map(|seq| ChatSeq(unsigned(seq)));
        let count = unsigned(count.into());
        let asked = self
            .inner
            .ask(move |meeting| Box::pin(meeting.history(before, count)));
        asked.await.map(HistoryPage::from)
    }

    /// Raises the hand; a raised one keeps its place.
    pub async fn raise_hand(&self) -> Result<Done, ParvisError> {
        let asked = self.inner.ask(|meeting| Box::pin(meeting.raise_hand()));
        asked.await.map(Done::from)
    }

    /// Lowers the own hand.
    pub async fn lower_hand(&self) -> Result<(), ParvisError> {
        self.inner
            .ask(|meeting| Box::pin(meeting.lower_hand()))
            .await
    }

    /// Shows a reaction.
    pub async fn react(&self, emoji: Emoji) -> Result<(), ParvisError> {
        self.inner
            .ask(move |meeting| Box::pin(meeting.react(emoji.into())))
            .await
    }

    /// Changes the own name.
    pub async fn rename(&self, name: String) -> Result<(), ParvisError> {
        self.inner
            .ask(|meeting| Box::pin(async move { meeting.rename(&name).await }))
            .await
    }

    /// Asks the hosts to transcribe.
    pub async fn request_transcription(&self) -> Result<(), ParvisError> {
        self.inner
            .ask(|meeting| Box::pin(meeting.request_transcription()))
            .await
    }

    /// Asks the hosts to record.
    pub async fn request_recording(&self) -> Result<(), ParvisError> {
        self.inner
            .ask(|meeting| Box::pin(meeting.request_recording()))
            .await
    }

    /// Starts a recording; how far it is comes by [`MeetingEvent::Capture`](crate::MeetingEvent::Capture). Hosts.
    pub async fn start_recording(&self) -> Result<Done, ParvisError> {
        let asked = self
            .inner
            .ask(|meeting| Box::pin(meeting.start_recording()));
        asked.await.map(Done::from)
    }

    /// Stops the recording. Hosts.
    pub async fn stop_recording(&self) -> Result<(), ParvisError> {
        self.inner
            .ask(|meeting| Box::pin(meeting.stop_recording()))
            .await
    }

    /// Starts a transcription of what is spoken, and a recording with it if `record`. Hosts.
    pub async fn start_transcription(
        &self,
        language: Language,
        record: bool,
    ) -> Result<Done, ParvisError> {
        let asked = self
            .inner
            .ask(move |meeting| Box::pin(meeting.start_transcription(language.into(), record)));
        asked.await.map(Done::from)
    }

    /// Stops the transcription. Hosts.
    pub async fn stop_transcription(&self) -> Result<(), ParvisError> {
        self.inner
            .ask(|meeting| Box::pin(meeting.stop_transcription()))
            .await
    }
}
