use std::time::Instant;

use parvis_wire::{
    Fetch, FetchRange, FullTrackName, GroupOrder, Message, Parameters, Properties, Publish,
    PublishDoneCode, PublishNamespace, RequestId, RequestUpdate, ResetCode, Subscribe,
    SubscribeNamespace, SubscribeTracks, TrackAlias, TrackNamespace, TrackStatus,
};
use rustc_hash::FxHashSet;

use crate::{
    ApiMisuse, DropReason, RequestKey, Session,
    request::{Fetching, Kind, Origin, Receiving, Request, Sending},
    scheduler::FlowKind,
    wishes::{TrackDefaults, Wishes},
};

/// Requests of our own.
impl Session {
    /// Subscribes to a track. Answered by [`Event::Accepted`](crate::Event::Accepted) or
    /// [`Event::Rejected`](crate::Event::Rejected), as is every request.
    pub fn subscribe(
        &mut self,
        track: FullTrackName,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let kind = Kind::Receiving(Receiving {
            track: track.clone(),
            alias: None,
            wishes: Wishes::of(&parameters),
            defaults: TrackDefaults::default(),
            streams: Vec::new(),
            streams_seen: 0,
            fills: Vec::new(),
            done: None,
        });
        let fill = fill_order(&parameters, None);
        let message = |request_id| {
            Message::Subscribe(Subscribe {
                request_id,
                track,
                parameters,
            })
        };
        let key = self.open_own(kind, message, now)?;
        if let (Some(order), Some(request)) = (fill, self.requests.get_mut(&key.0))
            && let Kind::Receiving(receiving) = &mut request.kind
        {
            receiving.fills.push((request.id, order));
        }
        Ok(key)
    }

    /// Offers a track; objects may be sent at once unless `parameters` sets forward to 0.
    pub fn publish(
        &mut self,
        track: FullTrackName,
        parameters: Parameters,
        track_properties: Properties,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let sending = Sending {
            track: track.clone(),
            alias: TrackAlias(self.next_alias + 1),
            forward: parameters.forward.unwrap_or(true),
            wishes: Wishes::of(&parameters),
            defaults: TrackDefaults::of(&track_properties),
            streams_opened: 0,
            fills: Vec::new(),
            drained: false,
            done: None,
        };
        let track_alias = sending.alias;
        let options = sending
            .wishes
            .options(&sending.defaults, FlowKind::Subscription);
        let message = |request_id| {
            Message::Publish(Publish {
                request_id,
                track,
                track_alias,
                parameters,
                track_properties,
            })
        };
        let key = self.open_own(Kind::Sending(sending), message, now)?;
        self.next_alias += 1;
        self.scheduler.add_flow(key, options);
        Ok(key)
    }

    /// Says that tracks under a namespace can be subscribed to here.
    pub fn publish_namespace(
        &mut self,
        namespace: TrackNamespace,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let message = |request_id| {
            Message::PublishNamespace(PublishNamespace {
                request_id,
                namespace,
                parameters,
            })
        };
        self.open_own(Kind::PublishNamespace, message, now)
    }

    /// Asks for the namespaces under a prefix, now and later.
    pub fn subscribe_namespace(
        &mut self,
        prefix: TrackNamespace,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let kind = Kind::SubscribeNamespace {
            prefix: prefix.clone(),
            names: Some(FxHashSet::default()),
        };
        let message = |request_id| {
            Message::SubscribeNamespace(SubscribeNamespace {
                request_id,
                prefix,
                parameters,
            })
        };
        self.open_own(kind, message, now)
    }

    /// Asks for a PUBLISH of every track under a prefix, now and later.
    pub fn subscribe_tracks(
        &mut self,
        prefix: TrackNamespace,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let kind = Kind::SubscribeTracks {
            prefix: prefix.clone(),
        };
        let message = |request_id| {
            Message::SubscribeTracks(SubscribeTracks {
                request_id,
                prefix,
                parameters,
            })
        };
        self.open_own(kind, message, now)
    }

    /// Asks for a track's state.
    pub fn track_status(
        &mut self,
        track: FullTrackName,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let message = |request_id| {
            Message::TrackStatus(TrackStatus {
                request_id,
                track,
                parameters,
            })
        };
        self.open_own(Kind::TrackStatus, message, now)
    }

    /// Asks for objects of the past.
    pub fn fetch(
        &mut self,
        range: FetchRange,
        parameters: Parameters,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        let fetching = Fetching {
            order: parameters.group_order.unwrap_or_default(),
            wishes: Wishes::of(&parameters),
            ..Fetching::default()
        };
        let message = |request_id| {
            Message::Fetch(Fetch {
                request_id,
                range,
                parameters,
            })
        };
        self.open_own(Kind::Fetch(fetching), message, now)
    }

