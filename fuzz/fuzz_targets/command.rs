//! What a participant sends: requests come back from their encoding, and no bytes let a guest in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parvis_meeting::{Identity, Input, ParticipantId, Policy, Request, Roles, Room, UnixMillis};

fuzz_target!(|data: &[u8]| {
    let (now, owner) = (UnixMillis(1), "zoe".parse().expect("an account"));
    let settings = parvis_meeting::Settings::default();
    let mut room = Room::new(Policy::default(), Roles::new(owner), settings, now);
    let (name, device) = ("Gus".to_owned(), "d".parse().expect("a device"));
    let who = ParticipantId::new("p").expect("an id");
    let (participant, identity) = (who.clone(), Identity::Guest { device, name });
    let arrived = Input::Arrived {
        participant,
        identity,
    };
    room.handle(arrived, now);
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(request) = Request::from_json(line) {
            assert_eq!(Request::from_json(&request.to_json()), Ok(request));
        }
        room.handle(Input::from_object(who.clone(), line), now);
    }
    assert!(room.view().is_empty() && room.roles().owners() == 1);
});
