use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use parvis_meeting::{Command, CommandId, Done, ErrorKind, MAX_COMMAND_BYTES, Outcome, Request};
use tokio::sync::oneshot;

use super::{CommandError, switch::Word};

/// What was asked for and not answered yet: said again until it is. Of what is about the same, the next
/// one is said once the one before is answered or given up, so that none overtakes another that was not
/// heard at first.
#[derive(Debug)]
pub(super) struct Requests {
    /// In the order in which they were asked for.
    waiting: Vec<Waiting>,
    next: u64,
}

/// What came of a request.
pub(super) type Answer = Result<Done, CommandError>;

/// Where an answer goes.
#[derive(Debug)]
pub(super) struct Reply {
    pub to: oneshot::Sender<Answer>,
    /// What is true once it is done.
    pub word: Option<Word>,
}

#[derive(Debug)]
struct Waiting {
    request: Request,
    /// Its place among what is about the same; `None`: it waits for nothing.
    subject: Option<Subject>,
    /// When it is said again; `None`: it waits for its turn.
    again: Option<Instant>,
    until: Instant,
    reply: Reply,
}

/// What a command is about, where the order of commands matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// What is captured here.
    Media,
    /// Hands.
    Hands,
    /// The chat.
    Chat,
    /// The own name.
    Name,
    /// How well one is connected.
    Quality,
    /// What hosts decide.
    Host,
}

/// How often an unanswered request is said again.
const AGAIN: Duration = Duration::from_secs(1);
/// Requests that may wait for their answers.
const MOST: usize = 256;

impl Requests {
    /// Ids that no other run of this participant uses begin there.
    pub(super) const fn new(first: u64) -> Self {
        Self {
            waiting: Vec::new(),
            next: first,
        }
    }

    /// An id that was not used before.
    pub(super) fn new_id(&mut self) -> CommandId {
        self.next += 1;
        CommandId::new(&format!("c{:x}", self.next)).expect("a short number is an id")
    }

    /// Notes a request, whose answer may take so long; [`Requests::say`] says when it is said. With too
    /// many that wait it is given up at once, and one that nobody would read is refused.
    pub(super) fn ask(
        &mut self,
        id: CommandId,
        command: Command,
        reply: Reply,
        patience: Duration,
        now: Instant,
    ) {
        let subject = Subject::of(&command);
        let request = Request { id, command };
        if request.to_json().len() > MAX_COMMAND_BYTES {
            reply.send(Err(CommandError::Refused {
                kind: ErrorKind::TooLong,
                retry_after: None,
            }));
            return;
        }
        let waiting = Waiting {
            request,
            subject,
            again: None,
            until: now + patience,
            reply,
        };
        let id = &waiting.request.id;
        let known = self.waiting.iter_mut().find(|w| w.request.id == *id);
        if let Some(known) = known {
            (known.until, known.reply) = (waiting.until, waiting.reply);
        } else if self.waiting.len() < MOST {
            self.waiting.push(waiting);
        } else {
            waiting.reply.send(Err(CommandError::TimedOut));
        }
    }

    /// What has to be said now, for the first time or again, in its order.
    pub(super) fn say(&mut self, now: Instant) -> Vec<Request> {
        let mut before = BTreeSet::new();
        let mut said = Vec::new();
        for waiting in &mut self.waiting {
            let is_next = waiting.subject.is_none_or(|subject| before.insert(subject));
            if is_next && waiting.again.is_none_or(|again| again <= now) {
                waiting.again = Some(now + AGAIN);
                said.push(waiting.request.clone());
            }
        }
        said
    }

    /// What was not said so far: it waits for nothing any more.
    pub(super) fn say_all(&mut self, now: Instant) -> Vec<Request> {
        for waiting in &mut self.waiting {
            waiting.subject = None;
        }
        self.say(now)
    }

    /// Takes an answer.
    pub(super) fn answered(&mut self, id: &CommandId, outcome: Outcome) {
        let Some(index) = self.waiting.iter().position(|w| w.request.id == *id) else {
            return;
        };
        let answer = match outcome {
            Outcome::Done(done) => Ok(done),
            Outcome::Refused(refusal) => Err(refusal.into()),
        };
        self.waiting.remove(index).reply.send(answer);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When there is something to say or to give up.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let waiting = self.waiting.iter();
        let due = waiting.map(|w| w.again.map_or(w.until, |again| again.min(w.until)));
        due.min()
    }

    /// Gives up what has waited too long.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for waiting in self.waiting.extract_if(.., |w| w.until <= now) {
            waiting.reply.send(Err(CommandError::TimedOut));
        }
    }

    /// Nothing is answered any more.
    pub(super) fn end(&mut self) {
        for waiting in self.waiting.drain(..) {
            waiting.reply.send(Err(CommandError::Disconnected));
        }
    }
}

impl Reply {
    pub(super) fn send(self, answer: Answer) {
        if let (Ok(_), Some(word)) = (&answer, &self.word) {
            word.obeyed();
        }
        // Whoever asked may have gone.
        let _ = self.to.send(answer);
    }
}

