use std::{
    io,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use parvis_token::{KeySet, Rules, Verifier};

use super::{Gate, KeySource, KeySourceError};

/// Looks for new keys every now and then, and when it is told to. Its thread ends by itself when
/// this is dropped, after the answer that it may be waiting for.
#[derive(Debug, Clone)]
pub(crate) struct KeyWatch {
    reload: mpsc::SyncSender<()>,
}

/// Has the keys of a [`Running`](crate::Running) relay read again, as after SIGHUP.
#[derive(Debug, Clone)]
pub struct KeysReload(pub(crate) KeyWatch);

impl KeysReload {
    /// Has the keys read again. Returns at once; the log says how it went. Keys that cannot be
    /// read or used leave those of before in force.
    pub fn reload(&self) {
        self.0.reload();
    }
}

/// Keys and where they came from.
#[derive(Debug)]
pub(crate) struct Loaded {
    source: KeySource,
    text: String,
    rules: Rules,
}

impl Loaded {
    /// Reads keys for the first time.
    pub(crate) fn first(source: KeySource, rules: Rules) -> Result<(Self, Gate), KeySourceError> {
        let text = source.read()?;
        let keys = source.keys(&text)?;
        tell(&source, &keys);
        let loaded = Self {
            source,
            text,
            rules,
        };
        let gate = loaded.gate(keys);
        Ok((loaded, gate))
    }

    /// Reads them again; `None`: they are as they were.
    fn again(&mut self) -> Result<Option<Gate>, KeySourceError> {
        let text = self.source.read()?;
        if text == self.text {
            return Ok(None);
        }
        let keys = self.source.keys(&text)?;
        tell(&self.source, &keys);
        self.text = text;
        Ok(Some(self.gate(keys)))
    }

    fn gate(&self, keys: KeySet) -> Gate {
        Gate::Tokens(Arc::new(Verifier::new(keys, self.rules.clone())))
    }
}

fn tell(source: &KeySource, keys: &KeySet) {
    let ids: Vec<&str> = keys.ids().collect();
    tracing::info!(%source, keys = ?ids, "keys loaded");
}

impl KeyWatch {
    /// Starts to look; gives new keys to `take`.
    pub(crate) fn start(
        mut loaded: Loaded,
        every: Duration,
        take: impl Fn(Gate) + Send + 'static,
    ) -> io::Result<Self> {
        // One request to look is as good as many.
        let (reload, asked) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("parvis-relay-keys".to_owned())
            .spawn(move || {
                let mut failing = false;
                loop {
                    let told = match asked.recv_timeout(every) {
                        Ok(()) => true,
                        Err(mpsc::RecvTimeoutError::Timeout) => false,
                        Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    };
                    match loaded.again() {
                        Ok(gate) => {
                            failing = false;
                            if let Some(gate) = gate {
                                take(gate);
                            }
                        }
                        // Once, not at every look.
                        Err(error) => {
                            if told || !failing {
                                tracing::warn!(%error, "the keys stay as they were");
                            }
                            failing = true;
                        }
                    }
                }
            })?;
        Ok(Self { reload })
    }

    /// Asks it to look now.
    pub(crate) fn reload(&self) {
        // Full: it was asked already.
        let _ = self.reload.try_send(());
    }
}
