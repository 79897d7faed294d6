//! Which method takes which signal.

use std::time::Instant;

use parvis_wire::{HopId, HopPath, Parameters};

use crate::{
    Forwarder, Receiver, Signal, ask::Failure, forwarder::remove_prefix, peer::Request,
    source::Loss, subscription::SubscriptionKind,
};

impl Forwarder {
    pub(crate) fn signal(&mut self, from: Receiver, signal: Signal, now: Instant) {
        if matches!(signal, Signal::Cancel) {
            self.answered.remove(&from);
        }
        let known = self.request(from).cloned();
        match (signal, known) {
            // Opening signals; a request that exists is not opened again.
            (Signal::PublishNamespace { namespace }, None) => {
                self.publish_namespace(from, &namespace, None, now);
            }
            (Signal::PublishRoute { namespace, path }, None) => {
                self.publish_namespace(from, &namespace, Some(path), now);
            }
            (Signal::PublishNamespace { .. }, Some(Request::Namespace(namespace))) => {
                self.add_route(from, &namespace, None, now);
            }
            (Signal::PublishRoute { path, .. }, Some(Request::Namespace(namespace))) => {
                self.add_route(from, &namespace, Some(path), now);
            }
            (Signal::Route { suffix, path }, Some(Request::Discovery)) => {
                self.add_route(from, &suffix, Some(path), now);
            }
            (Signal::Namespace(namespace), Some(Request::Discovery)) => {
                // Farther away than a publisher of our own, whom that relay may mean.
                let path = HopPath::unknown().then(HopId(0));
                self.add_route(from, &namespace, path, now);
            }
            (Signal::NamespaceDone(namespace), Some(Request::Discovery)) => {
                self.withdraw_namespace(from, &namespace, now);
            }
            (Signal::Reject(_), Some(Request::Discovery)) => {
                self.forget(from);
                self.discovery_ended(from, now);
            }
            (
                Signal::Publish {
                    track,
                    parameters,
                    properties,
                },
                None,
            ) => {
                self.publish(from, track, &parameters, properties, now);
            }
            (Signal::Subscribe { track, parameters }, None) => {
                self.subscribe(from, track, &parameters, SubscriptionKind::Subscribe, now);
            }
            (Signal::TrackStatus { track }, None) => {
                self.track_status(from, track, now);
            }
            (Signal::SubscribeNamespace { prefix }, None) => self.subscribe_namespace(from, prefix),
            (Signal::SubscribeTracks { prefix, parameters }, None) => {
                self.subscribe_tracks(from, &prefix, parameters, now);
            }
            (
                Signal::Fetch {
                    range,
                    parameters,
                    joining,
                },
                None,
            ) => {
                self.fetch(from, range, &parameters, joining, now);
            }
            (
                Signal::SubscribeOk {
                    parameters,
                    properties,
                },
                Some(Request::Upstream(track)),
            ) => {
                self.subscribe_ok(track, from, &parameters, properties, now);
            }
            (
                Signal::TrackStatusOk {
                    parameters,
                    properties,
                },
                Some(Request::StatusAsked(key)),
            ) => self.status_answered(key, &parameters, properties),
            (Signal::Reject(error), Some(Request::StatusAsked(key))) => {
                self.status_failed(key, Some(error), now);
            }
            (Signal::FetchOk(answer), Some(Request::Ask(ask))) => {
                self.ask_accepted(ask, &answer, now);
            }
            (Signal::Reject(error), Some(Request::Ask(ask))) => {
                self.ask_failed(ask, Failure::Rejected(error), now);
            }
            (Signal::PublishOk { parameters }, Some(Request::Subscription(key))) => {
                self.offer_accepted(key, &parameters, now);
            }
            (Signal::Ok, Some(Request::Subscription(key))) => {
                self.offer_accepted(key, &Parameters::default(), now);
            }
            (Signal::Ok, Some(Request::Announcement(namespace))) => {
                self.announcement_accepted(from, &namespace);
            }
            (Signal::Reject(_) | Signal::UpdateReject(_), Some(Request::Subscription(key))) => {
                self.drop_subscription(key, now);
            }
            (
                Signal::Reject(error) | Signal::UpdateReject(error),
                Some(Request::Upstream(track)),
            ) => {
                self.source_lost(track, from, Loss::Rejected(error), now);
            }
            (Signal::UpdateReject(_), Some(Request::Published(track))) => {
                self.source_lost(track, from, Loss::Gone, now);
            }
            (Signal::Reject(_), Some(Request::Announcement(_))) => self.forget(from),
            (Signal::Reject(_), Some(Request::Seeking(namespace))) => {
                self.seeking_ended(from, &namespace);
            }
            (
                Signal::UpdateOk(parameters),
                Some(Request::Upstream(track) | Request::Published(track)),
            ) => {
                self.learn_largest(track, parameters.largest, now);
                self.source_updated(track, from);
            }
            (
                Signal::Notify(parameters),
                Some(Request::Upstream(track) | Request::Published(track)),
            ) => self.state_changed(track, from, parameters.largest, now),
            (Signal::Update(parameters), Some(request)) => {
                self.update(from, request, &parameters, None, now);
            }
            (Signal::FillUpdate { id, parameters }, Some(request)) => {
                self.update(from, request, &parameters, Some(id), now);
            }
            (
                Signal::Done { code, reason },
                Some(Request::Upstream(track) | Request::Published(track)),
            ) => self.source_lost(track, from, Loss::Done(code, reason), now),
            (Signal::GoAway, Some(Request::Upstream(track))) => self.move_source(track, from),
            (Signal::Cancel, Some(request)) => self.cancelled(from, request, now),
            // Crossed on the way with the end of the request, or of no meaning there.
            _ => {}
        }
    }

    /// The peer ended a request.
    pub(crate) fn cancelled(&mut self, from: Receiver, request: Request, now: Instant) {
        match request {
            Request::Namespace(namespace) => {
                self.forget(from);
                self.withdraw_namespace(from, &namespace, now);
            }
            Request::Discovery => {
                self.forget(from);
                self.discovery_ended(from, now);
            }
            Request::NamespacePrefix(prefix) => {
                self.forget(from);
                if let Some(peer) = self.peers.get_mut(&from.peer) {
                    peer.told.clear();
                }
                remove_prefix(&mut self.namespace_prefixes, &prefix, from);
            }
            Request::TrackPrefix(prefix, _) => {
                self.forget(from);
                remove_prefix(&mut self.track_prefixes, &prefix, from);
                self.seek_under(&prefix);
            }
            Request::Seeking(namespace) => self.seeking_ended(from, &namespace),
            Request::Announcement(namespace) => {
                self.forget(from);
                if let Some(published) = self.namespaces.get_mut(&namespace) {
                    published.announced.retain(|a| a.to != from);
                }
            }
            Request::Subscription(key) => self.drop_subscription(key, now),
            // These may have ended with another request of the same peer.
            Request::Fetch(key) => {
                if self.fetches.get(key.0).is_some_and(|f| f.receiver == from) {
                    self.cancel_fetch(key, now);
                }
            }
            Request::Status(key) => {
                if self.is_of_status(key, from) {
                    self.cancel_status(key);
                }
            }
            Request::StatusAsked(key) => {
                if self.is_of_status(key, from) {
                    self.status_failed(key, None, now);
                }
            }
            Request::Ask(key) => {
                if self.asks.get(key.0).is_some_and(|ask| ask.to == from) {
                    self.ask_failed(key, Failure::Gone, now);
                }
            }
            Request::Published(track) | Request::Upstream(track) => {
                self.source_lost(track, from, Loss::Gone, now);
            }
        }
    }
}
