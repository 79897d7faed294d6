use std::collections::BTreeSet;

use crate::{
    Act, Change, ChatMessage, ChatSeq, CommandId, DataMessage, Done, Emoji, ErrorKind, HandSeq,
    HistoryPolicy, Notice, Output, ParticipantId, PrivateMessage, Quality, Reactions, Topic,
    chat_text,
};

use super::{
    Room, Timer,
    answering::{Answer, remember, too_soon},
};

impl Room {
    pub(super) fn raise_hand(&mut self, who: &ParticipantId) -> Done {
        let raised = self.memory.view.participant(who).and_then(|p| p.hand);
        let hand = raised.unwrap_or(HandSeq(self.memory.next_hand));
        if raised.is_none() {
            self.memory.next_hand += 1;
            self.change(Change::Hand {
                participant: who.clone(),
                hand: Some(hand),
            });
        }
        Done {
            hand: Some(hand),
            ..Done::default()
        }
    }

    pub(super) fn lower_hand(
        &mut self,
        who: &ParticipantId,
        whose: Option<ParticipantId>,
    ) -> Answer {
        let participant = whose.unwrap_or_else(|| who.clone());
        let others = participant != *who;
        if others && !self.hosts.contains(who) {
            return Err(ErrorKind::Forbidden.into());
        }
        let Some(shown) = self.memory.view.participant(&participant) else {
            return Err(ErrorKind::NotPresent.into());
        };
        if shown.hand.is_some() {
            if others {
                let whom = participant.clone();
                self.audit(who, Act::LoweredHand { whom });
            }
            let hand = None;
            self.change(Change::Hand { participant, hand });
        }
        Ok(Done::default())
    }

    pub(super) fn lower_all_hands(&mut self, who: &ParticipantId) -> Done {
        if self.memory.view.hands().next().is_some() {
            self.audit(who, Act::LoweredAllHands);
            self.change(Change::HandsLowered);
        }
        Done::default()
    }

    pub(super) fn react(&mut self, who: &ParticipantId, emoji: &str) -> Answer {
        let emoji: Emoji = emoji.parse()?;
        let (now, rate) = (self.memory.now, self.settings.reactions_per_second);
        if let Some(person) = self.memory.people.get_mut(who) {
            person
                .reaction_rate
                .take(rate, rate, now)
                .map_err(too_soon)?;
        }
        if self.memory.view.len() <= self.settings.named_reactions {
            let participant = who.clone();
            let one = Reactions::One { participant, emoji };
            self.outputs.push_back(Output::Reactions(one));
            return Ok(Done::default());
        }
        *self.memory.counts.entry(emoji).or_default() += 1;
        if self.memory.counts_due.is_none() {
            let due = now.plus(self.settings.reactions_every);
            self.memory.counts_due = Some(due);
            self.timers.insert((due, Timer::Reactions));
        }
        Ok(Done::default())
    }

    pub(super) fn chat(
        &mut self,
        who: &ParticipantId,
        client_id: CommandId,
        text: &str,
        to: Option<ParticipantId>,
    ) -> Answer {
        let known = self.memory.people.get(who).and_then(|person| {
            let mut sent = person.chats.iter();
            sent.find(|(id, _)| *id == client_id).map(|(_, done)| *done)
        });
        if let Some(done) = known {
            return Ok(done);
        }
        let text = chat_text(text, self.settings.chat_chars)?;
        if to.as_ref().is_some_and(|to| !self.is_in(to)) {
            return Err(ErrorKind::NotPresent.into());
        }
        let (now, rate, most) = (
            self.memory.now,
            self.settings.chat_per_second,
            self.settings.answers,
        );
        let Some(person) = self.memory.people.get_mut(who) else {
            return Err(ErrorKind::NotPresent.into());
        };
        person.chat_rate.take(rate, rate, now).map_err(too_soon)?;
        let done = Done {
            seq: to.is_none().then_some(ChatSeq(self.memory.next_chat)),
            at: Some(now),
            ..Done::default()
        };
        remember(&mut person.chats, (client_id.clone(), done), most);
        let (from, name) = (who.clone(), person.name.clone());
        match to {
            Some(to) => {
                let message = PrivateMessage {
                    at: now,
                    from,
                    name,
                    to: to.clone(),
                    client_id,
                    text,
                };
                self.notify(&to, Notice::PrivateMessage { message });
            }
            None => self.publish_chat(&ChatMessage {
                seq: ChatSeq(self.memory.next_chat),
                at: now,
                from,
                name,
                client_id,
                text,
            }),
        }
        Ok(done)
    }

    /// Gives data to some who are in; none of them gets it if one is not.
    pub(super) fn give_data(
        &mut self,
        who: &ParticipantId,
        topic: Topic,
        to: Vec<ParticipantId>,
        payload: String,
    ) -> Answer {
        let to: BTreeSet<ParticipantId> = to.into_iter().collect();
        if to.is_empty() {
            return Err(ErrorKind::Empty.into());
        }
        if to.len() > self.settings.data_recipients {
            return Err(ErrorKind::TooLong.into());
        }
        if !to.iter().all(|to| self.is_in(to)) {
            return Err(ErrorKind::NotPresent.into());
        }
        let (now, rate) = (self.memory.now, self.settings.data_per_second);
        if let Some(person) = self.memory.people.get_mut(who) {
            person.data_rate.take(rate, rate, now).map_err(too_soon)?;
        }
        let message = DataMessage {
            from: who.clone(),
            topic,
            payload,
        };
        for to in to {
            let message = message.clone();
            self.notify(&to, Notice::Data { message });
        }
        Ok(Done::default())
    }

    fn publish_chat(&mut self, message: &ChatMessage) {
        self.memory.next_chat += 1;
        let history = self.memory.view.policy().history;
        self.outputs.push_back(Output::Chat {
            session: self.memory.view.session(),
            message: message.clone(),
            history,
        });
        if history == HistoryPolicy::Session {
            return;
        }
        let everybody: Vec<ParticipantId> = self
            .memory
            .view
            .participants()
            .map(|p| p.id.clone())
            .collect();
        for member in everybody {
            let message = message.clone();
            self.notify(&member, Notice::Chat { message });
        }
    }

    pub(super) fn report_quality(&mut self, who: &ParticipantId, quality: Quality) -> Answer {
        if quality == Quality::Lost {
            return Err(ErrorKind::Forbidden.into());
        }
        self.set_quality(who, quality);
        Ok(Done::default())
    }

    pub(super) fn set_quality(&mut self, who: &ParticipantId, quality: Quality) {
        let shown = self.memory.view.participant(who);
        if shown.is_some_and(|p| p.quality != quality) {
            let participant = who.clone();
            self.change(Change::Quality {
                participant,
                quality,
            });
        }
    }

    /// Says again what the replies track said of the own place.
    pub(super) fn resync(&mut self, who: &ParticipantId) -> Done {
        if self.is_in(who) {
            self.give_token(who);
            self.show_lobby(who);
        } else {
            self.tell_place(who);
        }
        Done::default()
    }
}
