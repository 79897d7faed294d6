//! Random sequences of inputs against the model, and what holds whatever happens.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use parvis_meeting::{
    AccessLevel, Command, CommandId, HistoryPolicy, Input, MediaState, Order, Output,
    ParticipantId, Policy, Quality, Request, Role, Roles, Room, Settings, Source, StateMessage,
    Target, UnixMillis, View, from_json, to_json,
};

use crate::{
    model::{LOBBY_SIZE, Model, ROOM_SIZE},
    support::{START, account, agent, guest, id},
};

/// Sequences in a run; `PARVIS_SEEDS` sets another number, `PARVIS_SEED` runs that one only.
const SEEDS: u64 = 10_000;
const STEPS: usize = 120;
const SHARDS: u64 = 4;

/// Name, and account of an agent.
const CAST: [(&str, Option<&str>); 9] = [
    ("zoe", Some("zoe")),
    ("zoe2", Some("zoe")),
    ("adam", Some("adam")),
    ("mia", Some("mia")),
    ("ann", Some("ann")),
    ("ben", Some("ben")),
    ("gus", None),
    ("amy", None),
    ("bob", None),
];

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

fn settings() -> Settings {
    Settings {
        lobby_size: LOBBY_SIZE,
        room_size: ROOM_SIZE,
        commands_per_second: 100_000,
        chat_per_second: 100_000,
        deltas: 8,
        ..Settings::default()
    }
}

