use tokio::sync::watch;

/// How an authority is connected to its relay; a handle for whoever watches it.
#[derive(Debug, Clone)]
pub struct Connection(watch::Receiver<State>);

/// Where a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Connected,
    /// It is being replaced, for that reason.
    Lost(String),
    /// It is over for good, for that reason.
    CutOff(String),
}

impl Connection {
    pub(crate) const fn new(state: watch::Receiver<State>) -> Self {
        Self(state)
    }

    /// What is wrong with it; `None`: commands are heard.
    pub fn problem(&self) -> Option<String> {
        match &*self.0.borrow() {
            // Its authority was closed.
            State::Connected if self.0.has_changed().is_err() => {
                Some("the authority of rooms has stopped".to_owned())
            }
            State::Connected => None,
            State::Lost(reason) | State::CutOff(reason) => Some(format!(
                "the authority of rooms is not connected to the relay: {reason}"
            )),
        }
    }

    /// Waits until it is over for good, and says why.
    pub(crate) async fn cut_off(mut self) -> String {
        let is_over = |state: &State| matches!(state, State::CutOff(_));
        match self.0.wait_for(is_over).await.as_deref() {
            Ok(State::CutOff(reason)) => reason.clone(),
            // It was closed by its owner.
            Ok(State::Connected | State::Lost(_)) | Err(_) => std::future::pending().await,
        }
    }
}
