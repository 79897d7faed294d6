use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use parvis_meeting::{ChatMessage, CommandId, Done, ErrorKind, ParticipantId};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::{CommandError, DisconnectReason, Meeting, MeetingEvent, Phase, driver::Ask};

/// A message of one's own, which is shown at once.
#[derive(Debug, Clone)]
pub struct Pending {
    /// What it is called; [`ChatMessage::client_id`] is the same.
    pub client_id: String,
    /// The text as it was sent.
    pub text: String,
    id: CommandId,
    state: Arc<watch::Sender<PendingState>>,
    way: Way,
}

/// Where a message of one's own is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingState {
    /// It is said until it is answered.
    Sending,
    /// It is in the chat.
    Sent(Done),
    /// It is refused, or nobody answered: [`Pending::retry`] sends it again.
    Failed(CommandError),
}

/// How a message reaches the meeting.
#[derive(Debug, Clone)]
struct Way {
    // What is pending keeps nobody in a meeting.
    asks: mpsc::WeakSender<Ask>,
    events: broadcast::WeakSender<MeetingEvent>,
    meeting: watch::Receiver<Arc<super::MeetingState>>,
}

/// Messages of one's own whose coming is waited for.
#[derive(Debug, Default)]
pub(super) struct Outbound(Mutex<BTreeMap<CommandId, Arc<watch::Sender<PendingState>>>>);

/// The most that are waited for; the oldest is given up first.
const MOST: usize = 256;

impl Meeting {
    /// Writes to everybody and returns at once what an app shows until the message is there: the
    /// event that brings it has the same id, or says that it failed. [`Pending::state`] says the
    /// same, and [`Pending::retry`] sends it again.
    pub async fn chat_pending(&self, text: &str) -> Result<Pending, CommandError> {
        let id = self.shared.new_message_id();
        let pending = Pending {
            client_id: id.as_str().to_owned(),
            text: text.to_owned(),
            id: id.clone(),
            state: Arc::new(watch::Sender::new(PendingState::Sending)),
            way: Way {
                asks: self.asks.downgrade(),
                events: self.events.clone(),
                meeting: self.state.clone(),
            },
        };
        self.shared.outbound.add(id, &pending.state);
        pending.send().await?;
        Ok(pending)
    }
}

impl Pending {
    /// Where it is on its way.
    pub fn state(&self) -> PendingState {
        self.state.borrow().clone()
    }

    /// Waits until it is sent, or has failed.
    pub async fn outcome(&self) -> Result<Done, CommandError> {
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| *state != PendingState::Sending);
        match settled.await.as_deref() {
            Ok(PendingState::Sent(done)) => Ok(*done),
            Ok(PendingState::Failed(error)) => Err(error.clone()),
            Ok(PendingState::Sending) | Err(_) => Err(CommandError::Disconnected),
        }
    }

    /// Sends it again, under the same id, when it has failed; returns when it is in the chat, once,
    /// whether an earlier try had reached it or not.
    pub async fn retry(&self) -> Result<Done, CommandError> {
        let failed = self.state.send_if_modified(|state| {
            let failed = matches!(state, PendingState::Failed(_));
            if failed {
                *state = PendingState::Sending;
            }
            failed
        });
        if failed {
            self.send().await?;
        }
        self.outcome().await
    }

    async fn send(&self) -> Result<(), CommandError> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Chat {
            client_id: self.id.clone(),
            text: self.text.clone(),
            to: None,
            reply,
        };
        let mut unasked = Unasked(Some(&self.state));
        let asked = match self.way.asks.upgrade() {
            Some(asks) => asks.send(ask).await.is_ok(),
            None => false,
        };
        unasked.0 = None;
        if !asked {
            let error = CommandError::Disconnected;
            self.state.send_replace(PendingState::Failed(error.clone()));
            return Err(error);
        }
        let (id, state, way) = (self.id.clone(), self.state.clone(), self.way.clone());
        tokio::spawn(async move {
            let answer = answer.await.unwrap_or(Err(CommandError::Disconnected));
            way.settle(&id, &state, answer);
        });
        Ok(())
    }
}

/// A message that fails unless it is asked for: whoever asks may be cancelled meanwhile.
struct Unasked<'a>(Option<&'a watch::Sender<PendingState>>);

