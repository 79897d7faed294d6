use std::time::Instant;

use parvis_session::{Config, Event, Input, Limits, Role, Session, StreamId, Transmit};
use parvis_wire::{
    Draft, GroupId, Message, Parameters, Properties, Setup, SubgroupHeader, SubgroupIdMode,
    SubscribeOk, TrackAlias,
};

use crate::support::{header, track};

/// A client that has subscribed, against hand-made bytes.
pub struct ByHand {
    pub session: Session,
    pub now: Instant,
}

pub const ALIAS: TrackAlias = TrackAlias(77);

impl ByHand {
    pub fn new(draft: Draft, limits: Limits) -> (Self, StreamId) {
        let now = Instant::now();
        let session = Session::new(
            Config {
                draft,
                limits,
                ..Config::default()
            },
            now,
        );
        let mut by_hand = Self { session, now };
        by_hand.input(Input::StreamCredit { bidi: 10, uni: 10 });
        by_hand.message(
            StreamId::new(Role::Server, true, 0),
            &Message::Setup(Setup::default()),
        );
        let key = by_hand
            .session
            .subscribe(track("a"), Parameters::default(), now);
        while by_hand.session.poll().is_some() {}
        (by_hand, key.expect("it subscribes").0)
    }

    pub fn input(&mut self, input: Input) {
        self.session
            .handle(input, self.now)
            .expect("the input is valid");
    }

    pub fn data(&mut self, id: StreamId, data: Vec<u8>, fin: bool) {
        self.input(Input::StreamData {
            id,
            data: data.into(),
            fin,
        });
    }

    pub fn message(&mut self, id: StreamId, message: &Message) {
        let mut bytes = Vec::new();
        message
            .encode(self.session.draft(), &mut bytes)
            .expect("a message encodes");
        self.data(id, bytes, false);
    }

    pub fn accept(&mut self, key: StreamId) {
        let ok = SubscribeOk {
            track_alias: ALIAS,
            parameters: Parameters::default(),
            track_properties: Properties::EMPTY,
        };
        self.message(key, &Message::SubscribeOk(ok));
    }

    pub fn subgroup(
        &mut self,
        index: u64,
        alias: TrackAlias,
        payload: &[u8],
        fin: bool,
    ) -> StreamId {
        let id = StreamId::new(Role::Server, true, index);
        let mut bytes = Vec::new();
        SubgroupHeader {
            track_alias: alias,
            group: GroupId(index),
            subgroup: SubgroupIdMode::Zero,
            priority: None,
            has_properties: false,
            end_of_group: false,
            first_object: true,
        }
        .encode(&mut bytes);
        header(0, payload)
            .encode(None, false, &mut bytes)
            .expect("a header encodes");
        bytes.extend_from_slice(payload);
        self.data(id, bytes, fin);
        id
    }

    pub fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.poll()).collect()
    }

    pub fn stopped(&mut self) -> Vec<StreamId> {
        let mut stopped = Vec::new();
        while let Some(transmit) = self.session.poll_transmit(self.now) {
            if let Transmit::StopSending { id, .. } = transmit {
                stopped.push(id);
            }
        }
        stopped
    }
}
