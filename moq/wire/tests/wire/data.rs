//! Data headers and objects come back as they were, and incomplete ones are waited for.

use bytes::Bytes;
use parvis_wire::{
    Datagram, DecodeError, Draft, FetchCursor, FetchHeader, FetchObject, GroupId, GroupOrder,
    Location, ObjectHeader, ObjectId, ObjectStatus, Priority, Properties, RequestId, StreamHeader,
    SubgroupHeader, SubgroupId, SubgroupIdMode, TrackAlias,
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
fn bytes_of_a_subgroup_stream_are_those_of_the_draft() {
    let mut out = Vec::new();
    let header = SubgroupHeader {
        track_alias: TrackAlias(200),
        group: GroupId(3),
        subgroup: SubgroupIdMode::Explicit(SubgroupId(1)),
        priority: Some(Priority(64)),
        has_properties: true,
        end_of_group: true,
        first_object: true,
    };
    header.encode(&mut out);
    assert_eq!(out, hex("5d 80c8 03 01 40"));

    out.clear();
    let plain = SubgroupHeader {
        subgroup: SubgroupIdMode::FirstObject,
        priority: None,
        has_properties: false,
        end_of_group: false,
        first_object: false,
        ..header
    };
    plain.encode(&mut out);
    assert_eq!(out, hex("32 80c8 03"));

    out.clear();
    let properties = Properties::from_encoded(hex("10 8100")).expect("one pair");
    let object = ObjectHeader {
        id: ObjectId(7),
        properties,
        status: ObjectStatus::Normal,
        payload_len: 300,
    };
    object
        .encode(Some(ObjectId(4)), true, &mut out)
        .expect("an object");
    assert_eq!(out, hex("02 03 108100 812c"));

    out.clear();
    let end = ObjectHeader {
        id: ObjectId(8),
        properties: Properties::EMPTY,
        status: ObjectStatus::EndOfGroup,
        payload_len: 0,
    };
    end.encode(Some(ObjectId(7)), true, &mut out)
        .expect("an end of group");
    assert_eq!(out, hex("00 00 00 03"));
}

#[test]
fn bytes_of_a_datagram_are_those_of_the_draft() {
    let datagram = Datagram {
        track_alias: TrackAlias(200),
        location: Location::new(3, 7),
        priority: Some(Priority(64)),
        end_of_group: true,
        properties: Properties::from_encoded(hex("10 05")).expect("one pair"),
        status: ObjectStatus::Normal,
        payload: hex("aabb"),
    };
    let mut out = Vec::new();
    datagram.encode(&mut out).expect("a datagram");
    assert_eq!(out, hex("03 80c8 03 07 40 02 1005 aabb"));

    out.clear();
    let end = Datagram {
        location: Location::new(3, 0),
        priority: None,
        end_of_group: false,
        properties: Properties::EMPTY,
        status: ObjectStatus::EndOfTrack,
        payload: Bytes::new(),
        ..datagram
    };
    end.encode(&mut out).expect("a datagram");
    assert_eq!(out, hex("2c 80c8 03 04"));
}

#[test]
fn bytes_of_a_fetch_stream_are_those_of_the_draft() {
    let object = |group, object, subgroup, properties| FetchObject::Object {
        location: Location::new(group, object),
        subgroup,
        priority: Priority(64),
        properties,
        payload_len: 5,
    };
    let properties = Properties::from_encoded(hex("10 05")).expect("one pair");
    let entries = [
        (object(3, 7, Some(SubgroupId(0)), None), "1c 03 07 40 05"),
        (
            object(3, 8, Some(SubgroupId(9)), Some(properties)),
            "23 09 02 1005 05",
        ),
        (object(3, 10, Some(SubgroupId(10)), None), "06 02 05"),
        (object(4, 0, Some(SubgroupId(10)), None), "0d 00 00 05"),
        (object(4, 1, None, None), "40 05"),
        (
            FetchObject::EndOfUnknownRange(Location::new(6, 2)),
            "810c 01 02 00",
        ),
    ];
    let mut out = Vec::new();
    FetchHeader {
        request_id: RequestId(2),
    }
    .encode(&mut out);
    assert_eq!(out, hex("05 02"));
    let mut cursor = FetchCursor::new(Draft::D22, GroupOrder::Ascending);
    for (entry, digits) in entries {
        out.clear();
        entry.encode(&mut cursor, &mut out).expect("an entry");
        assert_eq!(out, hex(digits), "{entry:?}");
    }
}
