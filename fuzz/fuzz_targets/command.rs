//! What a participant sends: requests come back from their encoding, and no bytes let a guest in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parvis_meeting::{Identity, Input, Policy, Request, Roles, Room, Settings, UnixMillis};

fuzz_target!(|data: &[u8]| {
    let (now, owner) = (UnixMillis(1), "zoe".parse().expect("an account"));
    let mut room = Room::new(
        Policy::default(),
        Roles::new(owner),
        Settings::default(),
        now,
    );
    let identity = Identity::Guest {
        device: "d".parse().expect("a device"),
        name: "Gus".to_owned(),
    };
    let participant: parvis_meeting::ParticipantId = "p".parse().expect("an id");
    let arrived = Input::Arrived {
        participant: participant.clone(),
        identity,
    };
    room.handle(arrived, now);
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(request) = Request::from_json(line) {
            assert_eq!(Request::from_json(&request.to_json()), Ok(request));
        }
        room.handle(Input::from_object(participant.clone(), line), now);
    }
    assert!(room.view().is_empty() && room.roles().owners() == 1);
});
