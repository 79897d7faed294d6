//! What is known and told of.

use std::sync::Arc;

use parvis_meeting::{Change, ChatMessage, ParticipantId, Source, View};

use super::Driver;
use crate::{
    Connectivity,
    codecs::CodecReport,
    meeting::{MeetingEvent, MeetingState, Phase},
};

impl Driver {
    /// One is in when everybody sees it.
    pub(super) fn check_in(&self) {
        let seen = self.state.borrow().myself().is_some();
        let away = self.room.state().connectivity != Connectivity::Connected;
        if seen && !away && self.inside.is_some() {
            self.set_phase(Phase::Connected);
        }
    }

    /// What a host forbids to all is captured no more, until it is turned on again.
    pub(super) fn stop_forbidden(&self) {
        let Some(view) = &self.view else { return };
        let me = view.participant(&self.me);
        if me.is_none_or(|me| me.role.is_host()) {
            return;
        }
        for source in Source::ALL {
            let is_on = self
                .room
                .engine()
                .publishes(|track| Source::of_track(track) == Some(source));
            if *view.forbidden().of(source) && is_on && !self.shared.is_muted(source) {
                self.shared.muted(source);
                let by = self.me.clone();
                self.tell(MeetingEvent::Muted { source, by });
            }
        }
    }

    pub(super) fn tell_change(&mut self, hands: &[ParticipantId], change: Change) {
        match change {
            Change::Joined { participant } => self.tell(MeetingEvent::Joined(participant)),
            Change::Left {
                participant,
                reason,
            } => {
                self.speakers.left(&participant);
                self.tell(MeetingEvent::Left {
                    participant,
                    reason,
                });
            }
            Change::Renamed { participant, .. }
            | Change::Role { participant, .. }
            | Change::Media { participant, .. }
            | Change::Quality { participant, .. } => self.tell_changed(&participant),
            Change::Policy { policy } => self.tell(MeetingEvent::Policy(policy)),
            Change::Locked { locked } => self.tell(MeetingEvent::Locked(locked)),
            Change::Forbidden { forbidden } => self.tell(MeetingEvent::Forbidden(forbidden)),
            Change::Recording { capture } | Change::Transcription { capture } => {
                self.tell(MeetingEvent::Capture(capture));
            }
            Change::Hand { .. } | Change::HandsLowered | Change::Ended { .. } | Change::Unknown => {
            }
        }
        let view = self.view.as_ref();
        if view.is_some_and(|view| !view.hands().eq(hands)) {
            self.tell_hands();
        }
    }

    pub(super) fn tell_changed(&self, id: &ParticipantId) {
        let view = self.view.as_ref();
        if let Some(participant) = view.and_then(|view| view.participant(id)) {
            self.tell(MeetingEvent::Changed(participant.clone()));
        }
    }

    /// Tells what is different after a snapshot.
    pub(super) fn tell_differences(&mut self, before: &View) {
        let Some(view) = self.view.clone() else {
            return;
        };
        for gone in before.participants() {
            if view.participant(&gone.id).is_none() {
                self.speakers.left(&gone.id);
                self.tell(MeetingEvent::Left {
                    participant: gone.id.clone(),
                    reason: parvis_meeting::LeaveReason::Left,
                });
            }
        }
        for participant in view.participants() {
            match before.participant(&participant.id) {
                None => self.tell(MeetingEvent::Joined(participant.clone())),
                Some(known) if known != participant => {
                    self.tell(MeetingEvent::Changed(participant.clone()));
                }
                Some(_) => {}
            }
        }
        if !view.hands().eq(before.hands()) {
            self.tell_hands();
        }
        if view.policy() != before.policy() {
            self.tell(MeetingEvent::Policy(view.policy().clone()));
        }
        if view.is_locked() != before.is_locked() {
            self.tell(MeetingEvent::Locked(view.is_locked()));
        }
        if view.forbidden() != before.forbidden() {
            self.tell(MeetingEvent::Forbidden(*view.forbidden()));
        }
    }

    pub(super) fn tell_hands(&self) {
        let hands = self.view.iter().flat_map(View::hands).cloned().collect();
        self.tell(MeetingEvent::Hands(hands));
    }

    pub(super) fn tell_chat(&self, message: ChatMessage) {
        self.shared.outbound.seen(&self.me, &message);
        self.tell(MeetingEvent::Chat(message));
    }

    pub(super) fn tell_codec(&self, report: CodecReport) {
        let CodecReport {
            participant,
            track,
            state,
        } = report;
        let participant = match participant {
            Some(name) => ParticipantId::new(name.as_str()).ok(),
            None => Some(self.me.clone()),
        };
        if let Some(participant) = participant {
            self.tell(MeetingEvent::Codec {
                participant,
                track,
                state,
            });
        }
    }

    pub(super) fn set_lobby(&self, change: impl FnOnce(&mut Vec<parvis_meeting::Waiter>)) {
        self.change(|state| change(&mut state.lobby));
        let lobby = self.state.borrow().lobby.clone();
        self.tell(MeetingEvent::Lobby(lobby));
    }

    pub(super) fn show_view(&self) {
        let view = self.view.clone();
        self.change(|state| state.view = view);
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        if self.state.borrow().phase == phase {
            return;
        }
        self.change(|state| state.phase = phase.clone());
        self.tell(MeetingEvent::Phase(phase));
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut MeetingState)) {
        self.state.send_modify(|state| change(Arc::make_mut(state)));
    }

    pub(super) fn tell(&self, event: MeetingEvent) {
        // Nobody may listen.
        let _ = self.events.send(event);
    }
}
