//! Sessions that come and go.

use std::{net::SocketAddr, sync::atomic::Ordering};

use parvis_forwarding::{Input, PeerKind};
use parvis_quic::{CloseReason, ConnectionKey};
use parvis_wire::{Draft, Setup};

use super::{Shard, peer::Peer};

impl Shard {
    pub(super) fn connected(&mut self, key: ConnectionKey, remote: SocketAddr, draft: Draft) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        self.stats.sessions += 1;
        self.stats.sessions_opened += 1;
        self.peers.insert(Peer::new(key, remote, draft, self.now));
        tracing::debug!(%remote, draft = draft.number(), "session opened");
    }

    pub(super) fn closed(&mut self, key: ConnectionKey, reason: &CloseReason) {
        self.disconnect(key);
        let path = self.endpoint.stats(key).unwrap_or_default();
        // A connection that failed in its handshake was no session.
        let Some(peer) = self.peers.remove(key) else {
            return;
        };
        self.sessions.fetch_sub(1, Ordering::Relaxed);
        self.stats.sessions -= 1;
        let story = &peer.story;
        tracing::info!(
            remote = %story.remote,
            draft = story.draft.number(),
            // Quoted: the peer chose it.
            client = ?story.implementation,
            seconds = self.now.saturating_duration_since(story.since).as_secs_f32(),
            requests = story.requests,
            objects_in = story.objects_in,
            objects_out = story.objects_out,
            bytes_in = story.bytes_in,
            bytes_out = story.bytes_out,
            dropped = story.dropped,
            rtt_ms = path.rtt.as_secs_f32() * 1e3,
            packets_sent = path.sent_packets,
            packets_lost = path.lost_packets,
            reason = ?reason.to_string(),
            "session ended"
        );
    }

    pub(super) fn established(&mut self, key: ConnectionKey, setup: Setup) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        peer.story.implementation = setup.implementation.unwrap_or_default();
        peer.announced = true;
        let (peer, kind) = (peer.id, PeerKind::Session);
        self.feed(Input::PeerConnected { peer, kind });
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
        let peer = peer.id;
        self.feed(Input::PeerDisconnected { peer });
    }
}
