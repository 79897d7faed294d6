use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use parvis_session::{RequestKey, Session, StreamId};
use parvis_wire::{Location, PublishDoneCode};

use super::{
    PublicationKind,
    group_stream::{Object, open, write},
};

/// What one connection is still to send, and to whom.
#[derive(Debug, Default)]
pub(super) struct Feed {
    steps: VecDeque<Step>,
    pub(super) subscribers: BTreeMap<RequestKey, Subscriber>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Object(Location, Object),
    EndGroup,
    Done,
}

/// Steps that wait for a connection's task, at most: one that does so little goes on with the
/// next group.
const MAX_STEPS: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Subscriber {
    pub(super) paused: bool,
    pub(super) stream: Option<StreamId>,
}

impl Feed {
    pub(super) fn is_watched(&self) -> bool {
        self.subscribers.values().any(|s| !s.paused)
    }

    /// Returns whether the step could be added.
    pub(super) fn push(&mut self, step: Step) -> bool {
        if !self.is_watched() {
            return true;
        }
        if self.steps.len() >= MAX_STEPS {
            // The streams lack an object now: they end, and what follows them is not sent.
            self.steps.clear();
            self.steps.push_back(Step::EndGroup);
            return false;
        }
        self.steps.push_back(step);
        true
    }

    pub(super) fn has_steps(&self) -> bool {
        !self.steps.is_empty()
    }

    /// Ends the track for these subscribers, after what waits.
    pub(super) fn end(&mut self) {
        self.steps.push_back(Step::Done);
    }

    /// Sends what waits; returns whether that was the last.
    pub(super) fn flush(
        &mut self,
        kind: PublicationKind,
        session: &mut Session,
        now: Instant,
    ) -> bool {
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Object(place, object) => self.send(place, &object, kind, session, now),
                Step::EndGroup => self.finish_streams(session, now),
                Step::Done => {
                    self.finish_streams(session, now);
                    for key in self.subscribers.keys() {
                        let _ = session.publish_done(*key, PublishDoneCode::TrackEnded, "", now);
                    }
                    return true;
                }
            }
        }
        false
    }

    fn send(
        &mut self,
        place: Location,
        object: &Object,
        kind: PublicationKind,
        session: &mut Session,
        now: Instant,
    ) {
        for (key, subscriber) in self.subscribers.iter_mut().filter(|(_, s)| !s.paused) {
            if place.object.0 == 0 {
                subscriber.stream = open(*key, place.group, kind, session, now);
            }
            let Some(stream) = subscriber.stream else {
                continue;
            };
            if !write(stream, place.object, object, session, now) {
                subscriber.stream = None;
            }
        }
    }

    fn finish_streams(&mut self, session: &mut Session, now: Instant) {
        for subscriber in self.subscribers.values_mut() {
            if let Some(stream) = subscriber.stream.take() {
                // Refused only where the stream is gone already.
                let _ = session.finish_subgroup(stream, now);
            }
        }
    }
}
