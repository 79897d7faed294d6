//! Messages come back as they were, and incomplete ones are waited for.

use bytes::Bytes;
use parvis_wire::{
    DecodeError, Draft, EncodeError, Fetch, FetchOk, FetchRange, FullTrackName, GoAway, GroupId,
    Location, LocationFilter, Message, MessageType, ObjectId, Parameters, Properties, PublishDone,
    PublishDoneCode, PublishStateNotify, Redirect, RequestError, RequestErrorCode, RequestId,
    TrackName, TrackNamespace,
};
use proptest::prelude::*;

use crate::message_strategies::message;
use crate::{at_least, decode, encode, frame};

fn drafted_message() -> impl Strategy<Value = (Draft, Message)> {
    proptest::sample::select(Draft::ALL.to_vec())
        .prop_flat_map(|draft| (Just(draft), message(draft)))
}

proptest! {
    #![proptest_config(at_least(2000))]

    #[test]
    fn message_comes_back_as_it_was((draft, message) in drafted_message()) {
        prop_assert_eq!(decode(draft, &encode(draft, &message)), Ok(message));
    }

    #[test]
    fn message_is_appended_and_read_from_the_front(
        (draft, message) in drafted_message(),
        before in prop::collection::vec(any::<u8>(), 0..9),
        after in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let alone = encode(draft, &message);
        let mut out = before.clone();
        message.encode(draft, &mut out).expect("the message has an encoding");
        prop_assert_eq!(&out, &[&before[..], &alone[..]].concat());
        let followed = Bytes::from([&alone[..], &after[..]].concat());
        prop_assert_eq!(Message::decode(draft, &followed), Ok(Some((message, alone.len()))));
    }
}

proptest! {
    #![proptest_config(at_least(300))]

    #[test]
    fn every_prefix_of_a_message_is_incomplete((draft, message) in drafted_message()) {
        let whole = encode(draft, &message);
        for len in 0..whole.len() {
            prop_assert_eq!(Message::decode(draft, &whole.slice(..len)), Ok(None));
        }
    }

    #[test]
    fn body_cut_short_is_an_error_and_no_wait((draft, message) in drafted_message()) {
        let whole = encode(draft, &message);
        let body = whole.slice(header_len(&message)..);
        for len in 0..body.len() {
            let cut = frame(message.message_type().code(), &body[..len]);
            let decoded = Message::decode(draft, &cut);
            prop_assert!(!matches!(decoded, Ok(None) | Err(DecodeError::Truncated(_))));
        }
    }
}

fn header_len(message: &Message) -> usize {
    parvis_wire::varint_len(message.message_type().code()) + 2
}

#[test]
fn unknown_message_type_is_refused_before_its_body_arrives() {
    for draft in Draft::ALL {
        let start = Bytes::from_static(&[0x3F]);
        assert_eq!(
            Message::decode(draft, &start),
            Err(DecodeError::UnknownMessage(0x3F))
        );
    }
    let notify = frame(0x22, &[0]);
    assert_eq!(
        Message::decode(Draft::D18, &notify),
        Err(DecodeError::UnknownMessage(0x22))
    );
    assert!(Message::decode(Draft::D22, &notify).is_ok());
}

#[test]
fn number_of_publish_ok_is_request_ok_in_draft_18() {
    let bytes = frame(0x1E, &[0]);
    let message = decode(Draft::D18, &bytes).expect("a message");
    assert_eq!(message.message_type(), MessageType::RequestOk);
    assert_eq!(
        Message::decode(Draft::D22, &bytes),
        Err(DecodeError::UnknownMessage(0x1E))
    );
}

#[test]
fn message_type_in_a_longer_form_is_accepted() {
    let bytes = Bytes::from_static(&[0x80, 0x08, 0x00, 0x01, 0x00]);
    let message = decode(Draft::D22, &bytes).expect("a message");
    assert_eq!(message.message_type(), MessageType::Namespace);
}

#[test]
fn message_of_another_draft_is_not_encoded() {
    let notify = Message::PublishStateNotify(PublishStateNotify::default());
    refuse(Draft::D18, &notify);
    let goaway = GoAway {
        request_id: Some(RequestId(4)),
        ..GoAway::default()
    };
    refuse(Draft::D22, &Message::GoAway(goaway));
    let joining = FetchRange::RelativeJoining {
        request_id: RequestId(0),
        groups: 1,
    };
    refuse(Draft::D22, &fetch(joining, Parameters::default()));
    refuse(
        Draft::D18,
        &fetch(
            FetchRange::Filtered { track: track() },
            Parameters::default(),
        ),
    );
}

