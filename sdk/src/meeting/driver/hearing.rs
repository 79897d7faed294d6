//! What the authority and the relay say.

use std::time::{Duration, Instant};

use parvis_meeting::{
    Applied, Body, ChatMessage, Command, LobbyStatus, Message, Notice, Participant, ParticipantId,
    Reactions, Revision, SessionId, StateMessage, View, Waiter, from_json,
};

use super::Driver;
use crate::{
    RoomEvent,
    data::DataObject,
    meeting::{DisconnectReason, Lobby, MeetingEvent, Phase},
};

impl Driver {
    pub(super) fn handle_reply(&mut self, object: &DataObject) -> Option<DisconnectReason> {
        let message: Message = match from_json(&object.payload) {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(%error, "a reply cannot be read");
                return None;
            }
        };
        match message.body {
            Body::Reply { re, outcome } => {
                self.requests.answered(&re, outcome);
                self.say_due(Instant::now());
                None
            }
            Body::Notice { notice } => self.handle_notice(notice),
            Body::Unknown => None,
        }
    }

    fn handle_notice(&mut self, notice: Notice) -> Option<DisconnectReason> {
        match notice {
            Notice::Lobby(status) => self.handle_lobby(status),
            Notice::LobbySnapshot { waiters } => self.set_lobby(|lobby| {
                *lobby = waiters;
                queue(lobby);
            }),
            Notice::LobbyJoined { waiter } => self.set_lobby(|lobby| {
                lobby.retain(|other| other.participant != waiter.participant);
                lobby.push(waiter);
                queue(lobby);
            }),
            Notice::LobbyLeft { participant } => {
                self.set_lobby(|lobby| lobby.retain(|other| other.participant != participant));
            }
            Notice::LobbyClosed => self.set_lobby(Vec::clear),
            Notice::Chat { message } => self.tell_chat(message),
            Notice::PrivateMessage { message } => {
                self.tell(MeetingEvent::PrivateMessage(message));
            }
            Notice::Muted { source, by } => {
                self.shared.muted(source);
                self.tell(MeetingEvent::Muted { source, by });
            }
            Notice::Data { message } => self.shared.data.heard(message),
            Notice::CaptureRequested { kind, by } => {
                self.tell(MeetingEvent::CaptureRequested { kind, by });
            }
            Notice::Removed => return Some(DisconnectReason::Removed),
            Notice::RoomEnded => return Some(DisconnectReason::RoomEnded),
            Notice::Malformed { detail } => tracing::error!(detail, "a request was malformed"),
            Notice::Unknown => {}
        }
        None
    }

    fn handle_lobby(&mut self, status: LobbyStatus) {
        let lobby = match status {
            LobbyStatus::Admitted { token, expires } => return self.enter(&token, expires),
            LobbyStatus::WaitingForHost => Lobby::WaitingForHost,
            LobbyStatus::Waiting { since } => Lobby::Waiting { since },
            LobbyStatus::Denied { retry_after_ms } => Lobby::Denied {
                retry_after: retry_after_ms.map(Duration::from_millis),
            },
            LobbyStatus::TimedOut => Lobby::TimedOut,
            LobbyStatus::LobbyFull => Lobby::Full,
            LobbyStatus::Outside => Lobby::Outside,
            LobbyStatus::Unknown => return,
        };
        let was_in = self.inside.take().is_some();
        if was_in || self.coming.take().is_some() {
            // The place was given up while the connection was away.
            self.view = None;
            self.show_view();
            if lobby == Lobby::Outside {
                self.ask(Command::Knock { name: None });
            }
        }
        self.set_phase(Phase::InLobby(lobby));
    }

    pub(super) fn handle_state(&mut self, object: &DataObject) {
        let message: StateMessage = match from_json(&object.payload) {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(%error, "state cannot be read");
                return;
            }
        };
        let Some(view) = &mut self.view else {
            if let StateMessage::Snapshot { snapshot } = message {
                let view = View::from(*snapshot);
                let all: Vec<Participant> = view.participants().cloned().collect();
                self.view = Some(view);
                self.show_view();
                for participant in all {
                    self.tell(MeetingEvent::Joined(participant));
                }
                self.tell_hands();
                self.check_in();
                self.stop_forbidden();
                return;
            }
            self.freshness.missed(Instant::now());
            return;
        };
        let hands: Vec<ParticipantId> = view.hands().cloned().collect();
        // Only what replaces everything is compared with what was.
        let replaces = matches!(message, StateMessage::Snapshot { .. });
        let before = replaces.then(|| view.clone());
        match view.apply(message) {
            Ok(Applied::Known) => {}
            Ok(Applied::Changed(change)) => {
                self.show_view();
                self.tell_change(&hands, change);
                self.check_in();
                self.stop_forbidden();
            }
            Ok(Applied::Replaced) => {
                self.show_view();
                if let Some(before) = before {
                    self.tell_differences(&before);
                }
                self.check_in();
                self.stop_forbidden();
            }
            Err(gap) => {
                tracing::debug!(%gap, "the state is read anew");
                self.freshness.missed(Instant::now());
            }
        }
    }

    /// The state's session and revision, as far as it is known.
    pub(super) fn known(&self) -> Option<(SessionId, Revision)> {
        let view = self.view.as_ref()?;
        Some((view.session(), view.revision()))
    }

    pub(super) fn handle_chat(&mut self, object: &DataObject) {
        match from_json::<ChatMessage>(&object.payload) {
            Ok(message) => {
                let session = self.view.as_ref().map(View::session);
                self.shared.chat_seen(object.location, message.seq, session);
                self.tell_chat(message);
            }
            Err(error) => tracing::warn!(%error, "a chat message cannot be read"),
        }
    }

    pub(super) fn handle_reactions(&mut self, object: &DataObject) {
        match from_json::<Reactions>(&object.payload) {
            Ok(Reactions::One { participant, emoji }) => {
                self.tell(MeetingEvent::Reaction { participant, emoji });
            }
            Ok(Reactions::Counts { counts }) => self.tell(MeetingEvent::Reactions(counts)),
            Ok(Reactions::State { session, revision }) => {
                let now = Instant::now();
                self.freshness.told(self.known(), (session, revision), now);
            }
            Ok(Reactions::Unknown) => {}
            Err(error) => tracing::warn!(%error, "reactions cannot be read"),
        }
    }

    /// Something happened to the connection or to others' tracks.
    pub(super) fn handle_room(&mut self, event: RoomEvent) -> Option<DisconnectReason> {
        match event {
            RoomEvent::Joined(who) | RoomEvent::Changed(who) => {
                if let Ok(id) = ParticipantId::new(who.name.as_str()) {
                    self.tell(MeetingEvent::Tracks(id));
                }
            }
            RoomEvent::Left(name) => {
                if let Ok(id) = ParticipantId::new(name.as_str()) {
                    self.tell(MeetingEvent::Tracks(id));
                }
            }
            RoomEvent::Moving => {}
            RoomEvent::Reconnecting(_) => self.set_phase(Phase::Reconnecting),
            RoomEvent::Moved => {
                // The relay may be another one: what was missed is asked for.
                self.ask(Command::Resync);
                if self.inside.is_some() {
                    self.check_in();
                } else {
                    self.set_phase(Phase::Connecting);
                    if self.coming.is_none() {
                        self.ask(Command::Knock { name: None });
                    }
                }
            }
            RoomEvent::Closed(reason) => return Some(DisconnectReason::Lost(reason)),
        }
        None
    }
}

/// First come, first served: whoever was away for a moment has kept the place.
fn queue(lobby: &mut [Waiter]) {
    lobby.sort_by_key(|waiter| waiter.since);
}

#[cfg(test)]
mod tests {
    use parvis_meeting::UnixMillis;

    use super::*;

    #[test]
    fn whoever_came_first_is_first_whenever_it_is_told() {
        let waiter = |id, since| Waiter {
            participant: ParticipantId::new(id).unwrap(),
            name: id.to_owned(),
            verified: false,
            signed_in: false,
            since: UnixMillis(since),
        };
        let mut lobby = vec![waiter("pb", 20), waiter("pc", 30), waiter("pa", 10)];
        queue(&mut lobby);
        let ids: Vec<&str> = lobby.iter().map(|w| w.participant.as_str()).collect();
        assert_eq!(ids, ["pa", "pb", "pc"]);
    }
}
