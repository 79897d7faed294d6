//! What sessions say, told to the forwarder.

use parvis_forwarding::{Input, RequestRef, Signal, SubgroupEnd, UpstreamStream};
use parvis_quic::ConnectionKey;
use parvis_session::{
    Answer, Dropped, EndReason, Event, IncomingRequest, PeerLimit, RequestKey, StreamEnd, StreamId,
};
use parvis_wire::ResetCode;

use super::{Shard, peer::OwnRequest};
use crate::Limit;

impl Shard {
    pub(super) fn session_event(&mut self, key: ConnectionKey, event: Event) {
        match event {
            Event::Object {
                stream,
                header,
                raw,
                header_len,
            } => {
                let Some(peer) = self.peers.get_mut(key) else {
                    return;
                };
                peer.story.objects_in += 1;
                peer.story.bytes_in += raw.len() as u64;
                self.stats.objects_in += 1;
                self.stats.bytes_in += raw.len() as u64;
                let (peer, stream) = (peer.id, UpstreamStream(stream.0));
                self.feed(Input::Object {
                    peer,
                    stream,
                    header,
                    raw,
                    header_len,
                });
            }
            Event::ObjectData { stream, data } => {
                let Some(peer) = self.peers.get_mut(key) else {
                    return;
                };
                peer.story.bytes_in += data.len() as u64;
                self.stats.bytes_in += data.len() as u64;
                if !peer.answers.is_empty()
                    && let Some(&request) = peer.answers.get(&stream)
                {
                    let peer = peer.id;
                    self.feed(Input::FetchData {
                        peer,
                        request,
                        data,
                    });
                    return;
                }
                let (peer, stream) = (peer.id, UpstreamStream(stream.0));
                self.feed(Input::Data { peer, stream, data });
            }
            Event::Subgroup {
                stream,
                key: request,
                header,
            } => {
                let Some(peer) = self.peers.get_mut(key) else {
                    return;
                };
                if let Some(request) = peer.request(request) {
                    let (peer, stream) = (peer.id, UpstreamStream(stream.0));
                    self.feed(Input::Subgroup {
                        peer,
                        request,
                        stream,
                        header,
                    });
                }
            }
            Event::SubgroupEnd { stream, end } => {
                let Some(peer) = self.peers.get_mut(key) else {
                    return;
                };
                let end = match end {
                    StreamEnd::Finished => SubgroupEnd::Finished,
                    StreamEnd::Reset(code) => SubgroupEnd::Reset(ResetCode::from_u64(code)),
                    StreamEnd::Abandoned => SubgroupEnd::Reset(ResetCode::Cancelled),
                };
                let (peer, stream) = (peer.id, UpstreamStream(stream.0));
                self.feed(Input::SubgroupEnd { peer, stream, end });
            }
            Event::Datagram {
                key: request,
                datagram,
                raw,
            } => {
                let Some(peer) = self.peers.get_mut(key) else {
                    return;
                };
                peer.story.objects_in += 1;
                peer.story.bytes_in += raw.len() as u64;
                self.stats.objects_in += 1;
                self.stats.bytes_in += raw.len() as u64;
                if let Some(request) = peer.request(request) {
                    let (peer, datagram) = (peer.id, Box::new(datagram));
                    self.feed(Input::Datagram {
                        peer,
                        request,
                        datagram,
                    });
                }
            }
            Event::StreamStopped { stream, .. } => self.stream_lost(key, stream),
            Event::Dropped(dropped) => self.dropped(key, &dropped),
            Event::SendReady { stream } => self.fetch_ready(key, stream),
            Event::Established { peer } => self.established(key, peer),
            Event::Request {
                key: request,
                request: asked,
            } => self.asked(key, request, asked),
            Event::Accepted {
                key: request,
                answer,
            } => self.accepted(key, request, answer),
            Event::Rejected {
                key: request,
                error,
            } => {
                self.signal_in(key, request, Signal::Reject(error));
                self.forget(key, request);
            }
            Event::Updated {
                key: request,
                id,
                mut parameters,
            } => {
                if !self.admit_update(key, request, &mut parameters) {
                    return;
                }
                let signal = if parameters.fill.is_some() {
                    Signal::FillUpdate { id, parameters }
                } else {
                    Signal::Update(parameters)
                };
                self.signal_in(key, request, signal);
            }
            Event::StateChanged {
                key: request,
                parameters,
            } => {
                self.signal_in(key, request, Signal::Notify(parameters));
            }
            Event::UpdateAccepted {
                key: request,
                parameters,
            } => {
                self.signal_in(key, request, Signal::UpdateOk(parameters));
            }
            Event::UpdateRejected {
                key: request,
                error,
            } => {
                self.signal_in(key, request, Signal::UpdateReject(error));
            }
            Event::Ended {
                key: request,
                reason,
            } => self.ended(key, request, reason),
            Event::Refused(code) => self.stats.count_refusal(code),
            Event::LimitExceeded(limit) => self.stats.count_limit(match limit {
                PeerLimit::OpenRequests => Limit::OpenRequests,
                PeerLimit::RequestRate => Limit::Requests,
                PeerLimit::PendingUpdates => Limit::PendingUpdates,
                PeerLimit::ControlBuffer => Limit::ControlBuffer,
                PeerLimit::Namespaces => Limit::Namespaces,
            }),
            Event::Closed { .. } => self.disconnect(key),
            Event::GoAway {
                key: Some(request), ..
            } => self.signal_in(key, request, Signal::GoAway),
            Event::GoAway { key: None, uri, .. } => self.going_away(key, &uri),
            Event::Fetch {
                stream,
                key: request,
            } => self.answer_began(key, stream, request),
            Event::FetchObject {
                stream,
                object,
                payload,
            } => self.answer_entry(key, stream, object, payload),
            Event::FetchEnd {
                stream,
                key: request,
                end,
            } => self.answer_ended(key, stream, request, end),
            Event::Namespace {
                key: request,
                suffix,
                path,
            } => {
                let signal = match path {
                    Some(path) => Signal::Route { suffix, path },
                    None => Signal::Namespace(suffix),
                };
                self.signal_in(key, request, signal);
            }
            Event::NamespaceDone {
                key: request,
                suffix,
            } => self.signal_in(key, request, Signal::NamespaceDone(suffix)),
            // The forwarder asks for no offers of tracks.
            Event::PublishSkipped { .. } => {}
        }
    }

