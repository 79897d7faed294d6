//! FETCHes to publishers, for what is not known here.

use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{
    FetchObject, FetchOk, FetchRange, GroupOrder, ObjectId, Parameters, RequestError, ResetCode,
};

use crate::{
    Forwarder, PeerId, Receiver, Signal, SubgroupEnd,
    fetch::{Asked, GaveUp},
    keys::{AskKey, FetchKey, TrackKey},
    peer::Request,
    progress::Progress,
    window::Window,
};

/// A FETCH of ours. Those who wait for the same objects share it.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) track: TrackKey,
    pub(crate) to: Receiver,
    pub(crate) progress: Progress,
    /// Whether the publisher said FETCH_OK.
    pub(crate) answered: bool,
    /// Whether its stream is finished.
    pub(crate) ended: bool,
    /// Publishers that failed, and this one.
    tried: Vec<PeerId>,
    pub(crate) followers: Vec<FetchKey>,
    pub(crate) current: Option<Current>,
}

/// The object that comes in.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) object: FetchObject,
    pub(crate) missing: u64,
    /// What has come of it; `None`: it is too large to be kept.
    pub(crate) pieces: Option<Vec<Bytes>>,
}

/// How a FETCH of ours failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The publisher said so.
    Rejected(RequestError),
    /// What came is no answer.
    Broken,
    /// The publisher ended it.
    Gone,
}

/// How far ahead of an answer its next objects may be for it to be shared, groups.
const WAIT_GROUPS: u64 = 1;

impl Forwarder {
    /// Has a publisher asked for a part of an answer, or shares what another one asked; says
    /// whether there is one to ask.
    pub(crate) fn ask_for(&mut self, key: FetchKey, window: Window, now: Instant) -> bool {
        let fetch = &self.fetches[key.0];
        let Some(run) = &fetch.run else { return false };
        let last = run.progress.last_in(window);
        let track = fetch.track;
        let for_shard = self.is_shard(fetch.receiver.peer);
        let asks = self.tracks[track.0].asks.iter().copied();
        let shared = asks
            .filter(|ask| !for_shard || !self.is_shard(self.asks[ask.0].to.peer))
            .find(|ask| self.asks[ask.0].can_share(&run.progress));
        let ask = if let Some(ask) = shared {
            ask
        } else {
            let Some(peer) = self.whom_to_ask(track, for_shard, &[]) else {
                return false;
            };
            let progress = Progress::new(window, fetch.order);
            self.open_ask(key, peer, progress, vec![peer])
        };
        let asked = Asked {
            ask,
            last,
            inside: false,
        };
        self.follow(key, asked, now);
        true
    }

    fn open_ask(
        &mut self,
        key: FetchKey,
        peer: PeerId,
        progress: Progress,
        tried: Vec<PeerId>,
    ) -> AskKey {
        let (track, priority) = (self.fetches[key.0].track, self.fetches[key.0].priority);
        let ask = AskKey(self.asks.vacant_key());
        let to = self.open_request(peer, Request::Ask(ask));
        self.asks.insert(Ask {
            track,
            to,
            progress,
            answered: false,
            ended: false,
            tried,
            followers: Vec::new(),
            current: None,
        });
        self.tracks[track.0].asks.push(ask);
        self.say_fetch(ask, priority);
        ask
    }

    fn say_fetch(&mut self, ask: AskKey, priority: Option<parvis_wire::Priority>) {
        let Ask {
            track,
            to,
            progress,
            ..
        } = &self.asks[ask.0];
        let Window { start, end } = progress.window;
        let descending = progress.order == GroupOrder::Descending;
        let signal = Signal::Fetch {
            range: FetchRange::Standalone {
                track: self.tracks[track.0].name.clone(),
                start,
                end: (
                    end.group,
                    (end.object != ObjectId(u64::MAX)).then_some(end.object),
                ),
            },
            parameters: Parameters {
                group_order: descending.then_some(GroupOrder::Descending),
                subscriber_priority: priority,
                ..Parameters::default()
            },
            joining: None,
        };
        let to = *to;
        self.say(to, signal);
    }