impl From<oneshot::Sender<Answer>> for Reply {
    fn from(to: oneshot::Sender<Answer>) -> Self {
        Self { to, word: None }
    }
}

impl Subject {
    fn of(command: &Command) -> Option<Self> {
        match command {
            Command::SetMedia { .. } => Some(Self::Media),
            Command::RaiseHand | Command::LowerHand { .. } | Command::LowerAllHands => {
                Some(Self::Hands)
            }
            Command::Chat { .. } => Some(Self::Chat),
            Command::Rename { who: None, .. } => Some(Self::Name),
            Command::ReportQuality { .. } => Some(Self::Quality),
            Command::Admit { .. }
            | Command::Deny { .. }
            | Command::Mute { .. }
            | Command::Forbid { .. }
            | Command::Rename { .. }
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
            | Command::StopTranscription => Some(Self::Host),
            Command::Knock { .. }
            | Command::React { .. }
            | Command::Data { .. }
            | Command::RequestRecording
            | Command::RequestTranscription
            | Command::Progress { .. }
            | Command::Resync
            | Command::RenewToken
            | Command::Leave => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use parvis_meeting::MediaState;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    struct Asked {
        id: CommandId,
        answer: oneshot::Receiver<Answer>,
    }

    fn ask(requests: &mut Requests, command: Command, now: Instant) -> Asked {
        let (reply, answer) = oneshot::channel();
        let id = requests.new_id();
        requests.ask(id.clone(), command, reply.into(), PATIENCE, now);
        Asked { id, answer }
    }

    fn said(requests: &mut Requests, now: Instant) -> Vec<CommandId> {
        let said = requests.say(now);
        said.into_iter().map(|request| request.id).collect()
    }

    fn done() -> Outcome {
        Outcome::Done(Done::default())
    }

    #[test]
    fn a_request_is_said_again_each_second_until_it_is_answered_or_given_up() {
        let now = Instant::now();
        let mut requests = Requests::new(7);
        let mut hand = ask(&mut requests, Command::RaiseHand, now);
        assert_eq!(said(&mut requests, now), std::slice::from_ref(&hand.id));
        assert_eq!(requests.poll_timeout(), Some(now + AGAIN));
        assert_eq!(said(&mut requests, now), []);
        assert_eq!(said(&mut requests, now + AGAIN), [hand.id.clone()]);
        requests.answered(&hand.id, done());
        assert_eq!(hand.answer.try_recv(), Ok(Ok(Done::default())));
        assert_eq!(requests.poll_timeout(), None);

        let mut hand = ask(&mut requests, Command::RaiseHand, now);
        assert_eq!(said(&mut requests, now), [hand.id]);
        requests.handle_timeout(now + PATIENCE);
        assert_eq!(said(&mut requests, now + PATIENCE), []);
        assert_eq!(hand.answer.try_recv(), Ok(Err(CommandError::TimedOut)));
    }

    #[test]
    fn what_is_too_long_to_be_read_is_refused_at_once() {
        let now = Instant::now();
        let mut requests = Requests::new(7);
        let name = "x".repeat(MAX_COMMAND_BYTES);
        let mut rename = ask(&mut requests, Command::Rename { who: None, name }, now);
        assert_eq!(said(&mut requests, now), []);
        let refused = CommandError::Refused {
            kind: ErrorKind::TooLong,
            retry_after: None,
        };
        assert_eq!(rename.answer.try_recv(), Ok(Err(refused)));
    }

    #[test]
    fn what_was_not_heard_is_not_overtaken_by_what_is_about_the_same() {
        let now = Instant::now();
        let mut requests = Requests::new(7);
        let off = ask(&mut requests, screen(MediaState::Off), now);
        assert_eq!(said(&mut requests, now), std::slice::from_ref(&off.id));
        let on = ask(&mut requests, screen(MediaState::On), now);
        let hand = ask(&mut requests, Command::RaiseHand, now);
        assert_eq!(said(&mut requests, now), std::slice::from_ref(&hand.id));
        // The first was not heard: it is said again, before the second.
        let later = now + AGAIN;
        assert_eq!(
            said(&mut requests, later),
            [off.id.clone(), hand.id.clone()]
        );
        requests.answered(&hand.id, done());
        requests.answered(&off.id, done());
        assert_eq!(said(&mut requests, later), std::slice::from_ref(&on.id));
        // Nor by what is given up.
        let muted = ask(&mut requests, screen(MediaState::Muted), later);
        assert_eq!(said(&mut requests, later), []);
        requests.handle_timeout(now + PATIENCE);
        assert_eq!(said(&mut requests, now + PATIENCE), [muted.id]);
    }

    #[test]
    fn whoever_leaves_says_all_that_waits() {
        let now = Instant::now();
        let mut requests = Requests::new(7);
        let first = ask(&mut requests, Command::RaiseHand, now);
        let second = ask(&mut requests, Command::LowerAllHands, now);
        assert_eq!(said(&mut requests, now), [first.id]);
        let all = requests.say_all(now);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].id, second.id);
    }

    fn screen(state: MediaState) -> Command {
        Command::SetMedia {
            microphone: None,
            camera: None,
            screen: Some(state),
        }
    }
}
