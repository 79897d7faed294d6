//! Range filters of draft 22: what they say, and that moqtap-codec reads the same.

use bytes::Bytes;
use moqtap_codec::range_filter::RangeFilter as Theirs;
use moqtap_codec::varint::Moqt18;
use parvis_wire::{
    FilterSubject, FilteredObject, ObjectId, Priority, Properties, Property, RangeFilter,
    RangeFilters, SubgroupId,
};
use proptest::{collection::vec, prelude::*};

use crate::hex;

fn filter(set: u8, subject: FilterSubject, ranges: &[(u64, u64)]) -> (u64, Bytes) {
    let ranges = ranges.to_vec();
    RangeFilter {
        set,
        subject,
        ranges,
    }
    .encode()
}

fn passes(filters: &RangeFilters, subgroup: u64, id: u64, properties: &Properties) -> bool {
    filters.pass(&FilteredObject {
        subgroup: Some(SubgroupId(subgroup)),
        id: ObjectId(id),
        priority: Priority(128),
        properties,
    })
}

#[test]
fn the_example_of_the_draft() {
    // Ranges 3-5 and 10-15.
    let filters = RangeFilters::decode(&[(0x26, hex("00 03 02 05 05"))]).expect("it is valid");
    let inside: Vec<u64> = (0..20)
        .filter(|id| passes(&filters, 0, *id, &Properties::EMPTY))
        .collect();
    assert_eq!(inside, [3, 4, 5, 10, 11, 12, 13, 14, 15]);
    assert_eq!(filters.ranges(), 2);
    let expected = filter(0, FilterSubject::Object, &[(3, 5), (10, 15)]);
    assert_eq!(expected, (0x26, hex("00 03 02 05 05")));
}

#[test]
fn filters_of_a_set_must_all_pass_and_one_set_at_least() {
    let property = FilterSubject::ObjectProperty(0x40);
    let filters = RangeFilters::decode(&[
        filter(0, FilterSubject::Subgroup, &[(0, 0)]),
        filter(1, FilterSubject::Subgroup, &[(1, u64::MAX)]),
        filter(1, FilterSubject::Object, &[(5, u64::MAX)]),
        filter(2, property, &[(7, 7)]),
    ])
    .expect("they are valid");
    let none = Properties::EMPTY;
    assert!(passes(&filters, 0, 0, &none));
    assert!(!passes(&filters, 1, 4, &none));
    assert!(passes(&filters, 1, 5, &none));
    let seven = Properties::encode(vec![Property::integer(0x40, 7)]);
    assert!(passes(&filters, 1, 4, &seven));
}

#[test]
fn tracks_are_selected_and_leave_the_filters_of_their_objects() {
    let kind = FilterSubject::TrackProperty(0x40);
    let filters = RangeFilters::decode(&[
        filter(0, kind, &[(1, 1)]),
        filter(0, FilterSubject::Object, &[(0, 0)]),
        filter(1, kind, &[(2, 3)]),
    ])
    .expect("they are valid");
    let track = |value| Properties::encode(vec![Property::integer(0x40, value)]);
    assert_eq!(filters.select(&Properties::EMPTY), None);
    assert_eq!(filters.select(&track(4)), None);
    assert_eq!(filters.select(&track(3)), Some(RangeFilters::default()));
    let objects = filters.select(&track(1)).expect("it is selected");
    assert!(passes(&objects, 0, 0, &Properties::EMPTY));
    assert!(!passes(&objects, 0, 1, &Properties::EMPTY));
}

#[test]
fn an_update_replaces_the_types_that_it_names() {
    let filters = RangeFilters::decode(&[
        filter(0, FilterSubject::Object, &[(0, 0)]),
        filter(0, FilterSubject::Subgroup, &[(0, 0)]),
    ])
    .expect("they are valid");
    let update = [filter(0, FilterSubject::Object, &[(9, 9)])];
    let updated = filters.updated(&update).expect("it is valid");
    assert!(passes(&updated, 0, 9, &Properties::EMPTY));
    assert!(!passes(&updated, 1, 9, &Properties::EMPTY));
    let removed = [(0x26, Bytes::new()), (0x25, Bytes::new())];
    let updated = filters.updated(&removed).expect("it is valid");
    assert!(updated.is_empty() && passes(&updated, 1, 1, &Properties::EMPTY));
}

#[test]
fn impossible_filters_are_refused() {
    let largest = "ff ffff ffff ffff ffff";
    let impossible = [
        (0x28, hex("00")),
        // A property of bytes, twice the same set, more than 64 bits, priority 256.
        (0x28, hex("00 41 01")),
        (0x26, hex(&format!("00 {largest} 01"))),
        (0x26, hex(&format!("00 01 {largest}"))),
        (0x27, hex("00 8100")),
        (0x26, hex("00 80")),
        (0x2A, hex("00 01")),
    ];
    for one in impossible {
        let decoded = RangeFilters::decode(std::slice::from_ref(&one));
        assert!(decoded.is_err(), "{one:?}: {decoded:?}");
    }
    let twice = [(0x26, hex("00 01")), (0x26, hex("00 02"))];
    assert!(RangeFilters::decode(&twice).is_err());
}

proptest! {
    #[test]
    fn the_oracle_reads_the_same(
        parameter in 0x25..=0x29_u64,
        bytes in vec(any::<u8>(), 1..24),
        values in vec(any::<u64>(), 8),
    ) {
        let value = Bytes::from(bytes);
        let theirs = Theirs::decode_moqt::<Moqt18>(parameter, &value);
        let ours = RangeFilters::decode(&[(parameter, value)]);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
        if let (Ok(ours), Ok(theirs), 0x26) = (ours, theirs, parameter) {
            let ends = theirs.ranges.iter().flat_map(|r| [r.start, r.end.unwrap_or(u64::MAX)]);
            for value in values.into_iter().chain(ends) {
                let passes = passes(&ours, 0, value, &Properties::EMPTY);
                prop_assert_eq!(passes, theirs.passes(value), "{}", value);
            }
        }
    }
}
