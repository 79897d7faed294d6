//! The head of an Opus packet: never longer than the 120 ms that RFC 6716 allows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parvis_format::opus;

fuzz_target!(|data: &[u8]| {
    if let Some(samples) = opus::packet_samples(data) {
        assert!((120..=5760).contains(&samples) && samples % 120 == 0);
    }
});
