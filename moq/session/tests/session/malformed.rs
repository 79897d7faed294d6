//! What a peer must not do, and the code it is told.

mod cases;

use std::time::Instant;

use bytes::Bytes;
use parvis_session::{
    Config, EndReason, Event, Input, RequestKey, Role, Session, SessionError, StreamId, Transmit,
};
use parvis_wire::{
    AuthToken, Draft, FetchHeader, FetchOk, FetchRange, GoAway, GroupId, Location, Message,
    Namespace, NamespaceDone, Parameters, Properties, Property, Publish, PublishDone,
    PublishDoneCode, PublishNamespace, PublishSkipped, PublishStateNotify, Redirect, RequestError,
    RequestErrorCode, RequestId, RequestOk, RequestUpdate, SessionErrorCode, Setup, SubgroupHeader,
    SubgroupIdMode, Subscribe, SubscribeOk, TrackAlias, TrackStatus,
};

use self::cases::{CASES, VIOLATION};
use crate::support::{header, namespace, track};

/// A session against hand-made bytes.
struct Victim {
    session: Session,
    draft: Draft,
    now: Instant,
    peer: Role,
}

type Outcome = Result<(), SessionError>;

impl Victim {
    fn new(role: Role, draft: Draft) -> Self {
        let now = Instant::now();
        let mut session = Session::new(
            Config {
                role,
                draft,
                ..Config::default()
            },
            now,
        );
        session
            .handle(
                Input::StreamCredit {
                    bidi: 100,
                    uni: 100,
                },
                now,
            )
            .expect("credit is fine");
        let peer = match role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        Self {
            session,
            draft,
            now,
            peer,
        }
    }

    fn established(role: Role, draft: Draft) -> Self {
        let mut victim = Self::new(role, draft);
        victim
            .control(&Message::Setup(Setup::default()))
            .expect("a SETUP is fine");
        victim
    }

    fn handle(&mut self, input: Input) -> Outcome {
        self.session.handle(input, self.now)
    }

    fn bytes(&mut self, id: StreamId, data: impl Into<Bytes>, fin: bool) -> Outcome {
        self.handle(Input::StreamData {
            id,
            data: data.into(),
            fin,
        })
    }

    fn encode(&self, message: &Message) -> Vec<u8> {
        let mut bytes = Vec::new();
        message
            .encode(self.draft, &mut bytes)
            .expect("a message encodes");
        bytes
    }

    fn control(&mut self, message: &Message) -> Outcome {
        let bytes = self.encode(message);
        self.bytes(self.uni(0), bytes, false)
    }

    fn uni(&self, index: u64) -> StreamId {
        StreamId::new(self.peer, true, index)
    }

    fn bidi(&self, index: u64) -> StreamId {
        StreamId::new(self.peer, false, index)
    }

    /// The peer's request ids.
    fn id(&self, number: u64) -> RequestId {
        RequestId(number * 2 + u64::from(self.peer == Role::Server))
    }

    fn on_request(&mut self, index: u64, message: &Message) -> Outcome {
        let bytes = self.encode(message);
        self.bytes(self.bidi(index), bytes, false)
    }

    fn answer(&mut self, key: RequestKey, message: &Message) -> Outcome {
        let bytes = self.encode(message);
        self.bytes(key.0, bytes, false)
    }

    fn subscribe(&mut self) -> RequestKey {
        let now = self.now;
        self.session
            .subscribe(track("a"), Parameters::default(), now)
            .expect("it subscribes")
    }

    fn subscribed(&mut self) -> RequestKey {
        let key = self.subscribe();
        self.answer(key, &subscribe_ok(5))
            .expect("an answer is fine");
        key
    }

    fn subgroup() -> Vec<u8> {
        let mut bytes = Vec::new();
        SubgroupHeader {
            track_alias: TrackAlias(5),
            group: GroupId(0),
            subgroup: SubgroupIdMode::Zero,
            priority: None,
            has_properties: true,
            end_of_group: false,
            first_object: true,
        }
        .encode(&mut bytes);
        bytes
    }
}

fn subscribe_ok(alias: u64) -> Message {
    Message::SubscribeOk(SubscribeOk {
        track_alias: TrackAlias(alias),
        parameters: Parameters::default(),
        track_properties: Properties::EMPTY,
    })
}

fn subscribe(request_id: RequestId) -> Message {
    let (track, parameters) = (track("a"), Parameters::default());
    Message::Subscribe(Subscribe {
        request_id,
        track,
        parameters,
    })
}

fn publish(request_id: RequestId, name: &'static str, alias: u64) -> Message {
    Message::Publish(Publish {
        request_id,
        track: track(name),
        track_alias: TrackAlias(alias),
        parameters: Parameters::default(),
        track_properties: Properties::EMPTY,
    })
}

fn ok() -> Message {
    Message::RequestOk(RequestOk::default())
}

fn done() -> Message {
    let (code, reason) = (PublishDoneCode::TrackEnded, String::new());
    Message::PublishDone(PublishDone {
        code,
        stream_count: 0,
        reason,
    })
}

fn goaway(uri: &str) -> Message {
    let new_session_uri = uri.to_owned();
    Message::GoAway(GoAway {
        new_session_uri,
        timeout_ms: 0,
        request_id: None,
    })
}

fn publish_namespace(request_id: RequestId, token: AuthToken) -> Message {
    let parameters = Parameters {
        auth_tokens: vec![token],
        ..Parameters::default()
    };
    Message::PublishNamespace(PublishNamespace {
        request_id,
        namespace: namespace(&["x"]),
        parameters,
    })
}

