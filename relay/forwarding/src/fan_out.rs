//! The data path: a chunk comes in once and goes out once for all its subscribers.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use parvis_wire::{Datagram, Location, ObjectHeader, ResetCode, SubgroupHeader};

use crate::{
    DropReason, Forwarder, Output, PeerId, Receiver, StreamKey, SubgroupEnd, Target, Targets,
    UpstreamStream,
    forwarder::StreamOut,
    keys::{SubgroupKey, TrackKey},
    peer::Request,
    subgroup::{Piece, Subgroup},
    track::Recipient,
};

impl Forwarder {
    /// A publisher opened a stream. Subscribers get theirs with the first object.
    pub(crate) fn subgroup(
        &mut self,
        from: Receiver,
        stream: UpstreamStream,
        header: SubgroupHeader,
    ) {
        let source = (from.peer, stream);
        let Some(track) = self.track_of(from) else {
            self.stats.count_drop(DropReason::UnknownStream);
            return;
        };
        let copies = !self.is_shard(from.peer);
        let key = SubgroupKey(
            self.subgroups
                .insert(Subgroup::new(track, source, header, copies)),
        );
        self.tracks[track.0].live.push(key);
        let before = self.streams_in.insert(source, key);
        debug_assert!(before.is_none(), "a stream is opened once");
    }

    pub(crate) fn object(
        &mut self,
        from: (PeerId, UpstreamStream),
        header: ObjectHeader,
        raw: Bytes,
        header_len: usize,
        now: Instant,
    ) {
        self.stats.objects_in += 1;
        self.stats.bytes_in += raw.len() as u64;
        let Some(&key) = self.streams_in.get(&from) else {
            self.stats.count_drop(DropReason::UnknownStream);
            return;
        };
        let subgroup = &mut self.subgroups[key.0];
        let location = subgroup.location(header.id);
        let object_len = header.payload_len.saturating_add(header_len as u64);
        subgroup.remaining = object_len.saturating_sub(raw.len() as u64);
        subgroup.first.get_or_insert(header.id);
        let previous = subgroup.last.replace(header.id);

        let track_key = subgroup.track;
        let track = &self.tracks[track_key.0];
        subgroup.dropping = track.floor.is_some_and(|floor| location <= floor);
        if subgroup.dropping {
            self.stats.count_drop(DropReason::Duplicate);
            return;
        }
        let is_new_start = !subgroup.started;
        let (raw, header_len) = if is_new_start && previous.is_some() {
            // What came before was dropped: for everyone the subgroup starts here.
            subgroup.header = subgroup.late_header();
            let start = subgroup.reencode(&header, &raw, header_len);
            start.unwrap_or((raw, header_len))
        } else {
            (subgroup.keep(raw, object_len), header_len)
        };
        if track.largest.is_none_or(|largest| largest < location) {
            self.advance(track_key, location, now);
        }
        if is_new_start {
            self.start_subgroup(key, now);
        }

        let subgroup = &self.subgroups[key.0];
        if subgroup.bounded {
            self.close_bounded(key, location);
        }
        let subgroup = &self.subgroups[key.0];
        if !subgroup.targets.is_empty() {
            self.write_object(subgroup.targets.clone(), &header, raw.clone(), header_len);
        }
        if is_new_start {
            let targets = self.open_for_all(key, location);
            if !targets.is_empty() {
                let open = self.subgroups[key.0].header;
                self.outputs.push_back(Output::Open {
                    targets: targets.clone(),
                    header: open,
                });
                self.write_object(targets.clone(), &header, raw.clone(), header_len);
                self.subgroups[key.0].targets = targets;
            }
        } else if !self.subgroups[key.0].pending.is_empty() {
            self.open_pending(key, &header, &raw, header_len);
        }
        self.cache(
            key,
            Piece::Object {
                header,
                raw,
                header_len,
            },
            now,
        );
    }

