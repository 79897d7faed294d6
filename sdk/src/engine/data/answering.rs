use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
    time::Instant,
};

use bytes::Bytes;
use parvis_session::{RequestKey, SendRefused, Session, StreamId};
use parvis_wire::{
    FetchObject, FetchOk, FetchRange, GroupOrder, Location, LocationFilter, ObjectId, Parameters,
    Priority, Properties, RequestErrorCode, SubgroupId,
};
use tokio::sync::oneshot;

use super::{
    super::{core::Core, flusher::Flusher, link::LinkId, peer_requests::reject},
    publication::DataPublication,
};
use crate::{
    FetchQuery,
    data::{Answer, Wake, Waker},
};

/// A FETCH of the peer's.
#[derive(Debug)]
pub(super) struct Answering {
    end: Location,
    order: GroupOrder,
    priority: Priority,
    properties: Properties,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The application looks for the objects.
    Asked(oneshot::Receiver<Answer>),
    Sending(StreamId, VecDeque<(Location, Bytes)>),
}

impl Core {
    pub(in crate::engine) fn handle_data_fetch(
        &mut self,
        (id, key): (LinkId, RequestKey),
        range: &FetchRange,
        parameters: &Parameters,
        joining: Option<RequestKey>,
        session: &mut Session,
        now: Instant,
    ) {
        let name = match range {
            FetchRange::Standalone { track, .. } | FetchRange::Filtered { track } => {
                Some(track.clone())
            }
            FetchRange::RelativeJoining { .. } | FetchRange::AbsoluteJoining { .. } => joining
                .zip(self.links.get(&id))
                .and_then(|(joined, link)| link.data.served.get(&joined).cloned()),
        };
        let publication = name
            .as_ref()
            .and_then(|name| self.data.publications.get(name));
        let (Some(name), Some(publication)) = (name, publication) else {
            reject(key, RequestErrorCode::DoesNotExist, session, now);
            return;
        };
        let wanted = wanted(publication, id, range, parameters, joining);
        let Some((start, end)) = wanted.filter(|(start, end)| start <= end) else {
            reject(key, RequestErrorCode::InvalidRange, session, now);
            return;
        };
        let (sender, answer) = oneshot::channel();
        match (publication.kept(start, end), &publication.options.queries) {
            (None, Some(queries)) => {
                let waker: Weak<dyn Waker> = Arc::<Flusher>::downgrade(&self.flusher);
                let query = FetchQuery {
                    track: name,
                    start,
                    end,
                    reply: sender,
                    wake: Wake(waker),
                };
                if queries.try_send(query).is_err() {
                    reject(key, RequestErrorCode::ExcessiveLoad, session, now);
                    return;
                }
            }
            (kept, _) => {
                let objects = kept.unwrap_or_else(|| publication.remains(start, end));
                // The receiver is right here.
                let _ = sender.send(objects);
            }
        }
        let mut answering = Answering {
            end,
            order: parameters.group_order.unwrap_or_default(),
            priority: publication.options.priority,
            properties: publication.properties(),
            state: State::Asked(answer),
        };
        if answering.go_on(key, session, now) {
            self.data.answers.insert((id, key), answering);
        }
    }

    /// Goes on with the FETCHes of a connection's peer.
    pub(in crate::engine) fn answer_fetches(
        &mut self,
        id: LinkId,
        session: &mut Session,
        now: Instant,
    ) {
        self.data
            .answers
            .retain(|(link, key), answering| *link != id || answering.go_on(*key, session, now));
    }
}

