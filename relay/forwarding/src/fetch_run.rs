//! The answer to a FETCH: what is known from memory, the rest from a publisher.

use std::time::{Duration, Instant};

use bytes::Bytes;
use parvis_wire::{
    FetchObject, FetchOk, Location, Parameters, Properties, RequestErrorCode, ResetCode,
};

use crate::{
    Forwarder, Output, Receiver, Signal, SubgroupEnd,
    fetch::{Fetch, GaveUp, Run},
    fetch_answer::Looked,
    forwarder::request_error,
    keys::{FetchKey, Timer},
    progress::Progress,
    window::Window,
};

/// What one answer may cost at a time, objects and gaps, a large object more.
const RUN: usize = 512;
/// What all answers may cost in a turn: whoever asks for a long past delays nobody's present.
const TURN: usize = 2048;
/// Bytes of an object that cost as much as another object.
const UNIT: usize = 4096;
/// The next turn is later than this one, and no later than it must be.
const NEXT_TURN: Duration = Duration::from_nanos(1);

/// What answers may still cost in this turn.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    turn: Option<Instant>,
    left: usize,
}

impl Reading {
    fn left(&mut self, now: Instant) -> usize {
        if self.turn != Some(now) {
            self.turn = Some(now);
            self.left = TURN;
        }
        self.left
    }

    const fn spend(&mut self, cost: usize) {
        self.left = self.left.saturating_sub(cost);
    }
}

impl Forwarder {
    /// Begins an answer.
    ///
    /// knows_end: whether the end of the window is the end of the answer.
    pub(crate) fn start_fetch(
        &mut self,
        key: FetchKey,
        window: Window,
        knows_end: bool,
        now: Instant,
    ) {
        let fetch = &mut self.fetches[key.0];
        let gave_up = fetch
            .patience
            .filter(Duration::is_zero)
            .map(|_| GaveUp::TimedOut);
        fetch.run = Some(Run {
            progress: Progress::new(window, fetch.order),
            knows_end,
            answered: false,
            started: false,
            end_of_track: false,
            asked: None,
            gave_up,
            until: fetch.patience.map(|patience| now + patience),
            touched: now,
        });
        let track = &mut self.tracks[fetch.track.0];
        track.fetches.retain(|other| *other != key);
        track.running.push(key);
        self.run_fetch(key, now);
    }

    /// Goes on with an answer until a publisher must be waited for, or others have their turn.
    pub(crate) fn run_fetch(&mut self, key: FetchKey, now: Instant) {
        let mut looked = Looked::default();
        let mut left = self.reading.left(now).min(RUN);
        loop {
            let fetch = &self.fetches[key.0];
            let Some(run) = &fetch.run else { return };
            if run.progress.next().is_none() {
                self.finish_fetch(key, now);
                return;
            }
            if left == 0 {
                self.schedule(now + NEXT_TURN, Timer::Fetch(key));
                return;
            }
            let progress = run.progress;
            let precise = run.gave_up.is_some();
            let segment = self.segment(fetch.track, &progress, precise, run.knows_end, &looked);
            let mut last = progress.last_in(segment.window);
            if segment.known {
                if let Some(run) = &mut self.fetches[key.0].run {
                    run.knows_end = true;
                }
                self.say_fetch_ok(key);
                let (track, order) = (self.fetches[key.0].track, self.fetches[key.0].order);
                let objects = self.known_objects(track, order, segment.window, left, &looked);
                last = objects.cut.unwrap_or(last);
                let cost = self.write_known(key, objects.entries);
                left = left.saturating_sub(cost);
                self.reading.spend(cost);
            } else if precise {
                if self.refuse_unknown(key, last, now) {
                    return;
                }
                self.write_gap(key, last);
                left -= 1;
                self.reading.spend(1);
            } else {
                if self.ask_for(key, segment.window, now) {
                    return;
                }
                if let Some(run) = &mut self.fetches[key.0].run {
                    run.gave_up.get_or_insert(GaveUp::Failed(None));
                }
                looked = Looked::default();
                continue;
            }
            if let Some(run) = &mut self.fetches[key.0].run {
                run.progress.pass(last);
            }
        }
    }

    /// Rejects a FETCH of which nothing is known; says whether it did.
    fn refuse_unknown(&mut self, key: FetchKey, last: Location, now: Instant) -> bool {
        let fetch = &self.fetches[key.0];
        let Some(run) = &fetch.run else { return true };
        let nothing = !run.answered && !run.started && last == run.progress.last();
        let error = match &run.gave_up {
            _ if !nothing => return false,
            Some(GaveUp::Failed(Some(error))) => error.clone(),
            // What is known here now is all that was wanted.
            Some(GaveUp::TimedOut) if run.knows_end => return false,
            Some(GaveUp::TimedOut) => {
                request_error(RequestErrorCode::Timeout, "the publisher did not answer")
            }
            _ => request_error(RequestErrorCode::DoesNotExist, "nobody publishes the track"),
        };
        let track = fetch.track;
        self.refuse_fetch(key, error);
        self.settle(track, now);
        true
    }

