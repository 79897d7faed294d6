//! How a subscription joins the streams of its track, and leaves them.

use crate::{
    Forwarder, Output, SubgroupEnd, Target, Targets,
    keys::{SubgroupKey, SubscriptionKey},
    subgroup::Piece,
    subscribing::CANCELLED,
    track::Recipient,
    window::{Window, next_object},
};

impl Forwarder {
    /// Lets objects flow: those of the cache that the subscription asks for, then live ones.
    pub(crate) fn join(&mut self, key: SubscriptionKey) {
        let subscription = &self.subscriptions[key.0];
        let window = subscription.window;
        let recipient = Recipient {
            key,
            receiver: subscription.receiver,
            window,
        };
        let mut replay = Window {
            start: subscription.replay_start.max(window.start),
            ..window
        };
        if let Some(paused_at) = subscription.paused_at {
            replay.start = replay.start.max(next_object(paused_at));
        }
        let is_selecting = !subscription.filters.is_empty();
        let track = &mut self.tracks[subscription.track.0];
        if is_selecting {
            track.selecting.push(recipient);
        } else {
            track.receivers.push(recipient);
        }
        let mut subgroups = Vec::new();
        for (group, state) in &track.groups {
            if (window.start.group..=window.end.group).contains(group) {
                subgroups.extend_from_slice(&state.subgroups);
            }
        }
        for subgroup in subgroups {
            if is_selecting {
                self.join_selecting(subgroup, &recipient, &replay);
            } else {
                self.join_subgroup(subgroup, &recipient, &replay);
            }
        }
    }

    /// Joins a subscription to a subgroup that has objects.
    fn join_subgroup(&mut self, key: SubgroupKey, recipient: &Recipient, replay: &Window) {
        let subgroup = &self.subgroups[key.0];
        let Some(first) = subgroup.join_at(replay) else {
            let is_over = subgroup
                .last
                .is_some_and(|l| subgroup.location(l) >= replay.end);
            if subgroup.end.is_none() && !is_over {
                self.subgroups[key.0].pending.push(recipient.key);
            }
            return;
        };
        let header = if first == 0 {
            subgroup.header
        } else {
            subgroup.late_header()
        };
        let timeouts = subgroup.timeouts;
        let target = self.open_stream(key, recipient);
        self.outputs.push_back(Output::Open {
            targets: Targets::one(target),
            header,
            timeouts,
        });
        let is_past_end = self.replay(key, first, target, replay);
        let subgroup = &mut self.subgroups[key.0];
        let end = if is_past_end {
            Some(SubgroupEnd::Finished)
        } else {
            subgroup.end
        };
        if let Some(end) = end {
            self.write_end(Targets::one(target), end);
        } else {
            subgroup.bounded |= replay.ends_inside(subgroup.group());
            subgroup.targets.to_mut().push(target);
        }
    }

    /// Writes what is cached of a subgroup; says whether the end of the window was passed.
    fn replay(&mut self, key: SubgroupKey, first: usize, target: Target, window: &Window) -> bool {
        let targets = Targets::one(target);
        let mut index = first;
        while let Some(piece) = self.subgroups[key.0].pieces.get(index).cloned() {
            match piece {
                Piece::Object {
                    header,
                    raw,
                    header_len,
                } => {
                    let subgroup = &self.subgroups[key.0];
                    if !window.contains(subgroup.location(header.id)) {
                        return true;
                    }
                    let start = (index == first && index > 0)
                        .then(|| subgroup.reencode(&header, &raw, header_len))
                        .flatten();
                    let (raw, header_len) = start.unwrap_or((raw, header_len));
                    self.write_object(targets.clone(), &header, raw, header_len);
                }
                Piece::Data(data) => {
                    self.stats.bytes_out += data.len() as u64;
                    self.outputs.push_back(Output::Data {
                        targets: targets.clone(),
                        data,
                    });
                }
            }
            index += 1;
        }
        false
    }

    /// Stops the flow of objects: ends the streams of a subscription.
    pub(crate) fn leave(&mut self, key: SubscriptionKey, end: SubgroupEnd) {
        let subscription = &self.subscriptions[key.0];
        let receiver = subscription.receiver;
        let track = &mut self.tracks[subscription.track.0];
        track.receivers.retain(|recipient| recipient.key != key);
        track.selecting.retain(|recipient| recipient.key != key);
        let mut closed = Vec::new();
        for live in track.live.clone() {
            let subgroup = &mut self.subgroups[live.0];
            subgroup.pending.retain(|pending| *pending != key);
            closed.extend(self.take_target(live, key));
            closed.extend(self.take_selection(live, key));
        }
        if self.peers.contains_key(&receiver.peer) {
            self.end_each(closed, end);
        } else {
            for target in closed {
                self.streams_out.remove(target.stream.index());
                self.subscriptions[key.0].open_streams -= 1;
            }
        }
    }

    /// Changes what a subscription asks for from now on: leaves the streams that are outside,
    /// joins those inside with their next object.
    pub(crate) fn change_window(&mut self, key: SubscriptionKey, window: Window) {
        let subscription = &mut self.subscriptions[key.0];
        let track = &mut self.tracks[subscription.track.0];
        subscription.window = window;
        subscription.replay_start = window.start;
        subscription.deadline = None;
        let mut recipients = track.receivers.iter_mut().chain(&mut track.selecting);
        let Some(recipient) = recipients.find(|r| r.key == key) else {
            return;
        };
        recipient.window = window;
        let is_selecting = !subscription.filters.is_empty();
        let mut closed = Vec::new();
        for live in track.live.clone() {
            let subgroup = &mut self.subgroups[live.0];
            let group = subgroup.group();
            let inside = (window.start.group..=window.end.group).contains(&group);
            let is_joined = subgroup
                .targets
                .iter()
                .any(|target| self.streams_out[target.stream.index()].subscription == key);
            if !inside {
                subgroup.pending.retain(|pending| *pending != key);
                closed.extend(self.take_target(live, key));
                closed.extend(self.take_selection(live, key));
            } else if is_selecting {
                // Each object is looked at.
            } else if is_joined {
                subgroup.bounded |= window.ends_inside(group);
            } else if subgroup.started && !subgroup.pending.contains(&key) {
                subgroup.pending.push(key);
            }
        }
        self.end_each(closed, CANCELLED);
    }

    /// Ends streams of one peer, each by itself: a list names a shard once at most.
    fn end_each(&mut self, targets: Vec<Target>, end: SubgroupEnd) {
        for target in targets {
            self.write_end(Targets::one(target), end);
        }
    }

    fn take_target(&mut self, subgroup: SubgroupKey, key: SubscriptionKey) -> Option<Target> {
        let streams = &self.streams_out;
        let targets = &mut self.subgroups[subgroup.0].targets;
        let is_its = |target: &Target| streams[target.stream.index()].subscription == key;
        let index = targets.iter().position(is_its)?;
        Some(targets.to_mut().swap_remove(index))
    }
}
