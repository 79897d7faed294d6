//! A y4m file yields pictures of the size its header says, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parvis_format::y4m::Reader;

fuzz_target!(|data: &[u8]| {
    let Ok(mut reader) = Reader::new(data) else {
        return;
    };
    let (width, height) = (reader.width() as usize, reader.height() as usize);
    let size = width * height + 2 * width.div_ceil(2) * height.div_ceil(2);
    while let Ok(Some(picture)) = reader.read() {
        assert_eq!(picture.data.len(), size);
    }
});
