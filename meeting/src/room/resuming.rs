use crate::{Order, Output, ParticipantId, Source, UnixMillis};

use super::{
    Room, Timer,
    memory::{Phase, Place},
};

impl Room {
    /// Rebuilds what follows from memory.
    pub(super) fn index(&mut self) {
        let people: Vec<ParticipantId> = self.memory.people.keys().cloned().collect();
        for who in people {
            let person = &self.memory.people[&who];
            if let Some(grace) = person.grace {
                self.timers.insert((grace, Timer::Grace(who.clone())));
            }
            match person.place {
                Place::In => {
                    self.count_in(&who);
                }
                Place::Lobby(wait) => {
                    self.waiting.insert(wait.ticket, who.clone());
                    if let Some(deadline) = wait.deadline(&self.settings) {
                        self.timers.insert((deadline, Timer::Wait(who)));
                    }
                }
                Place::Outside | Place::Denied | Place::TimedOut => {}
            }
        }
        if let Some(due) = self.memory.counts_due {
            self.timers.insert((due, Timer::Reactions));
        }
        if self.memory.phase == Phase::Over {
            self.timers.clear();
        }
    }

    /// Goes on after a pause in which nothing was heard.
    pub(super) fn resume(&mut self, now: UnixMillis) {
        let pause = now.since(self.memory.now);
        self.memory.now = self.memory.now.max(now);
        if self.memory.phase == Phase::Over {
            return;
        }
        let (now, settings) = (self.memory.now, self.settings);
        self.timers.clear();
        for person in self.memory.people.values_mut() {
            let grace = match &mut person.place {
                Place::In => settings.reconnection_grace,
                Place::Lobby(wait) => {
                    wait.counting = wait.counting.map(|since| since.plus(pause));
                    settings.lobby_grace
                }
                Place::Outside | Place::Denied | Place::TimedOut => settings.lobby_grace,
            };
            // Whoever is still there arrives again, or says something.
            person.grace = Some(now.plus(grace));
        }
        self.memory.counts_due = self.memory.counts_due.map(|_| now);
        self.reset_counts();
        self.index();
        if self.memory.phase == Phase::Running {
            self.open_group();
        }
    }

    fn reset_counts(&mut self) {
        self.hosts.clear();
        self.devices.clear();
        self.waiting.clear();
        (self.persons_in, self.agents_in) = (0, 0);
    }

    /// Says every order that still holds.
    pub(super) fn repeat_orders(&mut self) {
        for (who, person) in &self.memory.people {
            for source in Source::ALL {
                if *person.stopped.of(source) {
                    let participant = who.clone();
                    let order = Order::Stop {
                        participant,
                        source,
                    };
                    self.outputs.push_back(Output::Order(order));
                }
            }
        }
        for participant in self.memory.removed.keys().cloned() {
            self.outputs
                .push_back(Output::Order(Order::Remove { participant }));
        }
    }
}
