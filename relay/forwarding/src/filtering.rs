//! Range filters: a subscription that has them gets a selection of each subgroup's objects, on a
//! stream of its own encoding.

use bytes::Bytes;
use parvis_wire::{
    Datagram, FilteredObject, ObjectHeader, ObjectId, ObjectStatus, Parameters, RangeFilters,
    RequestErrorCode,
};

use crate::{
    Forwarder, Output, Receiver, SubgroupEnd, Target, Targets,
    keys::{SubgroupKey, SubscriptionKey, TrackKey},
    subgroup::Piece,
    track::Recipient,
    window::Window,
};

/// What one subscription gets of a subgroup.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) subscription: SubscriptionKey,
    /// `None`: no object has passed.
    pub(crate) stream: Option<Target>,
    previous: Option<ObjectId>,
    /// Whether the current object passes.
    passes: bool,
    /// Nothing more is wanted of the subgroup.
    over: bool,
}

impl Selection {
    /// The subscriber takes no more of the subgroup.
    pub(crate) const fn stop(&mut self) {
        self.stream = None;
        self.over = true;
    }
}

impl Forwarder {
    /// The range filters of a request; an error is for a rejection with INVALID_FILTER.
    pub(crate) fn range_filters(
        &self,
        before: Option<&RangeFilters>,
        parameters: &Parameters,
    ) -> Result<RangeFilters, (RequestErrorCode, &'static str)> {
        let empty = RangeFilters::default();
        let filters = before.unwrap_or(&empty).updated(&parameters.range_filters);
        let code = RequestErrorCode::InvalidFilter;
        let filters = filters.map_err(|_| (code, "a range filter cannot be applied"))?;
        if filters.ranges() as u64 > self.config.max_filter_ranges {
            return Err((code, "too many ranges"));
        }
        Ok(filters)
    }

    /// Gives an object that began to the subscriptions whose filters it passes.
    pub(crate) fn select_object(
        &mut self,
        key: SubgroupKey,
        header: &ObjectHeader,
        raw: &Bytes,
        header_len: usize,
    ) {
        let track = self.subgroups[key.0].track;
        for recipient in self.tracks[track.0].selecting.clone() {
            let window = recipient.window;
            self.select_for(key, &recipient, &window, header, raw, header_len);
        }
    }

    /// Gives more of the current object to those that have its beginning.
    pub(crate) fn select_data(&mut self, key: SubgroupKey, data: &Bytes) {
        let selections = self.subgroups[key.0].selections.iter();
        let targets = selections
            .filter(|s| s.passes && !s.over)
            .filter_map(|s| s.stream);
        for target in targets.collect::<Vec<_>>() {
            self.write_data(target, data);
        }
    }

    /// Ends every selection of a subgroup.
    pub(crate) fn end_selections(&mut self, key: SubgroupKey, end: SubgroupEnd) {
        for selection in std::mem::take(&mut self.subgroups[key.0].selections) {
            if let Some(target) = selection.stream {
                self.write_end(Targets::one(target), end);
            }
        }
    }

    /// Lets go of the selection for a subscription; returns its stream.
    pub(crate) fn take_selection(
        &mut self,
        key: SubgroupKey,
        subscription: SubscriptionKey,
    ) -> Option<Target> {
        let selections = &mut self.subgroups[key.0].selections;
        let index = selections
            .iter()
            .position(|s| s.subscription == subscription)?;
        selections.swap_remove(index).stream
    }

    /// Selects from what is cached of a subgroup, and from what is to come.
    pub(crate) fn join_selecting(
        &mut self,
        key: SubgroupKey,
        recipient: &Recipient,
        replay: &Window,
    ) {
        for piece in self.subgroups[key.0].pieces.clone() {
            match piece {
                Piece::Object {
                    header,
                    raw,
                    header_len,
                } => self.select_for(key, recipient, replay, &header, &raw, header_len),
                Piece::Data(data) => {
                    let selections = self.subgroups[key.0].selections.iter();
                    let mine = selections.filter(|s| s.subscription == recipient.key);
                    let target = mine.filter(|s| s.passes && !s.over).find_map(|s| s.stream);
                    if let Some(target) = target {
                        self.write_data(target, &data);
                    }
                }
            }
        }
        if let Some(end) = self.subgroups[key.0].end
            && let Some(target) = self.take_selection(key, recipient.key)
        {
            self.write_end(Targets::one(target), end);
        }
    }

