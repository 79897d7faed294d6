//! What a room should do, said as plainly as possible: lists that are searched, nothing that is indexed.

use std::collections::{BTreeMap, BTreeSet};

use parvis_meeting::{AccessLevel, Command, ErrorKind, Role, Target};

const GRACE: u64 = 30_000;
const LOBBY_GRACE: u64 = 10_000;
const LOBBY_TIMEOUT: u64 = 600_000;
const DENIAL_PAUSE: u64 = 5_000;
pub const LOBBY_SIZE: usize = 4;
pub const ROOM_SIZE: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Outside,
    In,
    /// Milliseconds waited, and whether time counts.
    Lobby {
        waited: u64,
        counts: bool,
    },
}

#[derive(Debug, Clone)]
pub struct Person {
    pub name: &'static str,
    pub account: Option<&'static str>,
    pub place: Place,
    pub connected: bool,
    /// Milliseconds until it is given up.
    pub grace: Option<u64>,
}

#[derive(Debug)]
pub struct Model {
    pub people: BTreeMap<String, Person>,
    pub roles: BTreeMap<&'static str, Role>,
    pub access: AccessLevel,
    pub host_gate: bool,
    pub locked: bool,
    pub waiting: Vec<String>,
    pub hands: Vec<String>,
    pub chat: u64,
    /// The numbers of messages, by who sent them under which id.
    pub chats: BTreeMap<(String, String), u64>,
    pub over: bool,
    now: u64,
    denials: BTreeMap<&'static str, (u32, u64)>,
    expelled: BTreeSet<&'static str>,
    removed: BTreeSet<String>,
    admitted: BTreeSet<String>,
    decided: BTreeSet<String>,
}

impl Model {
    pub fn new(access: AccessLevel) -> Self {
        Self {
            people: BTreeMap::new(),
            roles: BTreeMap::from([
                ("zoe", Role::Owner),
                ("adam", Role::Administrator),
                ("mia", Role::Member),
            ]),
            access,
            host_gate: true,
            locked: false,
            waiting: Vec::new(),
            hands: Vec::new(),
            chat: 0,
            chats: BTreeMap::new(),
            over: false,
            now: 0,
            denials: BTreeMap::new(),
            expelled: BTreeSet::new(),
            removed: BTreeSet::new(),
            admitted: BTreeSet::new(),
            decided: BTreeSet::new(),
        }
    }

    fn role(&self, id: &str) -> Role {
        let account = self.people.get(id).and_then(|p| p.account);
        account
            .and_then(|a| self.roles.get(a).copied())
            .unwrap_or_default()
    }

    pub fn is_in(&self, id: &str) -> bool {
        self.people.get(id).is_some_and(|p| p.place == Place::In)
    }

    fn is_host(&self, id: &str) -> bool {
        self.is_in(id) && self.role(id).is_host()
    }

    pub fn members(&self) -> Vec<&String> {
        let inside = self.people.iter().filter(|(_, p)| p.place == Place::In);
        inside.map(|(id, _)| id).collect()
    }

    fn is_full(&self) -> bool {
        self.members().len() >= ROOM_SIZE
    }

    fn agent_in(&self) -> bool {
        let mut people = self.people.values();
        people.any(|p| p.place == Place::In && p.account.is_some())
    }

    pub fn arrive(&mut self, id: &str, name: &'static str, account: Option<&'static str>) {
        if self.over || self.removed.contains(id) {
            return;
        }
        let person = self.people.entry(id.to_owned()).or_insert(Person {
            name,
            account,
            place: Place::Outside,
            connected: true,
            grace: None,
        });
        person.connected = true;
        person.grace = None;
    }

    pub fn left(&mut self, id: &str) {
        let Some(person) = self.people.get_mut(id) else {
            return;
        };
        if !person.connected {
            return;
        }
        person.connected = false;
        person.grace = match person.place {
            Place::In => Some(GRACE),
            Place::Lobby { .. } => Some(LOBBY_GRACE),
            Place::Outside => {
                self.people.remove(id);
                return;
            }
        };
    }

    /// In how many milliseconds whose grace (0) or wait (1) is over.
    fn next(&self) -> Option<(u64, u8, String)> {
        let graces = self
            .people
            .iter()
            .filter_map(|(id, p)| Some((p.grace?, 0, id.clone())));
        let waits = self.people.iter().filter_map(|(id, p)| match p.place {
            Place::Lobby {
                waited,
                counts: true,
            } => Some((LOBBY_TIMEOUT - waited, 1, id.clone())),
            _ => None,
        });
        graces.chain(waits).min().filter(|_| !self.over)
    }

    pub fn due(&self) -> Option<u64> {
        self.next().map(|(due, ..)| due)
    }