    /// The session takes no more on this stream.
    pub(super) fn stream_lost(&mut self, key: ConnectionKey, stream: StreamId) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        if let Some(stream) = peer.streams.get(&stream).copied() {
            self.forget_stream(key, stream);
            self.feed(Input::StreamStopped { stream });
        } else {
            self.fetch_lost(key, stream);
        }
    }

    fn dropped(&mut self, key: ConnectionKey, dropped: &Dropped) {
        self.stats.drops.session[dropped.reason as usize] += 1;
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        peer.story.dropped.count(dropped);
        if let Some(stream) = dropped.stream {
            self.stream_lost(key, stream);
        }
    }

    fn asked(&mut self, key: ConnectionKey, request: RequestKey, mut asked: IncomingRequest) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.story.requests += 1;
        }
        if !self.admit_request(key, request, &mut asked) {
            return;
        }
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        let signal = match asked {
            IncomingRequest::Subscribe { track, parameters } => {
                Signal::Subscribe { track, parameters }
            }
            IncomingRequest::Publish {
                track,
                parameters,
                track_properties,
            } => Signal::Publish {
                track,
                parameters,
                properties: track_properties,
            },
            IncomingRequest::PublishNamespace { namespace, .. } => {
                Signal::PublishNamespace { namespace }
            }
            IncomingRequest::SubscribeNamespace { prefix, .. } => {
                Signal::SubscribeNamespace { prefix }
            }
            IncomingRequest::SubscribeTracks { prefix, parameters } => {
                Signal::SubscribeTracks { prefix, parameters }
            }
            IncomingRequest::TrackStatus { track, .. } => Signal::TrackStatus { track },
            IncomingRequest::Fetch {
                range,
                parameters,
                joining,
            } => Signal::Fetch {
                range,
                parameters,
                joining: joining.and_then(|joining| peer.request(joining)),
            },
        };
        self.signal_in(key, request, signal);
    }

    fn accepted(&mut self, key: ConnectionKey, request: RequestKey, answer: Answer) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        let signal = match answer {
            Answer::Subscribe {
                parameters,
                track_properties,
            } => Signal::SubscribeOk {
                parameters,
                properties: track_properties,
            },
            Answer::Ok {
                parameters,
                track_properties,
            } => match peer.own(request) {
                Some(OwnRequest::Publish(_)) => Signal::PublishOk { parameters },
                Some(OwnRequest::TrackStatus(_)) => {
                    let signal = Signal::TrackStatusOk {
                        parameters,
                        properties: track_properties,
                    };
                    self.signal_in(key, request, signal);
                    self.forget(key, request);
                    return;
                }
                _ => Signal::Ok,
            },
            Answer::Fetch(answer) => {
                self.signal_in(key, request, Signal::FetchOk(answer));
                if let Some(peer) = self.peers.get_mut(key) {
                    peer.half_answered(request);
                }
                return;
            }
        };
        self.signal_in(key, request, signal);
    }

    fn ended(&mut self, key: ConnectionKey, request: RequestKey, reason: EndReason) {
        if reason == EndReason::TooFarBehind {
            self.stats.count_limit(Limit::TooFarBehind);
        }
        let signal = match reason {
            EndReason::PublishDone { code, reason } => Signal::Done { code, reason },
            EndReason::Cancelled(_)
            | EndReason::Finished
            | EndReason::TooFarBehind
            | EndReason::LimitExceeded => Signal::Cancel,
        };
        self.signal_in(key, request, signal);
        self.forget(key, request);
    }

    pub(super) fn signal_in(&mut self, key: ConnectionKey, request: RequestKey, signal: Signal) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        if let Some(request) = peer.request(request) {
            let (peer, signal) = (peer.id, Box::new(signal));
            self.feed(Input::Signal {
                peer,
                request,
                signal,
            });
        }
    }

    pub(super) fn forget(&mut self, key: ConnectionKey, request: RequestKey) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.close(request);
        }
    }

    /// The forwarder asked something that the session could not pass on.
    pub(super) fn refuse(&mut self, key: ConnectionKey, request: RequestRef, signal: Signal) {
        if let Some(peer) = self.peers.get_mut(key)
            && peer.announced
        {
            let (peer, signal) = (peer.id, Box::new(signal));
            self.inputs.push_back(Input::Signal {
                peer,
                request,
                signal,
            });
        }
    }
}
