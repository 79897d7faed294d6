//! A message that decodes has an encoding, which decodes to the same message.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parvis_wire::{Draft, Message};

fuzz_target!(|data: &[u8]| {
    let bytes = Bytes::copy_from_slice(data);
    let Ok(Some((message, len))) = Message::decode(Draft::D18, &bytes) else {
        return;
    };
    assert!(len <= data.len());
    // A reason that is not UTF-8 grows when it is read, and unknown options may only be read twice.
    let mut out = Vec::new();
    if message.encode(Draft::D18, &mut out).is_err() {
        assert!(matches!(message, Message::Setup(_)), "{message:?}");
        return;
    }
    let again = Message::decode(Draft::D18, &out.into()).expect("what we encode decodes");
    let (again, _) = again.expect("and is whole");
    if !matches!(message, Message::RequestError(_) | Message::PublishDone(_)) {
        assert_eq!(again, message);
    }
});
