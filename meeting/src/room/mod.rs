mod answering;
mod bucket;
mod capturing;
mod deciding;
mod entering;
mod executing;
mod leaving;
mod lobby;
mod memory;
mod moderating;
mod remembered;
mod resuming;
mod talking;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Emoji, Input, Output, ParticipantId, Policy, Reactions, Roles, Settings, UnixMillis,
    View,
};
use memory::{Memory, Phase};

/// A room while people are there or wait: orders what they say and decides who may what.
///
/// Drain [`Self::poll`] after each call; call [`Self::handle_timeout`] when [`Self::poll_timeout`]
/// says. Handling a request takes time for its outputs and the logarithm of the number of people.
#[derive(Debug, Clone)]
pub struct Room {
    settings: Settings,
    memory: Memory,
    /// Owners and administrators who are in.
    hosts: BTreeSet<ParticipantId>,
    /// The participants of an account who are in.
    devices: BTreeMap<AccountId, BTreeSet<ParticipantId>>,
    /// People who are in, services apart; agents among them.
    persons_in: usize,
    agents_in: usize,
    /// Who waits, first come first.
    waiting: BTreeMap<u64, ParticipantId>,
    timers: BTreeSet<(UnixMillis, Timer)>,
    outputs: VecDeque<Output>,
}

/// Everything that a room knows, to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Saved(Box<Memory>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Grace(ParticipantId),
    Wait(ParticipantId),
    Reactions,
}

impl Room {
    /// A room that nobody has entered.
    pub fn new(policy: Policy, roles: Roles, settings: Settings, now: UnixMillis) -> Self {
        Self::of(Memory::new(policy, roles, now), settings)
    }

    /// The room as it was saved. Give it the inputs since then, and [`Input::Resumed`] at last.
    pub fn restore(saved: Saved, settings: Settings) -> Self {
        let mut room = Self::of(*saved.0, settings);
        room.index();
        room
    }

    fn of(memory: Memory, settings: Settings) -> Self {
        Self {
            settings,
            memory,
            hosts: BTreeSet::new(),
            devices: BTreeMap::new(),
            persons_in: 0,
            agents_in: 0,
            waiting: BTreeMap::new(),
            timers: BTreeSet::new(),
            outputs: VecDeque::new(),
        }
    }

    /// All that the room knows; as much work as there are people.
    pub fn save(&self) -> Saved {
        Saved(Box::new(self.memory.clone()))
    }

    /// Takes what happened. Time that goes back counts as time that stands still.
    pub fn handle(&mut self, input: Input, now: UnixMillis) {
        if input == Input::Resumed {
            self.resume(now);
            return;
        }
        self.advance(now);
        match input {
            Input::Arrived {
                participant,
                identity,
            } => self.arrive(participant, identity),
            Input::Left { participant } => self.lose(&participant),
            Input::Request {
                participant,
                request,
            } => self.request(&participant, request),
            Input::Malformed {
                participant,
                id,
                detail,
            } => self.malformed(&participant, id, detail),
            Input::Roles { roles } => self.replace_roles(roles),
            Input::Policy { policy } => self.set_policy(policy),
            Input::Progress { progress } => {
                self.progress(progress);
            }
            Input::Resumed => {}
            Input::RelayStarted => self.repeat_orders(),
            Input::End => self.end(),
        }
    }

    /// The next thing to do; `None`: nothing until the next input or time-out.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<UnixMillis> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: UnixMillis) {
        self.advance(now);
    }

    /// What everybody sees.
    pub fn view(&self) -> &View {
        &self.memory.view
    }

    /// Who has which role.
    pub fn roles(&self) -> &Roles {
        &self.memory.roles
    }

    /// Whether it can be dropped: nobody is in, waits or may come back, or it was ended for all.
    pub fn is_deserted(&self) -> bool {
        self.memory.phase == Phase::Over || self.memory.people.is_empty()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Timers fire in their order and at their time, however late this is called.
    fn advance(&mut self, now: UnixMillis) {
        while self.timers.first().is_some_and(|(due, _)| *due <= now)
            && let Some((due, timer)) = self.timers.pop_first()
        {
            self.memory.now = self.memory.now.max(due);
            match timer {
                Timer::Grace(participant) => self.give_up(&participant),
                Timer::Wait(participant) => self.time_out(&participant),
                Timer::Reactions => self.say_counts(),
            }
        }
        self.memory.now = self.memory.now.max(now);
    }

    fn say_counts(&mut self) {
        self.memory.counts_due = None;
        let counts: BTreeMap<Emoji, u32> = std::mem::take(&mut self.memory.counts);
        if !counts.is_empty() {
            let counts = Reactions::Counts { counts };
            self.outputs.push_back(Output::Reactions(counts));
        }
    }
}
