//! What an authority sends: messages come back from their encoding, and a view takes any of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parvis_meeting::{
    Message, Policy, Reactions, SessionId, StateMessage, View, from_json, to_json,
};

fuzz_target!(|data: &[u8]| {
    let mut view = View::empty(SessionId(0), Policy::default());
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(message) = from_json::<Message>(line) {
            assert_eq!(from_json(&to_json(&message)), Ok(message));
        }
        let _ = from_json::<Reactions>(line);
        if let Ok(message) = from_json::<StateMessage>(line) {
            let _ = view.apply(message);
            assert_eq!(View::from(view.snapshot()), view);
            assert_eq!(view.listed(None).len(), view.len());
        }
    }
});
