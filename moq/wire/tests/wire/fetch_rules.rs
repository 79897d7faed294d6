//! What the drafts forbid on a fetch stream is refused.

use parvis_wire::{
    Draft, EncodeError, FetchCursor, FetchObject, GroupOrder, Location, Priority, SubgroupId,
};

use crate::hex;

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