    pub fn pass(&mut self, mut millis: u64) {
        while let Some((due, kind, id)) = self.next().filter(|(due, ..)| *due <= millis) {
            self.tick(due);
            millis -= due;
            if kind == 0 {
                if self.is_in(&id) {
                    self.exit(&id);
                }
                self.unwait(&id);
                self.people.remove(&id);
            } else {
                self.unwait(&id);
                if !self.people[&id].connected {
                    self.people.remove(&id);
                }
            }
        }
        self.tick(millis);
    }

    fn tick(&mut self, millis: u64) {
        self.now += millis;
        for person in self.people.values_mut() {
            if let Some(grace) = &mut person.grace {
                *grace = grace.saturating_sub(millis);
            }
            if let Place::Lobby {
                waited,
                counts: true,
            } = &mut person.place
            {
                *waited += millis;
            }
        }
    }

    fn unwait(&mut self, id: &str) {
        self.waiting.retain(|waiting| waiting != id);
        if let Some(person) = self.people.get_mut(id)
            && matches!(person.place, Place::Lobby { .. })
        {
            person.place = Place::Outside;
        }
    }

    /// Some(true): enters; Some(false): waits; None: waits for a host.
    fn verdict(&self, id: &str) -> Option<bool> {
        let person = &self.people[id];
        if person.account.is_none() && self.host_gate && !self.agent_in() {
            return None;
        }
        if self.expelled.contains(person.name) {
            return Some(false);
        }
        if self.role(id).is_host() {
            return Some(true);
        }
        if self.locked {
            return Some(false);
        }
        Some(
            self.admitted.contains(id)
                || self.role(id) == Role::Member
                || self.access == AccessLevel::Public
                || self.access == AccessLevel::Trusted && person.account.is_some(),
        )
    }

    fn enter(&mut self, id: &str) {
        let alone = !self.agent_in();
        self.unwait(id);
        let person = self.people.get_mut(id).expect("somebody");
        person.place = Place::In;
        if !person.connected {
            person.grace = Some(GRACE);
        }
        if alone && self.agent_in() {
            self.look_at_lobby();
        }
    }

    fn look_at_lobby(&mut self) {
        for id in self.waiting.clone() {
            if !self.waiting.contains(&id) {
                continue;
            }
            let counting = match self.verdict(&id) {
                Some(true) if !self.is_full() => {
                    self.enter(&id);
                    continue;
                }
                Some(_) => true,
                None => false,
            };
            if let Some(person) = self.people.get_mut(&id)
                && let Place::Lobby { counts, .. } = &mut person.place
            {
                *counts = counting;
            }
        }
    }

    fn exit(&mut self, id: &str) {
        let (agent, was_full) = (self.agent_in(), self.is_full());
        self.hands.retain(|hand| hand != id);
        self.people.get_mut(id).expect("somebody").place = Place::Outside;
        if self.members().is_empty() {
            self.hands.clear();
            (self.chat, self.locked) = (0, false);
            self.chats.clear();
            self.denials.clear();
            self.expelled.clear();
            self.admitted.clear();
            self.decided.clear();
            self.look_at_lobby();
        } else if was_full || agent && !self.agent_in() {
            self.look_at_lobby();
        }
    }

    fn knock(&mut self, id: &str) -> Result<(), ErrorKind> {
        let person = &self.people[id];
        if person.place != Place::Outside {
            return Ok(());
        }
        if let Some((count, last)) = self.denials.get(person.name)
            && (*count >= 3 || self.now < last + DENIAL_PAUSE)
        {
            return Err(ErrorKind::Denied);
        }
        let verdict = self.verdict(id);
        if verdict == Some(true) {
            if self.is_full() {
                return Err(ErrorKind::RoomFull);
            }
            self.enter(id);
            return Ok(());
        }
        if self.waiting.len() >= LOBBY_SIZE {
            return Err(ErrorKind::LobbyFull);
        }
        self.waiting.push(id.to_owned());
        let counts = verdict.is_some();
        self.people.get_mut(id).expect("somebody").place = Place::Lobby { waited: 0, counts };
        Ok(())
    }

    fn deciding(&self, whom: &Target) -> Result<Vec<String>, ErrorKind> {
        match whom {
            Target::All => Ok(self.waiting.clone()),
            Target::One(who) if self.waiting.iter().any(|id| id == who.as_str()) => {
                Ok(vec![who.to_string()])
            }
            Target::One(who) if self.is_in(who.as_str()) || self.decided.contains(who.as_str()) => {
                Err(ErrorKind::AlreadyDecided)
            }
            Target::One(_) => Err(ErrorKind::NotPresent),
        }
    }

    /// Whether the model says what comes of a command; others leave all that it knows as it is.
    pub fn judges(command: &Command) -> bool {
        !matches!(
            command,
            Command::SetMedia { .. }
                | Command::Mute { .. }
                | Command::Forbid { .. }
                | Command::Rename { .. }
                | Command::React { .. }
                | Command::ReportQuality { .. }
                | Command::SetHistory { .. }
                | Command::StartRecording
                | Command::StopRecording
                | Command::RequestRecording
                | Command::Resync
                | Command::RenewToken
        )
    }

