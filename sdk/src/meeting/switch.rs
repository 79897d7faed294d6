//! One's own words about what is captured, said in the order in which they are meant.

use std::sync::Arc;

use parvis_meeting::{Command, MediaState, PerSource, Source};
use tokio::sync::{mpsc, oneshot};

use super::{
    CommandError, StepDown,
    driver::Ask,
    requests::{Answer, Reply},
    shared::Shared,
};
use crate::{CloseReason, PublishError};

/// Tells the meeting what is captured of a source. Dropping it says that it is off, unless the source
/// was turned on anew meanwhile.
#[derive(Debug)]
pub(super) struct Switch {
    source: Source,
    shared: Arc<Shared>,
    asks: mpsc::Sender<Ask>,
    /// The word that turned it on.
    first: u64,
    /// The place for its last word, so that a full queue does not lose it.
    last: Option<mpsc::OwnedPermit<Ask>>,
}

/// What was said of each source, by number.
#[derive(Debug, Default)]
pub(super) struct Words(PerSource<Spoken>);

#[derive(Debug, Default, Clone, Copy)]
struct Spoken {
    /// The last word.
    last: u64,
    /// The word that turned on whatever speaks for the source.
    first: u64,
}

/// A word that turns a source on, if none came after it.
#[derive(Debug)]
pub(super) struct Word {
    shared: Arc<Shared>,
    source: Source,
    number: u64,
}

impl Words {
    /// The number of a new word.
    pub(super) fn next(&mut self, source: Source) -> u64 {
        let spoken = self.0.of_mut(source);
        spoken.last += 1;
        spoken.last
    }

    pub(super) fn is_last(&self, source: Source, number: u64) -> bool {
        self.0.of(source).last == number
    }
}

impl Word {
    /// The meeting has done it.
    pub(super) fn obeyed(&self) {
        self.shared.turned_on(self.source, self.number);
    }
}

impl Switch {
    /// Turns a source on, unless the meeting refuses that. What spoke for it before says nothing more.
    pub(super) async fn turn_on(
        source: Source,
        shared: &Arc<Shared>,
        asks: &mpsc::Sender<Ask>,
    ) -> Result<Self, PublishError> {
        let last = asks.clone().reserve_owned().await;
        let mut switch = Self {
            source,
            shared: Arc::clone(shared),
            asks: asks.clone(),
            first: 0,
            last: Some(last.map_err(|_| over())?),
        };
        let place = asks.reserve().await.map_err(|_| over())?;
        let answer = {
            let mut words = shared.words();
            let number = words.next(source);
            words.0.of_mut(source).first = number;
            switch.first = number;
            shared.unmuted(source);
            let (ask, answer) = switch.ask(MediaState::On, number);
            place.send(ask);
            answer
        };
        match answer.await.unwrap_or(Err(CommandError::Disconnected)) {
            // After a while without an answer it may still be done.
            Ok(_) | Err(CommandError::TimedOut) => Ok(switch),
            Err(CommandError::Refused { kind, .. }) => Err(PublishError::Refused(kind)),
            Err(CommandError::Disconnected) => Err(over()),
        }
    }

