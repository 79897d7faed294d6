use std::{
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::Context;
use parvis::meeting::{HistoryPage, Meeting, MeetingEvent, MeetingEvents, MeetingState};
use serde_json::json;

use super::{
    act::ActError,
    board::Board,
    hearing::Hearing,
    media::Media,
    script::{Act, Condition, Line},
    terminal::{Key, Terminal, Wish},
    told::Told,
};
use crate::output::Output;

/// Sees what happens.
#[derive(Debug)]
pub struct Watching<'a> {
    pub events: Option<MeetingEvents>,
    pub board: Board,
    pub hearing: Hearing,
    output: Option<&'a Output>,
    pub terminal: Option<Terminal>,
}

/// How often what is waited for is looked at when nothing happens.
const LOOK: Duration = Duration::from_millis(50);

/// What the terminal shows in a place of its own, and not between the messages.
const SHOWN_OTHERWISE: [&str; 9] = [
    "changed",
    "chat",
    "hands",
    "lobby",
    "phase",
    "private-message",
    "quality",
    "reaction",
    "speakers",
];

impl<'a> Watching<'a> {
    pub fn new(meeting: &Meeting, hearing: Hearing, output: Option<&'a Output>) -> Self {
        Self {
            events: Some(meeting.events()),
            board: Board::of(meeting.state().me.clone()),
            hearing,
            output,
            terminal: None,
        }
    }

    /// Sees what happens until something is done.
    pub async fn beside<T>(&mut self, meeting: &Meeting, doing: impl Future<Output = T>) -> T {
        let mut doing = pin!(doing);
        loop {
            tokio::select! {
                done = &mut doing => return done,
                () = self.next(meeting) => {
                    // A picture that cannot be drawn is told of where the next one is.
                    let _ = self.draw(meeting);
                }
            }
        }
    }
}

impl Watching<'_> {
    pub fn pressed(&mut self, key: Key, state: &MeetingState, media: &Media) -> Wish {
        let terminal = self.terminal.as_mut();
        terminal.map_or(Wish::Leave, |terminal| terminal.press(key, state, media))
    }

    pub fn pressed_meanwhile(&mut self, key: Key) -> Wish {
        let terminal = self.terminal.as_mut();
        terminal.map_or(Wish::Leave, |terminal| terminal.press_meanwhile(key))
    }

    /// Takes the next event, or waits for a moment.
    pub async fn next(&mut self, meeting: &Meeting) {
        let Some(events) = &mut self.events else {
            return tokio::time::sleep(LOOK).await;
        };
        tokio::select! {
            event = events.next() => match event {
                Some(event) => {
                    self.hearing.take(&event, meeting);
                    let told = self.board.take(&event, Instant::now());
                    self.say(told);
                }
                None => self.events = None,
            },
            Some(data) = self.hearing.next_data() => {
                let told = self.board.take_data(&data);
                self.say(Some(told));
            }
            () = tokio::time::sleep(LOOK) => {}
        }
    }

    /// An event of the end.
    pub async fn left(&mut self) -> Option<MeetingEvent> {
        self.events.as_mut()?.next().await
    }

    pub fn is_so(&self, condition: &Condition, state: &MeetingState, now: Instant) -> bool {
        self.board.holds(condition, state, &self.hearing, now)
    }

    pub fn say(&mut self, told: Option<Told>) {
        let Some(told) = told else {
            return;
        };
        if self.terminal.is_none() {
            if let Some(output) = self.output {
                output.event(told.event, &told.text, &told.fields);
            }
        } else if !SHOWN_OTHERWISE.contains(&told.event) {
            self.board.note(told.text);
        }
    }

    pub fn recall(&mut self, page: &HistoryPage) {
        for told in self.board.recall(page) {
            if let Some(output) = self.output.filter(|_| self.terminal.is_none()) {
                output.event(told.event, &told.text, &told.fields);
            }
        }
    }

    pub fn draw(&mut self, meeting: &Meeting) -> anyhow::Result<()> {
        self.board.forget(Instant::now());
        if let Some(terminal) = &mut self.terminal {
            terminal
                .draw(&meeting.state(), &self.board, &self.hearing)
                .context("the terminal cannot be drawn on")?;
        }
        Ok(())
    }

    /// What the user wanted is done, or is not.
    pub fn told(&mut self, act: &Act, done: Result<(), ActError>) {
        match (done, act) {
            (Ok(()), Act::Say { to: Some(to), text }) => {
                self.board.note(format!("to {to}: {text}"));
            }
            (Ok(()), _) => {}
            (Err(error), _) => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.complain(error.to_string());
                }
            }
        }
    }

    /// A line of the script is done.
    pub fn said(&self, line: &Line) {
        if let Some(output) = self.output.filter(|output| output.is_json()) {
            let fields = json!({ "line": line.number, "command": line.text });
            output.event("done", "", &fields);
        }
    }
}
