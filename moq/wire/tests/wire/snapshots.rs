//! The bytes of one message of each kind in each draft.

use bytes::Bytes;
use parvis_wire::{
    AuthToken, Draft, Fetch, FetchOk, FetchRange, FullTrackName, GoAway, GroupId, GroupOrder,
    Location, LocationFilter, Message, MessageType, Namespace, NamespaceDone, ObjectId, Parameters,
    Priority, Properties, Property, Publish, PublishDone, PublishDoneCode, PublishNamespace,
    PublishSkipped, PublishStateNotify, Redirect, RequestError, RequestErrorCode, RequestId,
    RequestOk, RequestUpdate, Setup, Subscribe, SubscribeNamespace, SubscribeOk, SubscribeTracks,
    TrackAlias, TrackName, TrackNamespace, TrackStatus,
};

use crate::{decode, encode, hex};

/// Draft, message, bytes: type, length, fields.
#[rustfmt::skip]
const SNAPSHOTS: [(Draft, MessageType, &str); 37] = [
    (Draft::D22, MessageType::RequestUpdate, "02 0027 \
        020b0280c8010202010381f40a0110400103070002020301220202020102040103090002010178"),
    (Draft::D22, MessageType::Subscribe, "03 002f \
        0202016101620363616d0c0280c80102020101010281f40a01104001030700020102010301220202 \
        0201020d000300"),
    (Draft::D22, MessageType::SubscribeOk, "04 000b 050208c0ea600109032201"),
    (Draft::D22, MessageType::RequestError, "05 0011 3401026e6f01750106706172766973016e"),
    (Draft::D22, MessageType::PublishNamespace, "06 000f 020204726f6f6d026d650103020201"),
    (Draft::D22, MessageType::RequestOk, "07 000a 0208c0ea600109032201"),
    (Draft::D22, MessageType::Namespace, "08 0009 0204726f6f6d026d65"),
    (Draft::D22, MessageType::PublishDone, "0b 000e 02ffffffffffffffffff03627965"),
    (Draft::D22, MessageType::TrackStatus, "0d 0011 0202016101620363616d02030202013200"),
    (Draft::D22, MessageType::NamespaceDone, "0e 0009 0204726f6f6d026d65"),
    (Draft::D22, MessageType::PublishSkipped, "0f 000b 0204726f6f6d026d65016e"),
    (Draft::D22, MessageType::GoAway, "10 000b 086d6f71743a2f2f629388"),
    (Draft::D22, MessageType::Fetch, "16 0021 \
        0202016101620363616d0703020201070216400104010203090102030201021000"),
    (Draft::D22, MessageType::FetchOk, "18 0006 000409002201"),
    (Draft::D22, MessageType::Publish, "1d 002b \
        0202016101620363616d80c8090280c8010202010381f402c0ea6001090307011040010307000201 \
        022201"),
    (Draft::D22, MessageType::PublishStateNotify, "22 000b 0309090307011103070002"),
    (Draft::D22, MessageType::SubscribeNamespace, "50 000e 0201067061727669730103020201"),
    (Draft::D22, MessageType::SubscribeTracks, "51 0025 \
        02010670617276697308030202010d01110307000201020103012202020201020401030c00"),
    (Draft::D22, MessageType::Setup, "af00 001a \
        01022f610203030074018400010162010801017001108094812c"),
    (Draft::D18, MessageType::RequestUpdate, "02 001c \
        02080280c8010202010381f40a011040010404070002110002010178"),
    (Draft::D18, MessageType::Subscribe, "03 0025 \
        0202016101620363616d090280c80102020101010281f40a01104001040407000201021000"),
    (Draft::D18, MessageType::SubscribeOk, "04 000b 050208c0ea600109032201"),
    (Draft::D18, MessageType::RequestError, "05 0011 3401026e6f01750106706172766973016e"),
    (Draft::D18, MessageType::PublishNamespace, "06 000f 020204726f6f6d026d650103020201"),
    (Draft::D18, MessageType::RequestOk, "07 001e \
        090280c80481f402c0ea6001090307011040010404070002010210002201"),
    (Draft::D18, MessageType::Namespace, "08 0009 0204726f6f6d026d65"),
    (Draft::D18, MessageType::PublishDone, "0b 000e 02ffffffffffffffffff03627965"),
    (Draft::D18, MessageType::TrackStatus, "0d 000f 0202016101620363616d0103020201"),
    (Draft::D18, MessageType::NamespaceDone, "0e 0009 0204726f6f6d026d65"),
    (Draft::D18, MessageType::PublishSkipped, "0f 000b 0204726f6f6d026d65016e"),
    (Draft::D18, MessageType::GoAway, "10 000c 086d6f71743a2f2f62938804"),
    (Draft::D18, MessageType::Fetch, "16 001a \
        020102016101620363616d0102040a0403020201070216400202"),
    (Draft::D18, MessageType::FetchOk, "18 0006 00040a002201"),
    (Draft::D18, MessageType::Publish, "1d 001c \
        0202016101620363616d80c8040302020105c0ea6001090307012201"),
    (Draft::D18, MessageType::SubscribeNamespace, "50 000e 0201067061727669730103020201"),
    (Draft::D18, MessageType::SubscribeTracks, "51 0010 02010670617276697302030202010d01"),
    (Draft::D18, MessageType::Setup, "af00 0016 01022f6102030300740184000101620201708095812c"),
];

