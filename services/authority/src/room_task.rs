mod telling;

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};

use parvis_meeting::{AccountId, Identity, Input, ParticipantId, Policy, Roles};
use parvis_store::CHAT_AFTER_END;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};

use crate::{
    clock,
    docket::{Event, RoomKey},
    outlets::Outlets,
    registry::Court,
    replies::Replies,
    sitting::{Broken, Sitting, wait_for_store},
};

/// One room: takes what waits for it, stores, and tells.
struct RoomTask {
    court: Arc<Court>,
    key: RoomKey,
    sitting: Sitting,
    people: BTreeMap<ParticipantId, Person>,
    outlets: Option<Outlets>,
    /// Who is in, and the id of its tokens.
    stays: BTreeMap<ParticipantId, String>,
    /// Nobody has come so far.
    fresh: bool,
}

/// Somebody whose commands are read.
struct Person {
    identity: Identity,
    replies: Weak<Replies>,
    here: bool,
}

/// Events that are stored together.
const BATCH: usize = 64;

/// Whoever has a room opened comes, or is gone by then.
const FRESH: Duration = Duration::from_secs(30);

/// Runs a room until nobody needs it.
pub(crate) async fn run(
    court: Arc<Court>,
    key: RoomKey,
    mut events: mpsc::Receiver<Event>,
    resumes: bool,
) {
    let sitting = match sit(&court, key, resumes).await {
        Ok(sitting) => sitting,
        Err(error) => {
            give_up(&court, &key, &error);
            return;
        }
    };
    let mut task = RoomTask {
        court: Arc::clone(&court),
        key,
        sitting,
        people: BTreeMap::new(),
        outlets: None,
        stays: BTreeMap::new(),
        fresh: true,
    };
    while let Err(error) = task.sit(&mut events).await {
        give_up(&court, &key, &error);
        let Broken::Disagreement(_) = error else {
            return;
        };
        if let Err(error) = task.begin_anew().await {
            give_up(&court, &key, &error);
            return;
        }
    }
    court.rooms.remove(&key);
    // What came in the last moment is for the next one.
    events.close();
    while let Ok(event) = events.try_recv() {
        court.pass_on(key, event);
    }
}

fn give_up(court: &Court, key: &RoomKey, error: &Broken) {
    match error {
        Broken::Superseded => {
            tracing::error!(code = %key.code(), "{error}");
            court.rooms.lose(key);
        }
        Broken::Disagreement(_) => {
            tracing::error!(code = %key.code(), "{error}; it goes on from what is stored");
        }
        Broken::Closed => court.rooms.remove(key),
    }
}

async fn sit(court: &Court, key: RoomKey, resumes: bool) -> Result<Sitting, Broken> {
    // Also for nothing, so that it takes as long.
    let known = known(court, &key).await.filter(|_| key.is_real());
    let absent = known.is_none();
    let nobody = || AccountId::new("nobody").expect("letters are an account");
    let start = known.unwrap_or_else(|| (Policy::default(), Roles::new(nobody())));
    let (store, settings) = (court.store.clone(), court.settings);
    let mut sitting = Sitting::new(store, *key.code(), start, settings, court.limits.save_every);
    if resumes {
        sitting.restore(settings).await?;
        sitting.take(Some(Input::RelayStarted), clock::now());
    }
    if absent && key.is_real() {
        // It was taken away meanwhile.
        sitting.take(Some(Input::End), clock::now());
    }
    Ok(sitting)
}

/// What the store knows of a room; `None`: it is not there.
async fn known(court: &Court, key: &RoomKey) -> Option<(Policy, Roles)> {
    let mut tries = 0;
    loop {
        let code = key.code();
        match tokio::try_join!(court.store.room(code), court.store.roles(code)) {
            Ok((room, roles)) => {
                let room = room?;
                let policy = Policy {
                    retention: room.retention.unwrap_or(CHAT_AFTER_END),
                    ..room.policy
                };
                return Some((policy, roles?));
            }
            Err(error) => wait_for_store(&error, &mut tries).await,
        }
    }
}

impl RoomTask {
    /// Runs until the room is over or the authority ends.
    async fn sit(&mut self, events: &mut mpsc::Receiver<Event>) -> Result<(), Broken> {
        self.settle().await?;
        let fresh_until = Instant::now() + FRESH;
        let mut pulse = tokio::time::interval(self.court.limits.pulse);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.sitting.is_over() || self.fresh {
            tokio::select! {
                event = events.recv() => {
                    let Some(event) = event else {
                        return Ok(());
                    };
                    self.fresh = false;
                    self.handle(event).await?;
                    for _ in 1..BATCH {
                        let Ok(event) = events.try_recv() else {
                            break;
                        };
                        self.handle(event).await?;
                    }
                }
                () = self.next_timeout() => self.sitting.take(None, clock::now()),
                _ = pulse.tick() => self.tell_revision(),
                () = tokio::time::sleep_until(fresh_until), if self.fresh => self.fresh = false,
            }
            self.settle().await?;
        }
        Ok(())
    }

    /// Starts from the store again, with those who are here.
    async fn begin_anew(&mut self) -> Result<(), Broken> {
        self.sitting = sit(&self.court, self.key, true).await?;
        let here = self.people.iter().filter(|(_, person)| person.here);
        let now = clock::now();
        for (who, person) in here {
            let (participant, identity) = (who.clone(), person.identity.clone());
            let arrived = Input::Arrived {
                participant,
                identity,
            };
            self.sitting.take(Some(arrived), now);
        }
        Ok(())
    }

    async fn next_timeout(&self) {
        match self.sitting.room().poll_timeout() {
            Some(due) => tokio::time::sleep(due.since(clock::now())).await,
            None => std::future::pending().await,
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), Broken> {
        let input = match event {
            Event::Arrived {
                participant,
                identity,
                replies,
            } => {
                let person = Person {
                    identity: identity.clone(),
                    replies,
                    here: true,
                };
                self.people.insert(participant.clone(), person);
                Input::Arrived {
                    participant,
                    identity,
                }
            }
            Event::Left { participant } => {
                if let Some(person) = self.people.get_mut(&participant) {
                    person.here = false;
                }
                Input::Left { participant }
            }
            Event::Said { input, share } => {
                drop(share);
                input
            }
            Event::RelayStarted => Input::RelayStarted,
            Event::Changed => {
                // What was done here is stored first: it would look as if others had undone it.
                self.settle().await?;
                self.look_up().await;
                return Ok(());
            }
        };
        self.sitting.take(Some(input), clock::now());
        Ok(())
    }

    /// Takes over what others changed in the store.
    async fn look_up(&mut self) {
        if !self.key.is_real() {
            return;
        }
        let known = known(&self.court, &self.key).await;
        let now = clock::now();
        let Some((policy, roles)) = known else {
            self.sitting.take(Some(Input::End), now);
            return;
        };
        if *self.sitting.room().view().policy() != policy {
            self.sitting.take(Some(Input::Policy { policy }), now);
        }
        if *self.sitting.room().roles() != roles {
            self.sitting.take(Some(Input::Roles { roles }), now);
        }
    }

    /// Stores what happened and does what comes of it.
    async fn settle(&mut self) -> Result<(), Broken> {
        loop {
            let outputs = self.sitting.commit().await?;
            if outputs.is_empty() {
                break;
            }
            self.obey_first(&outputs).await;
            for output in outputs {
                self.carry_out(output);
            }
        }
        self.people
            .retain(|_, person| person.here || person.replies.strong_count() > 0);
        Ok(())
    }
}
