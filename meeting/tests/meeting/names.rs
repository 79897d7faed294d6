use parvis_meeting::{
    ChatSeq, CommandId, ParticipantId, RoomCode, SessionId, Source, display_name, tracks,
};
use parvis_wire::{Location, TrackNamespace};

use crate::support::id;

#[test]
fn a_code_is_read_bare_hyphenated_in_any_case_and_from_a_link() {
    let code = RoomCode::parse("abc-defg-hij").unwrap();
    for text in [
        "abcdefghij",
        "ABC-DEFG-HIJ",
        "  abcDEFghij\n",
        "https://meet.example/abc-defg-hij",
        "https://meet.example/abc-defg-hij/",
        "https://meet.example:8443/room/ABCDEFGHIJ?lang=fr#chat",
        "meet.example/abc-defg-hij",
    ] {
        assert_eq!(RoomCode::parse(text), Ok(code), "{text:?}");
    }
    assert_eq!(
        RoomCode::parse("a1b-2c3d-4e5").unwrap().compact(),
        "a1b2c3d4e5"
    );
    assert_eq!(
        code.link("https://meet.example/"),
        "https://meet.example/abc-defg-hij"
    );
}

#[test]
fn what_is_no_code_is_refused() {
    let long = format!("https://meet.example/{}/abc-defg-hij", "x".repeat(3000));
    for text in [
        "",
        "/",
        "abc-defg-hi",
        "abc-defg-hijk",
        "abcd-efg-hij",
        "abc-defghij",
        "abc_defg_hij",
        "äbc-defg-hi",
        "abc-defg-hé",
        "https://meet.example/?room=abc-defg-hij",
        &long,
    ] {
        assert!(RoomCode::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn generated_codes_are_letters_and_use_all_of_the_randomness() {
    let zero = RoomCode::from_random([0; 16]);
    assert_eq!(zero.to_string(), "aaa-aaaa-aaa");
    let mut one = [0; 16];
    one[0] = 27;
    assert_eq!(RoomCode::from_random(one).compact(), "bbaaaaaaaa");
    let code = RoomCode::from_random(*b"sixteen of these");
    assert!(code.compact().bytes().all(|b| b.is_ascii_lowercase()));
    assert_eq!(RoomCode::parse(&code.to_string()), Ok(code));
}

#[test]
fn a_participants_id_is_p_and_twelve_characters() {
    let id = ParticipantId::from_random([0xff; 16]);
    assert_eq!(id.as_str(), "p777777777777");
    for bad in ["", "P", "a-b", "a/b", "é", &"p".repeat(33)] {
        assert!(ParticipantId::new(bad).is_err(), "{bad:?}");
    }
    assert!(CommandId::new(&"x".repeat(33)).is_err());
}

#[test]
fn names_are_trimmed_visible_and_command_no_terminal() {
    assert_eq!(display_name("  Zoé 👩‍💻 ").as_deref(), Ok("Zoé 👩‍💻"));
    assert_eq!(display_name(&"é".repeat(50)), Ok("é".repeat(50)));
    for bad in [
        "",
        " \u{a0} ",
        "\u{200b}\u{200d}",
        "a\u{1b}[2J",
        "a\nb",
        "\u{202e}gpj.exe",
        "\u{2066}a",
        &"é".repeat(51),
    ] {
        assert!(display_name(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn namespaces_are_those_that_grants_name() {
    let code = RoomCode::parse("abc-defg-hij").unwrap();
    let zoe = id("pzoe");
    let namespace = |fields: &[&'static str]| TrackNamespace::new(fields.iter().copied()).unwrap();
    assert_eq!(tracks::media(&code), namespace(&["parvis", "abcdefghij"]));
    assert_eq!(
        tracks::media_of(&code, &zoe),
        namespace(&["parvis", "abcdefghij", "pzoe"])
    );
    assert_eq!(
        tracks::control(&code),
        namespace(&["parvis.control", "out", "abcdefghij"])
    );
    let outbox = tracks::outbox(&code, &zoe);
    assert_eq!(
        outbox,
        namespace(&["parvis.control", "out", "abcdefghij", "pzoe"])
    );
    assert!(outbox.starts_with(&tracks::outboxes()));
    let inbox = tracks::inbox(&code, &zoe);
    assert!(inbox.starts_with(&tracks::inboxes()));
    assert_eq!(tracks::owner_of_inbox(&inbox), Some((code, zoe)));
    assert_eq!(tracks::owner_of_inbox(&outbox), None);
    let shouted = namespace(&["parvis.control", "in", "ABCDEFGHIJ", "pzoe"]);
    assert_eq!(tracks::owner_of_inbox(&shouted), None);
}

#[test]
fn a_chat_message_lies_where_its_number_says() {
    let session = SessionId(1000);
    assert_eq!(
        tracks::chat_location(session, ChatSeq(0)),
        Location::new(1000, 0)
    );
    assert_eq!(
        tracks::chat_location(session, ChatSeq(130)),
        Location::new(1002, 2)
    );
    for seq in [0, 63, 64, 6400].map(ChatSeq) {
        let location = tracks::chat_location(session, seq);
        assert_eq!(tracks::chat_seq(session, location), Some(seq));
    }
    assert_eq!(tracks::chat_seq(session, Location::new(999, 0)), None);
    assert_eq!(tracks::chat_seq(session, Location::new(1000, 64)), None);
    assert_eq!(
        tracks::chat_seq(SessionId(0), Location::new(u64::MAX, 63)),
        None
    );
}

#[test]
fn a_tracks_first_part_is_its_source() {
    assert_eq!(Source::of_track("microphone"), Some(Source::Microphone));
    assert_eq!(Source::of_track("camera/360p"), Some(Source::Camera));
    assert_eq!(Source::of_track("screen/sound"), Some(Source::Screen));
    assert_eq!(Source::of_track("catalog"), None);
    assert_eq!(Source::of_track("camera2"), None);
}