#[test]
fn bytes_of_every_message_are_those_of_the_draft() {
    for draft in Draft::ALL {
        for kind in MessageType::ALL
            .into_iter()
            .filter(|kind| kind.is_in(draft))
        {
            let name = kind.name();
            let snapshot = SNAPSHOTS.iter().find(|row| (row.0, row.1) == (draft, kind));
            let (_, _, digits) = snapshot.unwrap_or_else(|| panic!("no snapshot of {name}"));
            let bytes = hex(digits);
            let message = sample(kind, draft);
            assert_eq!(
                show(&encode(draft, &message)),
                show(&bytes),
                "{name} of {draft:?}"
            );
            assert_eq!(decode(draft, &bytes), Ok(message), "{name} of {draft:?}");
        }
    }
}

fn show(bytes: &Bytes) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a string takes any text");
        digits
    })
}

fn sample(kind: MessageType, draft: Draft) -> Message {
    let request_id = RequestId(2);
    let parameters = sample_parameters(kind, draft);
    let track_properties = Properties::encode(vec![Property::integer(0x22, 1)]);
    let (prefix, suffix) = (namespace(&["parvis"]), namespace(&["room", "me"]));
    match kind {
        MessageType::Setup => Message::Setup(Setup {
            path: Some("/a".into()),
            authority: Some("b".into()),
            max_auth_token_cache_size: Some(1024),
            max_filter_ranges: Some(8).filter(|_| draft == Draft::D22),
            max_request_updates: Some(16).filter(|_| draft == Draft::D22),
            auth_tokens: vec![AuthToken::UseValue {
                kind: 0,
                value: Bytes::from_static(b"t"),
            }],
            implementation: Some("p".into()),
            relay_hops: None,
            unknown: vec![Property::integer(0x9C, 300)],
        }),
        MessageType::GoAway => Message::GoAway(GoAway {
            new_session_uri: "moqt://b".into(),
            timeout_ms: 5000,
            request_id: Some(RequestId(4)).filter(|_| draft == Draft::D18),
        }),
        MessageType::RequestOk => Message::RequestOk(RequestOk {
            parameters,
            track_properties,
        }),
        MessageType::RequestError => Message::RequestError(RequestError {
            code: RequestErrorCode::Redirect,
            retry_interval: 1,
            reason: "no".into(),
            redirect: Some(Redirect {
                connect_uri: "u".into(),
                namespace: prefix,
                name: TrackName::from("n"),
            }),
        }),
        MessageType::Subscribe => Message::Subscribe(Subscribe {
            request_id,
            track: track(),
            parameters,
        }),
        MessageType::SubscribeOk => {
            let track_alias = TrackAlias(5);
            Message::SubscribeOk(SubscribeOk {
                track_alias,
                parameters,
                track_properties,
            })
        }
        MessageType::RequestUpdate => Message::RequestUpdate(RequestUpdate {
            request_id,
            parameters,
        }),
        MessageType::Publish => Message::Publish(Publish {
            request_id,
            track: track(),
            track_alias: TrackAlias(200),
            parameters,
            track_properties,
        }),
        MessageType::PublishStateNotify => {
            Message::PublishStateNotify(PublishStateNotify { parameters })
        }
        MessageType::PublishDone => Message::PublishDone(PublishDone {
            code: PublishDoneCode::TrackEnded,
            stream_count: u64::MAX,
            reason: "bye".into(),
        }),
        MessageType::PublishNamespace => Message::PublishNamespace(PublishNamespace {
            request_id,
            namespace: suffix,
            parameters,
        }),
        MessageType::Namespace => Message::Namespace(Namespace {
            suffix,
            parameters: Parameters::default(),
        }),
        MessageType::NamespaceDone => Message::NamespaceDone(NamespaceDone { suffix }),
        MessageType::SubscribeNamespace => Message::SubscribeNamespace(SubscribeNamespace {
            request_id,
            prefix,
            parameters,
        }),
        MessageType::SubscribeTracks => Message::SubscribeTracks(SubscribeTracks {
            request_id,
            prefix,
            parameters,
        }),
        MessageType::TrackStatus => Message::TrackStatus(TrackStatus {
            request_id,
            track: track(),
            parameters,
        }),
        MessageType::Fetch => Message::Fetch(Fetch {
            request_id,
            range: FetchRange::Standalone {
                track: track(),
                start: Location::new(1, 2),
                end: (GroupId(4), Some(ObjectId(9))),
            },
            parameters: Parameters {
                filter: None,
                ..parameters
            },
        }),
        MessageType::FetchOk => Message::FetchOk(FetchOk {
            end_of_track: false,
            end: Location::new(4, 9),
            parameters,
            track_properties,
        }),
        MessageType::PublishSkipped => Message::PublishSkipped(PublishSkipped {
            suffix,
            name: TrackName::from("n"),
        }),
    }
}