    /// Says FETCH_OK, once the end is known.
    pub(crate) fn say_fetch_ok(&mut self, key: FetchKey) {
        let fetch = &mut self.fetches[key.0];
        let Some(run) = fetch
            .run
            .as_mut()
            .filter(|run| run.knows_end && !run.answered)
        else {
            return;
        };
        run.answered = true;
        if fetch.fills.is_some() {
            return;
        }
        let track = &self.tracks[fetch.track.0];
        let end = run.progress.window.end;
        let answer = FetchOk {
            end_of_track: run.end_of_track || track.end == Some(end),
            end,
            parameters: Parameters::default(),
            track_properties: if fetch.include_properties {
                track.properties.clone()
            } else {
                Properties::EMPTY
            },
        };
        let receiver = fetch.receiver;
        self.say(receiver, Signal::FetchOk(answer));
    }

    /// Writes objects; returns what they cost.
    fn write_known(&mut self, key: FetchKey, objects: Vec<(FetchObject, Bytes)>) -> usize {
        let mut cost = 1;
        for (object, payload) in objects {
            cost += 1 + payload.len() / UNIT;
            if self.fetches[key.0].passes(&object) {
                self.write_entry(key, object, payload);
            }
        }
        cost
    }

    /// Writes an object, or the first part of one.
    pub(crate) fn write_entry(&mut self, key: FetchKey, object: FetchObject, payload: Bytes) {
        let fetch = &mut self.fetches[key.0];
        if let Some(run) = &mut fetch.run {
            run.started = true;
        }
        let Receiver { peer, request } = fetch.receiver;
        if !self.peers.contains_key(&peer) {
            return;
        }
        if let FetchObject::Object { .. } = object {
            self.stats.objects_out += 1;
            self.stats.bytes_out += payload.len() as u64;
        }
        let object = Box::new(object);
        self.outputs.push_back(Output::FetchObject {
            peer,
            request,
            object,
            payload,
        });
    }

    /// Writes more of an object.
    pub(crate) fn write_more(&mut self, key: FetchKey, data: Bytes) {
        let Receiver { peer, request } = self.fetches[key.0].receiver;
        self.stats.bytes_out += data.len() as u64;
        self.outputs.push_back(Output::FetchData {
            peer,
            request,
            data,
        });
    }

    /// Says that nothing is known up to a location, or that it did not come in time.
    pub(crate) fn write_gap(&mut self, key: FetchKey, last: Location) {
        self.say_fetch_ok(key);
        let Some(run) = &self.fetches[key.0].run else {
            return;
        };
        let marker = run.progress.marker(last);
        let entry = match run.gave_up {
            Some(GaveUp::TimedOut) => FetchObject::EndOfTimedOutRange(marker),
            _ => FetchObject::EndOfUnknownRange(marker),
        };
        self.write_entry(key, entry, Bytes::new());
    }

    /// Everything was written.
    fn finish_fetch(&mut self, key: FetchKey, now: Instant) {
        if let Some(run) = &mut self.fetches[key.0].run {
            run.knows_end = true;
        }
        self.say_fetch_ok(key);
        self.end_fetch(key, SubgroupEnd::Finished, now);
    }

    /// Gives up an answer, be it in the middle of an object.
    pub(crate) fn reset_fetch(&mut self, key: FetchKey, code: ResetCode, now: Instant) {
        self.end_fetch(key, SubgroupEnd::Reset(code), now);
    }

    fn end_fetch(&mut self, key: FetchKey, end: SubgroupEnd, now: Instant) {
        let Fetch {
            track, receiver, ..
        } = self.fetches[key.0];
        self.write_fetch_end(receiver, end);
        self.remove_fetch(key);
        if end == SubgroupEnd::Finished
            && self.peers.contains_key(&receiver.peer)
            && !self.is_shard(receiver.peer)
        {
            let name = self.tracks[track.0].name.clone();
            self.answered.insert(receiver, name);
        }
        self.settle(track, now);
    }

    pub(crate) fn write_fetch_end(&mut self, to: Receiver, end: SubgroupEnd) {
        let Receiver { peer, request } = to;
        if self.peers.contains_key(&peer) {
            let end = Output::FetchEnd { peer, request, end };
            self.outputs.push_back(end);
        }
    }

    /// Arms the timer of an answer that waits for a publisher.
    pub(crate) fn watch_fetch(&mut self, key: FetchKey) {
        if let Some(at) = self.fetch_deadline(key) {
            self.schedule(at, Timer::Fetch(key));
        }
    }

    fn fetch_deadline(&self, key: FetchKey) -> Option<Instant> {
        let run = self.fetches.get(key.0)?.run.as_ref()?;
        run.asked?;
        let quiet = run.touched + self.config.fill_pause;
        Some(run.until.map_or(quiet, |until| until.min(quiet)))
    }

    pub(crate) fn fetch_due(&mut self, key: FetchKey, now: Instant) {
        let run = self.fetches.get(key.0).and_then(|fetch| fetch.run.as_ref());
        if run.is_some_and(|run| run.asked.is_none()) {
            self.run_fetch(key, now);
            return;
        }
        let Some(at) = self.fetch_deadline(key) else {
            return;
        };
        if at > now {
            self.schedule(at, Timer::Fetch(key));
            return;
        }
        let is_inside = self.leave_ask(key);
        if is_inside {
            self.reset_fetch(key, ResetCode::DeliveryTimeout, now);
        } else {
            if let Some(run) = &mut self.fetches[key.0].run {
                run.gave_up = Some(GaveUp::TimedOut);
            }
            self.run_fetch(key, now);
        }
    }
}
