//! An MP4 file yields frames that lie in it, or an error, and comes to an end.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use parvis_format::mp4::Reader;

fuzz_target!(|data: &[u8]| {
    let Ok(mut reader) = Reader::new(Cursor::new(data)) else {
        return;
    };
    let tracks = reader.tracks().len();
    // Tables may name the same bytes over and over: the number of frames has no small bound.
    for _ in 0..10_000 {
        let Ok(Some(found)) = reader.read() else {
            return;
        };
        assert!(found.track < tracks);
        assert!(!found.frame.payload.is_empty());
    }
});
