//! What is subscribed to while everything else goes on.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use parvis_meeting::{UnixMillis, tracks};

use super::{Driver, Inside, renewal, subscribe};
use crate::{
    data::{DataSubscribe, DataTrack, Grouping},
    meeting::DisconnectReason,
};

/// Tracks that are about to come.
pub(super) struct Coming {
    since: Instant,
    tracks: Pin<Box<dyn Future<Output = Result<Arrived, DisconnectReason>> + Send>>,
}

/// What has come.
pub(super) enum Arrived {
    /// All that is read once one is in.
    Inside(Box<Inside>),
    /// The state, read anew.
    State(DataTrack),
}

/// How long the state may take to come before it is asked for anew.
const PATIENCE: Duration = Duration::from_secs(10);

impl Coming {
    fn new(
        tracks: impl Future<Output = Result<Arrived, DisconnectReason>> + Send + 'static,
    ) -> Self {
        Self {
            since: Instant::now(),
            tracks: Box::pin(tracks),
        }
    }

    /// Waits for them; cancel safe.
    pub(super) async fn arrives(&mut self) -> Result<Arrived, DisconnectReason> {
        self.tracks.as_mut().await
    }
}

impl Driver {
    /// One is in, or has another token.
    pub(super) fn enter(&mut self, token: &str, expires: Option<UnixMillis>) {
        self.link.add_token(token);
        self.renew = expires.map(renewal);
        if self.inside.is_some() || self.coming.is_some() {
            return;
        }
        let control = tracks::control(&self.code);
        let track = |name| {
            let (link, name) = (self.link.clone(), tracks::track(control.clone(), name));
            move |wanted| subscribe(link, name, wanted)
        };
        let state = DataSubscribe::current_group(Grouping::Replacing);
        let state = track(tracks::STATE)(state);
        let chat = DataSubscribe::current_group(Grouping::Sequence(tracks::CHAT_GROUP));
        let chat = track(tracks::CHAT)(chat);
        let reactions = DataSubscribe::live(Grouping::Sequence(1));
        let reactions = track(tracks::REACTIONS)(reactions);
        let room = Arc::clone(&self.room);
        self.coming = Some(Coming::new(async move {
            let (entered, state, chat, reactions) =
                tokio::join!(room.enter(), state, chat, reactions);
            if let Err(error) = entered {
                tracing::warn!(%error, "the room is not entered");
                return Err(DisconnectReason::lost(&room));
            }
            Ok(Arrived::Inside(Box::new(Inside {
                state: Some(state?),
                chat: chat?,
                reactions: reactions?,
            })))
        }));
    }

    /// Has the state sent whole.
    pub(super) fn read_state_anew(&mut self) {
        let Some(inside) = &mut self.inside else {
            return;
        };
        if let Some(coming) = &self.coming
            && coming.since.elapsed() < PATIENCE
        {
            return;
        }
        // A relay takes one subscription of a session to a track.
        inside.state = None;
        let name = tracks::track(tracks::control(&self.code), tracks::STATE);
        let wanted = DataSubscribe::current_group(Grouping::Replacing);
        let state = subscribe(self.link.clone(), name, wanted);
        self.coming = Some(Coming::new(async { Ok(Arrived::State(state.await?)) }));
    }

    pub(super) fn take_arrived(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Inside(inside) => {
                self.shared.chat_reached(inside.chat.largest());
                self.shared.data.open(&self.link, &self.code, &self.me);
                self.inside = Some(*inside);
            }
            Arrived::State(state) => {
                if let Some(inside) = &mut self.inside {
                    inside.state = Some(state);
                }
            }
        }
    }
}
