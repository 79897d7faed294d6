//! Sessions that come and go.

use std::{fmt, net::SocketAddr, sync::atomic::Ordering};

use parvis_forwarding::{Input, PeerKind};
use parvis_quic::{CloseReason, ConnectionKey};
use parvis_session::{DropCounts, DropReason};
use parvis_wire::{Draft, SessionErrorCode, Setup};

use super::{Shard, peer::Peer};
use crate::{ClosedBy, HandshakeFailure, stats::label};

impl Shard {
    pub(super) fn connected(&mut self, key: ConnectionKey, remote: SocketAddr, draft: Draft) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        self.stats.sessions += 1;
        self.stats.sessions_opened += 1;
        let peer = Peer::new(key, remote, draft, self.now);
        let is_upstream = self.upstream_connected(key);
        self.peers.insert(if is_upstream {
            peer.into_server()
        } else {
            peer
        });
        if is_upstream {
            self.endpoint.allow_bytes(key, self.receive_window);
        } else {
            self.count_stranger(key);
        }
        tracing::debug!(%remote, draft = draft.number(), "session opened");
        self.ask_to_move(key);
    }

    pub(super) fn closed(&mut self, key: ConnectionKey, reason: &CloseReason) {
        self.disconnect(key);
        let path = self.endpoint.stats(key).unwrap_or_default();
        self.upstream_closed(key, reason);
        // A connection that failed in its handshake was no session.
        let Some(peer) = self.peers.remove(key) else {
            self.stats.handshakes_failed[HandshakeFailure::of(reason) as usize] += 1;
            return;
        };
        if let Some((participant, session)) = &peer.permits.counted {
            self.subjects.remove(participant, *session);
        }
        if let Some(at) = peer.permits.scheduled {
            self.expiries.remove(&(at, key.to_u64()));
        }
        self.report.rtt.observe(path.rtt);
        self.stats.count_blocked(peer.blocked, path.blocked);
        let by = ClosedBy::of(reason);
        self.stats.closed[by as usize] += 1;
        self.sessions.fetch_sub(1, Ordering::Relaxed);
        self.stats.sessions -= 1;
        let story = &peer.story;
        let subject = peer.permits.subject().unwrap_or_default();
        let (code, words) = details(reason);
        tracing::info!(
            remote = %story.remote,
            transport = if path.is_webtransport { "webtransport" } else { "quic" },
            draft = story.draft.number(),
            // Quoted, here and below: the peer chose it.
            client = ?story.implementation,
            sub = ?subject,
            seconds = self.now.saturating_duration_since(story.since).as_secs_f32(),
            requests = story.requests,
            objects_in = story.objects_in,
            objects_out = story.objects_out,
            bytes_in = story.bytes_in,
            bytes_out = story.bytes_out,
            drops = %Told(&story.dropped),
            rtt_ms = path.rtt.as_secs_f32() * 1e3,
            min_rtt_ms = path.min_rtt.as_secs_f32() * 1e3,
            packets_sent = path.sent_packets,
            packets_lost = path.lost_packets,
            closed_by = %label(by),
            code,
            reason = ?words,
            "session ended"
        );
    }

    pub(super) fn established(&mut self, key: ConnectionKey, setup: Setup) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        peer.story.implementation = setup.implementation.unwrap_or_default();
        if !self.is_upstream(key) && !self.admit_session(key, setup.auth_tokens) {
            return;
        }
        if self.makes_rings(key, setup.relay_hops) {
            let reason = "a relay that has an upstream serves another one only with accept-relays";
            tracing::warn!("{reason}");
            let code = SessionErrorCode::Unauthorized;
            self.endpoint.close(self.now, key, code, reason);
            return;
        }
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        peer.announced = true;
        let peer = peer.id;
        let kind = self.kind(key, setup.relay_hops);
        if kind != PeerKind::Session {
            self.trust(key);
        }
        self.feed(Input::PeerConnected { peer, kind });
    }

    /// A client says that it is about to leave: it is asked for nothing new.
    pub(super) fn going_away(&mut self, key: ConnectionKey, uri: &str) {
        if self.upstream_going_away(key, uri) {
            return;
        }
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        tracing::debug!(remote = %peer.story.remote, "a client is going away");
        if peer.announced {
            let peer = peer.id;
            self.feed(Input::PeerGoingAway { peer });
        }
    }

    /// Tells the forwarder at once that a session is over; the connection may still linger.
    pub(super) fn disconnect(&mut self, key: ConnectionKey) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        if !std::mem::take(&mut peer.announced) {
            return;
        }
        for (_, stream) in peer.streams.drain() {
            if let Some(stream) = self.streams.remove(stream) {
                peer.story.add(&stream);
            }
        }
        peer.fetches.clear();
        peer.answers.clear();
        if let Some((participant, session)) = peer.permits.counted.take() {
            self.subjects.remove(&participant, session);
        }
        let peer = peer.id;
        self.feed(Input::PeerDisconnected { peer });
    }
}

/// The code and the words that a session was closed with, if it was.
fn details(reason: &CloseReason) -> (Option<u64>, String) {
    match reason {
        CloseReason::Local { code, reason } | CloseReason::PeerClosed { code, reason } => {
            (Some(code.to_u64()), reason.clone())
        }
        other => (None, other.to_string()),
    }
}

/// Drops by reason, as in `queue_age=3 stopped_by_peer=1`.
struct Told<'a>(&'a DropCounts);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = DropReason::ALL.into_iter();
        let told = reasons.map(|reason| (reason, self.0.drops(reason)));
        for (index, (reason, count)) in told.filter(|(_, count)| *count > 0).enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(f, "{space}{}={count}", label(reason))?;
        }
        Ok(())
    }
}
