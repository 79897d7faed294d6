//! What comes on the stream of a FETCH of ours, passed on as it comes.

use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{FetchObject, Location, Properties};

use crate::{
    Forwarder,
    ask::{Current, Failure},
    keys::{AskKey, FetchKey},
    window::Window,
};

impl Forwarder {
    /// An entry began.
    pub(crate) fn ask_entry(
        &mut self,
        key: AskKey,
        object: FetchObject,
        payload: Bytes,
        now: Instant,
    ) {
        let ask = &self.asks[key.0];
        let (at, track) = (object.location(), ask.track);
        if ask.current.is_some() || ask.ended || ask.progress.next().is_none() {
            self.ask_failed(key, Failure::Broken, now);
            return;
        }
        match object {
            FetchObject::Object { payload_len, .. } if ask.progress.is_ahead(at) => {
                for part in ask.progress.skipped(at) {
                    self.learn_past(track, part);
                }
                self.ask_object(key, object, payload_len, payload, now);
            }
            FetchObject::Object { .. } => self.ask_failed(key, Failure::Broken, now),
            FetchObject::EndOfNonExistentRange(_) => {
                let last = ask.progress.marked(at);
                if ask.progress.is_ahead(last) {
                    let mut parts = ask.progress.skipped(last);
                    parts.push(Window {
                        start: last,
                        end: last,
                    });
                    for part in parts {
                        self.learn_past(track, part);
                    }
                    self.pass(key, last, now);
                }
            }
            FetchObject::EndOfUnknownRange(_) | FetchObject::EndOfTimedOutRange(_) => {
                let last = ask.progress.marked(at);
                self.ask_gap(key, last, now);
            }
        }
    }

    fn ask_object(
        &mut self,
        key: AskKey,
        object: FetchObject,
        payload_len: u64,
        payload: Bytes,
        now: Instant,
    ) {
        let at = object.location();
        let missing = payload_len.saturating_sub(payload.len() as u64);
        // A copy: a small object must not pin the large buffer that it came in.
        let payload = if missing == 0 {
            Bytes::copy_from_slice(&payload)
        } else {
            payload
        };
        let kept = self.keeps_past(payload_len);
        let done = self.let_go_before(key, at);
        for follower in self.asks[key.0].followers.clone() {
            let passes = self.fetches[follower.0].passes(&object);
            let Some(run) = &mut self.fetches[follower.0].run else {
                continue;
            };
            run.touched = now;
            if run.progress.is_ahead(at) && passes {
                self.write_first(follower, object.clone(), payload.clone());
            }
        }
        self.asks[key.0].current = Some(Current {
            object,
            missing,
            pieces: kept.then(|| vec![payload]),
        });
        if missing == 0 {
            self.complete(key, now);
        } else {
            self.abandon_unwanted(key);
        }
        self.resume(&done, now);
    }

    /// More of the current object came.
    pub(crate) fn ask_data(&mut self, key: AskKey, data: &Bytes, now: Instant) {
        let ask = &mut self.asks[key.0];
        let Some(current) = &mut ask.current else {
            return;
        };
        if data.len() as u64 > current.missing {
            self.ask_failed(key, Failure::Broken, now);
            return;
        }
        current.missing -= data.len() as u64;
        if let Some(pieces) = &mut current.pieces {
            pieces.push(data.clone());
        }
        let is_whole = current.missing == 0;
        for follower in ask.followers.clone() {
            let Some(run) = &mut self.fetches[follower.0].run else {
                continue;
            };
            if run.asked.is_some_and(|asked| asked.inside) {
                run.touched = now;
                self.write_more(follower, data.clone());
            }
        }
        if is_whole {
            self.complete(key, now);
        }
    }

