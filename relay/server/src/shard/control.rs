//! What operators ask of a shard: who is here, who must go, which tracks are stopped.

use std::net::SocketAddr;

use parvis_forwarding::Input;
use parvis_wire::{FullTrackName, SessionErrorCode, TrackNamespace};
use serde::Serialize;
use tokio::sync::oneshot;

use super::{Shard, permits::Permits};
use crate::access::{Denial, TooManyDenials, WallClock, Whom};

/// A question, and where the answer goes. Whoever asked may have stopped waiting for it.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Lists sessions.
    Sessions {
        answer: oneshot::Sender<Vec<SessionInfo>>,
    },
    /// Ends sessions, and refuses their tokens from here on; answers how many ended.
    Deny {
        whom: Whom,
        denial: Denial,
        answer: oneshot::Sender<Result<usize, TooManyDenials>>,
    },
    /// Accepts tokens again; answers whether they were refused.
    Allow {
        whom: Whom,
        answer: oneshot::Sender<bool>,
    },
    /// Stops a track.
    StopTrack {
        track: FullTrackName,
        answer: oneshot::Sender<()>,
    },
    /// Allows a track again.
    AllowTrack {
        track: FullTrackName,
        answer: oneshot::Sender<()>,
    },
}

/// A session, as operators see it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SessionInfo {
    /// The participant, once it has shown a token.
    pub(crate) sub: Option<String>,
    /// Its tokens that have a name.
    pub(crate) jti: Vec<String>,
    pub(crate) remote: SocketAddr,
    pub(crate) draft: u8,
    /// What it calls itself.
    pub(crate) client: String,
    pub(crate) seconds: f64,
    pub(crate) requests: u64,
    pub(crate) objects_in: u64,
    pub(crate) objects_out: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Shard {
    pub(super) fn control(&mut self, ask: Ask) {
        match ask {
            Ask::Sessions { answer } => {
                let _ = answer.send(self.sessions());
            }
            Ask::Deny {
                whom,
                denial,
                answer,
            } => {
                let _ = answer.send(self.deny(&whom, denial));
            }
            Ask::Allow { whom, answer } => {
                let _ = answer.send(self.denials.remove(&whom));
            }
            Ask::StopTrack { track, answer } => {
                self.feed(Input::StopTrack { track });
                let _ = answer.send(());
            }
            Ask::AllowTrack { track, answer } => {
                self.feed(Input::AllowTrack { track });
                let _ = answer.send(());
            }
        }
    }

    fn sessions(&mut self) -> Vec<SessionInfo> {
        let mut found = Vec::new();
        for key in self.peers.keys() {
            let Some(peer) = self.peers.get_mut(key) else {
                continue;
            };
            let (mut objects_out, mut bytes_out) = (peer.story.objects_out, peer.story.bytes_out);
            for key in peer.streams.values() {
                if let Some(open) = self.streams.get_mut(*key) {
                    objects_out += open.objects;
                    bytes_out += open.bytes;
                }
            }
            let story = &peer.story;
            found.push(SessionInfo {
                sub: peer.permits.subject().map(str::to_owned),
                jti: names(&peer.permits),
                remote: story.remote,
                draft: story.draft.number(),
                client: story.implementation.clone(),
                seconds: self
                    .now
                    .saturating_duration_since(story.since)
                    .as_secs_f64(),
                requests: story.requests,
                objects_in: story.objects_in,
                objects_out,
                bytes_in: story.bytes_in,
                bytes_out,
            });
        }
        found
    }

    /// Nobody gets more of what somebody who was removed has published.
    fn remove_published(&mut self, namespaces: Vec<TrackNamespace>) {
        for namespace in namespaces {
            for other in self.links.others() {
                if let Some(link) = self.links.to(other) {
                    let namespace = namespace.clone();
                    link.input(Input::PublisherRemoved { namespace });
                }
            }
            self.feed(Input::PublisherRemoved { namespace });
        }
    }

    fn deny(&mut self, whom: &Whom, denial: Denial) -> Result<usize, TooManyDenials> {
        let now = WallClock::read(self.now).now();
        self.denials.insert(whom.clone(), denial, now)?;
        let mut ended = 0;
        for key in self.peers.keys() {
            let Some(peer) = self.peers.get_mut(key) else {
                continue;
            };
            if !peer
                .permits
                .revoke(|access| denial.refuses(whom, access, now))
            {
                continue;
            }
            if peer.permits.is_empty() {
                let published = self.forwarder.namespaces_of(peer.id);
                self.expel(
                    key,
                    SessionErrorCode::Unauthorized,
                    "removed by the operator",
                );
                self.remove_published(published);
                ended += 1;
            } else {
                self.withdraw_not_allowed(key, "the token was revoked");
            }
        }
        Ok(ended)
    }
}

fn names(permits: &Permits) -> Vec<String> {
    let names = permits.accesses().filter_map(|access| access.id());
    names.map(str::to_owned).collect()
}
