use std::{
    collections::VecDeque,
    future::pending,
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use parvis::meeting::{ChatSeq, DisconnectReason, Lobby, Meeting, Phase};

use serde_json::json;

use super::{
    act::{ActError, Memory, perform},
    board::{describe, who},
    hearing::Hearing,
    media::Media,
    script::{Act, Condition, Script, Step},
    terminal::{Key, Keys, Terminal, Wish},
    told::{Told, tell_phase, tell_retention},
    watching::Watching,
};
use crate::{output::Output, stop::stop_or_hangup};

/// A participant and what it knows.
#[derive(Debug)]
pub struct Seat<'a> {
    meeting: Meeting,
    media: Media,
    watching: Watching<'a>,
    memory: Memory,
    is_in: bool,
    /// Where the messages begin that are known; `None`: none are before them.
    earlier: Option<ChatSeq>,
    /// What data of others is taken is about.
    topics: Vec<String>,
}

/// How many messages of before are asked for at once.
const PAGE: u64 = 256;
/// Earlier messages are asked for when so few rows of the known ones are left to read: those of a large
/// terminal.
const AHEAD: usize = 100;

impl<'a> Seat<'a> {
    /// Sits down in a meeting that is being joined.
    pub fn new(
        meeting: Meeting,
        media: Media,
        hearing: Hearing,
        output: Option<&'a Output>,
    ) -> Self {
        let watching = Watching::new(&meeting, hearing, output);
        Self {
            meeting,
            media,
            watching,
            memory: Memory::default(),
            is_in: false,
            earlier: None,
            topics: Vec::new(),
        }
    }

    /// With the data that others send on these topics.
    pub fn with_topics(self, topics: Vec<String>) -> Self {
        Self { topics, ..self }
    }

    /// Does what a script says, then leaves. An error says which line went wrong, and how.
    pub async fn follow(mut self, script: &Script, patience: Duration) -> anyhow::Result<()> {
        let result = self.do_all(script, patience).await;
        self.leave().await;
        result
    }

    /// Shows what happens, line by line, until the meeting is over or the user stops it.
    pub async fn watch(mut self) -> anyhow::Result<()> {
        let result = self.watch_on().await;
        self.leave().await;
        result
    }

    async fn watch_on(&mut self) -> anyhow::Result<()> {
        let mut stopped = pin!(stop_or_hangup());
        loop {
            match &self.meeting.state().phase {
                Phase::Disconnected(reason) => return verdict(reason),
                // Nobody can knock again from here.
                Phase::InLobby(lobby) => turned_away(lobby)?,
                Phase::Connecting | Phase::Connected | Phase::Reconnecting => {}
            }
            self.come_in().await?;
            tokio::select! {
                () = self.watching.next(&self.meeting) => {}
                () = &mut stopped => return Ok(()),
            }
        }
    }

    /// Takes part on a terminal, until the meeting is over or the user leaves.
    pub async fn attend(mut self) -> anyhow::Result<()> {
        let (terminal, mut keys) = Terminal::open()?;
        self.watching.terminal = Some(terminal);
        let result = self.attend_on(&mut keys).await;
        // What follows is said in lines again.
        self.watching.terminal = None;
        let phase = self.meeting.state().phase.clone();
        if phase == Phase::Disconnected(DisconnectReason::RoomEnded) {
            // The picture that said so is gone.
            self.watching.say(tell_phase(phase));
        }
        self.leave().await;
        result
    }

    async fn attend_on(&mut self, keys: &mut Keys) -> anyhow::Result<()> {
        let mut stopped = pin!(stop_or_hangup());
        let mut waiting = VecDeque::new();
        loop {
            let state = self.meeting.state();
            if let Phase::Disconnected(reason) = &state.phase {
                return verdict(reason);
            }
            self.memory.note(&state);
            self.come_in().await?;
            self.watching.draw(&self.meeting)?;
            let wish = match waiting.pop_front() {
                Some(Wish::Later(key)) => self.watching.pressed(key, &state, &self.media),
                Some(wish) => wish,
                None => tokio::select! {
                    () = self.watching.next(&self.meeting) => continue,
                    () = &mut stopped => return Ok(()),
                    key = keys.next() => self.watching.pressed(key, &state, &self.media),
                },
            };
            match wish {
                Wish::Nothing | Wish::Later(_) => {}
                Wish::Leave => return Ok(()),
                Wish::Earlier(rows) => self.look_back(rows).await,
                Wish::Do(act) => {
                    let busy = Busy {
                        keys,
                        waiting: &mut waiting,
                    };
                    let done = tokio::select! {
                        done = self.act_beside(&act, Some(busy)) => done,
                        () = &mut stopped => return Ok(()),
                    };
                    match done {
                        Done::Left => return Ok(()),
                        Done::Act(done) => self.watching.told(&act, done),
                    }
                }
            }
        }
    }

