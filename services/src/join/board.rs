use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use parvis::meeting::{
    ChatMessage, ChatSeq, DisconnectReason, Emoji, HistoryPage, Lobby, MediaState, MeetingData,
    MeetingEvent, MeetingState, Participant, ParticipantId, Phase, Source,
};

use parvis_meeting::CommandId;

use super::{
    hearing::Hearing,
    script::Condition,
    told::{Names, Told, plain, tell, tell_data},
};

#[cfg(test)]
mod tests;

/// What a participant remembers of a meeting beside its state.
#[derive(Debug, Default)]
pub struct Board {
    /// Of everybody who is or was in.
    pub names: Names,
    /// The chat, oldest first.
    pub chat: VecDeque<ChatLine>,
    /// What reactions are shown.
    pub reactions: VecDeque<Shown>,
    reacted: BTreeSet<Emoji>,
    /// The newest data: topic and text.
    data: VecDeque<(String, String)>,
    /// Whose board it is.
    me: Option<ParticipantId>,
}

/// A line of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatLine {
    /// Who wrote it; none: the meeting itself.
    pub from: Option<String>,
    /// Whether only this participant reads it.
    pub private: bool,
    /// What.
    pub text: String,
    /// Its place among the messages to everybody.
    pub place: Option<Place>,
}

/// The place of a message, and what makes it the same one: a session after this one counts anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    seq: ChatSeq,
    /// `None`: that messages are gone is said there.
    message: Option<(ParticipantId, CommandId)>,
}

/// A reaction that is shown for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Whose, or how many.
    pub who: String,
    /// How.
    pub emoji: Emoji,
    /// Since when.
    pub since: Instant,
}

/// How many lines of chat are remembered.
const LINES: usize = 1000;
/// How many names of those who left are remembered.
const NAMES: usize = 4096;
/// How long a reaction is shown.
const SHOWN: Duration = Duration::from_secs(3);
/// How many reactions are shown at once.
const REACTIONS: usize = 64;
/// Whoever is not heard for so long is silent.
const SILENCE: Duration = Duration::from_secs(1);
/// Whoever was heard within that is heard.
const HEARD: Duration = Duration::from_millis(200);

impl Board {
    /// The board of that participant.
    pub fn of(me: ParticipantId) -> Self {
        Self {
            me: Some(me),
            ..Self::default()
        }
    }

    /// Takes note of an event; returns what is said of it.
    pub fn take(&mut self, event: &MeetingEvent, now: Instant) -> Option<Told> {
        match event {
            MeetingEvent::Joined(who) | MeetingEvent::Changed(who) => {
                self.names.insert(who.id.clone(), who.name.clone());
                if self.names.len() > NAMES {
                    // An id of before, in no order that matters: whoever is in is named again.
                    self.names.pop_first();
                }
            }
            MeetingEvent::Reaction { participant, emoji } => {
                let name = self.names.get(participant);
                let who = name.map_or_else(|| participant.to_string(), |name| plain(name));
                self.react(who, *emoji, now);
            }
            MeetingEvent::Reactions(counts) => {
                for (emoji, count) in counts {
                    self.react(count.to_string(), *emoji, now);
                }
            }
            MeetingEvent::Chat(message) => {
                let line = ChatLine::of(message);
                if self.has(&line) {
                    return None;
                }
                self.write(line);
            }
            MeetingEvent::PrivateMessage(message) => self.write(ChatLine {
                from: Some(plain(&message.name)),
                private: true,
                text: message.text.clone(),
                place: None,
            }),
            _ => {}
        }
        tell(event, &self.names, self.me.as_ref())
    }

    /// Takes note of data; returns what is said of it.
    pub fn take_data(&mut self, data: &MeetingData) -> Told {
        let text = String::from_utf8_lossy(&data.payload).into_owned();
        let told = tell_data(data, &text, &self.names);
        if self.data.len() == LINES {
            self.data.pop_front();
        }
        self.data.push_back((data.topic.clone(), text));
        told
    }

