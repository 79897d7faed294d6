//! What is given up when the network is short.

use std::time::Instant;

use super::Driver;
use crate::{
    Connectivity,
    meeting::{
        MeetingEvent,
        step_down::{Controller, Measured},
    },
};

/// What was measured before, and what follows from it.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    controller: Controller,
    sent: u64,
    lost: u64,
}

/// Fewer packets say nothing of losses.
const FEW: u64 = 20;

impl Driver {
    /// Measures the network, and gives something up or takes it back.
    pub(super) async fn look_for_shortage(&mut self) {
        let Some(shortage) = &mut self.shortage else {
            return;
        };
        if self.room.state().connectivity != Connectivity::Connected {
            shortage.controller.reset();
            return;
        }
        let engine = self.room.engine();
        let (Some(path), Some(unsent)) = (engine.path().await, engine.unsent().await) else {
            return;
        };
        let reception = engine.look_at_reception();
        // Another connection counts from the beginning.
        let sent = path.sent_packets.saturating_sub(shortage.sent);
        let lost = path.lost_packets.saturating_sub(shortage.lost);
        (shortage.sent, shortage.lost) = (path.sent_packets, path.lost_packets);
        let measured = Measured {
            loss: (sent >= FEW).then(|| lost as f64 / sent as f64),
            queueing: path.rtt.saturating_sub(path.min_rtt),
            lateness: reception.lateness,
            broken: reception.broken,
            unsent,
        };
        let Some(level) = shortage.controller.handle(&measured, Instant::now()) else {
            return;
        };
        tracing::info!(?level, ?measured, "the network has another width");
        self.shared
            .wishes
            .send_modify(|wishes| wishes.step_down = level);
        self.change(|state| state.step_down = level);
        self.tell(MeetingEvent::StepDown(level));
    }
}
