use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::figures::Row;

/// The head of the table.
pub const HEAD: &str =
    "viewer     sees       track           fps   kbit/s   lost   p50 ms   p99 ms   audio on time";

/// The table of who sees whom, drawn over itself on a terminal.
#[derive(Debug)]
pub struct Table {
    lines: Vec<ProgressBar>,
    _all: Option<MultiProgress>,
}

impl Table {
    /// A table of so many rows; on no terminal it draws nothing.
    pub fn new(rows: usize) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::none();
        }
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let lines: Vec<ProgressBar> = (0..rows + 2)
            .map(|_| {
                let line = all.add(ProgressBar::new_spinner());
                line.set_style(style.clone());
                line
            })
            .collect();
        if let Some(head) = lines.get(1) {
            head.set_message(HEAD);
        }
        Self {
            lines,
            _all: Some(all),
        }
    }

    /// A table that draws nothing.
    pub fn none() -> Self {
        Self {
            lines: Vec::new(),
            _all: None,
        }
    }

    /// Draws.
    pub fn draw(&self, title: &str, rows: &[Row]) {
        if let Some(first) = self.lines.first() {
            first.set_message(title.to_owned());
        }
        for (line, row) in self.lines.iter().skip(2).zip(rows) {
            line.set_message(format(row));
        }
    }

    /// Takes the table away.
    pub fn clear(&self) {
        for line in &self.lines {
            line.finish_and_clear();
        }
    }
}

/// A row as text.
pub fn format(row: &Row) -> String {
    format!(
        "{:<10} {:<10} {:<12} {:>6.1} {:>8.0} {:>6} {:>8.1} {:>8.1} {:>14.1}%",
        row.viewer,
        row.publisher,
        if row.track.is_empty() {
            "-"
        } else {
            &row.track
        },
        row.fps,
        row.kbps,
        row.lost,
        row.p50_ms,
        row.p99_ms,
        row.audio_on_time,
    )
}