/// The range that a FETCH asks for, ended by the largest object at the latest.
fn wanted(
    publication: &DataPublication,
    id: LinkId,
    range: &FetchRange,
    parameters: &Parameters,
    joining: Option<RequestKey>,
) -> Option<(Location, Location)> {
    let largest = publication.largest()?;
    let whole = |group| Location {
        group,
        object: ObjectId(u64::MAX),
    };
    let (start, end) = match range {
        FetchRange::Standalone { start, end, .. } => {
            let (group, object) = *end;
            let object = object.unwrap_or(ObjectId(u64::MAX));
            (*start, Location { group, object })
        }
        FetchRange::Filtered { .. } => match parameters.filter {
            None | Some(LocationFilter::Unfiltered) => (Location::new(0, 0), largest),
            Some(LocationFilter::NextObject | LocationFilter::NextGroup) => return None,
            Some(LocationFilter::RelativeStart(groups)) => {
                let group = (largest.group.0.saturating_add(1)).saturating_sub(groups);
                (Location::new(group, 0), largest)
            }
            Some(LocationFilter::AbsoluteStart(start)) => (start, largest),
            Some(LocationFilter::AbsoluteGroups { start, end }) => (start, whole(end)),
            Some(LocationFilter::AbsoluteRange { start, end }) => (start, end),
        },
        FetchRange::RelativeJoining { groups, .. } => {
            let joined = publication.joined_at(id, joining?)?;
            (
                Location::new(joined.group.0.saturating_sub(*groups), 0),
                joined,
            )
        }
        FetchRange::AbsoluteJoining { group, .. } => (
            Location::new(group.0, 0),
            publication.joined_at(id, joining?)?,
        ),
    };
    Some((start, end.min(largest)))
}

impl Answering {
    /// Accepts; returns whether it goes on.
    fn begin(
        &mut self,
        key: RequestKey,
        mut objects: Vec<(Location, Bytes)>,
        session: &mut Session,
        now: Instant,
    ) -> bool {
        if objects.is_empty() {
            reject(key, RequestErrorCode::InvalidRange, session, now);
            return false;
        }
        let ascending = self.order == GroupOrder::Ascending;
        objects.sort_by(|(a, _), (b, _)| {
            let groups = a.group.cmp(&b.group);
            let groups = if ascending { groups } else { groups.reverse() };
            groups.then(a.object.cmp(&b.object))
        });
        let answer = FetchOk {
            end_of_track: false,
            end: self.end,
            parameters: Parameters::default(),
            track_properties: self.properties.clone(),
        };
        if session.accept_fetch(key, answer, now).is_err() {
            return false;
        }
        match session.open_fetch(key, now) {
            Ok(stream) => {
                self.state = State::Sending(stream, objects.into());
                self.go_on(key, session, now)
            }
            Err(error) => {
                tracing::debug!(%key, %error, "a fetch is not answered");
                let _ = session.cancel(key, now);
                false
            }
        }
    }

    /// Returns whether it goes on.
    fn go_on(&mut self, key: RequestKey, session: &mut Session, now: Instant) -> bool {
        let (stream, objects) = match &mut self.state {
            State::Asked(answer) => {
                return match answer.try_recv() {
                    Ok(objects) => self.begin(key, objects, session, now),
                    Err(oneshot::error::TryRecvError::Empty) => true,
                    Err(oneshot::error::TryRecvError::Closed) => {
                        reject(key, RequestErrorCode::DoesNotExist, session, now);
                        false
                    }
                };
            }
            State::Sending(stream, objects) => (*stream, objects),
        };
        while let Some((location, payload)) = objects.front() {
            let entry = FetchObject::Object {
                location: *location,
                subgroup: Some(SubgroupId(0)),
                priority: self.priority,
                properties: None,
                payload_len: payload.len() as u64,
            };
            match session.write_fetch_object(stream, &entry, payload.clone(), now) {
                Ok(()) => {
                    objects.pop_front();
                }
                // It goes on when there is room again.
                Err(SendRefused::QueueFull(_)) => return true,
                Err(error) => {
                    tracing::debug!(%key, %error, "a fetch is given up");
                    return false;
                }
            }
        }
        let _ = session.finish_subgroup(stream, now);
        false
    }
}
