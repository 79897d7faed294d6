use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    sync::watch,
    time::timeout,
};

const LIMIT: Duration = Duration::from_secs(30);

/// A running program of a peer: what it is given, what it writes, what it logs.
pub struct Program {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: watch::Receiver<Vec<u8>>,
    log: watch::Receiver<Vec<u8>>,
}

impl Program {
    /// Starts the program `name` from the folder `peers`; `filter` says what it logs.
    pub fn start(
        peers: &Path,
        name: &'static str,
        arguments: &[&str],
        filter: &str,
    ) -> anyhow::Result<Self> {
        let mut child = Command::new(peers.join(name))
            .args(arguments)
            .env("RUST_LOG", filter)
            .env("NO_COLOR", "1")
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} does not start; run `make peers`"))?;
        Ok(Self {
            name,
            input: child.stdin.take(),
            output: collect(child.stdout.take().context("no output")?),
            log: collect(child.stderr.take().context("no log")?),
            child,
        })
    }

    /// Gives it `bytes` on its standard input.
    pub async fn feed(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("the input has ended")?;
        let written = async {
            input.write_all(bytes).await?;
            input.flush().await
        };
        match timeout(LIMIT, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => bail!("{} takes no more: {error}; {}", self.name, self.last_line()),
            Err(_) => bail!("{} reads no more; {}", self.name, self.last_line()),
        }
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits until `times` lines of its log have all of `words`.
    pub async fn logged(&mut self, words: &[&str], times: usize) -> anyhow::Result<()> {
        let enough = |log: &Vec<u8>| {
            String::from_utf8_lossy(log)
                .lines()
                .filter(|line| words.iter().all(|word| line.contains(word)))
                .count()
                >= times
        };
        let found = timeout(LIMIT, self.log.wait_for(enough)).await;
        if matches!(found, Ok(Ok(_))) {
            return Ok(());
        }
        drop(found);
        bail!(
            "{} does not log {words:?} {times} times; {}",
            self.name,
            self.last_line()
        )
    }

    /// Waits until `enough` holds of what it has written so far, and returns that.
    pub async fn written(
        &mut self,
        enough: impl FnMut(&Vec<u8>) -> bool,
    ) -> anyhow::Result<Vec<u8>> {
        if let Ok(Ok(output)) = timeout(LIMIT, self.output.wait_for(enough)).await {
            return Ok(output.clone());
        }
        let length = self.output.borrow().len();
        bail!(
            "{} wrote {length} bytes and no more; {}",
            self.name,
            self.last_line()
        )
    }

    /// Waits for its end, which has to be a good one, and returns all that it wrote.
    pub async fn finish(mut self) -> anyhow::Result<Vec<u8>> {
        let Ok(status) = timeout(LIMIT, self.child.wait()).await else {
            bail!("{} does not end; {}", self.name, self.last_line());
        };
        // The channels close when the pipes do.
        while self.output.changed().await.is_ok() {}
        while self.log.changed().await.is_ok() {}
        let status = status?;
        ensure!(
            status.success(),
            "{} ended with {status}; {}",
            self.name,
            self.last_line()
        );
        let output = self.output.borrow().clone();
        Ok(output)
    }

    /// Ends it.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }

    fn last_line(&self) -> String {
        let log = self.log.borrow();
        let log = String::from_utf8_lossy(&log);
        let last = log.lines().rfind(|line| !line.trim().is_empty());
        format!("it said: {}", last.unwrap_or("nothing"))
    }
}

/// Gathers what comes out of a pipe.
fn collect(mut pipe: impl AsyncRead + Unpin + Send + 'static) -> watch::Receiver<Vec<u8>> {
    let (sender, receiver) = watch::channel(Vec::new());
    tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
            sender.send_modify(|all| all.extend_from_slice(&buffer[..length]));
        }
    });
    receiver
}
