use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::{Builder, JoinHandle},
};

use tokio::sync::mpsc;

/// The threads of a room: encoders, decoders and players. Closing the room waits for all of them.
#[derive(Debug, Clone)]
pub(crate) struct Threads(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    handles: Vec<JoinHandle<()>>,
    /// Each thread holds a clone; the receiver sees the end when the last one is gone.
    alive: Option<mpsc::Sender<()>>,
    ended: Option<mpsc::Receiver<()>>,
}

impl Threads {
    pub(crate) fn new() -> Self {
        let (alive, ended) = mpsc::channel(1);
        Self(Arc::new(Mutex::new(State {
            handles: Vec::new(),
            alive: Some(alive),
            ended: Some(ended),
        })))
    }

    /// Starts a thread. `body` must return soon after the room's channels close.
    pub(crate) fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.handles.retain(|handle| !handle.is_finished());
        let Some(alive) = state.alive.clone() else {
            return Err(io::Error::other("the room is closed"));
        };
        let handle = Builder::new().name(name.to_owned()).spawn(move || {
            body();
            drop(alive);
        })?;
        state.handles.push(handle);
        Ok(())
    }

    /// Waits until every thread has ended.
    pub(crate) async fn join(&self) {
        let (ended, handles) = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.alive = None;
            (state.ended.take(), std::mem::take(&mut state.handles))
        };
        if let Some(mut ended) = ended {
            while ended.recv().await.is_some() {}
        }
        for handle in handles {
            // The body is over, so this takes no time. A panic was printed where it happened.
            let _ = handle.join();
        }
    }
}
