use super::*;

#[test]
fn blanks_around_a_name_are_cut_off() {
    assert_eq!(RoomName::new("  stand-up ").unwrap().as_str(), "stand-up");
}

#[test]
fn a_name_counts_characters_not_bytes() {
    assert!(ParticipantName::new(&"é".repeat(50)).is_ok());
    let error = ParticipantName::new(&"é".repeat(51)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a participant name has at most 50 characters, got 51"
    );
}

#[test]
fn empty_and_control_characters_are_refused() {
    assert_eq!(RoomName::new(" \t"), Err(NameError::Empty("room name")));
    assert_eq!(
        RoomName::new("a\u{1b}[2J"),
        Err(NameError::Control("room name"))
    );
}

#[test]
fn the_suffix_of_a_namespace_names_the_participant() {
    let room = RoomName::new("r").unwrap();
    let name = ParticipantName::new("Zoé").unwrap();
    let namespace = room.participant_namespace(&name);
    let suffix = namespace.strip_prefix(&room.namespace()).unwrap();
    assert_eq!(ParticipantName::from_suffix(&suffix), Some(name));
}

#[test]
fn a_suffix_that_is_no_name_is_nobody() {
    for fields in [vec![], vec!["a", "b"], vec![" a"], vec!["a\nb"]] {
        let suffix = TrackNamespace::new(fields).unwrap();
        assert_eq!(ParticipantName::from_suffix(&suffix), None);
    }
}
