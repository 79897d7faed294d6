//! FETCH: objects of the past.

use parvis_wire::{FetchRange, Parameters, RequestErrorCode};

use crate::{Forwarder, Receiver, RequestRef};

impl Forwarder {
    pub(crate) fn fetch(
        &mut self,
        from: Receiver,
        range: FetchRange,
        parameters: &Parameters,
        joining: Option<RequestRef>,
    ) {
        let _ = (range, parameters, joining);
        self.reject(
            from,
            RequestErrorCode::NotSupported,
            "FETCH is not supported",
        );
    }
}
