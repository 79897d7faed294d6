//! Offers across relays: where somebody wants every track under a prefix, the relay on the best way to
//! each namespace there is asked for its tracks too, and offers them in its turn.
//!
//! Only where the way leads, so that there are no loops: a way never comes back.

use parvis_wire::{HopPath, Parameters, TrackNamespace};

use crate::{Forwarder, PeerId, PeerKind, Receiver, Signal, discovery::matching, peer::Request};

impl Forwarder {
    /// Other subscribers want the tracks under this prefix.
    pub(crate) fn seek_under(&mut self, prefix: &TrackNamespace) {
        let namespaces = self.namespaces.range(prefix.clone()..);
        let namespaces = namespaces.map(|(namespace, _)| namespace);
        let mut sought: Vec<TrackNamespace> = namespaces
            .take_while(|namespace| namespace.starts_with(prefix))
            .cloned()
            .collect();
        sought.push(prefix.clone());
        self.seek_all(sought);
    }

    /// There are other ways to a namespace.
    pub(crate) fn seek_in(&mut self, namespace: &TrackNamespace) {
        let prefixes = self.track_prefixes.range(namespace.clone()..);
        let mut sought: Vec<TrackNamespace> = prefixes
            .map(|(prefix, _)| prefix)
            .take_while(|prefix| prefix.starts_with(namespace))
            .cloned()
            .collect();
        sought.push(namespace.clone());
        self.seek_all(sought);
    }

    /// A peer is about to leave: others are asked for what it was asked for.
    pub(crate) fn seek_elsewhere(&mut self, than: PeerId) {
        let asked = self.sought.iter().filter(|(_, at)| at.peer == than);
        let sought = asked.map(|(namespace, _)| namespace.clone()).collect();
        self.seek_all(sought);
    }

    /// A request for tracks is over, and is not made again before something changes.
    pub(crate) fn seeking_ended(&mut self, at: Receiver, namespace: &TrackNamespace) {
        self.forget(at);
        if self.sought.get(namespace) == Some(&at) {
            self.sought.remove(namespace);
        }
    }

    fn seek_all(&mut self, sought: Vec<TrackNamespace>) {
        for namespace in sought {
            self.seek(&namespace);
        }
    }

    /// Brings what is asked for the tracks of a namespace in line with who wants them and the ways
    /// there are.
    fn seek(&mut self, namespace: &TrackNamespace) {
        let asked = self.sought.get(namespace).copied();
        let to = self.holder_of_tracks(namespace);
        if asked.map(|at| at.peer) == to {
            return;
        }
        if let Some(at) = asked {
            self.sought.remove(namespace);
            self.forget(at);
            self.say(at, Signal::Cancel);
        }
        if let Some(peer) = to {
            let at = self.open_request(peer, Request::Seeking(namespace.clone()));
            self.sought.insert(namespace.clone(), at);
            let signal = Signal::SubscribeTracks {
                prefix: namespace.clone(),
                // Objects are asked for when somebody takes an offer.
                parameters: Parameters {
                    forward: Some(false),
                    ..Parameters::default()
                },
            };
            self.say(at, signal);
        }
    }

    /// The peer that has the tracks of a namespace from other relays, if somebody else wants them.
    fn holder_of_tracks(&self, namespace: &TrackNamespace) -> Option<PeerId> {
        // What is neither a namespace nor a prefix that is wanted is part of another request.
        let is_named =
            self.namespaces.contains_key(namespace) || self.track_prefixes.contains_key(namespace);
        let route = self.best_route(namespace, |_| true).filter(|_| is_named)?;
        let holder = route.from.peer;
        let leads_away = match self.peers.get(&holder)?.kind {
            PeerKind::Relay { .. } => true,
            PeerKind::Shard => route.path != HopPath::unknown(),
            PeerKind::Session | PeerKind::Service => false,
        };
        let mut wanted = matching(&self.track_prefixes, namespace).into_iter();
        (leads_away && wanted.any(|(subscriber, _)| subscriber.peer != holder)).then_some(holder)
    }
}
