use std::{fs, process::Stdio, time::Duration};

use anyhow::Context;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// A process of ours; it ends with this.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// What it said of itself.
    pub about: Value,
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Time of all its threads.
    pub cpu: Duration,
    /// Bytes in memory, at most.
    pub memory: u64,
}

impl Process {
    /// Starts this program in another role, and waits until it has said what it is.
    pub async fn start(args: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().context("it has an output")?;
        let line = BufReader::new(output).lines().next_line().await?;
        let line = line.with_context(|| format!("{args:?} did not start"))?;
        Ok(Self {
            child,
            about: serde_json::from_str(&line)?,
        })
    }

    /// What it has used so far.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.child.id().context("it runs")?)
    }
}

impl Usage {
    /// What a process has used so far.
    pub fn of(id: u32) -> anyhow::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        // Its name, in brackets, may hold blanks.
        let (_, fields) = stat.rsplit_once(')').context("a name in brackets")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |at: usize| -> anyhow::Result<u64> { Ok(fields[at].parse()?) };
        // Fields 14 and 15, of which two lie before the bracket; a hundred ticks a second.
        let ticks = ticks(11)? + ticks(12)?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.split_whitespace().next());
        let kilobytes: u64 = peak.context("a peak")?.parse()?;
        Ok(Usage {
            cpu: Duration::from_millis(ticks * 10),
            memory: kilobytes * 1024,
        })
    }
}
