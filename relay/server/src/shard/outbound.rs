//! What the forwarder wants done, done to sessions.

use bytes::Bytes;
use parvis_forwarding::{Input, Output, Receiver, StreamKey, SubgroupEnd, Target, Timeouts};
use parvis_quic::ConnectionKey;
use parvis_session::{DatagramOptions, SendRefused, StreamId, SubgroupOptions, SubgroupTimeouts};
use parvis_wire::{Datagram, SubgroupHeader};

use super::{Shard, shard_of, shard_peer};
use crate::Limit;

impl Shard {
    pub(super) fn carry_out(&mut self, output: Output) {
        match &output {
            Output::Object { targets, raw, .. } => {
                for target in targets.iter() {
                    if let Some(shard) = shard_of(target.peer) {
                        self.pass_to_shard(shard, &output);
                    } else {
                        self.write(target, raw, 1);
                    }
                }
            }
            Output::Data { targets, data } => {
                for target in targets.iter() {
                    if let Some(shard) = shard_of(target.peer) {
                        self.pass_to_shard(shard, &output);
                    } else {
                        self.write(target, data, 0);
                    }
                }
            }
            Output::Open {
                targets,
                header,
                timeouts,
            } => {
                for target in targets.iter() {
                    if let Some(shard) = shard_of(target.peer) {
                        self.pass_to_shard(shard, &output);
                    } else {
                        self.open(target, header, *timeouts);
                    }
                }
            }
            Output::End { targets, end } => {
                for target in targets.iter() {
                    if let Some(shard) = shard_of(target.peer) {
                        self.pass_to_shard(shard, &output);
                    } else {
                        self.end(target, *end);
                    }
                }
            }
            Output::Datagram {
                receivers,
                datagram,
            } => {
                for receiver in receivers.iter() {
                    if let Some(shard) = shard_of(receiver.peer) {
                        self.pass_to_shard(shard, &output);
                    } else {
                        self.send_datagram(receiver, datagram);
                    }
                }
            }
            Output::Signal { peer, .. } => {
                if let Some(shard) = shard_of(*peer) {
                    self.pass_to_shard(shard, &output);
                } else if let Output::Signal {
                    peer,
                    request,
                    signal,
                } = output
                {
                    self.signal_out(ConnectionKey::from_u64(peer.0), request, *signal);
                }
            }
            Output::FetchObject { peer, .. }
            | Output::FetchData { peer, .. }
            | Output::FetchEnd { peer, .. }
                if shard_of(*peer).is_some() =>
            {
                if let Some(shard) = shard_of(*peer) {
                    self.pass_to_shard(shard, &output);
                }
            }
            Output::FetchObject { .. } | Output::FetchData { .. } | Output::FetchEnd { .. } => {
                match output {
                    Output::FetchObject {
                        peer,
                        request,
                        object,
                        payload,
                    } => {
                        self.fetch_object(
                            ConnectionKey::from_u64(peer.0),
                            request,
                            object,
                            payload,
                        );
                    }
                    Output::FetchData {
                        peer,
                        request,
                        data,
                    } => self.fetch_data(ConnectionKey::from_u64(peer.0), request, data),
                    Output::FetchEnd { peer, request, end } => {
                        self.fetch_end(ConnectionKey::from_u64(peer.0), request, end);
                    }
                    _ => {}
                }
            }
        }
    }

    fn pass_to_shard(&mut self, shard: usize, output: &Output) {
        let us = shard_peer(self.index.into());
        if let (Some(link), Some(input)) = (
            self.links.to(shard),
            output.for_shard(shard_peer(shard), us),
        ) {
            link.input(input);
        }
    }

    fn open(&mut self, target: &Target, header: &SubgroupHeader, timeouts: Timeouts) {
        let key = ConnectionKey::from_u64(target.peer.0);
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        let options = SubgroupOptions {
            group: header.group,
            subgroup: header.subgroup,
            priority: header.priority,
            has_properties: header.has_properties,
            end_of_group: header.end_of_group,
            first_object: header.first_object,
        };
        let opened = peer.key(target.request).and_then(|request| {
            let session = self.endpoint.session(key)?;
            Some(session.open_subgroup(request, &options, self.now))
        });
        if let Some(Ok(stream)) = opened {
            if timeouts != Timeouts::default()
                && let Some(session) = self.endpoint.session(key)
            {
                let Timeouts { object, subgroup } = timeouts;
                session.set_timeouts(stream, SubgroupTimeouts { object, subgroup });
            }
            peer.streams.insert(stream, target.stream);
            self.streams.insert(target.stream, stream);
            return;
        }
        // Otherwise the subscriber has just lost interest.
        if let Some(Err(SendRefused::TooManyStreams(_))) = opened {
            self.stats.count_limit(Limit::SendStreams);
        }
        self.inputs.push_back(Input::StreamStopped {
            stream: target.stream,
        });
    }

    /// objects: how many begin with these bytes.
    fn write(&mut self, target: &Target, data: &Bytes, objects: u64) {
        let key = ConnectionKey::from_u64(target.peer.0);
        // Refused before, or dropped in this turn.
        let Some(stream) = self.streams.get_mut(target.stream) else {
            return;
        };
        let Some(session) = self.endpoint.session(key) else {
            return;
        };
        if session.write_raw(stream.id, data.clone(), self.now).is_ok() {
            let bytes = data.len() as u64;
            stream.objects += objects;
            stream.bytes += bytes;
            self.stats.objects_out += objects;
            self.stats.bytes_out += bytes;
        } else {
            self.forget_stream(key, target.stream);
            self.inputs.push_back(Input::StreamStopped {
                stream: target.stream,
            });
        }
    }

    fn end(&mut self, target: &Target, end: SubgroupEnd) {
        let key = ConnectionKey::from_u64(target.peer.0);
        let Some(stream) = self.forget_stream(key, target.stream) else {
            return;
        };
        let Some(session) = self.endpoint.session(key) else {
            return;
        };
        // Refused where the session gave the stream up itself.
        let _ = match end {
            SubgroupEnd::Finished => session.finish_subgroup(stream, self.now),
            SubgroupEnd::Reset(code) => session.reset_subgroup(stream, code, self.now),
        };
    }

    /// A stream of objects is over, for whatever reason: the session's name for it.
    pub(super) fn forget_stream(
        &mut self,
        connection: ConnectionKey,
        stream: StreamKey,
    ) -> Option<StreamId> {
        let stream = self.streams.remove(stream)?;
        if let Some(peer) = self.peers.get_mut(connection) {
            peer.streams.remove(&stream.id);
            peer.story.add(&stream);
        }
        Some(stream.id)
    }

    fn send_datagram(&mut self, receiver: &Receiver, datagram: &Datagram) {
        let key = ConnectionKey::from_u64(receiver.peer.0);
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        let Some(request) = peer.key(receiver.request) else {
            return;
        };
        let Some(session) = self.endpoint.session(key) else {
            return;
        };
        let options = DatagramOptions {
            location: datagram.location,
            priority: datagram.priority,
            end_of_group: datagram.end_of_group,
            properties: datagram.properties.clone(),
            status: datagram.status,
            payload: datagram.payload.clone(),
        };
        let bytes = datagram.payload.len() as u64;
        // Refused where the subscriber has just lost interest.
        if session.send_datagram(request, options, self.now).is_ok() {
            peer.story.objects_out += 1;
            peer.story.bytes_out += bytes;
            self.stats.objects_out += 1;
            self.stats.bytes_out += bytes;
        }
    }
}