impl Drop for Unasked<'_> {
    fn drop(&mut self) {
        if let Some(state) = self.0 {
            state.send_replace(PendingState::Failed(CommandError::TimedOut));
        }
    }
}

impl Way {
    fn settle(
        &self,
        id: &CommandId,
        state: &watch::Sender<PendingState>,
        answer: Result<Done, CommandError>,
    ) {
        let error = match answer {
            Ok(done) => {
                state.send_replace(PendingState::Sent(done));
                return;
            }
            Err(error) => error,
        };
        let failed = state.send_if_modified(|state| {
            // It may have come, though no answer did.
            let failed = !matches!(state, PendingState::Sent(_));
            if failed {
                *state = PendingState::Failed(error.clone());
            }
            failed
        });
        if failed && let Some(events) = self.events.upgrade() {
            let client_id = id.as_str().to_owned();
            let error = self.kind(&error);
            // Nobody may listen.
            let _ = events.send(MeetingEvent::ChatFailed { client_id, error });
        }
    }

    /// In the meeting's words.
    fn kind(&self, error: &CommandError) -> ErrorKind {
        match (error, &self.meeting.borrow().phase) {
            (CommandError::Refused { kind, .. }, _) => *kind,
            (_, Phase::Disconnected(DisconnectReason::Removed)) => ErrorKind::Removed,
            (_, Phase::Disconnected(DisconnectReason::RoomEnded)) => ErrorKind::RoomEnded,
            (CommandError::TimedOut | CommandError::Disconnected, _) => ErrorKind::TimedOut,
        }
    }
}

impl Outbound {
    fn add(&self, id: CommandId, state: &Arc<watch::Sender<PendingState>>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody holds any more is waited for by nobody.
        waiting.retain(|_, state| Arc::strong_count(state) > 1);
        if waiting.len() >= MOST {
            waiting.pop_first();
        }
        waiting.insert(id, Arc::clone(state));
    }

    /// A message is in the chat.
    pub(super) fn seen(&self, me: &ParticipantId, message: &ChatMessage) {
        if message.from != *me {
            return;
        }
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = waiting.remove(&message.client_id) {
            state.send_if_modified(|state| {
                let news = !matches!(state, PendingState::Sent(_));
                if news {
                    *state = PendingState::Sent(Done {
                        seq: Some(message.seq),
                        at: Some(message.at),
                        ..Done::default()
                    });
                }
                news
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parvis_meeting::{Quality, RoomCode};

    use super::*;
    use crate::meeting::{MeetingState, StepDown};

    #[tokio::test]
    async fn a_message_whose_sending_is_cancelled_has_failed_and_can_be_sent_again() {
        let (asks, mut asked) = mpsc::channel(1);
        let busy = Ask::Leave(oneshot::channel().0);
        assert!(asks.try_send(busy).is_ok(), "there is a place");
        let me = ParticipantId::new("pme").unwrap();
        let meeting = MeetingState {
            phase: Phase::Connected,
            code: RoomCode::parse("abc-defg-hij").unwrap(),
            me,
            view: None,
            lobby: Vec::new(),
            speakers: Vec::new(),
            quality: Quality::Good,
            step_down: StepDown::default(),
        };
        let failed = PendingState::Failed(CommandError::TimedOut);
        let pending = Pending {
            client_id: "m1".to_owned(),
            text: "hello".to_owned(),
            id: CommandId::new("m1").unwrap(),
            state: Arc::new(watch::Sender::new(failed.clone())),
            way: Way {
                asks: asks.downgrade(),
                events: broadcast::channel(1).0.downgrade(),
                meeting: watch::channel(Arc::new(meeting)).1,
            },
        };
        // The meeting has no place for it at the moment, and the app gives up.
        let cancelled = tokio::time::timeout(Duration::ZERO, pending.retry()).await;
        assert!(cancelled.is_err());
        assert_eq!(pending.state(), failed);

        assert!(matches!(asked.recv().await, Some(Ask::Leave(_))));
        let (sent, ()) = tokio::join!(pending.retry(), async {
            let Some(Ask::Chat { reply, .. }) = asked.recv().await else {
                panic!("it is not sent again")
            };
            assert!(reply.send(Ok(Done::default())).is_ok());
        });
        assert_eq!(sent, Ok(Done::default()));
    }
}
