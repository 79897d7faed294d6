use std::{fs, path::Path};

use anyhow::{Context, bail};
use serde::Serialize;

use super::{
    DemoArgs, Meeting,
    figures::Row,
    recorder::ParticipantRecording,
    table::{self, HEAD},
};

/// Where it is written.
pub const FILE: &str = "summary.json";

/// What came of a demonstration.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// How long the meeting was to last, seconds.
    pub duration_s: f64,
    /// How many processors the machine has.
    pub processors: usize,
    /// Capture to decode of all pictures, milliseconds: the median.
    pub p50_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// Who saw whom.
    pub rows: Vec<Row>,
    /// The files.
    pub recordings: Vec<ParticipantRecording>,
    /// What went wrong.
    pub failures: Vec<String>,
}

impl Summary {
    /// Puts it together.
    pub fn new(
        meeting: &Meeting,
        args: &DemoArgs,
        rows: Vec<Row>,
        recordings: Vec<Result<ParticipantRecording, String>>,
        mut failures: Vec<String>,
    ) -> Self {
        for row in &rows {
            if row.pictures == 0 {
                failures.push(format!("{} did not see {}", row.viewer, row.publisher));
            }
            if row.audio_packets == 0 {
                failures.push(format!("{} did not hear {}", row.viewer, row.publisher));
            }
        }
        let mut whole = Vec::new();
        for recording in recordings {
            match recording {
                Ok(recording) => whole.push(recording),
                Err(error) => failures.push(error),
            }
        }
        let (p50_ms, p99_ms) = meeting.total();
        Self {
            duration_s: args.duration.as_secs_f64(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            p50_ms,
            p99_ms,
            rows,
            recordings: whole,
            failures,
        }
    }

    /// Writes `summary.json`.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let (path, part) = (folder.join(FILE), folder.join(format!(".{FILE}.part")));
        let json = serde_json::to_string_pretty(self)?;
        fs::write(&part, json + "\n")
            .and_then(|()| fs::rename(&part, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The summary for people.
    pub fn describe(&self) -> String {
        let mut lines = vec![HEAD.to_owned()];
        lines.extend(self.rows.iter().map(table::format));
        lines.push(format!(
            "all pictures, capture to decode: p50 {:.1} ms, p99 {:.1} ms, on {} processors",
            self.p50_ms, self.p99_ms, self.processors
        ));
        for recording in &self.recordings {
            lines.push(format!(
                "{}: {}",
                recording.file.display(),
                recording.recorded.describe()
            ));
        }
        lines.extend(
            self.failures
                .iter()
                .map(|failure| format!("FAILED: {failure}")),
        );
        lines.join("\n")
    }

    /// An error if anything went wrong.
    pub fn verdict(&self) -> anyhow::Result<()> {
        match self.failures.as_slice() {
            [] => Ok(()),
            [only] => bail!("{only}"),
            [first, others @ ..] => bail!("{first}, and {} more failures", others.len()),
        }
    }
}
