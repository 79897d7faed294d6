use std::time::Duration;

use parvis_meeting::{
    AccountId, Body, Change, Command, CommandId, DeviceId, Done, ErrorKind, Identity, Input,
    LobbyStatus, Notice, Order, Outcome, Output, ParticipantId, Policy, Refusal, Request, Role,
    Roles, Room, Service, Settings, StateMessage, UnixMillis, View,
};

pub const START: UnixMillis = UnixMillis(1_800_000_000_000);

/// A room, its clock, and what it said since it was last asked.
pub struct Meeting {
    pub room: Room,
    pub now: UnixMillis,
    pub outputs: Vec<Output>,
    requests: u64,
}

pub fn id(text: &str) -> ParticipantId {
    ParticipantId::new(text).expect("a participant's id")
}

pub fn account(text: &str) -> AccountId {
    AccountId::new(text).expect("an account's id")
}

/// An agent whose account, and name, is `name`.
pub fn agent(name: &str) -> Identity {
    Identity::Agent {
        account: account(name),
        organisations: vec!["ministry".parse().expect("an organisation")],
        name: name.to_owned(),
        verified: true,
    }
}

/// A guest whose device, and name, is `name`.
pub fn guest(name: &str) -> Identity {
    Identity::Guest {
        device: DeviceId::new(name).expect("a device's id"),
        name: name.to_owned(),
    }
}

