//! A participant on a terminal: what there is to see, and keys.

mod keys;
mod line;
mod picture;

use std::{cell::Cell, io};

use anyhow::Context;
use parvis::meeting::MeetingState;
use ratatui::DefaultTerminal;

use self::{line::EditLine, picture::Scene};
use super::{
    board::Board,
    hearing::Hearing,
    media::Media,
    script::{Act, Hands, Step, Who},
};

pub use self::keys::{Key, Keys};

#[cfg(test)]
mod tests;

/// The screen, and the line that is typed.
#[derive(Debug)]
pub struct Terminal {
    screen: DefaultTerminal,
    prompt: Prompt,
}

/// What is typed, and how far back the chat is read.
#[derive(Debug, Default)]
pub struct Prompt {
    line: EditLine,
    back: Cell<usize>,
    problem: Option<String>,
}

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Nothing but to see it.
    Nothing,
    /// That this is done.
    Do(Act),
    /// To read what was said before; so many rows of the chat's end are not shown then.
    Earlier(usize),
    /// What that key asks for, once what is being done is done.
    Later(Key),
    /// To leave.
    Leave,
}

impl Terminal {
    /// Takes the terminal; it is given back when this is dropped, in a panic too.
    pub fn open() -> anyhow::Result<(Self, Keys)> {
        let screen = ratatui::try_init().context("the terminal cannot be drawn on: use --plain")?;
        let terminal = Self {
            screen,
            prompt: Prompt::default(),
        };
        let keys = Keys::start().context("the keyboard cannot be read: use --plain")?;
        Ok((terminal, keys))
    }

    /// Draws what there is.
    pub fn draw(
        &mut self,
        state: &MeetingState,
        board: &Board,
        hearing: &Hearing,
    ) -> io::Result<()> {
        let scene = Scene {
            state,
            board,
            hearing,
            prompt: &self.prompt,
        };
        self.screen.draw(|frame| scene.render(frame))?;
        Ok(())
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key, state: &MeetingState, media: &Media) -> Wish {
        self.prompt.press(key, state, media)
    }

    /// Takes a key while something is being done.
    pub fn press_meanwhile(&mut self, key: Key) -> Wish {
        self.prompt.press_meanwhile(key)
    }

    /// Says why something was not done.
    pub fn complain(&mut self, problem: String) {
        self.prompt.problem = Some(problem);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// How many lines of chat a page key moves by.
const PAGE: usize = 10;

impl Prompt {
    /// What is typed so far.
    pub fn text(&self) -> &str {
        self.line.text()
    }

    /// Before which letter the cursor stands.
    pub fn cursor(&self) -> usize {
        self.line.cursor()
    }

    /// How many lines of the chat's end are not shown.
    pub fn back(&self) -> usize {
        self.back.get()
    }

    /// No more lines than that are there to be hidden.
    fn is_back_at(&self, rows: usize) {
        self.back.set(rows);
    }

    /// What went wrong last.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Takes a key while something is being done: what is typed is seen, and the user can leave.
    pub fn press_meanwhile(&mut self, key: Key) -> Wish {
        match key {
            Key::Enter => self.enter(),
            Key::Leave => Wish::Leave,
            Key::PageUp => {
                self.back.set(self.back() + PAGE);
                Wish::Earlier(self.back())
            }
            Key::PageDown => {
                self.back.set(self.back().saturating_sub(PAGE));
                Wish::Nothing
            }
            Key::Edit(edit) => {
                self.line.edit(edit);
                Wish::Nothing
            }
            Key::Redraw => Wish::Nothing,
            Key::Hand | Key::Media(_) | Key::React(_) | Key::Admit | Key::Deny => Wish::Later(key),
        }
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key, state: &MeetingState, media: &Media) -> Wish {
        self.problem = None;
        match key {
            Key::Hand => {
                let raised = state.myself().is_some_and(|me| me.hand.is_some());
                Wish::Do(if raised {
                    Act::Lower(Hands::Own)
                } else {
                    Act::Raise
                })
            }
            Key::Media(source) => {
                let on = state
                    .myself()
                    .is_some_and(|me| *me.media.of(source) == parvis::meeting::MediaState::On);
                if !on && !media.has(source) {
                    let name = source.name();
                    self.problem =
                        Some(format!("no {name}: give --{name} FILE, or --{name} test:"));
                    return Wish::Nothing;
                }
                Wish::Do(Act::Media(source, !on))
            }
            Key::React(emoji) => Wish::Do(Act::React(emoji)),
            Key::Admit | Key::Deny => match state.lobby.first() {
                None => Wish::Nothing,
                Some(waiter) => {
                    let who = Who::One(waiter.participant.to_string());
                    Wish::Do(if key == Key::Admit {
                        Act::Admit(who)
                    } else {
                        Act::Deny(who)
                    })
                }
            },
            Key::Enter | Key::Leave | Key::PageUp | Key::PageDown | Key::Edit(_) | Key::Redraw => {
                self.press_meanwhile(key)
            }
        }
    }

    /// What begins with `/` is a command, everything else is said.
    fn enter(&mut self) -> Wish {
        let text = self.line.take();
        let text = text.trim();
        if text.is_empty() {
            return Wish::Nothing;
        }
        self.back.set(0);
        let Some(command) = text.strip_prefix('/') else {
            let (to, text) = (None, text.to_owned());
            return Wish::Do(Act::Say { to, text });
        };
        match Step::parse(command) {
            Ok(Step::Leave) => Wish::Leave,
            Ok(Step::Act(act)) => Wish::Do(act),
            Ok(Step::Wait { .. } | Step::Sleep(_) | Step::Refused(..)) => {
                self.problem = Some("that is for scripts".to_owned());
                Wish::Nothing
            }
            Err(unknown) => {
                self.problem = Some(unknown.to_string());
                Wish::Nothing
            }
        }
    }
}
