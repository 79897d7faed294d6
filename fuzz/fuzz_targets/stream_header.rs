//! A header that decodes comes back from its encoding.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parvis_wire::{Draft, StreamHeader};

fuzz_target!(|data: &[u8]| {
    let bytes = Bytes::copy_from_slice(data);
    let decoded = StreamHeader::decode(Draft::D22, &bytes);
    assert_eq!(StreamHeader::decode(Draft::D18, &bytes), decoded);
    let Ok(Some((header, len))) = decoded else {
        return;
    };
    assert!(len <= data.len());
    let mut out = Vec::new();
    match header {
        StreamHeader::Subgroup(header) => header.encode(&mut out),
        StreamHeader::Fetch(header) => header.encode(&mut out),
        StreamHeader::Control | StreamHeader::Padding => return,
    }
    let out = Bytes::from(out);
    assert_eq!(
        StreamHeader::decode(Draft::D22, &out),
        Ok(Some((header, out.len())))
    );
});
