use bytes::Bytes;
use parvis_wire::{
    AuthToken, DecodeError, Draft, EncodeError, Location, LocationFilter, Message, MessageType,
    Parameters, RequestId, RequestUpdate, SessionErrorCode,
};

use crate::{decode, encode, frame};

#[test]
fn filter_types_of_the_drafts_look_alike_and_differ() {
    // One after another: type 2 with two zeros, and a length of two with type 0 in it.
    let update = frame(0x02, &[0, 1, 0x21, 2, 0, 0]);
    assert_eq!(
        filter_of(Draft::D22, &update),
        Ok(Some(LocationFilter::AbsoluteStart(ORIGIN)))
    );
    assert!(filter_of(Draft::D18, &update).is_err());
    // A length of one with type 2 in it, and type 1 with a relative start of two groups.
    let update = frame(0x02, &[0, 1, 0x21, 1, 2]);
    assert_eq!(
        filter_of(Draft::D22, &update),
        Ok(Some(LocationFilter::RelativeStart(2)))
    );
    assert_eq!(
        filter_of(Draft::D18, &update),
        Ok(Some(LocationFilter::NextObject))
    );
}

#[test]
fn filter_of_a_type_that_is_not_assigned_is_refused() {
    assert!(filter_of(Draft::D22, &frame(0x02, &[0, 1, 0x21, 6])).is_err());
    assert!(filter_of(Draft::D18, &frame(0x02, &[0, 1, 0x21, 1, 5])).is_err());
    assert!(filter_of(Draft::D18, &frame(0x02, &[0, 1, 0x21, 1, 0])).is_err());
}

#[test]
fn filter_that_does_not_fill_its_length_is_refused() {
    assert!(filter_of(Draft::D18, &frame(0x02, &[0, 1, 0x21, 2, 1, 0])).is_err());
    assert!(filter_of(Draft::D18, &frame(0x02, &[0, 1, 0x21, 2, 3, 0])).is_err());
}

#[test]
fn filter_whose_last_group_exceeds_64_bits_is_refused() {
    let mut body = vec![0, 1, 0x21, 3, 1, 0];
    body.extend([0xFF; 9]);
    assert!(filter_of(Draft::D22, &frame(0x02, &body)).is_err());
}

#[test]
fn filter_that_a_draft_cannot_say_is_not_encoded() {
    let range = LocationFilter::AbsoluteRange {
        start: ORIGIN,
        end: Location::new(1, 1),
    };
    let relative = LocationFilter::RelativeStart(1);
    for filter in [range, relative] {
        let error = try_encode(Draft::D18, &filtered(filter)).expect_err("not in draft 18");
        assert!(matches!(
            error,
            EncodeError::NotInDraft {
                draft: Draft::D18,
                ..
            }
        ));
        assert!(try_encode(Draft::D22, &filtered(filter)).is_ok());
    }
    let start = Location::new(2, 0);
    let backwards = LocationFilter::AbsoluteGroups {
        start,
        end: parvis_wire::GroupId(1),
    };
    for draft in Draft::ALL {
        assert!(try_encode(draft, &filtered(backwards)).is_err());
    }
}

#[test]
fn filters_with_two_names_decode_to_one() {
    let bytes = encode(Draft::D22, &filtered(LocationFilter::RelativeStart(0)));
    assert_eq!(
        filter_of(Draft::D22, &bytes),
        Ok(Some(LocationFilter::NextGroup))
    );
    let bytes = encode(Draft::D18, &filtered(LocationFilter::Unfiltered));
    assert_eq!(
        filter_of(Draft::D18, &bytes),
        Ok(Some(LocationFilter::AbsoluteStart(ORIGIN)))
    );
}

#[test]
fn repeated_parameter_is_refused() {
    let bytes = frame(0x02, &[0, 2, 0x10, 1, 0, 1]);
    assert_eq!(
        decode(Draft::D22, &bytes),
        Err(DecodeError::DuplicateParameter(0x10))
    );
}

#[test]
fn tokens_and_range_filters_may_repeat() {
    let tokens = frame(0x02, &[0, 2, 0x03, 2, 2, 1, 0, 2, 2, 2]);
    let Ok(Message::RequestUpdate(update)) = decode(Draft::D18, &tokens) else {
        panic!("a REQUEST_UPDATE")
    };
    let aliases = [
        AuthToken::UseAlias { alias: 1 },
        AuthToken::UseAlias { alias: 2 },
    ];
    assert_eq!(update.parameters.auth_tokens, aliases);

    let filters = frame(0x02, &[0, 2, 0x25, 1, 7, 0, 1, 8]);
    let Ok(Message::RequestUpdate(update)) = decode(Draft::D22, &filters) else {
        panic!("a REQUEST_UPDATE")
    };
    let value = |byte: &'static [u8]| (0x25, Bytes::from_static(byte));
    assert_eq!(update.parameters.range_filters, [value(&[7]), value(&[8])]);
}

