//! A datagram that decodes comes back from its encoding.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parvis_wire::Datagram;

fuzz_target!(|data: &[u8]| {
    let bytes = Bytes::copy_from_slice(data);
    let Ok(datagram) = Datagram::decode(&bytes) else {
        return;
    };
    assert!(!Datagram::is_padding(&bytes));
    let mut out = Vec::new();
    datagram
        .encode(&mut out)
        .expect("what decodes has an encoding");
    assert_eq!(Datagram::decode(&out.into()), Ok(datagram));
});
