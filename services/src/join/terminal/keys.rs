use std::{
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use parvis::meeting::{Emoji, Source};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

use super::line::Edit;

/// A key that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Sends the line.
    Enter,
    /// Leaves the meeting.
    Leave,
    /// Raises or lowers the hand.
    Hand,
    /// Turns a source on or off.
    Media(Source),
    /// Reacts.
    React(Emoji),
    /// Lets the first in who waits.
    Admit,
    /// Sends the first away who waits.
    Deny,
    /// Shows earlier messages.
    PageUp,
    /// Shows later messages.
    PageDown,
    /// Changes the line.
    Edit(Edit),
    /// The terminal has another size.
    Redraw,
}

/// The keyboard, read in a thread of its own.
#[derive(Debug)]
pub struct Keys {
    keys: mpsc::Receiver<Key>,
    stop: Arc<AtomicBool>,
}

/// Keys that wait; then the thread waits.
const KEYS: usize = 64;
/// How often the thread looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

impl Keys {
    /// Begins to read.
    pub fn start() -> io::Result<Self> {
        let (tell, keys) = mpsc::channel(KEYS);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        thread::Builder::new()
            .name("keyboard".to_owned())
            .spawn(move || {
                while !stopped.load(Ordering::Acquire) {
                    let event = match event::poll(LOOK) {
                        Ok(false) => continue,
                        Ok(true) => event::read(),
                        Err(error) => Err(error),
                    };
                    // A terminal that is gone is one whose user has left.
                    let key = event.map_or(Some(Key::Leave), meaning);
                    if let Some(key) = key
                        && tell.blocking_send(key).is_err()
                    {
                        return;
                    }
                }
            })?;
        Ok(Self { keys, stop })
    }

    /// The next one.
    pub async fn next(&mut self) -> Key {
        match self.keys.recv().await {
            Some(key) => key,
            None => pending().await,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

fn meaning(event: Event) -> Option<Key> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => of_key(key),
        Event::Paste(text) => Some(Key::Edit(Edit::Insert(text))),
        Event::Resize(..) => Some(Key::Redraw),
        _ => None,
    }
}

/// What a key means.
pub(super) fn of_key(key: KeyEvent) -> Option<Key> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return Some(match key.code {
            KeyCode::Char('c' | 'q') => Key::Leave,
            KeyCode::Char('r') => Key::Hand,
            KeyCode::Char('t') => Key::Media(Source::Microphone),
            KeyCode::Char('o') => Key::Media(Source::Camera),
            KeyCode::Char('s') => Key::Media(Source::Screen),
            KeyCode::Char('a') => Key::Admit,
            KeyCode::Char('d') => Key::Deny,
            KeyCode::Char('u') => Key::Edit(Edit::Clear),
            _ => return None,
        });
    }
    Some(match key.code {
        KeyCode::Enter => Key::Enter,
        KeyCode::F(number) => {
            let at = usize::from(number).checked_sub(1)?;
            Key::React(*Emoji::ALL.get(at)?)
        }
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Char(letter) => Key::Edit(Edit::Insert(letter.to_string())),
        KeyCode::Backspace => Key::Edit(Edit::Backspace),
        KeyCode::Delete => Key::Edit(Edit::Delete),
        KeyCode::Left => Key::Edit(Edit::Left),
        KeyCode::Right => Key::Edit(Edit::Right),
        KeyCode::Home => Key::Edit(Edit::Home),
        KeyCode::End => Key::Edit(Edit::End),
        _ => return None,
    })
}
