use std::{collections::HashMap, time::Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use parvis_quic::{ConnectionEvent, ConnectionKey, Endpoint};
use parvis_session::{Answer, Event, StreamId};
use parvis_wire::Parameters;

use crate::{publisher::track, workload::age_us};

/// What all subscribers together have got.
pub struct Received {
    tracks: usize,
    measuring: bool,
    /// Subscriptions that were accepted.
    pub subscribed: usize,
    /// Why one was not, or a connection is over.
    pub refused: Option<String>,
    /// Whole objects since measuring began.
    pub objects: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Their age when they were whole, microseconds.
    pub latency: Histogram<u64>,
    /// Objects that have come in part: bytes missing, and their age when they began.
    partial: HashMap<(usize, ConnectionKey, StreamId), (u64, u64, Bytes)>,
}

impl Received {
    /// Of so many tracks.
    pub fn new(tracks: usize) -> Self {
        let latency = Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are sound");
        Self {
            tracks,
            measuring: false,
            subscribed: 0,
            refused: None,
            objects: 0,
            bytes: 0,
            latency,
            partial: HashMap::new(),
        }
    }

    /// Begins to measure.
    pub fn start(&mut self) {
        self.measuring = true;
    }

    /// Takes what happens on a subscriber's connection.
    pub fn handle(
        &mut self,
        endpoint: &mut Endpoint,
        (port, key): (usize, ConnectionKey),
        event: ConnectionEvent,
        now: Instant,
    ) {
        let event = match event {
            ConnectionEvent::Session(event) => event,
            ConnectionEvent::Closed { reason } => {
                self.refused = Some(reason.to_string());
                return;
            }
            ConnectionEvent::Connected { .. } => return,
        };
        match event {
            Event::Established { .. } => {
                let Some(session) = endpoint.session(key) else {
                    return;
                };
                for index in 0..self.tracks {
                    if let Err(error) = session.subscribe(track(index), Parameters::default(), now)
                    {
                        self.refused = Some(error.to_string());
                    }
                }
            }
            Event::Accepted {
                answer: Answer::Subscribe { .. },
                ..
            } => self.subscribed += 1,
            Event::Rejected { error, .. } => self.refused = Some(format!("{error:?}")),
            Event::Object {
                stream,
                header,
                raw,
                header_len,
            } => {
                let payload = raw.slice(header_len..);
                let missing = header.payload_len - payload.len() as u64;
                if missing == 0 {
                    self.whole(&payload, header.payload_len);
                } else {
                    let entry = (missing, header.payload_len, payload);
                    self.partial.insert((port, key, stream), entry);
                }
            }
            Event::ObjectData { stream, data } => {
                let place = (port, key, stream);
                if let Some(entry) = self.partial.get_mut(&place) {
                    entry.0 = entry.0.saturating_sub(data.len() as u64);
                    if entry.2.len() < 8 {
                        entry.2 = [&entry.2[..], &data[..]].concat().into();
                    }
                    if entry.0 == 0
                        && let Some((_, len, head)) = self.partial.remove(&place)
                    {
                        self.whole(&head, len);
                    }
                }
            }
            Event::SubgroupEnd { stream, .. } => {
                self.partial.remove(&(port, key, stream));
            }
            _ => {}
        }
    }

    fn whole(&mut self, payload: &[u8], len: u64) {
        if !self.measuring {
            return;
        }
        self.objects += 1;
        self.bytes += len;
        if let Some(age) = age_us(payload) {
            self.latency.saturating_record(age.max(1));
        }
    }
}