#[test]
fn unknown_parameter_is_refused() {
    let bytes = frame(0x02, &[0, 1, 0x3F, 1]);
    let error = decode(Draft::D22, &bytes).expect_err("unknown");
    let message = "REQUEST_UPDATE";
    assert_eq!(
        error,
        DecodeError::UnexpectedParameter {
            parameter: 0x3F,
            message
        }
    );
    assert_eq!(error.code(), SessionErrorCode::ProtocolViolation);
}

#[test]
fn parameter_type_beyond_64_bits_is_refused() {
    let mut body = vec![0, 2, 0x10, 1];
    body.extend([0xFF; 9]);
    assert!(decode(Draft::D22, &frame(0x02, &body)).is_err());
}

#[test]
fn values_outside_their_range_are_refused() {
    for (parameter, value) in [(0x10, 2), (0x22, 0), (0x22, 3), (0x35, 2)] {
        let bytes = frame(0x03, &[0, 0, 0, 1, parameter, value]);
        assert!(
            decode(Draft::D22, &bytes).is_err(),
            "{parameter:#x} = {value}"
        );
    }
}

#[test]
fn malformed_token_closes_with_a_code_of_its_own() {
    for token in [&[][..], &[4], &[0], &[0, 1, 1], &[1, 1], &[3], &[0x80]] {
        let mut body = vec![0, 1, 0x03, token.len() as u8];
        body.extend(token);
        let error = decode(Draft::D22, &frame(0x02, &body)).expect_err("malformed");
        assert_eq!(
            error.code(),
            SessionErrorCode::KeyValueFormattingError,
            "{token:?}"
        );
    }
}

#[test]
fn fill_parameters_hold_only_what_applies_to_a_fill() {
    let filled = |fill: &[u8]| {
        let mut body = vec![0, 1, 0x23, fill.len() as u8];
        body.extend(fill);
        decode(Draft::D22, &frame(0x02, &body))
    };
    assert!(filled(&[0]).is_ok());
    assert!(filled(&[1, 0x20, 9]).is_ok());
    let message = "FILL_PARAMETERS";
    let nested_fill = filled(&[1, 0x23, 1, 0]);
    assert_eq!(
        nested_fill,
        Err(DecodeError::UnexpectedParameter {
            parameter: 0x23,
            message
        })
    );
    assert!(filled(&[1, 0x29, 0]).is_err());
    assert!(filled(&[]).is_err());
    assert!(filled(&[0, 0]).is_err());

    let fill = Some(Box::new(Parameters {
        forward: Some(true),
        ..Parameters::default()
    }));
    let error = try_encode(
        Draft::D22,
        &update(Parameters {
            fill,
            ..Parameters::default()
        }),
    );
    assert_eq!(
        error,
        Err(EncodeError::UnexpectedParameter {
            parameter: 0x10,
            message
        })
    );
}

#[test]
fn range_filters_out_of_order_are_not_encoded() {
    let range_filters = vec![(0x26, Bytes::new()), (0x25, Bytes::new())];
    let parameters = Parameters {
        range_filters,
        ..Parameters::default()
    };
    assert!(try_encode(Draft::D22, &update(parameters)).is_err());
    let range_filters = vec![(0x2A, Bytes::new())];
    let parameters = Parameters {
        range_filters,
        ..Parameters::default()
    };
    assert!(try_encode(Draft::D22, &update(parameters)).is_err());
}

#[test]
fn parameters_are_fitted_to_a_message_and_a_draft() {
    let mut parameters = Parameters {
        expires: Some(1),
        forward: Some(false),
        include_properties: Some(false),
        ..Parameters::default()
    };
    parameters.retain_allowed(MessageType::Publish, Draft::D18);
    let left = Parameters {
        expires: Some(1),
        forward: Some(false),
        ..Parameters::default()
    };
    assert_eq!(parameters, left);
}

const ORIGIN: Location = Location::new(0, 0);

fn update(parameters: Parameters) -> Message {
    Message::RequestUpdate(RequestUpdate {
        request_id: RequestId(0),
        parameters,
    })
}

fn filtered(filter: LocationFilter) -> Message {
    update(Parameters {
        filter: Some(filter),
        ..Parameters::default()
    })
}

fn filter_of(draft: Draft, bytes: &Bytes) -> Result<Option<LocationFilter>, DecodeError> {
    decode(draft, bytes).map(|message| match message {
        Message::RequestUpdate(update) => update.parameters.filter,
        other => panic!("a REQUEST_UPDATE was expected, got {other:?}"),
    })
}

fn try_encode(draft: Draft, message: &Message) -> Result<(), EncodeError> {
    message.encode(draft, &mut Vec::new())
}