struct Run {
    random: Random,
    /// Few people meet each other more often.
    cast: Vec<(&'static str, Option<&'static str>)>,
    room: Room,
    /// A room that was restored on the way and has to say the same.
    twin: Option<Room>,
    model: Model,
    now: UnixMillis,
    removals: BTreeMap<&'static str, u32>,
    requests: u64,
    /// What a subscriber of the state track knows.
    view: Option<View>,
    /// The last object of the state track.
    last: Option<(u64, u64)>,
    /// The last message's number, of everybody there ever was.
    numbers: BTreeMap<ParticipantId, u64>,
    /// Who was told something and was there ever since.
    known: BTreeSet<ParticipantId>,
    said: Vec<(ParticipantId, CommandId)>,
    /// What the relay lets through no more.
    stopped: BTreeSet<(ParticipantId, Source)>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut cast = CAST.to_vec();
        for _ in 0..random.below(CAST.len() - 1) {
            cast.remove(random.below(cast.len()));
        }
        let access = random.of(&[
            AccessLevel::Public,
            AccessLevel::Trusted,
            AccessLevel::Restricted,
        ]);
        let mut roles = Roles::new(account("zoe"));
        roles.set(account("adam"), Role::Administrator).unwrap();
        roles.set(account("mia"), Role::Member).unwrap();
        let policy = Policy {
            access,
            ..Policy::default()
        };
        Self {
            random,
            cast,
            room: Room::new(policy, roles, settings(), START),
            twin: None,
            model: Model::new(access),
            now: START,
            removals: BTreeMap::new(),
            requests: 0,
            view: None,
            last: None,
            numbers: BTreeMap::new(),
            known: BTreeSet::new(),
            said: Vec::new(),
            stopped: BTreeSet::new(),
        }
    }

    fn pick(&mut self) -> (String, &'static str, Option<&'static str>) {
        let (name, account) = self.random.of(&self.cast);
        let removals = self.removals.get(name).copied().unwrap_or_default();
        (format!("{name}x{removals}"), name, account)
    }

    fn somebody(&mut self) -> ParticipantId {
        let (who, ..) = self.pick();
        id(&who)
    }

    fn target(&mut self) -> Target {
        if self.random.below(3) == 0 {
            Target::All
        } else {
            Target::One(self.somebody())
        }
    }

    fn step(&mut self) {
        match self.random.below(20) {
            0..=3 => {
                let (who, name, account) = self.pick();
                let participant = id(&who);
                let identity = match account {
                    Some(account) => agent(account),
                    None => guest(name),
                };
                let input = Input::Arrived {
                    participant,
                    identity,
                };
                // Denials follow the account, which is the name of all but Zoé's second device.
                self.model.arrive(&who, account.unwrap_or(name), account);
                self.input(input);
                self.command(&who, &Command::Knock { name: None });
            }
            4 => {
                let (who, ..) = self.pick();
                self.model.left(&who);
                let participant = id(&who);
                self.input(Input::Left { participant });
            }
            5 => {
                let millis = self
                    .random
                    .of(&[1, 900, 5_000, 9_999, 20_000, 30_000, 299_000, 600_000]);
                self.pass(millis);
            }
            6 if self.twin.is_none() => {
                let saved = to_json(&self.room.save());
                let saved = from_json(&saved).expect("what was saved");
                self.twin = Some(Room::restore(saved, settings()));
            }
            _ => {
                let (who, ..) = self.pick();
                let command = if self.random.below(4) == 0 {
                    self.some_unjudged_command()
                } else {
                    self.some_command()
                };
                self.command(&who, &command);
            }
        }
        let people = &self.model.people;
        self.known.retain(|id| people.contains_key(id.as_str()));
        self.check();
    }

    fn some_command(&mut self) -> Command {
        let some = self.random.below(60);
        match some {
            0..=6 => Command::Knock { name: None },
            7..=14 => Command::RaiseHand,
            15..=18 => Command::LowerHand { whose: None },
            19..=21 => Command::LowerHand {
                whose: Some(self.somebody()),
            },
            22 => Command::LowerAllHands,
            23..=30 => Command::Chat {
                client_id: self.random.of(&["a", "b", "c", "d", "e"]).parse().unwrap(),
                text: "hello".to_owned(),
                to: None,
            },
            31..=37 => Command::Admit { who: self.target() },
            38..=41 => Command::Deny { who: self.target() },
            42..=47 => Command::SetRole {
                who: self.somebody(),
                role: self.random.of(&[
                    Role::Guest,
                    Role::Member,
                    Role::Administrator,
                    Role::Owner,
                ]),
            },
            48..=50 => Command::SetAccess {
                level: self.random.of(&[
                    AccessLevel::Public,
                    AccessLevel::Trusted,
                    AccessLevel::Restricted,
                ]),
                organisation: None,
            },
            51 | 52 => Command::SetHostGate {
                on: self.random.below(2) == 0,
            },
            53 | 54 => Command::Lock {
                locked: self.random.below(2) == 0,
            },
            55 | 56 => Command::Remove {
                who: self.somebody(),
            },
            57 | 58 => Command::Leave,
            _ if self.random.below(8) == 0 => Command::EndForAll,
            _ => Command::RaiseHand,
        }
    }

    fn some_unjudged_command(&mut self) -> Command {
        let states = [
            None,
            Some(MediaState::On),
            Some(MediaState::Muted),
            Some(MediaState::Off),
        ];
        match self.random.below(15) {
            0..=4 => Command::SetMedia {
                microphone: self.random.of(&states),
                camera: self.random.of(&states),
                screen: self.random.of(&states),
            },
            5 | 6 => Command::Mute { who: self.target() },
            7 | 8 => Command::Forbid {
                source: self.random.of(&Source::ALL),
                forbidden: self.random.below(2) == 0,
            },
            9 => Command::Rename {
                who: (self.random.below(2) == 0).then(|| self.somebody()),
                name: self.random.of(&["Zoé", "Gus", " ", "ann"]).to_owned(),
            },
            10 => Command::React {
                emoji: self.random.of(&["thumbs-up", "rocket"]).to_owned(),
            },
            11 => Command::ReportQuality {
                quality: self
                    .random
                    .of(&[Quality::Poor, Quality::Good, Quality::Lost]),
            },
            12 => Command::SetHistory {
                history: self.random.of(&[
                    HistoryPolicy::Session,
                    HistoryPolicy::FromJoin,
                    HistoryPolicy::None,
                ]),
            },
            13 => self.random.of(&[
                Command::StartRecording,
                Command::StopRecording,
                Command::RequestRecording,
            ]),
            _ => self.random.of(&[Command::Resync, Command::RenewToken]),
        }
    }

    fn command(&mut self, who: &str, command: &Command) {
        self.requests += 1;
        let request = format!("r{}", self.requests);
        let judged = Model::judges(command);
        let expected = judged.then(|| self.model.command(who, command));
        let outputs = self.input(Input::Request {
            participant: id(who),
            request: Request {
                id: request.parse().unwrap(),
                command: command.clone(),
            },
        });
        let answer = outputs.iter().find_map(|output| {
            let Output::Message { to, message } = output else {
                return None;
            };
            let parvis_meeting::Body::Reply { re, outcome } = &message.body else {
                return None;
            };
            let answered = to.as_str() == who && re.as_str() == request;
            answered.then_some(match outcome {
                parvis_meeting::Outcome::Done(_) => Ok(()),
                parvis_meeting::Outcome::Refused(refusal) => Err(refusal.error),
            })
        });
        if let Some(expected) = expected {
            assert_eq!(answer, expected, "{command:?} by {who}");
        }
        if let (Command::Remove { who }, Some(Ok(()))) = (command, answer) {
            let (name, _) = who.as_str().rsplit_once('x').expect("a generation");
            let (name, _) = CAST
                .iter()
                .find(|(cast, _)| *cast == name)
                .expect("one of us");
            *self.removals.entry(name).or_default() += 1;
        }
    }

    fn pass(&mut self, millis: u64) {
        self.model.pass(millis);
        self.now = self.now.plus(Duration::from_millis(millis));
        self.room.handle_timeout(self.now);
        if let Some(twin) = &mut self.twin {
            twin.handle_timeout(self.now);
        }
        self.drain();
    }

    fn input(&mut self, input: Input) -> Vec<Output> {
        if let Some(twin) = &mut self.twin {
            twin.handle(input.clone(), self.now);
        }
        self.room.handle(input, self.now);
        self.drain()
    }

    fn drain(&mut self) -> Vec<Output> {
        let mut outputs = Vec::new();
        while let Some(output) = self.room.poll() {
            if let Some(twin) = &mut self.twin {
                assert_eq!(twin.poll().as_ref(), Some(&output), "the restored room");
            }
            self.observe(&output);
            outputs.push(output);
        }
        if let Some(twin) = &mut self.twin {
            assert_eq!(twin.poll(), None, "the restored room");
        }
        outputs
    }

    fn observe(&mut self, output: &Output) {
        match output {
            Output::State {
                group,
                object,
                message,
            } => self.observe_state((*group, *object), message),
            Output::Chat { message, .. } => {
                assert_eq!(message.seq.0, self.said.len() as u64, "chat without gaps");
                let key = (message.from.clone(), message.client_id.clone());
                self.said.push(key);
            }
            Output::Began { .. } => self.said.clear(),
            Output::Message { to, message } => self.observe_number(to, message.n),
            Output::Admit { to, n } => {
                assert!(
                    self.model.is_in(to.as_str()),
                    "a token for {to}, who is not in"
                );
                self.observe_number(to, *n);
            }
            Output::Order(Order::Stop {
                participant,
                source,
            }) => assert!(self.stopped.insert((participant.clone(), *source))),
            Output::Order(Order::Allow {
                participant,
                source,
            }) => assert!(self.stopped.remove(&(participant.clone(), *source))),
            Output::Order(Order::Remove { participant }) => {
                self.stopped.retain(|(stopped, _)| stopped != participant);
            }
            Output::Reactions(_)
            | Output::Capture(_)
            | Output::Audit(_)
            | Output::RoleChanged { .. }
            | Output::PolicyChanged(_)
            | Output::Ended { .. } => {}
        }
    }

    /// A number follows the last one, or is larger for somebody who was forgotten meanwhile.
    fn observe_number(&mut self, to: &ParticipantId, n: u64) {
        let before = self.numbers.insert(to.clone(), n).unwrap_or_default();
        let forgotten = !self.known.remove(to);
        let follows = n == before + 1 || forgotten && n > before;
        assert!(follows, "{to}: {n} after {before}");
        self.known.insert(to.clone());
    }

    fn observe_state(&mut self, at: (u64, u64), message: &StateMessage) {
        if let Some((group, object)) = self.last.replace(at) {
            let follows = at == (group, object + 1) || at.0 > group && at.1 == 0;
            assert!(follows, "{at:?} after {:?}", (group, object));
        }
        match message {
            StateMessage::Snapshot { snapshot } => {
                assert_eq!(at.1, 0);
                let snapshot = View::from((**snapshot).clone());
                if let Some(view) = &self.view
                    && view.session() == snapshot.session()
                {
                    assert_eq!(*view, snapshot, "deltas lead to the snapshot");
                }
                self.view = Some(snapshot);
            }
            StateMessage::Delta { delta } => {
                let view = self.view.as_mut().expect("a snapshot first");
                assert_eq!(delta.revision.0, view.revision().0 + 1, "no gap");
                view.apply(message.clone()).expect("the next revision");
            }
        }
    }

    fn check(&self) {
        let (room, model) = (&self.room, &self.model);
        let members: Vec<&str> = room.view().participants().map(|p| p.id.as_str()).collect();
        assert_eq!(members, model.members(), "who is in");
        let hands: Vec<&str> = room.view().hands().map(ParticipantId::as_str).collect();
        assert_eq!(hands, model.hands, "hands");
        assert_eq!(room.waiting(), model.waiting.len(), "who waits");
        if !members.is_empty() {
            assert_eq!(self.said.len() as u64, model.chat, "each message once");
        }
        assert!(room.roles().owners() >= 1);
        for (account, role) in &model.roles {
            assert_eq!(room.roles().role(&self::account(account)), *role);
        }
        for participant in room.view().participants() {
            let account = model.people[participant.id.as_str()].account;
            let role = account.and_then(|a| model.roles.get(a)).copied();
            assert_eq!(participant.role, role.unwrap_or_default());
        }
        self.check_media();
        if let Some(view) = &self.view
            && view.session() == room.view().session()
            && !room.view().is_empty()
        {
            assert_eq!(view, room.view(), "a subscriber knows all");
        }
        let due = model
            .due()
            .map(|millis| self.now.plus(Duration::from_millis(millis)));
        assert_eq!(room.poll_timeout(), due, "the next timer");
        if let Some(twin) = &self.twin {
            assert_eq!(twin.poll_timeout(), room.poll_timeout());
        }
    }

    /// What is shown is let through, and what is forbidden is not.
    fn check_media(&self) {
        let forbidden = self.room.view().forbidden();
        for shown in self.room.view().participants() {
            for source in Source::ALL {
                let stopped = self.stopped.contains(&(shown.id.clone(), source));
                let on = *shown.media.of(source) == MediaState::On;
                assert!(
                    !(on && stopped),
                    "{} shows {source:?}, which is stopped",
                    shown.id
                );
                if *forbidden.of(source) && !shown.role.is_host() {
                    assert!(stopped && !on, "{} may not use {source:?}", shown.id);
                }
            }
        }
        for (id, _) in &self.stopped {
            assert!(self.room.view().participant(id).is_some(), "{id} is not in");
        }
    }

    fn finish(self) {
        if let Some(twin) = &self.twin {
            assert_eq!(twin.save(), self.room.save(), "the restored room");
        }
    }
}

fn run(seed: u64) {
    let result = std::panic::catch_unwind(|| {
        let mut run = Run::new(seed);
        for _ in 0..STEPS {
            run.step();
        }
        run.finish();
    });
    if let Err(panic) = result {
        eprintln!("seed {seed}: run it alone with PARVIS_SEED={seed}");
        std::panic::resume_unwind(panic);
    }
}

fn shard(shard: u64) {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    if let Some(seed) = number("PARVIS_SEED") {
        run(seed);
        return;
    }
    let seeds = number("PARVIS_SEEDS").unwrap_or(SEEDS);
    (shard..seeds).step_by(SHARDS as usize).for_each(run);
}

#[test]
fn a_room_does_what_the_model_does_first_quarter_of_the_seeds() {
    shard(0);
}

#[test]
fn a_room_does_what_the_model_does_second_quarter_of_the_seeds() {
    shard(1);
}

#[test]
fn a_room_does_what_the_model_does_third_quarter_of_the_seeds() {
    shard(2);
}

#[test]
fn a_room_does_what_the_model_does_last_quarter_of_the_seeds() {
    shard(3);
}
