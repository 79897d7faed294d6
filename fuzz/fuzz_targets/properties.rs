//! Properties that decode come back from their encoding, and each is found.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parvis_wire::Properties;

fuzz_target!(|data: &[u8]| {
    let Ok(properties) = Properties::from_encoded(Bytes::copy_from_slice(data)) else {
        return;
    };
    let decoded = properties.decode().expect("they were checked");
    assert_eq!(
        Properties::encode(decoded.clone()).decode(),
        Ok(decoded.clone())
    );
    for property in decoded {
        // Immutable properties are looked into, where the bytes may be anything.
        if property.kind != 0x0B
            && let Ok(found) = properties.find(property.kind)
        {
            assert!(found.is_some());
        }
    }
});
