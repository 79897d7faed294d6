//! A WAV file yields samples between -1 and 1, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parvis_format::wav::Reader;

fuzz_target!(|data: &[u8]| {
    let Ok(mut reader) = Reader::new(data) else {
        return;
    };
    let mut samples = Vec::new();
    while matches!(reader.read(480, &mut samples), Ok(1..)) {}
    assert!(samples.iter().all(|sample| (-1.0..=1.0).contains(sample)));
});
