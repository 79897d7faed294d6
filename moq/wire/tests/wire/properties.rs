use bytes::Bytes;
use parvis_wire::{DecodeError, Draft, Message, Properties, Property, PropertyValue};
use proptest::prelude::*;

use crate::strategies::properties;
use crate::{decode, frame, hex};

proptest! {
    #[test]
    fn properties_come_back_as_they_were(properties in properties()) {
        let decoded = properties.decode().expect("valid");
        prop_assert!(decoded.is_sorted_by_key(|property| property.kind));
        prop_assert_eq!(Properties::encode(decoded), properties.clone());
        prop_assert_eq!(Properties::from_encoded(properties.as_bytes().clone()), Ok(properties));
    }
}

#[test]
fn pairs_are_sorted_and_those_of_one_type_keep_their_order() {
    let bytes = |value: &'static [u8]| Property::bytes(3, Bytes::from_static(value));
    let properties = Properties::encode(vec![bytes(b"b"), Property::integer(2, 7), bytes(b"a")]);
    assert_eq!(properties.as_bytes(), &hex("02 07 01 01 62 00 01 61"));
}

#[test]
fn value_that_its_type_cannot_carry_is_left_out() {
    let wrong = vec![
        Property::integer(3, 1),
        Property::bytes(2, Bytes::new()),
        Property::bytes(5, Bytes::from(vec![0; 65536])),
    ];
    assert_eq!(Properties::encode(wrong), Properties::EMPTY);
}

#[test]
fn property_is_found_among_the_immutable_ones_too() {
    let inner = Properties::encode(vec![Property::integer(0x3C, 9)]);
    let properties = Properties::encode(vec![
        Property::integer(2, 1),
        Property::bytes(0x0B, inner.as_bytes().clone()),
        Property::integer(0x30, 1),
    ]);
    assert_eq!(properties.find(2), Ok(Some(PropertyValue::Integer(1))));
    assert_eq!(properties.find(0x3C), Ok(Some(PropertyValue::Integer(9))));
    assert_eq!(properties.find(0x30), Ok(Some(PropertyValue::Integer(1))));
    assert_eq!(properties.find(4), Ok(None));
}

#[test]
fn malformed_pairs_are_an_error_and_no_wait() {
    for digits in ["02", "03 05 00", "80", "02 01 ffffffffffffffffff 00"] {
        let error = Properties::from_encoded(hex(digits)).expect_err(digits);
        assert!(
            !matches!(error, DecodeError::Truncated(_)),
            "{digits}: {error}"
        );
    }
    let too_long = Properties::from_encoded(hex("03 c10000"));
    assert!(matches!(
        too_long,
        Err(DecodeError::TooLong { limit: 65535, .. })
    ));
}

#[test]
fn track_property_outside_its_range_is_refused() {
    let ok = |digits: &str| decode(Draft::D22, &frame(0x07, &[&[0][..], &hex(digits)].concat()));
    for good in ["22 01", "22 02", "30 00", "30 01", "0b 02 2201", "0b 01 ff"] {
        assert!(matches!(ok(good), Ok(Message::RequestOk(_))), "{good}");
    }
    for bad in ["22 00", "22 03", "30 02", "0b 02 2203"] {
        assert!(ok(bad).is_err(), "{bad}");
    }
}