#[test]
fn fetch_of_draft_18_ends_after_its_last_object() {
    let range = FetchRange::Standalone {
        track: track(),
        start: Location::new(3, 4),
        end: (GroupId(5), Some(ObjectId(6))),
    };
    let message = fetch(range, Parameters::default());
    let body = [0, 1, 1, 1, b'n', 1, b't', 3, 4, 5, 7, 0];
    assert_eq!(encode(Draft::D18, &message), frame(0x16, &body));
    let body = [0, 1, 1, b'n', 1, b't', 1, 0x21, 4, 3, 4, 2, 6];
    assert_eq!(encode(Draft::D22, &message), frame(0x16, &body));
}

#[test]
fn fetch_that_ends_before_it_starts_is_refused_in_draft_18() {
    let backwards = |end| FetchRange::Standalone {
        track: track(),
        start: Location::new(3, 4),
        end,
    };
    refuse(
        Draft::D18,
        &fetch(
            backwards((GroupId(3), Some(ObjectId(3)))),
            Parameters::default(),
        ),
    );
    refuse(
        Draft::D18,
        &fetch(backwards((GroupId(2), None)), Parameters::default()),
    );
    let bytes = frame(0x16, &[0, 1, 0, 0, 3, 4, 3, 4, 0]);
    assert!(Message::decode(Draft::D18, &bytes).is_err());
    let whole_group = frame(0x16, &[0, 1, 0, 0, 3, 4, 3, 0, 0]);
    assert!(Message::decode(Draft::D18, &whole_group).is_ok());
}

#[test]
fn fetch_with_two_ranges_is_refused() {
    let range = FetchRange::Standalone {
        track: track(),
        start: Location::default(),
        end: (GroupId(5), None),
    };
    let filter = Some(LocationFilter::NextObject);
    refuse(
        Draft::D22,
        &fetch(
            range,
            Parameters {
                filter,
                ..Parameters::default()
            },
        ),
    );
}

#[test]
fn whole_group_in_fetch_ok_of_draft_18_is_the_largest_object_id() {
    let ok = FetchOk {
        end_of_track: true,
        end: Location::new(7, u64::MAX),
        parameters: Parameters::default(),
        track_properties: Properties::EMPTY,
    };
    let bytes = encode(Draft::D18, &Message::FetchOk(ok.clone()));
    assert_eq!(bytes, frame(0x18, &[1, 7, 0, 0]));
    assert_eq!(decode(Draft::D18, &bytes), Ok(Message::FetchOk(ok)));
    assert!(Message::decode(Draft::D22, &frame(0x18, &[2, 7, 0, 0])).is_err());
}

#[test]
fn redirect_and_its_code_go_together() {
    let redirect = Some(Redirect {
        connect_uri: String::new(),
        namespace: TrackNamespace::default(),
        name: TrackName::default(),
    });
    let error = |code, redirect| {
        let reason = String::new();
        Message::RequestError(RequestError {
            code,
            retry_interval: 0,
            reason,
            redirect,
        })
    };
    refuse(
        Draft::D22,
        &error(RequestErrorCode::Timeout, redirect.clone()),
    );
    refuse(Draft::D22, &error(RequestErrorCode::Redirect, None));
    refuse(Draft::D18, &error(RequestErrorCode::Redirect, None));
    // The code by its number is the same code.
    let message = error(RequestErrorCode::Other(0x34), redirect);
    assert!(decode(Draft::D22, &encode(Draft::D22, &message)).is_ok());
}

#[test]
fn reason_that_is_not_utf8_is_readable() {
    let bytes = frame(0x0B, &[2, 0, 3, b'a', 0xFF, b'b']);
    let Ok(Message::PublishDone(done)) = decode(Draft::D22, &bytes) else {
        panic!("a PUBLISH_DONE")
    };
    assert_eq!(done.reason, "a\u{FFFD}b");
}

#[test]
fn long_reason_is_cut_between_characters() {
    let reason = "é".repeat(600);
    let (code, stream_count) = (PublishDoneCode::TrackEnded, 0);
    let message = Message::PublishDone(PublishDone {
        code,
        stream_count,
        reason,
    });
    let Ok(Message::PublishDone(done)) = decode(Draft::D22, &encode(Draft::D22, &message)) else {
        panic!("a PUBLISH_DONE")
    };
    assert_eq!(done.reason, "é".repeat(512));
}

fn track() -> FullTrackName {
    let namespace = TrackNamespace::new(["n"]).expect("a namespace");
    FullTrackName::new(namespace, TrackName::from("t")).expect("a name")
}

fn fetch(range: FetchRange, parameters: Parameters) -> Message {
    Message::Fetch(Fetch {
        request_id: RequestId(0),
        range,
        parameters,
    })
}

/// Nothing is written when there is no encoding.
fn refuse(draft: Draft, message: &Message) -> EncodeError {
    let mut out = vec![7];
    let error = message.encode(draft, &mut out).expect_err("no encoding");
    assert_eq!(out, [7]);
    error
}
