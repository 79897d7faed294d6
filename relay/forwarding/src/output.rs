use std::{ops::Deref, sync::Arc};

use bytes::Bytes;
use parvis_wire::{Datagram, FetchObject, ObjectHeader, Properties, PropertyValue, SubgroupHeader};

use crate::{Input, PeerId, RequestRef, Signal, StreamKey, SubgroupEnd};

/// What the driver must do, from [`Forwarder::poll`](crate::Forwarder::poll), in that order.
///
/// Data outputs carry one list for all subscribers: one output a chunk, however many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Tell a peer something about a request; `RequestRef::Ours` is new with the signals
    /// `Subscribe`, `Publish` and `PublishNamespace`.
    Signal {
        /// The peer.
        peer: PeerId,
        /// The request.
        request: RequestRef,
        /// What to say.
        signal: Box<Signal>,
    },
    /// Open a stream to each target with this header; the alias in it means nothing.
    Open {
        /// The new streams.
        targets: Targets,
        /// What they carry.
        header: SubgroupHeader,
        /// The publisher's timeouts for this subgroup.
        timeouts: Timeouts,
    },
    /// Write the start of an object to each target.
    Object {
        /// The streams.
        targets: Targets,
        /// The object.
        header: ObjectHeader,
        /// The encoded header and as much payload as has come.
        raw: Bytes,
        /// The length of the encoded header.
        header_len: usize,
    },
    /// Write more payload to each target.
    Data {
        /// The streams.
        targets: Targets,
        /// The bytes.
        data: Bytes,
    },
    /// End the stream of each target; its key is free then.
    End {
        /// The streams.
        targets: Targets,
        /// How.
        end: SubgroupEnd,
    },
    /// Send a datagram for each receiver; the alias in it means nothing.
    Datagram {
        /// The subscriptions.
        receivers: Arc<Vec<Receiver>>,
        /// The object.
        datagram: Box<Datagram>,
    },
    /// Write an entry to the stream of a FETCH, opening it if this is the first.
    FetchObject {
        /// The peer.
        peer: PeerId,
        /// The FETCH.
        request: RequestRef,
        /// The entry.
        object: Box<FetchObject>,
        /// As much of its payload as has come.
        payload: Bytes,
    },
    /// Write more payload of the current object of a FETCH.
    FetchData {
        /// The peer.
        peer: PeerId,
        /// The FETCH.
        request: RequestRef,
        /// The next bytes of payload.
        data: Bytes,
    },
    /// End the stream of a FETCH, opening it if nothing was written; the request is over.
    FetchEnd {
        /// The peer.
        peer: PeerId,
        /// The FETCH.
        request: RequestRef,
        /// How.
        end: SubgroupEnd,
    },
}

/// Delivery timeouts that the first object of a subgroup has as properties, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Timeouts {
    /// OBJECT_DELIVERY_TIMEOUT; 0: none, whatever the track has.
    pub object: Option<u64>,
    /// SUBGROUP_DELIVERY_TIMEOUT; 0: none, whatever the track has.
    pub subgroup: Option<u64>,
}

impl Timeouts {
    pub(crate) fn of(properties: &Properties) -> Self {
        let mut timeouts = Self::default();
        for property in properties.iter().map_while(Result::ok) {
            match (property.kind, property.value) {
                (OBJECT_DELIVERY_TIMEOUT, PropertyValue::Integer(value)) => {
                    timeouts.object = Some(value);
                }
                (SUBGROUP_DELIVERY_TIMEOUT, PropertyValue::Integer(value)) => {
                    timeouts.subgroup = Some(value);
                }
                _ => {}
            }
        }
        timeouts
    }
}

/// Property types. draft-ietf-moq-transport-22, "MOQT Properties".
const OBJECT_DELIVERY_TIMEOUT: u64 = 0x02;
const SUBGROUP_DELIVERY_TIMEOUT: u64 = 0x06;

/// A subscription that objects go to: our answer to a SUBSCRIBE, or our PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Receiver {
    /// The subscriber.
    pub peer: PeerId,
    /// The subscription.
    pub request: RequestRef,
}

/// A stream to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    /// The subscriber.
    pub peer: PeerId,
    /// The subscription.
    pub request: RequestRef,
    /// The stream.
    pub stream: StreamKey,
}

/// A shared list of streams; cheap to clone. It names a shard once at most.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets(Arc<Vec<Target>>);

impl Targets {
    pub(crate) fn new(targets: Vec<Target>) -> Self {
        Self(Arc::new(targets))
    }

    pub(crate) fn one(target: Target) -> Self {
        Self::new(vec![target])
    }

    /// The list to change; copied if an output still holds it.
    pub(crate) fn to_mut(&mut self) -> &mut Vec<Target> {
        Arc::make_mut(&mut self.0)
    }
}

impl Deref for Targets {
    type Target = [Target];

    fn deref(&self) -> &[Target] {
        &self.0
    }
}

impl Output {
    /// This output as the input of another shard's forwarder, if it concerns that shard.
    ///
    /// shard: the peer that stands for it here. sender: the peer that stands for us there.
    pub fn for_shard(&self, shard: PeerId, sender: PeerId) -> Option<Input> {
        let find = |targets: &Targets| targets.iter().find(|t| t.peer == shard).copied();
        let upstream = |target: Target| target.stream.upstream();
        let input = match self {
            Self::Signal {
                peer,
                request,
                signal,
            } => {
                if *peer != shard {
                    return None;
                }
                Input::Signal {
                    peer: sender,
                    request: request.mirrored(),
                    signal: signal.clone(),
                }
            }
            Self::Open {
                targets, header, ..
            } => {
                let target = find(targets)?;
                Input::Subgroup {
                    peer: sender,
                    request: target.request.mirrored(),
                    stream: upstream(target),
                    header: *header,
                }
            }
            Self::Object {
                targets,
                header,
                raw,
                header_len,
            } => Input::Object {
                peer: sender,
                stream: upstream(find(targets)?),
                header: header.clone(),
                raw: raw.clone(),
                header_len: *header_len,
            },
            Self::Data { targets, data } => Input::Data {
                peer: sender,
                stream: upstream(find(targets)?),
                data: data.clone(),
            },
            Self::End { targets, end } => Input::SubgroupEnd {
                peer: sender,
                stream: upstream(find(targets)?),
                end: *end,
            },
            Self::Datagram {
                receivers,
                datagram,
            } => {
                let receiver = receivers.iter().find(|r| r.peer == shard)?;
                Input::Datagram {
                    peer: sender,
                    request: receiver.request.mirrored(),
                    datagram: datagram.clone(),
                }
            }
            Self::FetchObject {
                peer,
                request,
                object,
                payload,
            } => {
                if *peer != shard {
                    return None;
                }
                Input::FetchObject {
                    peer: sender,
                    request: request.mirrored(),
                    object: object.clone(),
                    payload: payload.clone(),
                }
            }
            Self::FetchData {
                peer,
                request,
                data,
            } => {
                if *peer != shard {
                    return None;
                }
                Input::FetchData {
                    peer: sender,
                    request: request.mirrored(),
                    data: data.clone(),
                }
            }
            Self::FetchEnd { peer, request, end } => {
                if *peer != shard {
                    return None;
                }
                Input::FetchEnd {
                    peer: sender,
                    request: request.mirrored(),
                    end: *end,
                }
            }
        };
        Some(input)
    }
}
