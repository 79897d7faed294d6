use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use parvis_meeting::{ParticipantId, RoomCode, Source, UnixMillis, tracks};
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinSet, time::Instant};

use crate::{RelayControl, clock};

/// Gives the relay orders until it obeys. Of what contradicts each other only the last is said.
#[derive(Debug, Clone)]
pub(crate) struct RelayOrders(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    control: RelayControl,
    agent: ureq::Agent,
    state: Mutex<State>,
    /// There is something to say.
    given: Notify,
    /// Something was said.
    obeyed: Notify,
}

#[derive(Debug, Default)]
struct State {
    due: BTreeMap<Subject, Due>,
    under_way: BTreeSet<Subject>,
    /// What the relay was told to stop and not to allow again.
    stopped: BTreeSet<OneSource>,
    /// Which tokens are refused until when, for a relay that was started anew.
    denied: BTreeMap<Subject, UnixMillis>,
    /// The relay does not answer.
    failing: bool,
}

/// What the relay has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RelayOrder {
    /// Forward nothing more of a source.
    Stop(OneSource),
    /// Forward it again.
    Allow(OneSource),
    /// End somebody's sessions and refuse its tokens until then.
    Deny(ParticipantId, UnixMillis),
    /// Refuse the tokens of that id until then; what only they granted ends.
    Revoke(String, UnixMillis),
}

/// A source of a participant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OneSource {
    pub(crate) code: RoomCode,
    pub(crate) who: ParticipantId,
    pub(crate) source: Source,
}

/// What an order is about: a later one replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Source(OneSource),
    Participant(ParticipantId),
    Token(String),
}

#[derive(Debug, Clone)]
struct Due {
    order: RelayOrder,
    at: Instant,
    tries: u32,
    /// What has to be obeyed before.
    after: Option<Subject>,
}