    /// Adds what the meeting, or this command, says to the participant.
    pub fn note(&mut self, text: String) {
        self.write(ChatLine {
            from: None,
            private: false,
            text,
            place: None,
        });
    }

    /// Takes note of messages of before, and of what is gone of them, each in its place; returns what is
    /// said of those that were not known.
    pub fn recall(&mut self, page: &HistoryPage) -> Vec<Told> {
        let messages = page.messages.iter().cloned().map(MeetingEvent::Chat);
        let gaps = page.gaps.iter().copied().map(MeetingEvent::HistoryGap);
        let mut told = Vec::new();
        for event in gaps.chain(messages) {
            let said = tell(&event, &self.names, self.me.as_ref());
            let line = match (&event, &said) {
                (MeetingEvent::Chat(message), _) => ChatLine::of(message),
                (MeetingEvent::HistoryGap(gap), Some(said)) => ChatLine::gap(gap.from, &said.text),
                _ => continue,
            };
            if self.is_full() || self.has(&line) {
                continue;
            }
            self.put(line);
            told.extend(said);
        }
        told
    }

    /// Whether it remembers no more messages of before.
    pub fn is_full(&self) -> bool {
        self.chat.len() >= LINES
    }

    fn has(&self, line: &ChatLine) -> bool {
        line.place.is_some() && self.chat.iter().rev().any(|old| old.place == line.place)
    }

    /// Writes a line before those that came later.
    fn put(&mut self, line: ChatLine) {
        let seq = |line: &ChatLine| line.place.as_ref().map(|place| place.seq);
        let later = |old: &ChatLine| seq(old) > seq(&line);
        let at = self.chat.iter().position(later);
        self.chat.insert(at.unwrap_or(self.chat.len()), line);
    }

    /// Takes away what was shown for long enough.
    pub fn forget(&mut self, now: Instant) {
        self.reactions
            .retain(|shown| now.saturating_duration_since(shown.since) < SHOWN);
    }

    fn write(&mut self, line: ChatLine) {
        if self.chat.len() == LINES {
            self.chat.pop_front();
        }
        self.chat.push_back(line);
    }

    fn react(&mut self, who: String, emoji: Emoji, now: Instant) {
        self.reacted.insert(emoji);
        if self.reactions.len() == REACTIONS {
            self.reactions.pop_front();
        }
        self.reactions.push_back(Shown {
            who,
            emoji,
            since: now,
        });
    }