    /// Sees what happens for a moment.
    pub async fn idle(&mut self) -> anyhow::Result<()> {
        self.come_in().await?;
        self.watching.next(&self.meeting).await;
        Ok(())
    }

    /// Leaves; the others see it.
    pub async fn leave(mut self) {
        self.media.end();
        self.meeting.leave().await;
        while let Some(event) = self.watching.left().await {
            let told = self.watching.board.take(&event, Instant::now());
            self.watching.say(told);
        }
    }

    async fn do_all(&mut self, script: &Script, patience: Duration) -> anyhow::Result<()> {
        let mut stopped = pin!(stop_or_hangup());
        for line in &script.lines {
            self.come_in().await?;
            if line.step == Step::Leave {
                return Ok(());
            }
            tokio::select! {
                done = self.perform(&line.step, patience) => {
                    done.with_context(|| format!("line {}: {}", line.number, line.text))?;
                }
                () = &mut stopped => bail!("line {}: {}: stopped", line.number, line.text),
            }
            self.watching.said(line);
        }
        Ok(())
    }

    /// Does one command.
    pub async fn perform(&mut self, step: &Step, patience: Duration) -> anyhow::Result<()> {
        match step {
            Step::Wait { until, within } => self.wait(until, within.unwrap_or(patience)).await,
            Step::Sleep(time) => {
                let sleeping = tokio::time::sleep(*time);
                self.watching.beside(&self.meeting, sleeping).await;
                Ok(())
            }
            Step::Act(act) => Ok(self.act(act).await?),
            Step::Refused(kind, act) => match self.act(act).await {
                Err(error) if error.kind() == Some(*kind) => Ok(()),
                Err(error) => bail!("expected {kind:?}, got {error}"),
                Ok(()) => bail!("expected {kind:?}, and it was done"),
            },
            Step::Leave => Ok(()),
        }
    }

