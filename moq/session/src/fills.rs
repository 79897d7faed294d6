use std::time::Instant;

use parvis_wire::{Draft, FetchCursor, FetchHeader, GroupId, Parameters, RequestId, ResetCode};

use crate::{
    RequestKey, SendRefused, Session, StreamId,
    scheduler::{Encoder, FlowKind},
};

/// The flows of fill streams are told from requests by their numbers, which no stream has.
const FIRST_FILL: u64 = 1 << 63;

/// Fill streams: objects of the past on a stream beside a subscription; draft 22.
impl Session {
    /// Opens the stream of a fill that a subscriber asked for; write to it as to the stream of a
    /// FETCH. The subscription is accepted and forwards.
    ///
    /// update: the REQUEST_UPDATE that asked; `None`: the SUBSCRIBE did. parameters: those of the
    /// fill; what they leave out is as for the subscription.
    pub fn open_fill(
        &mut self,
        key: RequestKey,
        update: Option<RequestId>,
        parameters: &Parameters,
        now: Instant,
    ) -> Result<StreamId, SendRefused> {
        if self.draft() == Draft::D18 {
            return Err(SendRefused::NotPublished(key));
        }
        let sending = self.sending(key)?;
        let mut wishes = sending.wishes;
        wishes.apply(parameters);
        let options = wishes.options(&sending.defaults, FlowKind::Fetch);
        let order = wishes.group_order().unwrap_or_default();
        let request_id = match (update, self.requests.get(&key.0)) {
            (Some(id), _) => id,
            (None, Some(request)) => request.id,
            (None, None) => return Err(SendRefused::NotPublished(key)),
        };
        let fill = RequestKey(StreamId(FIRST_FILL | self.next_fill));
        self.scheduler.add_flow(fill, options);
        let encoder = Encoder::Fetch(FetchCursor::new(self.config.draft, order));
        let opened = self.scheduler.open_data(fill, GroupId(0), 0, None, encoder);
        let stream = match opened {
            Ok(stream) => stream,
            Err(refused) => {
                self.scheduler.forget_flow(fill);
                return Err(refused);
            }
        };
        self.next_fill += 1;
        self.fills.insert(fill, key);
        if let Ok(sending) = self.sending(key) {
            sending.streams_opened += 1;
            sending.fills.push(fill);
        }
        let mut bytes = Vec::with_capacity(16);
        FetchHeader { request_id }.encode(&mut bytes);
        self.write_raw(stream, bytes.into(), now)?;
        Ok(stream)
    }

    /// Nothing more is written to the stream of this flow, if it is one of a fill.
    pub(crate) fn end_fill(&mut self, flow: RequestKey) {
        if self.fills.contains_key(&flow) {
            self.scheduler
                .close_flow(flow, ResetCode::Cancelled.to_u64());
        }
    }
}