/// Every parameter that the message may carry.
fn sample_parameters(kind: MessageType, draft: Draft) -> Parameters {
    let start = Location::new(7, 0);
    let fill = Parameters {
        group_order: Some(GroupOrder::Descending),
        ..Parameters::default()
    };
    let mut parameters = Parameters {
        object_delivery_timeout: Some(200),
        auth_tokens: vec![AuthToken::UseAlias { alias: 1 }],
        rendezvous_timeout: Some(1),
        subgroup_delivery_timeout: Some(500),
        expires: Some(60_000),
        largest: Some(Location::new(9, 3)),
        fill_timeout: Some(2),
        forward: Some(true),
        subscriber_priority: Some(Priority(64)),
        filter: Some(LocationFilter::AbsoluteGroups {
            start,
            end: GroupId(9),
        }),
        group_order: Some(GroupOrder::Descending),
        fill: Some(Box::new(fill)),
        range_filters: vec![
            (0x25, Bytes::from_static(&[1, 2])),
            (0x29, Bytes::from_static(&[3])),
        ],
        new_group_request: Some(0),
        namespace_prefix: Some(namespace(&["x"])),
        include_properties: Some(false),
        hop_path: None,
        route_cost: None,
    };
    parameters.retain_allowed(kind, draft);
    parameters
}

fn namespace(fields: &[&'static str]) -> TrackNamespace {
    TrackNamespace::new(fields.iter().copied()).expect("a namespace")
}

fn track() -> FullTrackName {
    FullTrackName::new(namespace(&["a", "b"]), TrackName::from("cam")).expect("a name")
}