    /// Turns on what is on at first, once one is in.
    async fn come_in(&mut self) -> anyhow::Result<()> {
        if self.is_in || !self.meeting.state().is_connected() {
            return Ok(());
        }
        self.is_in = true;
        if let Some(kept) = self.meeting.state().retention() {
            self.watching.say(Some(tell_retention(kept)));
        }
        self.recall(None).await;
        for topic in &self.topics {
            self.watching.hearing.receive(&self.meeting, topic);
        }
        for source in self.media.at_first() {
            match self.act(&Act::Media(source, true)).await {
                Ok(()) => {}
                // Forbidden for the moment: one is in all the same.
                Err(error @ ActError::Refused(_)) => self.watching.say(Some(Told {
                    event: "refused",
                    text: format!("Your {} stays off: {error}", source.name()),
                    fields: json!({ "source": source, "error": error.kind() }),
                })),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Asks for earlier messages, once the user is about to have read those that are known.
    async fn look_back(&mut self, rows: usize) {
        let board = &self.watching.board;
        if let Some(before) = self.earlier
            && !board.is_full()
            && rows + AHEAD >= board.chat.len()
        {
            self.recall(Some(before)).await;
        }
    }

    /// Takes note of a page of the chat's past.
    async fn recall(&mut self, before: Option<ChatSeq>) {
        let Self {
            meeting, watching, ..
        } = self;
        let page = meeting.history(before, PAGE);
        let page = watching.beside(meeting, page).await;
        match page {
            Ok(page) => {
                self.earlier = page.before;
                watching.recall(&page);
            }
            Err(error) => watching.say(Some(Told {
                event: "history-failed",
                text: format!("Earlier messages are not to be had: {error}"),
                fields: json!({ "message": error.to_string() }),
            })),
        }
    }

    async fn act(&mut self, act: &Act) -> Result<(), ActError> {
        match self.act_beside(act, None).await {
            Done::Act(done) => done,
            // Nobody has a key.
            Done::Left => Ok(()),
        }
    }

    /// Does something while the user goes on typing.
    async fn act_beside(&mut self, act: &Act, mut busy: Option<Busy<'_>>) -> Done {
        let Self {
            meeting,
            media,
            watching,
            memory,
            ..
        } = self;
        memory.note(&meeting.state());
        let mut done = pin!(perform(meeting, media, memory, act));
        loop {
            tokio::select! {
                done = &mut done => {
                    return Done::Act(done.map(|told| watching.say(told)));
                }
                () = watching.next(meeting) => {}
                key = next_key(&mut busy) => {
                    let wish = watching.pressed_meanwhile(key);
                    if wish == Wish::Leave {
                        return Done::Left;
                    }
                    if let Some(busy) = &mut busy {
                        busy.wait(wish);
                    }
                }
            }
            // A picture that cannot be drawn is told of where the next one is.
            let _ = watching.draw(meeting);
        }
    }

    async fn wait(&mut self, until: &Condition, within: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + within;
        let result = loop {
            self.come_in().await?;
            let (state, now) = (self.meeting.state(), Instant::now());
            self.memory.note(&state);
            if self.watching.is_so(until, &state, now) {
                break Ok(());
            }
            if self.watching.events.is_none() {
                break Err(anyhow::anyhow!(
                    "it cannot be so any more: {}",
                    describe(&state)
                ));
            }
            if now >= end {
                let within = humantime::format_duration(within);
                break Err(anyhow::anyhow!("not within {within}: {}", describe(&state)));
            }
            if let Condition::Sees(name, source) = until
                && let Some(who) = who(&state, name)
            {
                self.watching.hearing.look(&self.meeting, &who.id, *source);
            }
            if let Condition::HearsScreen(name) = until
                && let Some(who) = who(&state, name)
            {
                let hearing = &mut self.watching.hearing;
                hearing.listen_to_screen(&self.meeting, &who.id);
            }
            self.watching.next(&self.meeting).await;
        };
        self.watching.hearing.look_away();
        result
    }
}

/// The keys while something is done, and what they ask for that has to wait.
struct Busy<'a> {
    keys: &'a mut Keys,
    waiting: &'a mut VecDeque<Wish>,
}

/// What became of something that was being done.
enum Done {
    Act(Result<(), ActError>),
    /// The user did not wait for it.
    Left,
}

/// Wishes that wait; what else is wished meanwhile is not heard.
const WISHES: usize = 64;

impl Busy<'_> {
    fn wait(&mut self, wish: Wish) {
        if wish != Wish::Nothing && self.waiting.len() < WISHES {
            self.waiting.push_back(wish);
        }
    }
}

async fn next_key(busy: &mut Option<Busy<'_>>) -> Key {
    match busy {
        Some(busy) => busy.keys.next().await,
        None => pending().await,
    }
}

/// Whether there is still something to wait for in the lobby.
fn turned_away(lobby: &Lobby) -> anyhow::Result<()> {
    match lobby {
        Lobby::Denied { retry_after: None } => {
            bail!("Denied: a host said no, and hears no more knocks in this meeting")
        }
        Lobby::Denied {
            retry_after: Some(pause),
        } => {
            let pause = humantime::format_duration(*pause);
            bail!("Denied: a host said no; join again after {pause} to knock once more")
        }
        Lobby::TimedOut => bail!("TimedOut: nobody answered; join again to knock once more"),
        Lobby::Full => bail!("LobbyFull: too many wait; join again later"),
        Lobby::WaitingForHost | Lobby::Waiting { .. } | Lobby::Outside => Ok(()),
    }
}

/// Whether it is good that a meeting is over.
pub fn verdict(reason: &DisconnectReason) -> anyhow::Result<()> {
    match reason {
        DisconnectReason::Left | DisconnectReason::RoomEnded => Ok(()),
        DisconnectReason::Removed => bail!("Removed: a host removed you"),
        DisconnectReason::Lost(reason) => bail!("the connection is lost: {reason}"),
    }
}
