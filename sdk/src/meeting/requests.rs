use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use parvis_meeting::{Command, CommandId, Done, Outcome, Request};
use tokio::sync::oneshot;

use super::CommandError;

/// What was asked for and not answered yet: said again until it is.
#[derive(Debug)]
pub(super) struct Requests {
    waiting: BTreeMap<CommandId, Waiting>,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    request: Request,
    again: Instant,
    until: Instant,
    reply: oneshot::Sender<Result<Done, CommandError>>,
}

/// How often an unanswered request is said again.
const AGAIN: Duration = Duration::from_secs(1);
/// Requests that may wait for their answers.
const MOST: usize = 256;

impl Requests {
    /// Ids that no other run of this participant uses begin there.
    pub(super) fn new(first: u64) -> Self {
        Self {
            waiting: BTreeMap::new(),
            next: first,
        }
    }

    /// An id that was not used before.
    pub(super) fn new_id(&mut self) -> CommandId {
        self.next += 1;
        CommandId::new(&format!("c{:x}", self.next)).expect("a short number is an id")
    }

    /// Notes a request, whose answer may take so long; returns it to be said, unless too many wait.
    pub(super) fn ask(
        &mut self,
        id: CommandId,
        command: Command,
        reply: oneshot::Sender<Result<Done, CommandError>>,
        patience: Duration,
        now: Instant,
    ) -> Option<Request> {
        if self.waiting.len() >= MOST {
            let _ = reply.send(Err(CommandError::TimedOut));
            return None;
        }
        let request = Request {
            id: id.clone(),
            command,
        };
        let waiting = Waiting {
            request: request.clone(),
            again: now + AGAIN,
            until: now + patience,
            reply,
        };
        self.waiting.insert(id, waiting);
        Some(request)
    }

    /// Takes an answer.
    pub(super) fn answered(&mut self, id: &CommandId, outcome: Outcome) {
        let Some(waiting) = self.waiting.remove(id) else {
            return;
        };
        let result = match outcome {
            Outcome::Done(done) => Ok(done),
            Outcome::Refused(refusal) => Err(refusal.into()),
        };
        // Whoever asked may have gone.
        let _ = waiting.reply.send(result);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let waiting = self.waiting.values();
        waiting
            .map(|waiting| waiting.again.min(waiting.until))
            .min()
    }

    /// What has to be said again; what has waited too long is given up.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Vec<Request> {
        for (_, waiting) in self.waiting.extract_if(.., |_, w| w.until <= now) {
            let _ = waiting.reply.send(Err(CommandError::TimedOut));
        }
        let mut again = Vec::new();
        for waiting in self.waiting.values_mut().filter(|w| w.again <= now) {
            waiting.again = now + AGAIN;
            again.push(waiting.request.clone());
        }
        again
    }

    /// Nothing is answered any more.
    pub(super) fn end(&mut self) {
        for (_, waiting) in std::mem::take(&mut self.waiting) {
            let _ = waiting.reply.send(Err(CommandError::Disconnected));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn a_request_is_said_again_each_second_until_it_is_answered_or_given_up() {
        let now = Instant::now();
        let mut requests = Requests::new(7);
        let (reply, mut answer) = oneshot::channel();
        let id = requests.new_id();
        let asked = requests.ask(id.clone(), Command::RaiseHand, reply, PATIENCE, now);
        assert_eq!(asked.unwrap().id, id);
        assert_eq!(requests.poll_timeout(), Some(now + AGAIN));
        assert_eq!(requests.handle_timeout(now), []);
        assert_eq!(requests.handle_timeout(now + AGAIN).len(), 1);
        requests.answered(&id, Outcome::Done(Done::default()));
        assert_eq!(answer.try_recv(), Ok(Ok(Done::default())));
        assert_eq!(requests.poll_timeout(), None);

        let (reply, mut answer) = oneshot::channel();
        let id = requests.new_id();
        requests.ask(id, Command::RaiseHand, reply, PATIENCE, now);
        assert_eq!(requests.handle_timeout(now + PATIENCE), []);
        assert_eq!(answer.try_recv(), Ok(Err(CommandError::TimedOut)));
    }
}