    pub(crate) fn data(&mut self, from: (PeerId, UpstreamStream), data: Bytes, now: Instant) {
        self.stats.bytes_in += data.len() as u64;
        let Some(&key) = self.streams_in.get(&from) else {
            return;
        };
        let subgroup = &mut self.subgroups[key.0];
        subgroup.remaining = subgroup.remaining.saturating_sub(data.len() as u64);
        if subgroup.dropping || !subgroup.started {
            return;
        }
        let object_len = subgroup.remaining.saturating_add(data.len() as u64);
        let data = subgroup.keep(data, object_len);
        if !subgroup.targets.is_empty() {
            let targets = subgroup.targets.clone();
            self.stats.bytes_out += (data.len() * targets.len()) as u64;
            self.outputs.push_back(Output::Data {
                targets,
                data: data.clone(),
            });
        }
        self.cache(key, Piece::Data(data), now);
        let subgroup = &self.subgroups[key.0];
        if subgroup.remaining == 0 && !self.tracks[subgroup.track.0].fetches.is_empty() {
            self.answer_fetches(subgroup.track);
        }
    }

    pub(crate) fn subgroup_end(
        &mut self,
        from: (PeerId, UpstreamStream),
        end: SubgroupEnd,
        now: Instant,
    ) {
        let Some(&key) = self.streams_in.get(&from) else {
            return;
        };
        let subgroup = &self.subgroups[key.0];
        let track = subgroup.track;
        let end = match end {
            SubgroupEnd::Finished if subgroup.remaining > 0 => {
                SubgroupEnd::Reset(ResetCode::InternalError)
            }
            end => end,
        };
        self.tracks[track.0].live.retain(|live| *live != key);
        self.close_subgroup(key, end);
        self.answer_fetches(track);
        let track_state = &self.tracks[track.0];
        if track_state.ending.is_some() && track_state.live.is_empty() {
            self.end_track(track, now);
        }
    }

    /// Ends what streams in for a track.
    pub(crate) fn abandon_live(&mut self, track: TrackKey, end: SubgroupEnd) {
        for key in std::mem::take(&mut self.tracks[track.0].live) {
            self.close_subgroup(key, end);
        }
    }

    pub(crate) fn datagram(&mut self, from: Receiver, datagram: Box<Datagram>, now: Instant) {
        self.stats.objects_in += 1;
        self.stats.bytes_in += datagram.payload.len() as u64;
        let Some(key) = self.track_of(from) else {
            self.stats.count_drop(DropReason::UnknownStream);
            return;
        };
        let location = datagram.location;
        let track = &self.tracks[key.0];
        if track.floor.is_some_and(|floor| location <= floor) {
            self.stats.count_drop(DropReason::Duplicate);
            return;
        }
        let inside = track
            .receivers
            .iter()
            .filter(|r| r.window.contains(location));
        let receivers: Vec<Receiver> = inside.map(|r| r.receiver).collect();
        if track.largest.is_none_or(|largest| largest < location) {
            self.advance(key, location, now);
        }
        if !receivers.is_empty() {
            self.stats.objects_out += receivers.len() as u64;
            self.stats.bytes_out += (datagram.payload.len() * receivers.len()) as u64;
            self.outputs.push_back(Output::Datagram {
                receivers: Arc::new(receivers),
                datagram,
            });
        }
    }

    /// A stream to a subscriber takes no more.
    pub(crate) fn stream_stopped(&mut self, stream: StreamKey) {
        let index = stream.index();
        let Some(&out) = self
            .streams_out
            .get(index)
            .filter(|o| o.generation == stream.generation())
        else {
            return;
        };
        self.streams_out.remove(index);
        self.subscriptions[out.subscription.0].open_streams -= 1;
        let targets = &mut self.subgroups[out.subgroup.0].targets;
        if let Some(index) = targets.iter().position(|target| target.stream == stream) {
            targets.to_mut().swap_remove(index);
        }
    }

    /// Writes the start of an object.
    pub(crate) fn write_object(
        &mut self,
        targets: Targets,
        header: &ObjectHeader,
        raw: Bytes,
        header_len: usize,
    ) {
        self.stats.objects_out += targets.len() as u64;
        self.stats.bytes_out += (raw.len() * targets.len()) as u64;
        self.outputs.push_back(Output::Object {
            targets,
            header: header.clone(),
            raw,
            header_len,
        });
    }

    /// Ends streams and frees their keys.
    pub(crate) fn write_end(&mut self, targets: Targets, end: SubgroupEnd) {
        for target in targets.iter() {
            let out = self.streams_out.remove(target.stream.index());
            self.subscriptions[out.subscription.0].open_streams -= 1;
        }
        if !targets.is_empty() {
            self.outputs.push_back(Output::End { targets, end });
        }
    }