#[test]
fn misbehaviour_closes_the_session_with_its_code() {
    for draft in Draft::ALL {
        for (name, role, code, attack) in CASES {
            let mut victim = Victim::established(*role, draft);
            let error = attack(&mut victim).expect_err(name);
            assert_eq!(error.code(), *code, "{name} in {draft:?}: {error}");
            assert_closed(&mut victim, *code, name);
        }
    }
}

fn assert_closed(victim: &mut Victim, code: SessionErrorCode, name: &str) {
    assert!(victim.session.is_closed(), "{name}");
    let transmits: Vec<Transmit> =
        std::iter::from_fn(|| victim.session.poll_transmit(victim.now)).collect();
    match transmits.as_slice() {
        [Transmit::Close { code: sent, .. }] => assert_eq!(*sent, code, "{name}"),
        transmits => panic!("{name}: one Close among {transmits:?}"),
    }
    let events: Vec<Event> = std::iter::from_fn(|| victim.session.poll()).collect();
    assert!(
        matches!(events.last(), Some(Event::Closed { .. })),
        "{name}: {events:?}"
    );
    assert_eq!(victim.session.poll_timeout(), None, "{name}");
    // Whatever comes later is ignored.
    assert_eq!(
        victim.bytes(victim.uni(9), vec![0xFF; 9], false),
        Ok(()),
        "{name}"
    );
    assert_eq!(victim.session.poll(), None, "{name}");
}

#[test]
fn a_servers_setup_has_no_path_and_no_authority() {
    for draft in Draft::ALL {
        let path = Setup {
            path: Some("/".into()),
            ..Setup::default()
        };
        let authority = Setup {
            authority: Some("x".into()),
            ..Setup::default()
        };
        let cases = [
            (path, SessionErrorCode::InvalidPath),
            (authority, SessionErrorCode::InvalidAuthority),
        ];
        for (setup, code) in cases {
            let mut victim = Victim::new(Role::Client, draft);
            let error = victim
                .control(&Message::Setup(setup))
                .expect_err("it is refused");
            assert_eq!(error.code(), code);
            assert_closed(&mut victim, code, "SETUP");
        }
    }
}

#[test]
fn a_goaway_of_18_names_a_request_of_the_receiver() {
    for (id, fine) in [(0, true), (1, false)] {
        let mut victim = Victim::established(Role::Client, Draft::D18);
        let request_id = Some(RequestId(id));
        let goaway = GoAway {
            new_session_uri: String::new(),
            timeout_ms: 0,
            request_id,
        };
        let outcome = victim.control(&Message::GoAway(goaway));
        let code = outcome.map_err(|error| error.code());
        assert_eq!(
            code,
            if fine {
                Ok(())
            } else {
                Err(SessionErrorCode::InvalidRequestId)
            }
        );
    }
}

#[test]
fn a_state_notification_comes_from_a_publisher() {
    let mut victim = Victim::established(Role::Server, Draft::D22);
    victim
        .on_request(0, &subscribe(victim.id(0)))
        .expect("a SUBSCRIBE is fine");
    let notify = Message::PublishStateNotify(PublishStateNotify::default());
    let error = victim.on_request(0, &notify).expect_err("it is refused");
    assert_eq!(error.code(), VIOLATION);
    // Draft 18 does not know the message at all.
    let bytes = victim.encode(&notify);
    let mut victim = Victim::established(Role::Client, Draft::D18);
    let key = victim.subscribed();
    assert_eq!(
        victim.bytes(key.0, bytes, false).map_err(|e| e.code()),
        Err(VIOLATION)
    );
}

#[test]
fn endings_of_former_drafts_cancel_a_request_of_18() {
    for kind in [0x09, 0x0A, 0x0C, 0x17] {
        let mut victim = Victim::established(Role::Server, Draft::D18);
        victim
            .on_request(0, &subscribe(victim.id(0)))
            .expect("a SUBSCRIBE is fine");
        victim
            .bytes(victim.bidi(0), vec![kind, 0, 0], true)
            .expect("it ends the request");
        let events: Vec<Event> = std::iter::from_fn(|| victim.session.poll()).collect();
        let key = RequestKey(victim.bidi(0));
        let reason = EndReason::Cancelled(1);
        assert_eq!(events.last(), Some(&Event::Ended { key, reason }));
        assert_eq!(victim.session.open_requests(), (0, 0));
        // Some peers take a reset of the answers for the end of the session.
        let id = victim.bidi(0);
        let transmits: Vec<Transmit> =
            std::iter::from_fn(|| victim.session.poll_transmit(victim.now)).collect();
        assert!(transmits.contains(&Transmit::Finish { id }));
        let abrupt = |transmit: &Transmit| {
            matches!(transmit, Transmit::Reset { id: other, .. }
                | Transmit::StopSending { id: other, .. } if *other == id)
        };
        assert!(!transmits.iter().any(abrupt), "{kind:#04x}: {transmits:?}");

        let mut victim = Victim::established(Role::Server, Draft::D22);
        victim
            .on_request(0, &subscribe(victim.id(0)))
            .expect("a SUBSCRIBE is fine");
        let outcome = victim.bytes(victim.bidi(0), vec![kind, 0, 0], true);
        assert_eq!(outcome.map_err(|error| error.code()), Err(VIOLATION));
    }
}