    /// Has an answer share what is asked, with what has come of the current object.
    fn follow(&mut self, key: FetchKey, asked: Asked, now: Instant) {
        self.asks[asked.ask.0].followers.push(key);
        let Some(run) = &mut self.fetches[key.0].run else {
            return;
        };
        run.asked = Some(asked);
        run.touched = now;
        let progress = run.progress;
        self.watch_fetch(key);
        let Some(current) = &self.asks[asked.ask.0].current else {
            return;
        };
        let is_wanted = progress.is_ahead(current.object.location())
            && self.fetches[key.0].passes(&current.object);
        if !is_wanted {
            return;
        }
        let (object, pieces) = (current.object.clone(), current.pieces.clone());
        let mut pieces = pieces.into_iter().flatten();
        self.write_first(key, object, pieces.next().unwrap_or_default());
        for piece in pieces {
            self.write_more(key, piece);
        }
    }

    pub(crate) fn write_first(&mut self, key: FetchKey, object: FetchObject, payload: Bytes) {
        if let Some(asked) = self.fetches[key.0]
            .run
            .as_mut()
            .and_then(|run| run.asked.as_mut())
        {
            asked.inside = true;
        }
        self.write_entry(key, object, payload);
    }

    /// The publisher of the track, or one of its namespace.
    fn whom_to_ask(&self, track: TrackKey, for_shard: bool, tried: &[PeerId]) -> Option<PeerId> {
        let state = &self.tracks[track.0];
        let source = state.established().map(|upstream| upstream.peer);
        source
            .filter(|peer| self.peers.contains_key(peer) && !tried.contains(peer))
            .filter(|peer| !(for_shard && self.is_shard(*peer)))
            .or_else(|| self.find_source(&state.name, for_shard, tried))
    }

    /// An answer waits no longer for what was asked; says whether it stands inside of an object.
    pub(crate) fn leave_ask(&mut self, key: FetchKey) -> bool {
        let run = self.fetches[key.0].run.as_mut();
        let Some(Asked { ask, inside, .. }) = run.and_then(|run| run.asked.take()) else {
            return false;
        };
        let state = &mut self.asks[ask.0];
        state.followers.retain(|other| *other != key);
        if state.followers.is_empty() {
            let to = self.asks[ask.0].to;
            self.remove_ask(ask);
            self.say(to, Signal::Cancel);
        }
        inside
    }

    pub(crate) fn remove_ask(&mut self, key: AskKey) {
        let ask = self.asks.remove(key.0);
        self.tracks[ask.track.0].asks.retain(|other| *other != key);
        self.forget(ask.to);
    }

    /// The publisher accepted our FETCH.
    pub(crate) fn ask_accepted(&mut self, key: AskKey, answer: &FetchOk, now: Instant) {
        let ask = &mut self.asks[key.0];
        if ask.answered {
            return;
        }
        let asked_end = ask.progress.window.end;
        if answer.end < ask.progress.window.start {
            self.ask_failed(key, Failure::Broken, now);
            return;
        }
        let track = &mut self.tracks[ask.track.0];
        // Of a group that is over, its last object stands for its end.
        let is_whole = asked_end.object == ObjectId(u64::MAX)
            && asked_end.group == answer.end.group
            && track.largest.is_some_and(|l| asked_end.group < l.group);
        let end = if is_whole { asked_end } else { answer.end };
        ask.answered = true;
        ask.progress.truncate(end);
        if track.established().is_none() && track.largest.is_none() {
            track.properties = answer.track_properties.clone();
        }
        for follower in self.asks[key.0].followers.clone() {
            let Some(run) = &mut self.fetches[follower.0].run else {
                continue;
            };
            run.touched = now;
            if !run.knows_end && (end < asked_end || run.progress.window.end <= asked_end) {
                run.progress.truncate(end);
                run.knows_end = true;
                run.end_of_track = answer.end_of_track;
                if let Some(asked) = &mut run.asked {
                    asked.last = run.progress.last();
                }
            }
            self.say_fetch_ok(follower);
        }
        if self.asks[key.0].ended {
            self.ask_finished(key, now);
        }
    }