    /// Whether something is so.
    pub fn holds(
        &self,
        condition: &Condition,
        state: &MeetingState,
        hearing: &Hearing,
        now: Instant,
    ) -> bool {
        use Condition as C;
        let in_lobby =
            |lobby: &dyn Fn(&Lobby) -> bool| matches!(&state.phase, Phase::InLobby(l) if lobby(l));
        let view = state.view.as_ref();
        let who = |name: &str| who(state, name);
        match condition {
            C::InLobby => in_lobby(&|_| true),
            C::WaitingForHost => in_lobby(&|lobby| *lobby == Lobby::WaitingForHost),
            C::Waiting => in_lobby(&|lobby| matches!(lobby, Lobby::Waiting { .. })),
            C::Denied => in_lobby(&|lobby| matches!(lobby, Lobby::Denied { .. })),
            C::Connected => state.is_connected(),
            C::Removed => state.phase == Phase::Disconnected(DisconnectReason::Removed),
            C::Ended => state.phase == Phase::Disconnected(DisconnectReason::RoomEnded),
            C::Participants { count, or_more } => {
                view.is_some_and(|view| view.len() == *count || (*or_more && view.len() > *count))
            }
            C::Present(name) => who(name).is_some(),
            C::Absent(name) => view.is_some() && who(name).is_none(),
            C::Lobby(name) => state.lobby.iter().any(|waiter| waiter.name == *name),
            C::NoLobby(name) => {
                state.is_connected() && state.lobby.iter().all(|waiter| waiter.name != *name)
            }
            C::Chat(text) => self.wrote(text, false),
            C::Private(text) => self.wrote(text, true),
            C::Data(topic, text) => {
                let mut data = self.data.iter();
                data.any(|(on, what)| on == topic && what.contains(text.as_str()))
            }
            C::Hand(name, place) => {
                let at = who(name).and_then(|who| view?.hand_position(&who.id));
                at.is_some_and(|at| place.is_none_or(|place| place == at))
            }
            C::NoHand(name) => who(name).is_some_and(|who| who.hand.is_none()),
            C::Reaction(emoji) => self.reacted.contains(emoji),
            C::Media(source, on, name) => {
                who(name).is_some_and(|who| (*who.media.of(*source) == MediaState::On) == *on)
            }
            C::Forbidden(source, on) => {
                view.is_some_and(|view| *view.forbidden().of(*source) == *on)
            }
            C::HasRole(name, role) => who(name).is_some_and(|who| who.role == *role),
            C::Locked(on) => view.is_some_and(|view| view.is_locked() == *on),
            C::Hears(name) => who(name).is_some_and(|who| {
                hearing
                    .last(&who.id)
                    .is_some_and(|at| now.saturating_duration_since(at) < HEARD)
            }),
            C::HearsScreen(name) => who(name).is_some_and(|who| {
                hearing
                    .last_of_screen(&who.id)
                    .is_some_and(|at| now.saturating_duration_since(at) < HEARD)
            }),
            C::Silence(name) => who(name).is_some_and(|who| {
                hearing
                    .last(&who.id)
                    .is_none_or(|at| now.saturating_duration_since(at) > SILENCE)
            }),
            C::Sees(name, source) => who(name).is_some_and(|who| hearing.sees(&who.id, *source)),
            C::Speaks(name) => who(name).is_some_and(|who| state.speakers.contains(&who.id)),
        }
    }

    fn wrote(&self, text: &str, private: bool) -> bool {
        let lines = self.chat.iter().filter(|line| line.from.is_some());
        lines
            .into_iter()
            .any(|line| line.private == private && line.text.contains(text))
    }
}

impl ChatLine {
    fn of(message: &ChatMessage) -> Self {
        Self {
            from: Some(plain(&message.name)),
            private: false,
            text: message.text.clone(),
            place: Some(Place {
                seq: message.seq,
                message: Some((message.from.clone(), message.client_id.clone())),
            }),
        }
    }

    /// Says that messages are gone.
    fn gap(first: ChatSeq, text: &str) -> Self {
        Self {
            from: None,
            private: false,
            text: text.to_owned(),
            place: Some(Place {
                seq: first,
                message: None,
            }),
        }
    }
}

/// Who is in under that name or id.
pub fn who<'a>(state: &'a MeetingState, name: &str) -> Option<&'a Participant> {
    let view = state.view.as_ref()?;
    let by_id = ParticipantId::new(name)
        .ok()
        .and_then(|id| view.participant(&id));
    by_id.or_else(|| view.participants().find(|who| who.name == name))
}

/// What it looks like to somebody who waited in vain.
pub fn describe(state: &MeetingState) -> String {
    let phase = super::told::describe_phase(&state.phase);
    let Some(view) = &state.view else {
        return phase;
    };
    let names = view.listed(Some(&state.me)).into_iter().map(|who| {
        let sources = Source::ALL
            .into_iter()
            .filter(|s| *who.media.of(*s) == MediaState::On);
        let sources: Vec<&str> = sources.map(Source::name).collect();
        format!("{} [{}]", plain(&who.name), sources.join(" "))
    });
    format!("{phase}; in: {}", names.collect::<Vec<_>>().join(", "))
}
