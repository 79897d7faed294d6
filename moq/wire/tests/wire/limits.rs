use bytes::Bytes;
use parvis_wire::{
    AuthToken, DecodeError, Draft, EncodeError, GoAway, Message, ObjectHeader, ObjectId,
    ObjectStatus, Parameters, Properties, Property, RequestOk, Setup, encode_varint,
};

use crate::{decode, encode, frame};

#[test]
fn message_beyond_65535_bytes_is_not_encoded() {
    let half = Property::bytes(1, Bytes::from(vec![0; 40_000]));
    let other_half = Property::bytes(3, Bytes::from(vec![0; 40_000]));
    let ok = |properties| {
        let track_properties = Properties::encode(properties);
        Message::RequestOk(RequestOk {
            parameters: Parameters::default(),
            track_properties,
        })
    };
    encode(Draft::D22, &ok(vec![half.clone()]));
    let mut out = Vec::new();
    let error = ok(vec![half, other_half]).encode(Draft::D22, &mut out);
    assert!(matches!(
        error,
        Err(EncodeError::TooLong { limit: 65535, .. })
    ));
    assert!(out.is_empty());
}

#[test]
fn uri_beyond_8192_bytes_is_refused() {
    let uri = |len| GoAway {
        new_session_uri: "u".repeat(len),
        ..GoAway::default()
    };
    let message = Message::GoAway(uri(8192));
    assert_eq!(
        decode(Draft::D22, &encode(Draft::D22, &message)),
        Ok(message)
    );
    assert!(
        Message::GoAway(uri(8193))
            .encode(Draft::D22, &mut Vec::new())
            .is_err()
    );
    let mut body = Vec::new();
    encode_varint(8193, &mut body);
    body.extend(vec![b'u'; 8193]);
    body.push(0);
    let error = decode(Draft::D22, &frame(0x10, &body));
    assert!(matches!(
        error,
        Err(DecodeError::TooLong { limit: 8192, .. })
    ));
}

#[test]
fn reason_beyond_1024_bytes_is_refused() {
    let mut body = vec![0, 0];
    encode_varint(1025, &mut body);
    body.extend(vec![b'r'; 1025]);
    for code in [0x05, 0x0B] {
        let error = decode(Draft::D22, &frame(code, &body));
        assert!(matches!(
            error,
            Err(DecodeError::TooLong { limit: 1024, .. })
        ));
    }
}

#[test]
fn number_of_tokens_is_bounded() {
    let tokens = |count: usize| {
        let mut body = vec![0];
        encode_varint(count as u64, &mut body);
        for index in 0..count {
            body.extend([if index == 0 { 3 } else { 0 }, 2, 2, 1]);
        }
        decode(Draft::D22, &frame(0x02, &body))
    };
    assert!(tokens(64).is_ok());
    assert!(matches!(
        tokens(65),
        Err(DecodeError::TooLong { limit: 64, .. })
    ));
}

#[test]
fn number_of_range_filters_is_bounded() {
    let filters = |count: usize| {
        let mut body = vec![0];
        encode_varint(count as u64, &mut body);
        for index in 0..count {
            body.extend([if index == 0 { 0x25 } else { 0 }, 0]);
        }
        decode(Draft::D22, &frame(0x02, &body))
    };
    assert!(filters(64).is_ok());
    assert!(matches!(
        filters(65),
        Err(DecodeError::TooLong { limit: 64, .. })
    ));
}

#[test]
fn unknown_setup_options_are_kept_up_to_a_number_and_may_repeat() {
    let mut body = vec![100, 1];
    for _ in 0..99 {
        body.extend([0, 1]);
    }
    let Ok(Message::Setup(setup)) = decode(Draft::D22, &frame(0x2F00, &body)) else {
        panic!("a SETUP")
    };
    assert_eq!(
        setup.unknown,
        vec![Property::integer(100, 1); Setup::MAX_UNKNOWN]
    );
}

#[test]
fn known_setup_option_must_not_repeat() {
    let body = [1, 1, b'/', 0, 1, b'/'];
    let error = decode(Draft::D22, &frame(0x2F00, &body));
    assert_eq!(error, Err(DecodeError::DuplicateParameter(1)));
}

#[test]
fn setup_options_of_draft_22_are_unknown_in_draft_18() {
    let setup = Setup {
        max_filter_ranges: Some(3),
        max_request_updates: Some(4),
        ..Setup::default()
    };
    let bytes = encode(Draft::D22, &Message::Setup(setup.clone()));
    assert_eq!(
        encode(Draft::D18, &Message::Setup(setup)),
        frame(0x2F00, &[])
    );
    let Ok(Message::Setup(setup)) = decode(Draft::D18, &bytes) else {
        panic!("a SETUP")
    };
    assert_eq!(
        setup.unknown,
        [Property::integer(6, 3), Property::integer(8, 4)]
    );
}

#[test]
fn setup_option_with_a_field_is_not_taken_as_unknown() {
    let unknown = |option| {
        Message::Setup(Setup {
            unknown: vec![option],
            ..Setup::default()
        })
    };
    for option in [
        Property::integer(4, 1),
        Property::integer(101, 1),
        Property::bytes(100, Bytes::new()),
    ] {
        assert!(unknown(option).encode(Draft::D22, &mut Vec::new()).is_err());
    }
}

#[test]
fn unknown_setup_option_is_not_sent_twice() {
    let unknown = vec![Property::integer(100, 1), Property::integer(100, 1)];
    let message = Message::Setup(Setup {
        unknown,
        ..Setup::default()
    });
    assert!(message.encode(Draft::D22, &mut Vec::new()).is_err());
}

#[test]
fn path_that_is_not_utf8_has_a_code_of_its_own() {
    let error = decode(Draft::D22, &frame(0x2F00, &[1, 1, 0xFF]));
    assert_eq!(error, Err(DecodeError::MalformedPath));
    let error = decode(Draft::D22, &frame(0x2F00, &[5, 1, 0xFF]));
    assert_eq!(error, Err(DecodeError::MalformedAuthority));
}

#[test]
fn object_properties_beyond_their_limit_are_refused_before_they_arrive() {
    let mut bytes = vec![0];
    encode_varint(Properties::MAX_BYTES as u64 + 1, &mut bytes);
    let error = ObjectHeader::decode(&bytes.into(), None, true);
    assert!(matches!(error, Err(DecodeError::TooLong { .. })));

    let half = |kind| Property::bytes(kind, Bytes::from(vec![0; 40_000]));
    let header = ObjectHeader {
        id: ObjectId(0),
        properties: Properties::encode(vec![half(1), half(3)]),
        status: ObjectStatus::Normal,
        payload_len: 1,
    };
    let error = header.encode(None, true, &mut Vec::new());
    assert!(matches!(error, Err(EncodeError::TooLong { .. })));
}

#[test]
fn token_survives_setup() {
    let auth_tokens = vec![AuthToken::UseValue {
        kind: 0,
        value: Bytes::from_static(b"secret"),
    }];
    let message = Message::Setup(Setup {
        auth_tokens,
        ..Setup::default()
    });
    assert_eq!(
        decode(Draft::D18, &encode(Draft::D18, &message)),
        Ok(message)
    );
}
