//! An AV1 codec configuration record: what decodes encodes to something that decodes the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parvis_format::av1::Av1Config;

fuzz_target!(|data: &[u8]| {
    if let Ok(config) = Av1Config::decode(data) {
        assert_eq!(Av1Config::decode(&config.encode()), Ok(config));
    }
});