    /// The current object is whole.
    fn complete(&mut self, key: AskKey, now: Instant) {
        let ask = &mut self.asks[key.0];
        let track = ask.track;
        let Some(current) = ask.current.take() else {
            return;
        };
        let at = current.object.location();
        if let Some(pieces) = current.pieces {
            let payload = match pieces.as_slice() {
                [whole] => whole.clone(),
                pieces => pieces.iter().flatten().copied().collect(),
            };
            self.keep_past(track, owned(current.object), payload, now);
        }
        self.pass(key, at, now);
    }

    /// Nothing is known up to this location.
    fn ask_gap(&mut self, key: AskKey, last: Location, now: Instant) {
        let progress = self.asks[key.0].progress;
        for follower in self.asks[key.0].followers.clone() {
            let Some(run) = &mut self.fetches[follower.0].run else {
                continue;
            };
            let Some(asked) = run.asked else { continue };
            run.touched = now;
            let until = if progress.rank(asked.last) < progress.rank(last) {
                asked.last
            } else {
                last
            };
            if run.progress.is_ahead(until) {
                self.write_gap(follower, until);
                if let Some(run) = &mut self.fetches[follower.0].run {
                    run.progress.pass(until);
                }
            }
        }
        self.pass(key, last, now);
    }

    /// Everything up to this location has come.
    fn pass(&mut self, key: AskKey, at: Location, now: Instant) {
        self.asks[key.0].progress.pass(at);
        for follower in self.asks[key.0].followers.clone() {
            let Some(run) = &mut self.fetches[follower.0].run else {
                continue;
            };
            run.progress.pass(at);
            if let Some(asked) = &mut run.asked {
                asked.inside = false;
            }
        }
        let done = self.let_go_with(key, at);
        self.abandon_unwanted(key);
        self.resume(&done, now);
    }

    /// Lets go of answers whose part ends before this location.
    fn let_go_before(&mut self, key: AskKey, at: Location) -> Vec<FetchKey> {
        let before = self.asks[key.0].progress.rank(at);
        self.let_go_where(key, |rank| rank < before)
    }

    /// Lets go of answers whose part ends with this location, or before.
    fn let_go_with(&mut self, key: AskKey, at: Location) -> Vec<FetchKey> {
        let until = self.asks[key.0].progress.rank(at);
        self.let_go_where(key, |rank| rank <= until)
    }

    fn let_go_where(&mut self, key: AskKey, is_done: impl Fn((u64, u64)) -> bool) -> Vec<FetchKey> {
        let progress = self.asks[key.0].progress;
        // The last part is let go when the publisher says that it has said all.
        let at_end = progress.rank(progress.last());
        let mut done = Vec::new();
        for follower in self.asks[key.0].followers.clone() {
            let Some(run) = &mut self.fetches[follower.0].run else {
                continue;
            };
            let Some(asked) = run.asked else { continue };
            let rank = progress.rank(asked.last);
            if is_done(rank) && rank < at_end {
                run.progress.pass(asked.last);
                run.asked = None;
                done.push(follower);
            }
        }
        self.asks[key.0]
            .followers
            .retain(|follower| !done.contains(follower));
        done
    }

    /// Cancels what nobody waits for any more.
    fn abandon_unwanted(&mut self, key: AskKey) {
        if self
            .asks
            .get(key.0)
            .is_some_and(|ask| ask.followers.is_empty())
        {
            let to = self.asks[key.0].to;
            self.remove_ask(key);
            self.say(to, crate::Signal::Cancel);
        }
    }
}

/// The object with properties of its own memory.
fn owned(object: FetchObject) -> FetchObject {
    match object {
        FetchObject::Object {
            location,
            subgroup,
            priority,
            properties,
            payload_len,
        } => FetchObject::Object {
            location,
            subgroup,
            priority,
            properties: properties.map(|properties| {
                let bytes = Bytes::copy_from_slice(properties.as_bytes());
                Properties::from_encoded(bytes).unwrap_or(properties)
            }),
            payload_len,
        },
        other => other,
    }
}
