//! The entries of a fetch stream; those that an encoder can say come back from their encoding.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parvis_wire::{Draft, FetchCursor, FetchObject, GroupOrder};

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let draft = Draft::ALL[usize::from(first & 1)];
    let orders = [GroupOrder::Ascending, GroupOrder::Descending];
    let order = orders[usize::from(first >> 1 & 1)];
    let (mut rest, mut cursor) = (Bytes::copy_from_slice(rest), FetchCursor::new(draft, order));
    loop {
        let before = cursor.clone();
        let Ok(Some((entry, len))) = FetchObject::decode(&rest, &mut cursor) else {
            return;
        };
        let mut out = Vec::new();
        if entry.encode(&mut before.clone(), &mut out).is_ok() {
            let again = FetchObject::decode(&out.into(), &mut before.clone());
            assert_eq!(again.expect("it decodes").expect("it is whole").0, entry);
        }
        rest = rest.slice(len..);
    }
});
