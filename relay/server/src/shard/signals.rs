//! What the forwarder says about requests, said to sessions.

use std::time::Instant;

use parvis_forwarding::{Input, Quota, RequestRef, Signal};
use parvis_quic::ConnectionKey;
use parvis_session::{ApiMisuse, RequestKey, Session};
use parvis_token::Action;
use parvis_wire::{Draft, MessageType, Parameters, RequestError, RequestErrorCode};

use super::{Shard, peer::OwnRequest, permits::Need};
use crate::access::Gate;

impl Shard {
    pub(super) fn signal_out(
        &mut self,
        connection: ConnectionKey,
        request: RequestRef,
        signal: Signal,
    ) {
        if let RequestRef::Ours(number) = request
            && matches!(
                signal,
                Signal::Subscribe { .. }
                    | Signal::Publish { .. }
                    | Signal::PublishNamespace { .. }
                    | Signal::SubscribeNamespace { .. }
                    | Signal::SubscribeTracks { .. }
                    | Signal::Fetch { .. }
                    | Signal::TrackStatus { .. }
            )
        {
            self.ask(connection, number, signal);
            return;
        }
        if let Signal::Fill {
            subscription,
            update,
            parameters,
        } = &signal
        {
            self.open_fill(connection, request, *subscription, *update, parameters);
            return;
        }
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let Some(key) = peer.key(request) else { return };
        let Some(session) = self.endpoint.session(connection) else {
            return;
        };
        let Some(signal) = unpaused(request, signal, session.draft()) else {
            // It is not asked, and gives what it gives.
            let (peer, signal) = (peer.id, Box::new(Signal::UpdateOk(Parameters::default())));
            self.inputs.push_back(Input::Signal {
                peer,
                request,
                signal,
            });
            return;
        };
        let over = matches!(
            signal,
            Signal::Reject(_)
                | Signal::UpdateReject(_)
                | Signal::TrackStatusOk { .. }
                | Signal::Done { .. }
                | Signal::Cancel
        );
        if let Signal::Reject(error) | Signal::UpdateReject(error) = &signal {
            self.stats.count_refusal(error.code);
        }
        if let Err(error) = say(session, key, signal, self.now) {
            // Ordinary where the peer ended the request at the same time.
            tracing::debug!(%key, %error, "not said");
        }
        if over {
            peer.close(key);
        }
    }

    /// Makes a request of the forwarder's.
    fn ask(&mut self, connection: ConnectionKey, number: u64, signal: Signal) {
        let Some(peer) = self.peers.get_mut(connection) else {
            return;
        };
        let Some(session) = self.endpoint.session(connection) else {
            return;
        };
        if matches!(signal, Signal::SubscribeTracks { .. }) && session.draft() == Draft::D18 {
            // What would be offered then could not be paused.
            let error = RequestError {
                code: RequestErrorCode::NotSupported,
                retry_interval: 0,
                reason: "tracks are not offered by this draft".to_owned(),
                redirect: None,
            };
            self.refuse(connection, RequestRef::Ours(number), Signal::Reject(error));
            return;
        }
        let asked = match signal {
            Signal::Subscribe { track, parameters } => {
                let parameters = fit(parameters, MessageType::Subscribe, session);
                session
                    .subscribe(track, parameters, self.now)
                    .map(OwnRequest::Subscribe)
            }
            Signal::Publish {
                track,
                parameters,
                properties,
            } => {
                let parameters = fit(parameters, MessageType::Publish, session);
                let need = matches!(self.gate, Gate::Tokens(_))
                    .then(|| Need::In(Action::Subscribe, track.namespace().clone()));
                session
                    .publish(track, parameters, properties, self.now)
                    .map(|key| {
                        if let Some(need) = need {
                            let quota = Quota::Subscriptions;
                            if let Some((participant, session)) = &peer.permits.counted {
                                participant.give(*session, quota);
                            }
                            peer.permits.open(key, need, Some(quota));
                        }
                        OwnRequest::Publish(key)
                    })
            }
            Signal::PublishNamespace { namespace } => session
                .publish_namespace(namespace, Parameters::default(), self.now)
                .map(OwnRequest::PublishNamespace),
            Signal::TrackStatus { track } => session
                .track_status(track, Parameters::default(), self.now)
                .map(OwnRequest::TrackStatus),
            Signal::SubscribeNamespace { prefix } => session
                .subscribe_namespace(prefix, Parameters::default(), self.now)
                .map(OwnRequest::SubscribeNamespace),
            Signal::SubscribeTracks { prefix, parameters } => {
                let parameters = fit(parameters, MessageType::SubscribeTracks, session);
                session
                    .subscribe_tracks(prefix, parameters, self.now)
                    .map(OwnRequest::SubscribeTracks)
            }
            Signal::Fetch {
                range, parameters, ..
            } => {
                let parameters = fit(parameters, MessageType::Fetch, session);
                session
                    .fetch(range, parameters, self.now)
                    .map(OwnRequest::Fetch)
            }
            _ => return,
        };
        match asked {
            Ok(request) => peer.open(number, request),
            Err(error) => {
                let error = RequestError {
                    code: match error {
                        ApiMisuse::GoingAway => RequestErrorCode::GoingAway,
                        ApiMisuse::TooManyRequests(_) => RequestErrorCode::ExcessiveLoad,
                        _ => RequestErrorCode::InternalError,
                    },
                    retry_interval: 0,
                    reason: error.to_string(),
                    redirect: None,
                };
                self.refuse(connection, RequestRef::Ours(number), Signal::Reject(error));
            }
        }
    }
}

