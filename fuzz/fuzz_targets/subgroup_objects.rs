//! The objects of a stream, each of which comes back from its encoding.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parvis_wire::ObjectHeader;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let has_properties = first % 2 == 1;
    let (mut rest, mut previous) = (Bytes::copy_from_slice(rest), None);
    while let Ok(Some((header, len))) = ObjectHeader::decode(&rest, previous, has_properties) {
        let mut out = Vec::new();
        header
            .encode(previous, has_properties, &mut out)
            .expect("what decodes has an encoding");
        let out = Bytes::from(out);
        let again = ObjectHeader::decode(&out, previous, has_properties);
        assert_eq!(again, Ok(Some((header.clone(), out.len()))));
        previous = Some(header.id);
        let payload = usize::try_from(header.payload_len).unwrap_or(usize::MAX);
        let Some(next) = len.checked_add(payload).filter(|next| *next <= rest.len()) else {
            return;
        };
        rest = rest.slice(next..);
    }
});