    /// Changes a request of ours, or a subscription that the peer's PUBLISH started.
    pub fn update(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let id = RequestId(self.next_request_id);
        let request = self.request(key)?;
        let allowed = match (&request.kind, request.origin) {
            (Kind::Opening | Kind::TrackStatus, _) => false,
            (Kind::Sending(sending), Origin::Own) => sending.done.is_none(),
            (Kind::Receiving(receiving), _) => request.established && receiving.done.is_none(),
            (_, Origin::Own) => request.established,
            (_, Origin::Peer) => false,
        };
        if !allowed || !self.scheduler.is_sending(key.0) {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "an update",
            });
        }
        let moves = parameters.namespace_prefix.is_some();
        let wishes = parameters.clone();
        let message = Message::RequestUpdate(RequestUpdate {
            request_id: id,
            parameters,
        });
        let bytes = self.encode(&message)?;
        let request = self.request_mut(key)?;
        request.updates_out += 1;
        match &mut request.kind {
            Kind::Receiving(receiving) => {
                receiving.wishes.apply(&wishes);
                let order = fill_order(&wishes, receiving.wishes.group_order());
                if let Some(order) = order {
                    receiving.fills.push((id, order));
                    self.by_id.insert(id, key);
                }
            }
            // Suffixes are relative to the new prefix from some point on.
            Kind::SubscribeNamespace { names, .. } if moves => *names = None,
            _ => {}
        }
        self.next_request_id += 2;
        self.scheduler.write_control(key.0, bytes, now);
        self.take_notes(now);
        Ok(())
    }

    /// Ends this side of a request, whoever made it: unsubscribes, withdraws, stops serving.
    /// No event of that request follows.
    pub fn cancel(&mut self, key: RequestKey, now: Instant) -> Result<(), ApiMisuse> {
        let request = self.request(key)?;
        if matches!(&request.kind, Kind::Receiving(receiving) if receiving.done.is_some()) {
            self.remove_request(key, now);
        } else {
            self.give_up(key, ResetCode::Cancelled, now);
        }
        self.take_notes(now);
        Ok(())
    }

    /// Ends a subscription as its publisher. Streams that were finished are still delivered,
    /// the others are reset; fills go on until they are ended. A subscriber that is no longer
    /// authorized gets nothing more.
    pub fn publish_done(
        &mut self,
        key: RequestKey,
        code: PublishDoneCode,
        reason: &str,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let request = self.request(key)?;
        let open = request.established || request.origin == Origin::Own;
        if !open || !matches!(&request.kind, Kind::Sending(sending) if sending.done.is_none()) {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "PUBLISH_DONE",
            });
        }
        if code == PublishDoneCode::Unauthorized {
            let reset = ResetCode::Cancelled.to_u64();
            let fills = match &request.kind {
                Kind::Sending(sending) => sending.fills.clone(),
                _ => Vec::new(),
            };
            self.scheduler
                .drop_unsent(key, reset, DropReason::SubscriptionEnded);
            for fill in fills {
                self.scheduler
                    .drop_unsent(fill, reset, DropReason::SubscriptionEnded);
                self.end_fill(fill);
            }
        }
        self.end_sending(key, code, reason);
        self.take_notes(now);
        Ok(())
    }

    fn open_own(
        &mut self,
        kind: Kind,
        message: impl FnOnce(RequestId) -> Message,
        now: Instant,
    ) -> Result<RequestKey, ApiMisuse> {
        if self.is_closed() {
            return Err(ApiMisuse::Closed);
        }
        if self.peer_going_away {
            return Err(ApiMisuse::GoingAway);
        }
        let open = self.own_requests + self.scheduler.unopened_requests();
        if open >= self.config.limits.max_own_requests {
            return Err(ApiMisuse::TooManyRequests(open));
        }
        let id = RequestId(self.next_request_id);
        let bytes = self.encode(&message(id))?;
        self.next_request_id += 2;
        self.own_requests += 1;
        let key = RequestKey(self.scheduler.open_request());
        self.requests
            .insert(key.0, Request::new(Origin::Own, id, kind));
        self.by_id.insert(id, key);
        self.scheduler.write_control(key.0, bytes, now);
        self.take_notes(now);
        Ok(key)
    }

    pub(crate) fn request(&self, key: RequestKey) -> Result<&Request, ApiMisuse> {
        if self.is_closed() {
            return Err(ApiMisuse::Closed);
        }
        let request = self.requests.get(&key.0);
        request
            .filter(|request| !matches!(request.kind, Kind::Opening))
            .ok_or(ApiMisuse::UnknownRequest(key))
    }

    pub(crate) fn request_mut(&mut self, key: RequestKey) -> Result<&mut Request, ApiMisuse> {
        self.requests
            .get_mut(&key.0)
            .ok_or(ApiMisuse::UnknownRequest(key))
    }
}

/// The order of groups in the fill that a message asks for.
///
/// subscription: what earlier messages said of the subscription.
fn fill_order(parameters: &Parameters, subscription: Option<GroupOrder>) -> Option<GroupOrder> {
    let fill = parameters.fill.as_ref()?;
    let order = fill.group_order.or(parameters.group_order).or(subscription);
    Some(order.unwrap_or_default())
}
