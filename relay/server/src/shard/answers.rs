//! Answers to the forwarder's own FETCHes, as they come from sessions.

use bytes::Bytes;
use parvis_forwarding::{Input, SubgroupEnd};
use parvis_quic::ConnectionKey;
use parvis_session::{RequestKey, StreamEnd, StreamId};
use parvis_wire::{FetchObject, ResetCode};

use super::Shard;

impl Shard {
    /// The stream of an answer was opened.
    pub(super) fn answer_began(
        &mut self,
        key: ConnectionKey,
        stream: StreamId,
        request: RequestKey,
    ) {
        if let Some(peer) = self.peers.get_mut(key)
            && let Some(request) = peer.request(request)
        {
            peer.answers.insert(stream, request);
        }
    }

    /// An entry of an answer began.
    pub(super) fn answer_entry(
        &mut self,
        key: ConnectionKey,
        stream: StreamId,
        object: FetchObject,
        payload: Bytes,
    ) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        let Some(&request) = peer.answers.get(&stream) else {
            return;
        };
        let objects = u64::from(matches!(object, FetchObject::Object { .. }));
        peer.story.objects_in += objects;
        peer.story.bytes_in += payload.len() as u64;
        self.stats.objects_in += objects;
        self.stats.bytes_in += payload.len() as u64;
        let (peer, object) = (peer.id, Box::new(object));
        self.feed(Input::FetchObject {
            peer,
            request,
            object,
            payload,
        });
    }

    /// The stream of an answer ended.
    pub(super) fn answer_ended(
        &mut self,
        key: ConnectionKey,
        stream: StreamId,
        request: RequestKey,
        end: StreamEnd,
    ) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        let Some(named) = peer.answers.remove(&stream) else {
            return;
        };
        let end = match end {
            StreamEnd::Finished => SubgroupEnd::Finished,
            StreamEnd::Reset(code) => SubgroupEnd::Reset(ResetCode::from_u64(code)),
            StreamEnd::Abandoned => SubgroupEnd::Reset(ResetCode::Cancelled),
        };
        let peer = peer.id;
        self.feed(Input::FetchEnd {
            peer,
            request: named,
            end,
        });
        if let Some(peer) = self.peers.get_mut(key) {
            peer.half_answered(request);
        }
    }
}
