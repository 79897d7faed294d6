//! Peers that are about to leave, and requests that they ask to move.

use std::time::Instant;

use crate::{Forwarder, PeerId, Receiver, keys::TrackKey, peer::Request, track::Source};

impl Forwarder {
    /// A peer is about to leave: its tracks are asked of others that have them.
    pub(crate) fn peer_going_away(&mut self, peer: PeerId, now: Instant) {
        let is_relay = self.is_relay(peer);
        let Some(known) = self.peers.get_mut(&peer) else {
            return;
        };
        known.going_away = true;
        let upstreams: Vec<(Receiver, TrackKey)> = known
            .requests()
            .filter_map(|(request, kind)| match kind {
                Request::Upstream(track) => Some((Receiver { peer, request }, *track)),
                // Another relay has it as well; a publisher's own is nowhere else.
                Request::Published(track) if is_relay => Some((Receiver { peer, request }, *track)),
                _ => None,
            })
            .collect();
        self.seek_elsewhere(peer);
        for (at, track) in upstreams {
            if let Source::Pending(pending) = self.tracks[track.0].source
                && pending.receiver() == at
            {
                // It may reject or ignore what it was just asked: it is asked elsewhere then.
                continue;
            }
            self.move_source(track, at);
            self.settle(track, now);
        }
    }

    /// Asks another publisher of a track, or the same one again unless it is about to leave; the
    /// subscription there is goes on until the new one is accepted.
    pub(crate) fn move_source(&mut self, key: TrackKey, from: Receiver) {
        let track = &self.tracks[key.0];
        let is_source = track.established().is_some_and(|u| u.receiver() == from);
        if !is_source || track.next.is_some() || track.subscriptions.is_empty() {
            return;
        }
        let tried = [track.tried.as_slice(), &[from.peer]].concat();
        let other = self
            .find_source(&track.name, false, &tried)
            .or_else(|| (!self.is_going_away(from.peer)).then_some(from.peer));
        if let Some(peer) = other {
            let next = self.ask(key, peer);
            self.tracks[key.0].next = Some(next);
        }
    }

    pub(crate) fn is_going_away(&self, peer: PeerId) -> bool {
        self.peers.get(&peer).is_some_and(|peer| peer.going_away)
    }
}
