//! A full track name that decodes comes back from its encoding.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parvis_wire::{FullTrackName, Reader};

fuzz_target!(|data: &[u8]| {
    let bytes = Bytes::copy_from_slice(data);
    let Ok(name) = FullTrackName::decode(&mut Reader::new(&bytes, "a name")) else {
        return;
    };
    let mut out = Vec::new();
    name.encode(&mut out);
    let out = Bytes::from(out);
    let mut reader = Reader::new(&out, "a name");
    assert_eq!(FullTrackName::decode(&mut reader), Ok(name));
    assert!(reader.is_empty());
});