pub fn recorder() -> Identity {
    Identity::Service {
        service: Service::Recorder,
        name: "Recorder".to_owned(),
    }
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Meeting {
    /// A room of the default policy whose owner is the account `zoe` and administrator `adam`.
    pub fn new() -> Self {
        Self::with(Policy::default(), Settings::default())
    }

    pub fn with(policy: Policy, settings: Settings) -> Self {
        let mut roles = Roles::new(account("zoe"));
        roles.set(account("adam"), Role::Administrator).unwrap();
        roles.set(account("mia"), Role::Member).unwrap();
        Self {
            room: Room::new(policy, roles, settings, START),
            now: START,
            outputs: Vec::new(),
            requests: 0,
        }
    }

    /// The same with Zoé, the owner, in.
    pub fn running() -> Self {
        let mut meeting = Self::new();
        meeting.enter("zoe", agent("zoe"));
        meeting.outputs.clear();
        meeting
    }

    pub fn input(&mut self, input: Input) {
        self.room.handle(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.room.poll() {
            self.outputs.push(output);
        }
    }

    pub fn arrive(&mut self, who: &str, identity: Identity) {
        let participant = id(who);
        self.input(Input::Arrived {
            participant,
            identity,
        });
    }

    pub fn left(&mut self, who: &str) {
        let participant = id(who);
        self.input(Input::Left { participant });
    }

    /// Arrives and knocks.
    pub fn enter(&mut self, who: &str, identity: Identity) {
        self.arrive(who, identity);
        assert_eq!(self.knock(who), Ok(Done::default()));
    }

    /// Arrives, knocks and is let in by the owner.
    pub fn admitted(&mut self, who: &str, identity: Identity) {
        self.enter(who, identity);
        if !self.is_in(who) {
            self.done("zoe", admit(who));
        }
    }

    pub fn knock(&mut self, who: &str) -> Result<Done, Refusal> {
        self.ask(who, Command::Knock { name: None })
    }

    /// Gives a command under a new id; the answer to it.
    pub fn ask(&mut self, who: &str, command: Command) -> Result<Done, Refusal> {
        self.requests += 1;
        let request = format!("r{}", self.requests);
        self.ask_as(who, &request, command).expect("an answer")
    }

    /// Gives a command under that id; the answer to it, if there is one.
    pub fn ask_as(
        &mut self,
        who: &str,
        request: &str,
        command: Command,
    ) -> Option<Result<Done, Refusal>> {
        let request = CommandId::new(request).expect("a request's id");
        let before = self.outputs.len();
        self.input(Input::Request {
            participant: id(who),
            request: Request {
                id: request.clone(),
                command,
            },
        });
        self.outputs[before..]
            .iter()
            .find_map(|output| match output {
                Output::Message { to, message } if *to == id(who) => match &message.body {
                    Body::Reply { re, outcome } if *re == request => Some(match outcome {
                        Outcome::Done(done) => Ok(*done),
                        Outcome::Refused(refusal) => Err(refusal.clone()),
                    }),
                    _ => None,
                },
                _ => None,
            })
    }

    /// Gives a command that is done.
    pub fn done(&mut self, who: &str, command: Command) -> Done {
        let shown = format!("{command:?}");
        match self.ask(who, command) {
            Ok(done) => done,
            Err(refusal) => panic!("{shown} by {who} was refused: {refusal:?}"),
        }
    }

    /// Gives a command that is refused; why.
    pub fn refused(&mut self, who: &str, command: Command) -> ErrorKind {
        let shown = format!("{command:?}");
        match self.ask(who, command) {
            Ok(_) => panic!("{shown} by {who} was done"),
            Err(refusal) => refusal.error,
        }
    }

    /// Lets time pass, with each timer at its time.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while let Some(due) = self.room.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.room.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
        self.room.handle_timeout(end);
        self.drain();
    }

    pub fn is_in(&self, who: &str) -> bool {
        self.room.view().participant(&id(who)).is_some()
    }

    pub fn view(&self) -> &View {
        self.room.view()
    }

    /// What somebody was told since the last call of this or [`Self::forget`].
    pub fn notices(&mut self, who: &str) -> Vec<Notice> {
        let notices = self.outputs.iter().filter_map(|output| match output {
            Output::Message { to, message } if *to == id(who) => match &message.body {
                Body::Notice { notice } => Some(notice.clone()),
                Body::Reply { .. } | Body::Unknown => None,
            },
            _ => None,
        });
        let notices = notices.collect();
        self.outputs
            .retain(|output| !matches!(output, Output::Message { to, .. } if *to == id(who)));
        notices
    }

    /// The last place in the lobby that somebody was told.
    pub fn status(&mut self, who: &str) -> Option<LobbyStatus> {
        let notices = self.notices(who);
        notices.into_iter().rev().find_map(|notice| match notice {
            Notice::Lobby(status) => Some(status),
            _ => None,
        })
    }

    pub fn forget(&mut self) {
        self.outputs.clear();
    }

    pub fn orders(&self) -> Vec<Order> {
        let orders = self.outputs.iter().filter_map(|output| match output {
            Output::Order(order) => Some(order.clone()),
            _ => None,
        });
        orders.collect()
    }

    pub fn changes(&self) -> Vec<Change> {
        let deltas = self.outputs.iter().filter_map(|output| match output {
            Output::State {
                message: StateMessage::Delta { delta },
                ..
            } => Some(delta.change.clone()),
            _ => None,
        });
        deltas.collect()
    }

    /// Who was given a token.
    pub fn tokens(&self) -> Vec<String> {
        let tokens = self.outputs.iter().filter_map(|output| match output {
            Output::Admit { to, .. } => Some(to.to_string()),
            _ => None,
        });
        tokens.collect()
    }

    pub fn audited(&self) -> Vec<parvis_meeting::Act> {
        let acts = self.outputs.iter().filter_map(|output| match output {
            Output::Audit(entry) => Some(entry.act.clone()),
            _ => None,
        });
        acts.collect()
    }
}

pub fn admit(who: &str) -> Command {
    Command::Admit { who: one(who) }
}

pub fn deny(who: &str) -> Command {
    Command::Deny { who: one(who) }
}

pub fn one(who: &str) -> parvis_meeting::Target {
    parvis_meeting::Target::One(id(who))
}

pub fn chat(client_id: &str, text: &str) -> Command {
    Command::Chat {
        client_id: client_id.parse().expect("a message's id"),
        text: text.to_owned(),
        to: None,
    }
}
