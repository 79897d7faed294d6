//! Data headers and objects come back as they were, and incomplete ones are waited for.

use bytes::Bytes;
use parvis_wire::{
    Datagram, DecodeError, Draft, EncodeError, FetchCursor, FetchHeader, FetchObject, GroupOrder,
    Location, ObjectHeader, ObjectId, ObjectStatus, Priority, Properties, RequestId, StreamHeader,
    SubgroupId,
};
use proptest::prelude::*;

use crate::data_strategies::{datagram, fetch_stream, objects, subgroup_header};
use crate::hex;

proptest! {
    #[test]
    fn subgroup_header_comes_back_as_it_was(header in subgroup_header()) {
        let mut out = Vec::new();
        header.encode(&mut out);
        let bytes = Bytes::from(out);
        let whole = Some((StreamHeader::Subgroup(header), bytes.len()));
        for draft in Draft::ALL {
            prop_assert_eq!(StreamHeader::decode(draft, &bytes), Ok(whole.clone()));
            for len in 0..bytes.len() {
                prop_assert_eq!(StreamHeader::decode(draft, &bytes.slice(..len)), Ok(None));
            }
        }
    }

    #[test]
    fn objects_come_back_as_they_were(
        (has_properties, objects) in any::<bool>()
            .prop_flat_map(|has| (Just(has), objects(has)))
    ) {
        let mut out = Vec::new();
        let mut previous = None;
        for (header, payload) in &objects {
            header.encode(previous, has_properties, &mut out).expect("the object has an encoding");
            out.extend(payload);
            previous = Some(header.id);
        }
        let (mut rest, mut previous) = (Bytes::from(out), None);
        for (header, payload) in objects {
            let decoded = ObjectHeader::decode(&rest, previous, has_properties);
            let (decoded, len) = decoded.expect("valid").expect("whole");
            for short in 0..len {
                let cut = rest.slice(..short);
                prop_assert_eq!(ObjectHeader::decode(&cut, previous, has_properties), Ok(None));
            }
            prop_assert_eq!(&decoded, &header);
            previous = Some(header.id);
            rest = rest.slice(len..);
            prop_assert_eq!(&rest[..payload.len()], &payload);
            rest = rest.slice(payload.len()..);
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn datagram_comes_back_as_it_was(datagram in datagram()) {
        let mut out = Vec::new();
        datagram.encode(&mut out).expect("the datagram has an encoding");
        let bytes = Bytes::from(out);
        let header = bytes.len() - datagram.payload.len();
        prop_assert_eq!(Datagram::decode(&bytes), Ok(datagram));
        for len in 0..header {
            let cut = Datagram::decode(&bytes.slice(..len));
            prop_assert!(matches!(cut, Err(DecodeError::Truncated(_))), "{:?}", cut);
        }
    }

    #[test]
    fn fetch_stream_comes_back_as_it_was(
        (draft, order, stream) in (
            prop::sample::select(Draft::ALL.to_vec()),
            prop::sample::select(vec![GroupOrder::Ascending, GroupOrder::Descending]),
        ).prop_flat_map(|(draft, order)| (Just(draft), Just(order), fetch_stream(draft, order)))
    ) {
        let mut out = Vec::new();
        let mut cursor = FetchCursor::new(draft, order);
        for (entry, payload) in &stream {
            entry.encode(&mut cursor, &mut out).expect("the entry has an encoding");
            out.extend(payload);
        }
        let mut rest = Bytes::from(out);
        let mut cursor = FetchCursor::new(draft, order);
        for (entry, payload) in stream {
            let before = cursor.clone();
            let decoded = FetchObject::decode(&rest, &mut cursor);
            let (decoded, len) = decoded.expect("valid").expect("whole");
            for short in 0..len {
                let cut = rest.slice(..short);
                prop_assert_eq!(FetchObject::decode(&cut, &mut before.clone()), Ok(None));
            }
            prop_assert_eq!(&decoded, &entry);
            rest = rest.slice(len + payload.len()..);
        }
        prop_assert!(rest.is_empty());
    }
}

#[test]
fn first_field_says_what_a_stream_carries() {
    for draft in Draft::ALL {
        let kind = |digits| StreamHeader::decode(draft, &hex(digits));
        assert_eq!(kind("af00 0000"), Ok(Some((StreamHeader::Control, 0))));
        let fetch = StreamHeader::Fetch(FetchHeader {
            request_id: RequestId(9),
        });
        assert_eq!(kind("05 09"), Ok(Some((fetch, 2))));
        assert_eq!(
            kind("f0132b3e28 0000"),
            Ok(Some((StreamHeader::Padding, 5)))
        );
        assert_eq!(kind(""), Ok(None));
        assert!(kind("f0132b3e29").is_err());
    }
}

#[test]
fn every_other_stream_type_is_refused() {
    let body = [1; 8];
    for kind in 0..0x80_u8 {
        let bytes = Bytes::from([&[kind][..], &body].concat());
        let is_subgroup = kind & 0x10 != 0 && kind & 0x06 != 0x06;
        let decoded = StreamHeader::decode(Draft::D22, &bytes);
        assert_eq!(decoded.is_ok(), is_subgroup || kind == 0x05, "{kind:#x}");
    }
    for digits in ["8080 01 01 01", "8110 01 01 01"] {
        assert!(StreamHeader::decode(Draft::D22, &hex(digits)).is_err());
    }
}

#[test]
fn object_ids_beyond_64_bits_are_refused() {
    let last = Some(ObjectId(u64::MAX));
    assert!(ObjectHeader::decode(&hex("00 01"), last, false).is_err());
    assert!(ObjectHeader::decode(&hex("01 01"), Some(ObjectId(u64::MAX - 1)), false).is_err());
    assert!(ObjectHeader::decode(&hex("00 01"), Some(ObjectId(u64::MAX - 1)), false).is_ok());
}

#[test]
fn object_id_must_grow() {
    let header = |id| ObjectHeader {
        id: ObjectId(id),
        properties: Properties::EMPTY,
        status: ObjectStatus::Normal,
        payload_len: 1,
    };
    for id in [0, 4, 5] {
        assert!(
            header(id)
                .encode(Some(ObjectId(5)), false, &mut Vec::new())
                .is_err()
        );
    }
    assert!(
        header(6)
            .encode(Some(ObjectId(5)), false, &mut Vec::new())
            .is_ok()
    );
}

#[test]
fn only_normal_objects_carry_payload_or_properties() {
    let header = |properties: &'static [u8], status, payload_len| ObjectHeader {
        id: ObjectId(0),
        properties: Properties::from_encoded(Bytes::from_static(properties)).expect("pairs"),
        status,
        payload_len,
    };
    let end = ObjectStatus::EndOfGroup;
    assert!(
        header(&[2, 0], end, 0)
            .encode(None, true, &mut Vec::new())
            .is_err()
    );
    assert!(
        header(&[], end, 1)
            .encode(None, true, &mut Vec::new())
            .is_err()
    );
    let unannounced = header(&[2, 0], ObjectStatus::Normal, 1);
    assert!(unannounced.encode(None, false, &mut Vec::new()).is_err());
    assert!(ObjectHeader::decode(&hex("00 02 0200 00 03"), None, true).is_err());
    assert!(ObjectHeader::decode(&hex("00 02 0200 00 00"), None, true).is_ok());
}

#[test]
fn status_that_is_not_assigned_is_refused() {
    for status in ["01", "02", "05", "ff ffffffffffffffff"] {
        assert!(ObjectHeader::decode(&hex(&format!("00 00 {status}")), None, false).is_err());
        assert!(Datagram::decode(&hex(&format!("2c 01 01 {status}"))).is_err());
    }
}

#[test]
fn every_other_datagram_type_is_refused() {
    for kind in 0..0x80_u8 {
        // Alias, group, object, priority, properties or status: enough for any layout.
        let bytes = Bytes::from(vec![kind, 1, 1, 1, 1, 2, 2, 0]);
        let known = kind & !0x2F == 0 && kind & 0x22 != 0x22;
        let refused = Err(DecodeError::Invalid {
            field: "a datagram",
            detail: "unknown datagram type",
        });
        assert_eq!(
            known || kind & 0x22 == 0x22 && kind & !0x2F == 0,
            Datagram::decode(&bytes) != refused
        );
        if !known {
            assert!(Datagram::decode(&bytes).is_err(), "{kind:#x}");
        }
    }
}

#[test]
fn datagram_must_not_contradict_itself() {
    assert!(
        Datagram::decode(&hex("0d 01 01 00")).is_err(),
        "properties of length 0"
    );
    assert!(
        Datagram::decode(&hex("2d 01 01 02 0200 03")).is_err(),
        "properties and a status"
    );
    assert!(
        Datagram::decode(&hex("2c 01 01 03 aa")).is_err(),
        "payload after a status"
    );
    assert!(
        Datagram::decode(&hex("2c 01 01 00 aa")).is_err(),
        "payload after status Normal"
    );
    let status = Datagram::decode(&hex("2c 01 01 03")).expect("a datagram");
    assert_eq!(status.status, ObjectStatus::EndOfGroup);
    let contradiction = Datagram {
        end_of_group: true,
        ..status
    };
    assert!(contradiction.encode(&mut Vec::new()).is_err());
}

#[test]
fn padding_datagram_is_recognised() {
    assert!(Datagram::is_padding(&hex("f0132b3e29 0000")));
    assert!(!Datagram::is_padding(&hex("00 01 01 00 80")));
    assert!(!Datagram::is_padding(&Bytes::new()));
}

#[test]
fn first_fetch_object_must_not_refer_to_one_before_it() {
    // Without group, object, priority, or with the subgroup of the object before.
    for digits in [
        "14 00 80 00",
        "18 00 80 00",
        "0c 00 00 00",
        "1d 00 00 80 00",
        "1e 00 00 80 00",
    ] {
        let mut cursor = FetchCursor::new(Draft::D22, GroupOrder::Ascending);
        assert!(
            FetchObject::decode(&hex(digits), &mut cursor).is_err(),
            "{digits}"
        );
    }
}

#[test]
fn unknown_fetch_flags_are_refused() {
    for digits in ["8080 00 00 00", "8200 00 00 00", "820d 00 00 00"] {
        let mut cursor = FetchCursor::new(Draft::D22, GroupOrder::Ascending);
        assert!(
            FetchObject::decode(&hex(digits), &mut cursor).is_err(),
            "{digits}"
        );
    }
    let timed_out = hex("820c 01 02 00");
    let mut cursor = FetchCursor::new(Draft::D18, GroupOrder::Ascending);
    assert!(FetchObject::decode(&timed_out, &mut cursor).is_err());
    let mut cursor = FetchCursor::new(Draft::D22, GroupOrder::Ascending);
    assert!(FetchObject::decode(&timed_out, &mut cursor).is_ok());
}

#[test]
fn fetch_groups_do_not_leave_64_bits() {
    let object = |group| hex(&format!("1c {group} 00 80 00"));
    for (order, next) in [
        (GroupOrder::Descending, "00"),
        (GroupOrder::Ascending, "ff ffffffffffffffff"),
    ] {
        let mut cursor = FetchCursor::new(Draft::D22, order);
        assert!(FetchObject::decode(&object("00"), &mut cursor).is_ok());
        assert!(FetchObject::decode(&object(next), &mut cursor).is_err());
    }
}

#[test]
fn end_of_a_range_is_absolute_in_draft_18_and_a_delta_in_22() {
    let decode_end = |draft| {
        let mut cursor = FetchCursor::new(draft, GroupOrder::Ascending);
        let (_, len) = FetchObject::decode(&hex("1c 05 07 80 00"), &mut cursor)
            .expect("valid")
            .expect("whole");
        assert_eq!(len, 5);
        FetchObject::decode(&hex("808c 06 03 00"), &mut cursor)
    };
    let end = |group| {
        Ok(Some((
            FetchObject::EndOfNonExistentRange(Location::new(group, 3)),
            5,
        )))
    };
    assert_eq!(decode_end(Draft::D18), end(6));
    assert_eq!(decode_end(Draft::D22), end(12));
}

#[test]
fn fetch_entries_out_of_order_are_not_encoded() {
    let object = |group, object| FetchObject::Object {
        location: Location::new(group, object),
        subgroup: Some(SubgroupId(0)),
        priority: Priority(128),
        properties: None,
        payload_len: 0,
    };
    let mut cursor = FetchCursor::new(Draft::D22, GroupOrder::Ascending);
    let mut out = Vec::new();
    object(5, 5)
        .encode(&mut cursor, &mut out)
        .expect("the first object");
    let written = out.len();
    let same_group = FetchObject::EndOfUnknownRange(Location::new(5, 9));
    for entry in [object(4, 9), object(5, 5), object(5, 4), same_group] {
        let error = entry.encode(&mut cursor, &mut out);
        assert!(
            matches!(error, Err(EncodeError::Invalid { .. })),
            "{entry:?}"
        );
    }
    assert_eq!(out.len(), written);
    let timed_out = FetchObject::EndOfTimedOutRange(Location::new(6, 0));
    let mut cursor = FetchCursor::new(Draft::D18, GroupOrder::Ascending);
    assert!(matches!(
        timed_out.encode(&mut cursor, &mut out),
        Err(EncodeError::NotInDraft { .. })
    ));
}

#[test]
fn object_properties_share_the_buffer() {
    let bytes = hex("00 03 020304 01");
    let (header, _) = ObjectHeader::decode(&bytes, None, true)
        .expect("valid")
        .expect("whole");
    assert_eq!(header.properties.as_bytes().as_ptr(), bytes[2..].as_ptr());
}