/// Orders that are under way at the same time.
const AT_ONCE: usize = 8;
/// A relay answers within two seconds.
const PATIENCE: Duration = Duration::from_secs(4);
/// Denials that are remembered for a relay that was started anew.
const MOST_DENIED: usize = 16_384;
/// How long what is due is still said when the authority ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl RelayOrders {
    /// Has to be called in a tokio runtime.
    pub(crate) fn new(control: RelayControl) -> Self {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            // It is on loopback, and the secret goes nowhere else.
            .proxy(None)
            .max_redirects(0)
            .build()
            .into();
        Self(Arc::new(Inner {
            control,
            agent,
            state: Mutex::default(),
            given: Notify::new(),
            obeyed: Notify::new(),
        }))
    }

    /// Gives an order, to be obeyed from `delay` on.
    pub(crate) fn give(&self, order: RelayOrder, delay: Duration) {
        let at = Instant::now() + delay;
        let mut guard = self.state();
        let state = &mut *guard;
        let subject = order.subject();
        match &order {
            RelayOrder::Stop(source) => {
                state.stopped.insert(source.clone());
            }
            RelayOrder::Allow(source) => {
                state.stopped.remove(source);
            }
            // Nobody publishes that any more: the relay need not remember it, once the session is over.
            RelayOrder::Deny(who, _) => {
                for source in state.stopped.extract_if(.., |s| s.who == *who) {
                    let after = Some(subject.clone());
                    let order = RelayOrder::Allow(source);
                    let due = Due::new(order, at, after);
                    state.due.insert(due.order.subject(), due);
                }
            }
            RelayOrder::Revoke(..) => {}
        }
        if let RelayOrder::Deny(_, until) | RelayOrder::Revoke(_, until) = &order {
            state.denied.insert(subject.clone(), *until);
            if state.denied.len() > MOST_DENIED {
                let soonest = state.denied.iter().min_by_key(|(_, until)| **until);
                if let Some(soonest) = soonest.map(|(subject, _)| subject.clone()) {
                    state.denied.remove(&soonest);
                }
            }
        }
        state.due.insert(subject, Due::new(order, at, None));
        drop(guard);
        self.0.given.notify_one();
    }

    /// Waits until orders are obeyed, unless the relay does not answer anyhow.
    pub(crate) async fn obeyed(&self, subjects: &[Subject]) {
        loop {
            let obeyed = self.0.obeyed.notified();
            {
                let state = self.state();
                if state.failing || !subjects.iter().any(|subject| state.waits(subject)) {
                    return;
                }
            }
            obeyed.await;
        }
    }

    /// The relay may have forgotten who is denied.
    pub(crate) fn repeat_denials(&self) {
        let now = clock::now();
        let mut state = self.state();
        state.denied.retain(|_, until| *until > now);
        let denied = state.denied.clone();
        drop(state);
        for (subject, until) in denied {
            let order = match subject {
                Subject::Participant(who) => RelayOrder::Deny(who, until),
                Subject::Token(id) => RelayOrder::Revoke(id, until),
                Subject::Source(_) => continue,
            };
            self.give(order, Duration::ZERO);
        }
    }

    /// Says what is due, until dropped.
    pub(crate) async fn run(&self) {
        let mut calls = JoinSet::new();
        loop {
            let next = self.begin(&mut calls);
            let later = next.unwrap_or_else(|| Instant::now() + Duration::from_hours(1));
            tokio::select! {
                () = self.0.given.notified() => {}
                () = tokio::time::sleep_until(later), if calls.len() < AT_ONCE => {}
                Some(done) = calls.join_next() => {
                    if let Ok((subject, due, outcome)) = done {
                        self.end(subject, due, outcome);
                    }
                }
            }
        }
    }

    /// Says what is due at once, for a while, when the authority ends.
    pub(crate) async fn finish(&self) {
        {
            let now = Instant::now();
            let mut state = self.state();
            for due in state.due.values_mut() {
                due.at = due.at.min(now + LAST_WORDS / 2);
            }
        }
        self.0.given.notify_one();
        let all_said = async {
            loop {
                let obeyed = self.0.obeyed.notified();
                {
                    let state = self.state();
                    if state.due.is_empty() && state.under_way.is_empty() {
                        return;
                    }
                }
                obeyed.await;
            }
        };
        // What was not said by then is said again by the next authority.
        let _ = tokio::time::timeout(LAST_WORDS, all_said).await;
    }

    /// Begins to say what is due; returns when there is more.
    fn begin(&self, calls: &mut JoinSet<Call>) -> Option<Instant> {
        let mut state = self.state();
        let now = Instant::now();
        while calls.len() < AT_ONCE {
            let waiting = state.due.iter().filter(|(subject, due)| {
                let free = !state.under_way.contains(subject);
                free && !due.after.as_ref().is_some_and(|after| state.waits(after))
            });
            let (subject, at) = waiting
                .min_by_key(|(_, due)| due.at)
                .map(|(s, d)| (s.clone(), d.at))?;
            if at > now {
                return Some(at);
            }
            let due = state.due.remove(&subject)?;
            state.under_way.insert(subject.clone());
            let inner = Arc::clone(&self.0);
            calls.spawn_blocking(move || {
                let outcome = inner.call(&due.order);
                (subject, due, outcome)
            });
        }
        None
    }

    fn end(&self, subject: Subject, due: Due, outcome: Result<(), ureq::Error>) {
        let mut state = self.state();
        state.under_way.remove(&subject);
        match outcome {
            Ok(()) => state.failing = false,
            Err(error) => {
                if !std::mem::replace(&mut state.failing, true) {
                    tracing::warn!(%error, "the relay takes no orders; they are given again");
                }
                let pause = Duration::from_millis(250 << due.tries.min(4));
                let tries = due.tries + 1;
                let at = Instant::now() + pause;
                // Unless another order was given meanwhile.
                state.due.entry(subject).or_insert(Due { at, tries, ..due });
            }
        }
        drop(state);
        self.0.obeyed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether an order is given and not obeyed so far.
    fn waits(&self, subject: &Subject) -> bool {
        self.due.contains_key(subject) || self.under_way.contains(subject)
    }
}

impl Due {
    const fn new(order: RelayOrder, at: Instant, after: Option<Subject>) -> Self {
        Self {
            order,
            at,
            tries: 0,
            after,
        }
    }
}

type Call = (Subject, Due, Result<(), ureq::Error>);

impl Inner {
    fn call(&self, order: &RelayOrder) -> Result<(), ureq::Error> {
        let (path, body) = order.request();
        let RelayControl { address, secret } = &self.control;
        self.agent
            .post(format!("http://{address}/v1/{path}"))
            .header("authorization", format!("Bearer {secret}"))
            .header("content-type", "application/json")
            .send(body.to_string())?;
        Ok(())
    }
}

impl RelayOrder {
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Stop(source) | Self::Allow(source) => Subject::Source(source.clone()),
            Self::Deny(who, _) => Subject::Participant(who.clone()),
            Self::Revoke(id, _) => Subject::Token(id.clone()),
        }
    }

    fn request(&self) -> (&'static str, Value) {
        match self {
            Self::Stop(source) => ("tracks/stop", source.body()),
            Self::Allow(source) => ("tracks/allow", source.body()),
            Self::Deny(who, until) => ("deny", json!({ "sub": who, "until": until.0 / 1000 })),
            Self::Revoke(id, until) => ("deny", json!({ "jti": id, "until": until.0 / 1000 })),
        }
    }
}

impl OneSource {
    /// The track of that name, and those whose names go on with a `/`.
    fn body(&self) -> Value {
        let namespace = tracks::media_of(&self.code, &self.who);
        let fields = namespace.fields().iter();
        let fields: Vec<_> = fields.map(|field| String::from_utf8_lossy(field)).collect();
        json!({ "namespace": fields, "track": self.source.name() })
    }
}

#[cfg(test)]
mod tests;
