use std::time::Instant;

use bytes::Bytes;
use parvis_wire::{
    Draft, FetchOk, Message, Parameters, Properties, RequestError, RequestId, RequestOk,
    RequestUpdate, ResetCode, SubscribeOk,
};

use crate::{
    ApiMisuse, RequestKey, Session,
    request::{Kind, Origin, Request},
    scheduler::FlowKind,
    wishes::TrackDefaults,
};

/// Answers to the peer's requests.
impl Session {
    /// Accepts a SUBSCRIBE; `open_subgroup` and `send_datagram` may follow.
    pub fn accept_subscribe(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        track_properties: Properties,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let request = self.unanswered(key, "accepting a SUBSCRIBE")?;
        let Kind::Sending(sending) = &request.kind else {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "accepting a SUBSCRIBE",
            });
        };
        let track_alias = sending.alias;
        let defaults = TrackDefaults::of(&track_properties);
        let ok = SubscribeOk {
            track_alias,
            parameters,
            track_properties,
        };
        let bytes = self.encode(&Message::SubscribeOk(ok))?;
        let request = self.request_mut(key)?;
        request.established = true;
        if let Kind::Sending(sending) = &mut request.kind {
            sending.defaults = defaults;
            let options = sending
                .wishes
                .options(&sending.defaults, FlowKind::Subscription);
            self.scheduler.add_flow(key, options);
        }
        self.answer(key, bytes, now);
        Ok(())
    }

    /// Accepts a PUBLISH. Draft 22 lets the answer carry the expiry only: the other parameters
    /// go as an update behind it, whose answer comes as
    /// [`Event::UpdateAccepted`](crate::Event::UpdateAccepted).
    pub fn accept_publish(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let request = self.unanswered(key, "accepting a PUBLISH")?;
        if !matches!(request.kind, Kind::Receiving(_)) {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "accepting a PUBLISH",
            });
        }
        let wishes = parameters.clone();
        let (answer, update) = match self.config.draft {
            Draft::D18 => (parameters, None),
            Draft::D22 => {
                let expires = parameters.expires;
                let rest = Parameters {
                    expires: None,
                    ..parameters
                };
                let update = (rest != Parameters::default()).then_some(rest);
                (
                    Parameters {
                        expires,
                        ..Parameters::default()
                    },
                    update,
                )
            }
        };
        let ok = RequestOk {
            parameters: answer,
            track_properties: Properties::EMPTY,
        };
        let ok = self.encode(&Message::RequestOk(ok))?;
        let request_id = RequestId(self.next_request_id);
        let update = update
            .map(|parameters| {
                self.encode(&Message::RequestUpdate(RequestUpdate {
                    request_id,
                    parameters,
                }))
            })
            .transpose()?;
        let request = self.request_mut(key)?;
        request.established = true;
        if let Kind::Receiving(receiving) = &mut request.kind {
            receiving.wishes.apply(&wishes);
        }
        request.updates_out += usize::from(update.is_some());
        self.scheduler.write_control(key.0, ok, now);
        if let Some(update) = update {
            self.next_request_id += 2;
            self.scheduler.write_control(key.0, update, now);
        }
        self.take_notes(now);
        Ok(())
    }

    /// Accepts a PUBLISH_NAMESPACE, SUBSCRIBE_NAMESPACE or SUBSCRIBE_TRACKS.
    pub fn accept(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let request = self.unanswered(key, "accepting")?;
        match request.kind {
            Kind::PublishNamespace
            | Kind::SubscribeNamespace { .. }
            | Kind::SubscribeTracks { .. } => {}
            _ => {
                return Err(ApiMisuse::NotAllowed {
                    key,
                    action: "accepting",
                });
            }
        }
        let ok = RequestOk {
            parameters,
            track_properties: Properties::EMPTY,
        };
        let bytes = self.encode(&Message::RequestOk(ok))?;
        self.request_mut(key)?.established = true;
        self.answer(key, bytes, now);
        Ok(())
    }

    /// Answers a TRACK_STATUS and ends it.
    pub fn accept_track_status(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        track_properties: Properties,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let request = self.unanswered(key, "answering a TRACK_STATUS")?;
        if !matches!(request.kind, Kind::TrackStatus) {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "answering a TRACK_STATUS",
            });
        }
        let ok = RequestOk {
            parameters,
            track_properties,
        };
        let bytes = self.encode(&Message::RequestOk(ok))?;
        self.scheduler.write_control(key.0, bytes, now);
        self.retire(key, now);
        self.take_notes(now);
        Ok(())
    }

    /// Accepts a FETCH; `open_fetch` may come before or after.
    pub fn accept_fetch(
        &mut self,
        key: RequestKey,
        answer: FetchOk,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let request = self.unanswered(key, "accepting a FETCH")?;
        let Kind::Fetch(fetching) = &request.kind else {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "accepting a FETCH",
            });
        };
        let sent = fetching.ended;
        let bytes = self.encode(&Message::FetchOk(answer))?;
        self.request_mut(key)?.established = true;
        self.scheduler.write_control(key.0, bytes, now);
        if sent {
            self.scheduler
                .close_flow(key, ResetCode::Cancelled.to_u64());
        }
        self.take_notes(now);
        Ok(())
    }

    /// Rejects a request and ends it.
    pub fn reject(
        &mut self,
        key: RequestKey,
        error: RequestError,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        self.unanswered(key, "rejecting")?;
        let bytes = self.encode(&Message::RequestError(error))?;
        self.scheduler.write_control(key.0, bytes, now);
        self.retire(key, now);
        self.take_notes(now);
        Ok(())
    }

    /// Accepts the oldest unanswered update of a request.
    pub fn accept_update(
        &mut self,
        key: RequestKey,
        parameters: Parameters,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        let request = self.updating(key)?;
        let established = request.established;
        if !established {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "an update before the answer",
            });
        }
        let ok = RequestOk {
            parameters,
            track_properties: Properties::EMPTY,
        };
        let bytes = self.encode(&Message::RequestOk(ok))?;
        self.request_mut(key)?.updates_in -= 1;
        self.answer(key, bytes, now);
        Ok(())
    }

    /// Rejects the oldest unanswered update of a request, which ends the request.
    pub fn reject_update(
        &mut self,
        key: RequestKey,
        error: RequestError,
        now: Instant,
    ) -> Result<(), ApiMisuse> {
        self.updating(key)?;
        self.encode(&Message::RequestError(error.clone()))?;
        self.request_mut(key)?.updates_in -= 1;
        self.fail_update(key, error, now);
        self.take_notes(now);
        Ok(())
    }

    pub(crate) fn answer(&mut self, key: RequestKey, bytes: Bytes, now: Instant) {
        self.scheduler.write_control(key.0, bytes, now);
        self.take_notes(now);
    }

    /// A request of the peer's that has no answer.
    fn unanswered(&self, key: RequestKey, action: &'static str) -> Result<&Request, ApiMisuse> {
        let request = self.request(key)?;
        let over = matches!(&request.kind, Kind::Receiving(receiving) if receiving.done.is_some());
        if request.origin == Origin::Peer && !request.established && !over {
            Ok(request)
        } else {
            Err(ApiMisuse::NotAllowed { key, action })
        }
    }

    fn updating(&self, key: RequestKey) -> Result<&Request, ApiMisuse> {
        let request = self.request(key)?;
        let over = matches!(&request.kind, Kind::Sending(sending) if sending.done.is_some());
        if request.updates_in == 0 || over {
            return Err(ApiMisuse::NotAllowed {
                key,
                action: "answering an update",
            });
        }
        Ok(request)
    }
}
