//! An object that unpacks to a frame packs to one that unpacks to the same.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parvis_format::{MediaKind, loc};
use parvis_wire::Properties;

fuzz_target!(|data: &[u8]| {
    let Ok(properties) = Properties::from_encoded(Bytes::copy_from_slice(data)) else {
        return;
    };
    for kind in [MediaKind::Video, MediaKind::Audio] {
        let Ok(first) = loc::unpack(kind, &properties, Bytes::new(), true) else {
            continue;
        };
        let options = loc::Options {
            clock: first.clock,
            config: first.config.clone(),
            extra: first.extra.clone(),
        };
        let packed = loc::pack(kind, &first.frame, &options).expect("what came can go");
        let second = loc::unpack(kind, &packed, Bytes::new(), true).expect("what we pack");
        assert_eq!(second.frame.time, first.frame.time);
        assert_eq!(second.frame.key, first.frame.key);
        assert_eq!(second.extra, first.extra);
    }
});
