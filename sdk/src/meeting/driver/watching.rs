//! What time brings.

use std::time::{Duration, Instant};

use parvis_meeting::{Command, Quality};

use super::{Driver, SPEECH};
use crate::{Connectivity, meeting::MeetingEvent};

impl Driver {
    pub(super) async fn handle_timeout(&mut self, often: bool) {
        let now = Instant::now();
        self.requests.handle_timeout(now);
        self.say_due(now);
        if self.renew.is_some_and(|at| at <= now) {
            // Asked for again if there is no answer.
            self.renew = Some(now + Duration::from_mins(1));
            self.ask(Command::RenewToken);
        }
        if let Some(speakers) = self.speakers.changed(now) {
            self.change(|state| state.speakers.clone_from(&speakers));
            self.tell(MeetingEvent::Speakers(speakers));
        }
        self.look_at_hand(now);
        if often {
            self.look_at_path().await;
        }
        if self.freshness.handle_timeout(self.known(), now) {
            self.read_state_anew();
        }
    }

    pub(super) fn look_at_hand(&mut self, now: Instant) {
        let state = self.state.borrow().clone();
        let raised = state.myself().is_some_and(|me| me.hand.is_some());
        let speaks = state.speakers.contains(&self.me);
        if !raised {
            self.suggested = false;
        }
        if !raised || !speaks {
            self.spoke_since = None;
            return;
        }
        let since = *self.spoke_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= SPEECH && !self.suggested {
            self.suggested = true;
            self.tell(MeetingEvent::SuggestLowerHand);
        }
    }

    /// Says how well one is connected, when that is another.
    pub(super) async fn look_at_path(&mut self) {
        let connected = self.room.state().connectivity == Connectivity::Connected;
        let path = self.room.path().await.filter(|_| connected);
        let quality = path.map_or(Quality::Lost, |path| self.shared.quality(&path));
        if self.state.borrow().quality == quality {
            return;
        }
        self.change(|state| state.quality = quality);
        self.tell(MeetingEvent::Quality(quality));
        if self.inside.is_some() && quality != Quality::Lost {
            self.ask(Command::ReportQuality { quality });
        }
    }
}