/// What of the signal is said to a publisher by PUBLISH on draft 18. Those in the field reject every
/// REQUEST_UPDATE and take forward 0 for the end of the track, so they are never paused; one that has
/// dynamic groups is asked for them.
fn unpaused(request: RequestRef, signal: Signal, draft: Draft) -> Option<Signal> {
    match signal {
        Signal::PublishOk { parameters } if draft == Draft::D18 => Some(Signal::PublishOk {
            parameters: Parameters {
                forward: None,
                ..parameters
            },
        }),
        // An update of a request of the peer's is one of its PUBLISH.
        Signal::Update(parameters)
            if draft == Draft::D18 && matches!(request, RequestRef::Theirs(_)) =>
        {
            let new_group_request = parameters.new_group_request?;
            Some(Signal::Update(Parameters {
                new_group_request: Some(new_group_request),
                ..Parameters::default()
            }))
        }
        signal => Some(signal),
    }
}

/// Drops the parameters that the message may not carry in the session's draft.
fn fit(mut parameters: Parameters, message: MessageType, session: &Session) -> Parameters {
    parameters.retain_allowed(message, session.draft());
    parameters
}

fn say(
    session: &mut Session,
    key: RequestKey,
    signal: Signal,
    now: Instant,
) -> Result<(), ApiMisuse> {
    match signal {
        Signal::SubscribeOk {
            parameters,
            properties,
        } => {
            let parameters = fit(parameters, MessageType::SubscribeOk, session);
            session.accept_subscribe(key, parameters, properties, now)
        }
        Signal::PublishOk { parameters } => session.accept_publish(key, parameters, now),
        Signal::Ok => session.accept(key, Parameters::default(), now),
        Signal::TrackStatusOk {
            parameters,
            properties,
        } => {
            let parameters = fit(parameters, MessageType::RequestOk, session);
            session.accept_track_status(key, parameters, properties, now)
        }
        Signal::FetchOk(answer) => session.accept_fetch(key, answer, now),
        Signal::Reject(error) => session.reject(key, error, now),
        Signal::Update(parameters) => {
            let parameters = fit(parameters, MessageType::RequestUpdate, session);
            session.update(key, parameters, now)
        }
        // Draft 18 cannot say it.
        Signal::Notify(_) if session.draft() == Draft::D18 => Ok(()),
        Signal::Notify(parameters) => session.notify_state(key, parameters, now),
        Signal::UpdateOk(parameters) => {
            let parameters = fit(parameters, MessageType::RequestOk, session);
            session.accept_update(key, parameters, now)
        }
        Signal::UpdateReject(error) => session.reject_update(key, error, now),
        Signal::Namespace(suffix) => session.namespace(key, suffix, now),
        Signal::Route { suffix, path } => session.namespace_by(key, suffix, path, now),
        Signal::NamespaceDone(suffix) => session.namespace_done(key, suffix, now),
        Signal::Skipped { suffix, name } => session.publish_skipped(key, suffix, name, now),
        Signal::Done { code, reason } => session.publish_done(key, code, &reason, now),
        Signal::Cancel => session.cancel(key, now),
        // Requests are made by `ask`; these the forwarder never makes.
        Signal::PublishNamespace { .. }
        | Signal::PublishRoute { .. }
        | Signal::Publish { .. }
        | Signal::Subscribe { .. }
        | Signal::GoAway
        | Signal::SubscribeNamespace { .. }
        | Signal::SubscribeTracks { .. }
        | Signal::TrackStatus { .. }
        | Signal::Fetch { .. }
        | Signal::Fill { .. }
        | Signal::FillUpdate { .. } => Ok(()),
    }
}
