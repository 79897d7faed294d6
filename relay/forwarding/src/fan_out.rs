//! The data path: a chunk comes in once and goes out once for all its subscribers.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use parvis_wire::{Datagram, Location, ObjectHeader, ObjectStatus, ResetCode, SubgroupHeader};

use crate::{
    DropReason, Forwarder, Output, PeerId, Receiver, SubgroupEnd, Timeouts, UpstreamStream,
    keys::{SubgroupKey, TrackKey},
    peer::Request,
    subgroup::{Piece, Subgroup},
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
        let key = SubgroupKey(self.subgroups.insert(Subgroup::new(track, source, header)));
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
        if previous.is_none() && subgroup.header.first_object && !header.properties.is_empty() {
            subgroup.timeouts = Timeouts::of(&header.properties);
        }

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
            (raw, header_len)
        };
        if header.status == ObjectStatus::EndOfTrack {
            self.tracks[track_key.0].end = Some(location);
        }
        let track = &self.tracks[track_key.0];
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
                let Subgroup {
                    header: open,
                    timeouts,
                    ..
                } = self.subgroups[key.0];
                self.outputs.push_back(Output::Open {
                    targets: targets.clone(),
                    header: open,
                    timeouts,
                });
                self.write_object(targets.clone(), &header, raw.clone(), header_len);
                self.subgroups[key.0].targets = targets;
            }
        } else if !self.subgroups[key.0].pending.is_empty() {
            self.open_pending(key, &header, &raw, header_len);
        }
        if !self.tracks[track_key.0].selecting.is_empty() {
            self.select_object(key, &header, &raw, header_len);
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
        if !subgroup.targets.is_empty() {
            let targets = subgroup.targets.clone();
            self.stats.bytes_out += (data.len() * targets.len()) as u64;
            self.outputs.push_back(Output::Data {
                targets,
                data: data.clone(),
            });
        }
        if !self.subgroups[key.0].selections.is_empty() {
            self.select_data(key, &data);
        }
        self.cache(key, Piece::Data(data), now);
        let subgroup = &self.subgroups[key.0];
        if subgroup.remaining == 0 && !self.tracks[subgroup.track.0].fetches.is_empty() {
            self.answer_fetches(subgroup.track, now);
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
        self.answer_fetches(track, now);
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
        let mut receivers: Vec<Receiver> = inside.map(|r| r.receiver).collect();
        if !track.selecting.is_empty() {
            receivers.extend(self.selecting(key, &datagram));
        }
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

    fn close_subgroup(&mut self, key: SubgroupKey, end: SubgroupEnd) {
        self.end_selections(key, end);
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
        if track.next_end.is_some_and(|end| end < location) {
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