    /// The subscriptions whose filters a datagram passes.
    pub(crate) fn selecting(&self, key: TrackKey, datagram: &Datagram) -> Vec<Receiver> {
        let track = &self.tracks[key.0];
        let object = FilteredObject {
            subgroup: None,
            id: datagram.location.object,
            priority: datagram.priority.unwrap_or(track.default_priority()),
            properties: &datagram.properties,
        };
        let inside = track.selecting.iter().filter(|recipient| {
            let filters = &self.subscriptions[recipient.key.0].filters;
            recipient.window.contains(datagram.location) && filters.pass(&object)
        });
        inside.map(|recipient| recipient.receiver).collect()
    }

    fn select_for(
        &mut self,
        key: SubgroupKey,
        recipient: &Recipient,
        window: &Window,
        header: &ObjectHeader,
        raw: &Bytes,
        header_len: usize,
    ) {
        let subgroup = &mut self.subgroups[key.0];
        let location = subgroup.location(header.id);
        let mut selections = subgroup.selections.iter();
        let found = selections.position(|s| s.subscription == recipient.key);
        let index = found.unwrap_or_else(|| {
            subgroup.selections.push(Selection {
                subscription: recipient.key,
                stream: None,
                previous: None,
                passes: false,
                over: false,
            });
            subgroup.selections.len() - 1
        });
        let track = &self.tracks[subgroup.track.0];
        let object = FilteredObject {
            subgroup: Some(subgroup.id()),
            id: header.id,
            priority: subgroup.header.priority.unwrap_or(track.default_priority()),
            properties: &header.properties,
        };
        let selection = &subgroup.selections[index];
        // The end of a group or track is no object, but tells of those that came.
        let passes = if header.status == ObjectStatus::Normal {
            self.subscriptions[recipient.key.0].filters.pass(&object)
        } else {
            selection.stream.is_some()
        };
        let passes = passes && window.contains(location) && !selection.over;
        let (stream, previous) = (selection.stream, selection.previous);
        let is_past = window.end < location;
        self.subgroups[key.0].selections[index].passes = passes;
        if !passes {
            if let Some(target) = stream.filter(|_| is_past) {
                let selection = &mut self.subgroups[key.0].selections[index];
                selection.stream = None;
                selection.over = true;
                self.write_end(Targets::one(target), SubgroupEnd::Finished);
            }
            return;
        }
        let target = stream.unwrap_or_else(|| self.open_selection(key, recipient, header.id));
        let selection = &mut self.subgroups[key.0].selections[index];
        selection.stream = Some(target);
        selection.previous = Some(header.id);
        let encoded = self.subgroups[key.0].reencode_after(previous, header, raw, header_len);
        let (raw, header_len) = encoded.unwrap_or_else(|| (raw.clone(), header_len));
        self.write_object(Targets::one(target), header, raw, header_len);
    }

    fn open_selection(
        &mut self,
        key: SubgroupKey,
        recipient: &Recipient,
        first: ObjectId,
    ) -> Target {
        let subgroup = &self.subgroups[key.0];
        let mut header = if subgroup.first == Some(first) {
            subgroup.header
        } else {
            subgroup.late_header()
        };
        // The last object of the group may not pass.
        header.end_of_group = false;
        let timeouts = subgroup.timeouts;
        let target = self.open_stream(key, recipient);
        self.outputs.push_back(Output::Open {
            targets: Targets::one(target),
            header,
            timeouts,
        });
        target
    }

    fn write_data(&mut self, target: Target, data: &Bytes) {
        self.stats.bytes_out += data.len() as u64;
        self.outputs.push_back(Output::Data {
            targets: Targets::one(target),
            data: data.clone(),
        });
    }
}