    /// A new stream for a subscription; the caller says so to the driver.
    pub(crate) fn open_stream(&mut self, subgroup: SubgroupKey, recipient: &Recipient) -> Target {
        let subscription = recipient.key;
        self.subscriptions[subscription.0].open_streams += 1;
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let out = StreamOut {
            subgroup,
            subscription,
            generation,
        };
        let stream = StreamKey::new(self.streams_out.insert(out), generation);
        let Receiver { peer, request } = recipient.receiver;
        Target {
            peer,
            request,
            stream,
        }
    }

    /// Opens a stream for every subscription that wants the first object of a subgroup.
    fn open_for_all(&mut self, key: SubgroupKey, location: Location) -> Targets {
        let receivers = std::mem::take(&mut self.tracks[self.subgroups[key.0].track.0].receivers);
        let mut targets = Vec::with_capacity(receivers.len());
        for recipient in &receivers {
            let window = &recipient.window;
            if window.contains(location) {
                targets.push(self.open_stream(key, recipient));
                self.subgroups[key.0].bounded |= window.ends_inside(location.group);
            } else if window.may_open_after(location) {
                self.subgroups[key.0].pending.push(recipient.key);
            }
        }
        self.tracks[self.subgroups[key.0].track.0].receivers = receivers;
        Targets::new(targets)
    }

    /// Opens a stream for each subscription that waited for this object or an earlier one.
    fn open_pending(
        &mut self,
        key: SubgroupKey,
        header: &ObjectHeader,
        raw: &Bytes,
        header_len: usize,
    ) {
        let location = self.subgroups[key.0].location(header.id);
        let mut late = Vec::new();
        for waiting in std::mem::take(&mut self.subgroups[key.0].pending) {
            let subscription = &self.subscriptions[waiting.0];
            let (window, receiver) = (subscription.window, subscription.receiver);
            if window.contains(location) {
                late.push(self.open_stream(
                    key,
                    &Recipient {
                        key: waiting,
                        receiver,
                        window,
                    },
                ));
                self.subgroups[key.0].bounded |= window.ends_inside(location.group);
            } else if location < window.start {
                self.subgroups[key.0].pending.push(waiting);
            }
        }
        if late.is_empty() {
            return;
        }
        let subgroup = &mut self.subgroups[key.0];
        let start = subgroup.reencode(header, raw, header_len);
        let (raw, header_len) = start.unwrap_or((raw.clone(), header_len));
        subgroup.targets.to_mut().extend_from_slice(&late);
        let open = subgroup.late_header();
        let targets = Targets::new(late);
        self.outputs.push_back(Output::Open {
            targets: targets.clone(),
            header: open,
        });
        self.write_object(targets, header, raw, header_len);
    }

    /// Finishes streams whose window ends before this object.
    fn close_bounded(&mut self, key: SubgroupKey, location: Location) {
        let (subscriptions, streams) = (&self.subscriptions, &self.streams_out);
        let is_over = |target: &Target| {
            let out = streams[target.stream.index()];
            subscriptions[out.subscription.0].window.end < location
        };
        let targets = &mut self.subgroups[key.0].targets;
        let over: Vec<Target> = targets.iter().copied().filter(is_over).collect();
        if !over.is_empty() {
            targets.to_mut().retain(|target| !is_over(target));
            self.write_end(Targets::new(over), SubgroupEnd::Finished);
        }
    }

    fn close_subgroup(&mut self, key: SubgroupKey, end: SubgroupEnd) {
        let subgroup = &mut self.subgroups[key.0];
        self.streams_in.remove(&subgroup.source);
        let targets = std::mem::take(&mut subgroup.targets);
        subgroup.close(end);
        if !subgroup.cached {
            self.remove_subgroup(key);
        }
        self.write_end(targets, end);
    }

    /// The track has a larger object than before.
    fn advance(&mut self, key: TrackKey, location: Location, now: Instant) {
        let track = &mut self.tracks[key.0];
        let before = track.largest.replace(location);
        if before.is_none_or(|before| before.group < location.group) {
            track.new_group_asked = None;
        }
        if track.bounded > 0 {
            self.check_ranges(key, now);
        }
    }

    /// The track whose established source this subscription is.
    fn track_of(&self, from: Receiver) -> Option<TrackKey> {
        let (Request::Upstream(key) | Request::Published(key)) = self.request(from)? else {
            return None;
        };
        let upstream = self.tracks[key.0].established()?;
        (upstream.receiver() == from).then_some(*key)
    }
}
