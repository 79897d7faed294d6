//! Streams to subscribers: how they open, what is written to them, how they end.

use bytes::Bytes;
use parvis_wire::{Location, ObjectHeader};

use crate::{
    Forwarder, Output, Receiver, StreamKey, SubgroupEnd, Target, Targets, forwarder::StreamOut,
    keys::SubgroupKey, track::Recipient,
};

impl Forwarder {
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
    pub(crate) fn open_for_all(&mut self, key: SubgroupKey, location: Location) -> Targets {
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
    pub(crate) fn open_pending(
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
        let timeouts = subgroup.timeouts;
        let targets = Targets::new(late);
        self.outputs.push_back(Output::Open {
            targets: targets.clone(),
            header: open,
            timeouts,
        });
        self.write_object(targets, header, raw, header_len);
    }

    /// Finishes streams whose window ends before this object.
    pub(crate) fn close_bounded(&mut self, key: SubgroupKey, location: Location) {
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
        let subgroup = &mut self.subgroups[out.subgroup.0];
        let targets = &mut subgroup.targets;
        if let Some(index) = targets.iter().position(|target| target.stream == stream) {
            targets.to_mut().swap_remove(index);
        }
        for selection in &mut subgroup.selections {
            if selection
                .stream
                .is_some_and(|target| target.stream == stream)
            {
                selection.stop();
            }
        }
    }
}
