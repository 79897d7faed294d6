//! What a participant is told to do, a line each: from a script, or typed.

mod parse;
mod words;

use std::time::Duration;

use parvis::meeting::{AccessLevel, Emoji, ErrorKind, HistoryPolicy, Role, Source};
use parvis_meeting::OrganisationId;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// Commands, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Them.
    pub lines: Vec<Line>,
}

/// A command and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its line, the first is 1.
    pub number: usize,
    /// As it was written.
    pub text: String,
    /// The command.
    pub step: Step,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Goes on when that is so.
    Wait {
        /// What.
        until: Condition,
        /// How long at most; `None`: as long as the command line says.
        within: Option<Duration>,
    },
    /// Goes on after that time.
    Sleep(Duration),
    /// Asks the meeting for something, and goes on when it is done.
    Act(Act),
    /// Asks for something that has to be refused, for that reason.
    Refused(ErrorKind, Act),
    /// Leaves.
    Leave,
}

/// Something that a participant does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Knocks again.
    Knock,
    /// Writes, to everybody or to one.
    Say {
        /// To whom.
        to: Option<String>,
        /// What.
        text: String,
    },
    /// Gives data to everybody or to one.
    Data {
        /// What it is about.
        topic: String,
        /// To whom.
        to: Option<String>,
        /// What.
        text: String,
    },
    /// Raises the own hand.
    Raise,
    /// Lowers hands.
    Lower(Hands),
    /// Reacts.
    React(Emoji),
    /// Turns one's own source on or off.
    Media(Source, bool),
    /// Lets in who waits.
    Admit(Who),
    /// Sends away who waits.
    Deny(Who),
    /// Mutes others.
    Mute(Who),
    /// Forbids a source to everybody but hosts, or allows it.
    Forbid(Source, bool),
    /// Gives another name, to oneself or to somebody.
    Rename {
        /// To whom.
        whose: Option<String>,
        /// Which.
        name: String,
    },
    /// Gives somebody a role.
    Role(String, Role),
    /// Sets who enters without knocking; with `trusted`: agents of whom, `None`: as before.
    Access(AccessLevel, Option<Agents>),
    /// Sets whether guests wait until an agent is in.
    Gate(bool),
    /// Sets which chat messages late joiners get.
    History(HistoryPolicy),
    /// Locks or unlocks the room.
    Lock(bool),
    /// Removes somebody.
    Remove(String),
    /// Ends the meeting for everybody.
    End,
    /// Asks the hosts to record.
    RequestRecording,
    /// Asks the hosts to transcribe.
    RequestTranscription,
}

/// Whose hands are lowered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hands {
    /// One's own.
    Own,
    /// Somebody's.
    One(String),
    /// All.
    All,
}

/// Agents of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agents {
    /// Of any organisation, or none.
    All,
    /// Of this organisation.
    Of(OrganisationId),
}

/// Somebody or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// All who are meant.
    All,
    /// Who is called so.
    One(String),
}

/// Something that may be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// In the lobby, in whatever state.
    InLobby,
    /// In the lobby: no host is there.
    WaitingForHost,
    /// In the lobby: a host is asked.
    Waiting,
    /// A host said no.
    Denied,
    /// In.
    Connected,
    /// A host removed one.
    Removed,
    /// The meeting is over for everybody.
    Ended,
    /// So many are in, or at least so many.
    Participants {
        /// How many.
        count: usize,
        /// Whether more will do.
        or_more: bool,
    },
    /// Somebody is in.
    Present(String),
    /// Nobody of that name is in.
    Absent(String),
    /// Somebody waits to be let in; for hosts.
    Lobby(String),
    /// Nobody of that name waits to be let in; for hosts.
    NoLobby(String),
    /// A message to everybody with that text came, at any time.
    Chat(String),
    /// A private message with that text came, at any time.
    Private(String),
    /// Data on that topic with that text came, at any time.
    Data(String, String),
    /// A hand is up, at that place if one is named.
    Hand(String, Option<usize>),
    /// A hand is down.
    NoHand(String),
    /// Somebody reacted so, at any time.
    Reaction(Emoji),
    /// Somebody's source is on, or is not.
    Media(Source, bool, String),
    /// A source is forbidden, or is not.
    Forbidden(Source, bool),
    /// Somebody has that role.
    HasRole(String, Role),
    /// The room is locked, or is not.
    Locked(bool),
    /// Sound of somebody comes.
    Hears(String),
    /// Sound of somebody's screen comes.
    HearsScreen(String),
    /// Nothing was heard of somebody for a second.
    Silence(String),
    /// Somebody's camera or screen comes, and is decoded.
    Sees(String, Source),
    /// Somebody speaks.
    Speaks(String),
}

/// A line that is no command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {number}: {problem}")]
pub struct ScriptError {
    /// Which.
    pub number: usize,
    /// What is wrong, and what is expected.
    pub problem: Unknown,
}

/// A text that is no command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected {expected}, got {got:?}")]
pub struct Unknown {
    /// What would be right.
    pub expected: String,
    /// What is there.
    pub got: String,
}

impl Script {
    /// Reads all of it. Empty lines and those that begin with `#` say nothing.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut lines = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let (number, line) = (at + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let step = Step::parse(line).map_err(|problem| ScriptError { number, problem })?;
            lines.push(Line {
                number,
                text: line.to_owned(),
                step,
            });
        }
        Ok(Self { lines })
    }

    /// What data is waited for is about.
    pub fn topics(&self) -> Vec<String> {
        let topics = self.lines.iter().filter_map(|line| match &line.step {
            Step::Wait {
                until: Condition::Data(topic, _),
                ..
            } => Some(topic.clone()),
            _ => None,
        });
        topics.collect()
    }
}
