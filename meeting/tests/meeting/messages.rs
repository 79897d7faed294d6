use parvis_meeting::{
    AccessLevel, Applied, Body, Change, Command, Done, ErrorKind, Input, LobbyStatus,
    MAX_COMMAND_BYTES, Message, MessageError, Notice, Outcome, Reactions, Request, StateMessage,
    Target, UnixMillis, View, from_json, to_json,
};

use crate::support::{Meeting, agent, chat, id};

fn parse(json: &str) -> Result<Command, MessageError> {
    let request = Request::from_json(json.as_bytes());
    request.map(|r| r.command).map_err(|bad| bad.error)
}

#[test]
fn commands_read_as_documented() {
    let command = |json: &str| parse(&format!(r#"{{"id":"1","command":{json}}}"#)).unwrap();
    assert_eq!(command(r#"{"type":"raise_hand"}"#), Command::RaiseHand);
    assert_eq!(
        command(r#"{"type":"admit","who":"all"}"#),
        Command::Admit { who: Target::All }
    );
    assert_eq!(
        command(r#"{"type":"admit","who":{"one":"pzoe"}}"#),
        Command::Admit {
            who: Target::One(id("pzoe"))
        }
    );
    assert_eq!(
        command(r#"{"type":"chat","client_id":"c1","text":"hé"}"#),
        chat("c1", "hé")
    );
    assert_eq!(
        command(r#"{"type":"set_access","level":"restricted"}"#),
        Command::SetAccess {
            level: AccessLevel::Restricted,
            organisation: None
        }
    );
}

#[test]
fn a_request_comes_back_from_its_encoding() {
    let request = Request {
        id: "a".parse().unwrap(),
        command: chat("c1", "\"quoted\" \u{1f389}"),
    };
    assert_eq!(Request::from_json(&request.to_json()), Ok(request));
}

#[test]
fn unknown_fields_of_commands_are_refused() {
    for json in [
        r#"{"id":"1","command":{"type":"raise_hand"},"x":1}"#,
        r#"{"id":"1","command":{"type":"raise_hand","x":1}}"#,
        r#"{"id":"1","command":{"type":"chat","client_id":"c","text":"a","x":1}}"#,
        r#"{"id":"1","command":{"type":"fly"}}"#,
        r#"{"id":"1","command":"raise_hand"}"#,
        r#"{"id":"","command":{"type":"raise_hand"}}"#,
        r#"{"id":"1","command":{"type":"raise_hand"}} trailing"#,
        r#"{"id":"1","id":"2","command":{"type":"raise_hand"}}"#,
    ] {
        assert!(matches!(parse(json), Err(MessageError::Json(_))), "{json}");
    }
}

#[test]
fn a_command_is_bounded_in_size_and_depth() {
    let huge = to_json(&Request {
        id: "1".parse().unwrap(),
        command: chat("c", &"a".repeat(MAX_COMMAND_BYTES)),
    });
    let refused = Request::from_json(&huge).unwrap_err();
    assert!(matches!(refused.error, MessageError::TooLarge { .. }));
    let deep = format!(r#"{{"id":"1","command":{}"#, "[".repeat(5000));
    assert_eq!(parse(&deep), Err(MessageError::TooDeep));
    let brackets_in_text = format!(
        r#"{{"id":"1","command":{{"type":"react","emoji":"{}\""}}}}"#,
        "[".repeat(99)
    );
    assert!(parse(&brackets_in_text).is_ok());
}

#[test]
fn the_id_of_a_bad_request_is_found_for_the_answer() {
    let bad = Request::from_json(br#"{"id":"7","command":{"type":"fly"}}"#).unwrap_err();
    assert_eq!(bad.id, Some("7".parse().unwrap()));
    let bad = Request::from_json(b"\xff\x00").unwrap_err();
    assert_eq!(bad.id, None);

    let mut meeting = Meeting::running();
    let input = Input::from_object(id("zoe"), br#"{"id":"7","command":{"type":"fly"}}"#);
    meeting.input(input);
    let answers: Vec<_> = meeting.outputs.iter().collect();
    assert!(
        matches!(&answers[..], [parvis_meeting::Output::Message { message, .. }]
            if matches!(&message.body, Body::Reply { re, outcome: Outcome::Refused(refusal) }
                if re.as_str() == "7" && refusal.error == ErrorKind::Malformed)),
        "{answers:?}"
    );
    meeting.input(Input::from_object(id("zoe"), b"nonsense"));
    let notices = meeting.notices("zoe");
    assert!(
        matches!(&notices[..], [Notice::Malformed { .. }]),
        "{notices:?}"
    );
}

#[test]
fn what_a_newer_service_says_is_passed_over() {
    let message: Message =
        from_json(br#"{"n":3,"body":{"type":"notice","notice":{"type":"fireworks","x":[1]}}}"#)
            .unwrap();
    assert_eq!(
        message.body,
        Body::Notice {
            notice: Notice::Unknown
        }
    );
    let refusal: Message = from_json(
        br#"{"n":3,"new":0,"body":{"type":"reply","re":"1","outcome":{"type":"refused","error":"OnStrike"}}}"#,
    )
    .unwrap();
    let Body::Reply {
        outcome: Outcome::Refused(refusal),
        ..
    } = refusal.body
    else {
        panic!("a refusal");
    };
    assert_eq!(refusal.error, ErrorKind::Unknown);
    assert_eq!(
        from_json::<Reactions>(br#"{"type":"confetti"}"#),
        Ok(Reactions::Unknown)
    );

    let mut view: View = Meeting::running().view().clone();
    let next = view.revision().0 + 1;
    let delta = format!(
        r#"{{"type":"delta","delta":{{"revision":{next},"change":{{"type":"music","on":true}}}}}}"#
    );
    let delta: StateMessage = from_json(delta.as_bytes()).unwrap();
    assert_eq!(view.apply(delta), Ok(Applied::Changed(Change::Unknown)));
    assert_eq!(view.revision().0, next);
}

#[test]
fn errors_have_the_same_words_everywhere() {
    for (error, word) in [
        (ErrorKind::BadCode, "\"BadCode\""),
        (ErrorKind::WaitingForHost, "\"WaitingForHost\""),
        (ErrorKind::AlreadyDecided, "\"AlreadyDecided\""),
        (ErrorKind::LastOwner, "\"LastOwner\""),
    ] {
        assert_eq!(to_json(&error), word.as_bytes());
    }
}

#[test]
fn messages_read_as_documented() {
    let message = Message::admitted(5, "ey".to_owned(), Some(UnixMillis(9)));
    let json = r#"{"n":5,"body":{"type":"notice","notice":{"type":"lobby","status":"admitted","token":"ey","expires":9}}}"#;
    assert_eq!(String::from_utf8(to_json(&message)).unwrap(), json);
    assert_eq!(from_json(json.as_bytes()), Ok(message));
    let reply = Message {
        n: 6,
        body: Body::Reply {
            re: "a".parse().unwrap(),
            outcome: Outcome::Done(Done::default()),
        },
    };
    let json = r#"{"n":6,"body":{"type":"reply","re":"a","outcome":{"type":"done"}}}"#;
    assert_eq!(String::from_utf8(to_json(&reply)).unwrap(), json);
    let denied = Notice::Lobby(LobbyStatus::Denied {
        retry_after_ms: Some(5000),
    });
    let json = r#"{"type":"lobby","status":"denied","retry_after_ms":5000}"#;
    assert_eq!(String::from_utf8(to_json(&denied)).unwrap(), json);
}

#[test]
fn everything_that_a_room_says_comes_back_from_its_encoding() {
    let mut meeting = Meeting::new();
    meeting.enter("zoe", agent("zoe"));
    meeting.done("zoe", Command::RaiseHand);
    for output in &meeting.outputs {
        if let parvis_meeting::Output::State { message, .. } = output {
            assert_eq!(from_json(&to_json(message)).as_ref(), Ok(message));
        }
        if let parvis_meeting::Output::Message { message, .. } = output {
            assert_eq!(from_json(&to_json(message)).as_ref(), Ok(message));
        }
    }
    let saved = meeting.room.save();
    assert_eq!(from_json(&to_json(&saved)), Ok(saved));
}