    pub(super) const fn source(&self) -> Source {
        self.source
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(super) fn step_down(&self) -> StepDown {
        self.shared.wishes.borrow().step_down
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.shared.is_muted(self.source)
    }

    /// Tells it and waits for the answer. Muting holds at once, and also for what was said before.
    pub(super) async fn set(&self, state: MediaState) -> Result<(), CommandError> {
        if state != MediaState::On {
            self.shared.stop(self.source);
        }
        let place = self.asks.reserve().await;
        let place = place.map_err(|_| CommandError::Disconnected)?;
        let answer = {
            let mut words = self.shared.words();
            if words.0.of(self.source).first != self.first {
                return Err(CommandError::Disconnected);
            }
            let number = words.next(self.source);
            let (ask, answer) = self.ask(state, number);
            place.send(ask);
            answer
        };
        let answer = answer.await.unwrap_or(Err(CommandError::Disconnected));
        answer.map(drop)
    }

    fn ask(&self, state: MediaState, number: u64) -> (Ask, oneshot::Receiver<Answer>) {
        let of = |source| (self.source == source).then_some(state);
        let command = Command::SetMedia {
            microphone: of(Source::Microphone),
            camera: of(Source::Camera),
            screen: of(Source::Screen),
        };
        let word = (state == MediaState::On).then(|| Word {
            shared: Arc::clone(&self.shared),
            source: self.source,
            number,
        });
        let (to, answer) = oneshot::channel();
        let reply = Reply { to, word };
        (Ask::Command { command, reply }, answer)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        let mut words = self.shared.words();
        if self.first == 0 || words.0.of(self.source).first != self.first {
            return;
        }
        let number = words.next(self.source);
        let (ask, _) = self.ask(MediaState::Off, number);
        if let Some(place) = self.last.take() {
            place.send(ask);
        }
    }
}

pub(super) fn over() -> PublishError {
    PublishError::Closed(CloseReason::Local)
}

#[cfg(test)]
mod tests {
    use parvis_meeting::Done;

    use super::*;

    struct Desk {
        shared: Arc<Shared>,
        asks: mpsc::Sender<Ask>,
        asked: mpsc::Receiver<Ask>,
    }

    impl Desk {
        fn new(places: usize) -> Self {
            let (asks, asked) = mpsc::channel(places);
            Self {
                shared: Arc::new(Shared::with(None)),
                asks,
                asked,
            }
        }

        /// Turns the screen on, which the meeting does.
        async fn share(&mut self) -> Switch {
            let (shared, asks) = (Arc::clone(&self.shared), self.asks.clone());
            let turning = Switch::turn_on(Source::Screen, &shared, &asks);
            let (switch, ()) = tokio::join!(turning, async {
                let (state, reply) = self.next();
                assert_eq!(state, MediaState::On);
                reply.send(Ok(Done::default()));
            });
            switch.expect("it is on")
        }

        /// What was asked next.
        fn next(&mut self) -> (MediaState, Reply) {
            match self.asked.try_recv() {
                Ok(Ask::Command {
                    command:
                        Command::SetMedia {
                            screen: Some(state),
                            ..
                        },
                    reply,
                }) => (state, reply),
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn what_is_dropped_late_does_not_turn_off_what_was_turned_on_since() {
        let mut desk = Desk::new(8);
        let old = desk.share().await;
        let new = desk.share().await;
        drop(old);
        assert!(desk.asked.try_recv().is_err());
        drop(new);
        assert_eq!(desk.next().0, MediaState::Off);
        assert!(desk.asked.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_full_queue_takes_the_last_word_all_the_same() {
        let mut desk = Desk::new(4);
        let screen = desk.share().await;
        while desk.asks.try_send(Ask::Leave(oneshot::channel().0)).is_ok() {}
        drop(screen);
        while let Ok(Ask::Leave(_)) = desk.asked.try_recv() {
            assert!(!desk.asked.is_empty(), "it was lost");
            if desk.asked.len() == 1 {
                break;
            }
        }
        assert_eq!(desk.next().0, MediaState::Off);
    }

    #[tokio::test]
    async fn who_mutes_is_muted_whatever_was_said_before() {
        let mut desk = Desk::new(8);
        let screen = desk.share().await;
        screen.shared.stop(Source::Screen);
        let unmuting = screen.set(MediaState::On);
        let muting = screen.set(MediaState::Muted);
        let (unmuted, muted, ()) = tokio::join!(unmuting, muting, async {
            for wanted in [MediaState::On, MediaState::Muted] {
                let (state, reply) = desk.next();
                assert_eq!(state, wanted);
                reply.send(Ok(Done::default()));
                assert!(screen.is_stopped());
            }
        });
        assert_eq!((unmuted, muted), (Ok(()), Ok(())));
        assert!(screen.is_stopped());
        let (unmuted, ()) = tokio::join!(screen.set(MediaState::On), async {
            desk.next().1.send(Ok(Done::default()));
        });
        assert_eq!(unmuted, Ok(()));
        assert!(!screen.is_stopped());
    }
}
