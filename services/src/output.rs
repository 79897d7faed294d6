use std::{
    io::{IsTerminal, Write},
    sync::OnceLock,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};

/// Where results go: JSON lines for scripts, a moving line on a terminal, plain lines otherwise.
#[derive(Debug)]
pub struct Output {
    json: bool,
    /// Begins with the first progress that is told.
    line: OnceLock<ProgressBar>,
}

impl Output {
    /// For scripts or for people.
    pub const fn new(json: bool) -> Self {
        Self {
            json,
            line: OnceLock::new(),
        }
    }

    /// Whether the user asked for JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Says that something happened: `text` to people, `fields` to scripts.
    pub fn event(&self, name: &str, text: &str, fields: &impl Serialize) {
        if self.json {
            print_json(name, fields);
        } else if let Some(line) = self.line.get() {
            line.suspend(|| say(text));
        } else {
            say(text);
        }
    }

    /// Says how it goes; on a terminal the line before is replaced.
    pub fn progress(&self, text: &str, fields: &impl Serialize) {
        if self.json {
            print_json("progress", fields);
        } else if std::io::stderr().is_terminal() {
            self.line.get_or_init(spinner).set_message(text.to_owned());
        }
    }

    /// Takes the moving line away.
    pub fn finish(&self) {
        if let Some(line) = self.line.get() {
            line.finish_and_clear();
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.finish();
    }
}

fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {elapsed_precise} {msg}");
    let line = ProgressBar::new_spinner();
    line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    line.enable_steady_tick(Duration::from_millis(200));
    line
}

fn print_json(name: &str, fields: &impl Serialize) {
    let mut line = json!({ "event": name });
    if let (Value::Object(line), Ok(Value::Object(fields))) =
        (&mut line, serde_json::to_value(fields))
    {
        line.extend(fields);
    }
    say(&line.to_string());
}

/// An error and its causes in one line, which no terminal obeys whatever a relay or a file put into
/// it.
pub fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Many errors tell their cause themselves.
        if line.contains(&cause) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&cause);
    }
    line.replace(char::is_control, " ")
}

/// Writes a line to standard output.
pub fn say(line: &str) {
    // Whoever read it may be gone, as `head` is: that ends no recording.
    let _ = writeln!(std::io::stdout(), "{line}");
}