    /// The stream of our FETCH ended.
    pub(crate) fn ask_ended(&mut self, key: AskKey, end: SubgroupEnd, now: Instant) {
        let ask = &mut self.asks[key.0];
        match end {
            SubgroupEnd::Finished if ask.current.is_none() => {
                ask.ended = true;
                if ask.answered {
                    self.ask_finished(key, now);
                }
            }
            SubgroupEnd::Finished | SubgroupEnd::Reset(_) => {
                self.ask_failed(key, Failure::Broken, now);
            }
        }
    }

    /// Everything has come: what has not does not exist.
    fn ask_finished(&mut self, key: AskKey, now: Instant) {
        let ask = &self.asks[key.0];
        let (track, progress, followers) = (ask.track, ask.progress, ask.followers.clone());
        for part in progress.rest() {
            self.learn_past(track, part);
        }
        self.remove_ask(key);
        for follower in &followers {
            let Some(run) = &mut self.fetches[follower.0].run else {
                continue;
            };
            let Some(asked) = run.asked.take() else {
                continue;
            };
            let is_done = progress.rank(asked.last) <= progress.rank(progress.last());
            let last = if is_done { asked.last } else { progress.last() };
            run.progress.pass(last);
        }
        self.resume(&followers, now);
    }

    /// Our FETCH failed: asks somebody else, or does without.
    pub(crate) fn ask_failed(&mut self, key: AskKey, failure: Failure, now: Instant) {
        let ask = &mut self.asks[key.0];
        let (track, followers) = (ask.track, std::mem::take(&mut ask.followers));
        let (progress, mut tried) = (ask.progress, std::mem::take(&mut ask.tried));
        let to = ask.to;
        self.remove_ask(key);
        let error = match failure {
            Failure::Rejected(error) => Some(error),
            Failure::Broken => {
                self.say(to, Signal::Cancel);
                None
            }
            Failure::Gone => None,
        };
        let mut waiting = Vec::new();
        for follower in followers {
            let run = self.fetches[follower.0].run.as_mut();
            match run.and_then(|run| run.asked.take()) {
                Some(asked) if asked.inside => {
                    self.reset_fetch(follower, ResetCode::UnknownObjectStatus, now);
                }
                Some(asked) => waiting.push((follower, asked)),
                None => {}
            }
        }
        let Some(&(first, _)) = waiting.first() else {
            return;
        };
        let for_shard = waiting
            .iter()
            .any(|(key, _)| self.is_shard(self.fetches[key.0].receiver.peer));
        let next = self.whom_to_ask(track, for_shard, &tried);
        if let (Some(peer), Some(window)) = (next, progress.hull()) {
            tried.push(peer);
            let ask = self.open_ask(first, peer, Progress::new(window, progress.order), tried);
            for (follower, asked) in waiting {
                self.follow(follower, Asked { ask, ..asked }, now);
            }
            return;
        }
        for (follower, _) in &waiting {
            if let Some(run) = &mut self.fetches[follower.0].run {
                run.gave_up = Some(GaveUp::Failed(error.clone()));
            }
        }
        let waiting: Vec<FetchKey> = waiting.into_iter().map(|(key, _)| key).collect();
        self.resume(&waiting, now);
    }

    /// Goes on with answers that wait no longer.
    pub(crate) fn resume(&mut self, fetches: &[FetchKey], now: Instant) {
        for key in fetches {
            if self.fetches.contains(key.0) {
                self.run_fetch(*key, now);
            }
        }
    }
}

impl Ask {
    /// Whether what comes next is what an answer needs next.
    fn can_share(&self, other: &Progress) -> bool {
        let (Some(mine), Some(theirs)) = (self.progress.next(), other.next()) else {
            return false;
        };
        let is_near = mine.group.0.abs_diff(theirs.group.0) <= WAIT_GROUPS;
        // What has come of the current object is needed again.
        let has_current = self.current.as_ref().is_none_or(|current| {
            current.pieces.is_some() || !other.is_ahead(current.object.location())
        });
        self.progress.order == other.order
            && self.progress.is_ahead(theirs)
            && is_near
            && has_current
    }
}
