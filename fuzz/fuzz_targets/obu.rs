//! A temporal unit of AV1: what its walk yields covers it, and stripping is done once.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parvis_format::av1::{self, Av1Config};

fuzz_target!(|data: &[u8]| {
    let Ok(obus) = av1::obus(data).collect::<Result<Vec<_>, _>>() else {
        return;
    };
    assert_eq!(
        obus.iter().map(|obu| obu.bytes.len()).sum::<usize>(),
        data.len()
    );
    let _ = av1::contains_key_frame(data);
    if let Ok((config, _)) = Av1Config::from_key_frame(data) {
        assert_eq!(Av1Config::decode(&config.encode()), Ok(config));
    }
    let unit = Bytes::copy_from_slice(data);
    let stripped = av1::strip_temporal_delimiters(&unit).expect("the unit parses");
    assert_eq!(av1::strip_temporal_delimiters(&stripped), Ok(stripped));
});