    /// What comes of a command; `None`: no answer.
    pub fn command(&mut self, id: &str, command: &Command) -> Option<Result<(), ErrorKind>> {
        if !self.people.get(id)?.connected {
            return None;
        }
        Some(self.execute(id, command))
    }

    fn execute(&mut self, id: &str, command: &Command) -> Result<(), ErrorKind> {
        if self.over {
            return Err(ErrorKind::RoomEnded);
        }
        match command {
            Command::Knock { .. } => return self.knock(id),
            Command::Leave => {
                if self.is_in(id) {
                    self.exit(id);
                }
                self.unwait(id);
                return Ok(());
            }
            _ if !self.is_in(id) => return Err(ErrorKind::Forbidden),
            _ => {}
        }
        let others =
            matches!(command, Command::LowerHand { whose: Some(whose) } if whose.as_str() != id);
        let everybodys = matches!(
            command,
            Command::RaiseHand | Command::Chat { .. } | Command::LowerHand { .. }
        );
        if (others || !everybodys) && !self.is_host(id) {
            return Err(ErrorKind::Forbidden);
        }
        match command {
            Command::RaiseHand => {
                if !self.hands.iter().any(|hand| hand == id) {
                    self.hands.push(id.to_owned());
                }
            }
            Command::LowerHand { whose } => {
                let whose = whose.as_ref().map_or(id, |whose| whose.as_str());
                if !self.is_in(whose) {
                    return Err(ErrorKind::NotPresent);
                }
                self.hands.retain(|hand| hand != whose);
            }
            Command::LowerAllHands => self.hands.clear(),
            Command::Chat { client_id, .. } => {
                let sent = (id.to_owned(), client_id.to_string());
                if !self.chats.contains_key(&sent) {
                    self.chats.insert(sent, self.chat);
                    self.chat += 1;
                }
            }
            Command::Admit { who } => {
                let deciding = self.deciding(who)?;
                if self.is_full() && !deciding.is_empty() {
                    return Err(ErrorKind::RoomFull);
                }
                for who in deciding {
                    if self.is_in(&who) {
                        continue;
                    }
                    if self.is_full() {
                        break;
                    }
                    let name = self.people[&who].name;
                    self.denials.remove(name);
                    self.expelled.remove(name);
                    self.decided.insert(who.clone());
                    self.admitted.insert(who.clone());
                    self.enter(&who);
                }
            }
            Command::Deny { who } => {
                for who in self.deciding(who)? {
                    let (name, connected) = (self.people[&who].name, self.people[&who].connected);
                    let denial = self.denials.entry(name).or_default();
                    *denial = (denial.0 + 1, self.now);
                    self.decided.insert(who.clone());
                    self.unwait(&who);
                    if !connected {
                        self.people.remove(&who);
                    }
                }
            }
            Command::SetRole { who, role } => return self.set_role(id, who.as_str(), *role),
            Command::SetAccess { level, .. } => {
                self.access = *level;
                self.look_at_lobby();
            }
            Command::SetHostGate { on } => {
                self.host_gate = *on;
                self.look_at_lobby();
            }
            Command::Lock { locked } => {
                self.locked = *locked;
                self.look_at_lobby();
            }
            Command::Remove { who } => {
                let who = who.as_str();
                if who == id {
                    return Err(ErrorKind::Forbidden);
                }
                if !self.is_in(who) {
                    return Err(ErrorKind::NotPresent);
                }
                if self.role(who) > self.role(id) {
                    return Err(ErrorKind::Forbidden);
                }
                self.expelled.insert(self.people[who].name);
                self.removed.insert(who.to_owned());
                self.exit(who);
                self.people.remove(who);
            }
            Command::EndForAll => {
                self.over = true;
                self.hands.clear();
                self.waiting.clear();
                for person in self.people.values_mut() {
                    person.place = Place::Outside;
                }
                self.people.retain(|_, p| p.connected);
            }
            other => panic!("the model knows nothing of {other:?}"),
        }
        Ok(())
    }

    fn set_role(&mut self, id: &str, who: &str, role: Role) -> Result<(), ErrorKind> {
        if !self.is_in(who) {
            return Err(ErrorKind::NotPresent);
        }
        let account = self.people[who].account.ok_or(ErrorKind::NotSignedIn)?;
        let owners = self
            .roles
            .values()
            .filter(|role| **role == Role::Owner)
            .count();
        let from = self.role(who);
        if self.people[id].account == Some(account) {
            let last = from == Role::Owner && owners == 1;
            return Err(if last {
                ErrorKind::LastOwner
            } else {
                ErrorKind::Forbidden
            });
        }
        if self.role(id) != Role::Owner && (from == Role::Owner || role == Role::Owner) {
            return Err(ErrorKind::Forbidden);
        }
        if from != role {
            self.roles.insert(account, role);
            self.look_at_lobby();
        }
        Ok(())
    }
}
