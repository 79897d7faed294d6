use parvis_meeting::{
    ChatMessage, ChatSeq, Command, CommandId, DataMessage, ErrorKind, HistoryPolicy, Notice, Output,
};

use crate::support::{Meeting, agent, chat, guest, id, seconds};

fn messages(meeting: &Meeting) -> Vec<(ChatMessage, HistoryPolicy)> {
    let said = meeting.outputs.iter().filter_map(|output| match output {
        Output::Chat {
            message, history, ..
        } => Some((message.clone(), *history)),
        _ => None,
    });
    said.collect()
}

fn private(to: &str, text: &str) -> Command {
    Command::Chat {
        client_id: "p1".parse().unwrap(),
        text: text.to_owned(),
        to: Some(id(to)),
    }
}

#[test]
fn numbers_are_contiguous_and_times_are_the_services() {
    let mut meeting = Meeting::running();
    meeting.enter("ann", agent("ann"));
    for (n, who) in ["zoe", "ann", "zoe"].into_iter().enumerate() {
        meeting.pass(seconds(1));
        let done = meeting.done(who, chat(&format!("c{n}"), " hello "));
        assert_eq!(
            (done.seq, done.at),
            (Some(ChatSeq(n as u64)), Some(meeting.now))
        );
    }
    let said = messages(&meeting);
    let numbers: Vec<u64> = said.iter().map(|(m, _)| m.seq.0).collect();
    assert_eq!(numbers, [0, 1, 2]);
    assert_eq!(said[1].0.text, "hello");
    assert_eq!(
        (said[1].0.from.as_str(), said[1].0.name.as_str()),
        ("ann", "ann")
    );
}

#[test]
fn a_text_has_one_to_two_thousand_characters() {
    let mut meeting = Meeting::running();
    assert_eq!(
        meeting.refused("zoe", chat("a", " \n\t ")),
        ErrorKind::Empty
    );
    assert_eq!(
        meeting.refused("zoe", chat("b", &"é".repeat(2001))),
        ErrorKind::TooLong
    );
    meeting.done("zoe", chat("c", &format!("  {}  ", "👋".repeat(2000))));
    meeting.done("zoe", chat("d", "a\r\nb\u{1b}[2J\tc"));
    assert_eq!(messages(&meeting)[1].0.text, "a\nb[2J\tc");
}

#[test]
fn five_a_second_pass() {
    let mut meeting = Meeting::running();
    for n in 0..5 {
        meeting.done("zoe", chat(&format!("c{n}"), "x"));
    }
    let refusal = meeting.ask("zoe", chat("c5", "x")).unwrap_err();
    assert_eq!(
        (refusal.error, refusal.retry_after_ms),
        (ErrorKind::RateLimited, Some(200))
    );
    meeting.pass(seconds(1));
    assert_eq!(meeting.done("zoe", chat("c5", "x")).seq, Some(ChatSeq(5)));
}

#[test]
fn what_was_refused_for_its_rate_can_be_sent_again_under_the_same_id() {
    let mut meeting = Meeting::running();
    for n in 0..5 {
        meeting.done("zoe", chat(&format!("c{n}"), "x"));
    }
    let refused = meeting.ask_as("zoe", "again", chat("c5", "x")).unwrap();
    assert_eq!(refused.unwrap_err().error, ErrorKind::RateLimited);
    meeting.pass(seconds(1));
    let done = meeting.ask_as("zoe", "again", chat("c5", "x")).unwrap();
    assert_eq!(done.unwrap().seq, Some(ChatSeq(5)));
}

#[test]
fn the_same_message_again_appears_once() {
    let mut meeting = Meeting::running();
    let first = meeting.done("zoe", chat("c0", "hello"));
    meeting.left("zoe");
    meeting.arrive("zoe", agent("zoe"));
    assert_eq!(meeting.done("zoe", chat("c0", "hello")), first);
    assert_eq!(messages(&meeting).len(), 1);
    meeting.enter("ann", agent("ann"));
    let other = meeting.done("ann", chat("c0", "the same id of somebody else"));
    assert_eq!(other.seq, Some(ChatSeq(1)));
}

#[test]
fn the_same_request_again_is_answered_again_and_done_once() {
    let mut meeting = Meeting::running();
    let first = meeting.ask_as("zoe", "r", chat("c0", "hello"));
    assert_eq!(meeting.ask_as("zoe", "r", chat("c1", "other")), first);
    assert_eq!(messages(&meeting).len(), 1);
}

#[test]
fn a_private_message_reaches_one() {
    let mut meeting = Meeting::running();
    meeting.admitted("gus", guest("Gus"));
    meeting.enter("ann", agent("ann"));
    meeting.forget();
    let done = meeting.done("gus", private("ann", "psst"));
    assert_eq!(done.seq, None);
    let notices = meeting.notices("ann");
    let [Notice::PrivateMessage { message }] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert_eq!(
        (message.text.as_str(), message.name.as_str()),
        ("psst", "Gus")
    );
    assert!(meeting.notices("zoe").is_empty());
    assert!(messages(&meeting).is_empty());
    assert_eq!(meeting.done("gus", private("ann", "psst")), done);
    assert!(meeting.notices("ann").is_empty());
    meeting.pass(seconds(1));
    let to_nobody = Command::Chat {
        client_id: CommandId::new("p2").unwrap(),
        text: "psst".to_owned(),
        to: Some(id("nobody")),
    };
    assert_eq!(meeting.refused("gus", to_nobody), ErrorKind::NotPresent);
    assert_eq!(meeting.done("gus", chat("c", "all")).seq, Some(ChatSeq(0)));
}

#[test]
fn without_history_messages_go_to_those_who_are_there() {
    let mut meeting = Meeting::running();
    meeting.enter("ann", agent("ann"));
    for history in [HistoryPolicy::FromJoin, HistoryPolicy::None] {
        meeting.done("zoe", Command::SetHistory { history });
        meeting.forget();
        meeting.done("zoe", chat(&format!("{history:?}"), "now"));
        let [(message, said)] = &messages(&meeting)[..] else {
            panic!("one message");
        };
        assert_eq!(*said, history);
        let notice = Notice::Chat {
            message: message.clone(),
        };
        for member in ["ann", "zoe"] {
            assert_eq!(meeting.notices(member), std::slice::from_ref(&notice));
        }
    }
}

#[test]
fn a_message_appears_once_though_its_writer_was_given_up_meanwhile() {
    let mut meeting = Meeting::running();
    meeting.enter("ann", agent("ann"));
    let first = meeting.done("ann", chat("c0", "hello"));
    meeting.left("ann");
    meeting.pass(seconds(31));
    assert!(!meeting.is_in("ann"));
    meeting.enter("ann", agent("ann"));
    assert_eq!(meeting.done("ann", chat("c0", "hello")), first);
    assert_eq!(messages(&meeting).len(), 1);
    let next = meeting.done("ann", chat("c1", "again"));
    assert_eq!(next.seq, Some(ChatSeq(1)));
}

#[test]
fn data_to_some_reaches_them_and_nobody_else() {
    let mut meeting = Meeting::running();
    meeting.admitted("gus", guest("Gus"));
    meeting.enter("ann", agent("ann"));
    meeting.enter("out", guest("Out"));
    let data = |to: &[&str]| Command::Data {
        topic: "cursor".parse().unwrap(),
        to: to.iter().map(|to| id(to)).collect(),
        payload: "AAEC".to_owned(),
    };
    meeting.forget();
    meeting.done("gus", data(&["ann", "ann"]));
    let message = DataMessage {
        from: id("gus"),
        topic: "cursor".parse().unwrap(),
        payload: "AAEC".to_owned(),
    };
    assert_eq!(meeting.notices("ann"), [Notice::Data { message }]);
    assert!(meeting.notices("zoe").is_empty());
    assert!(messages(&meeting).is_empty());
    assert_eq!(meeting.refused("gus", data(&[])), ErrorKind::Empty);
    assert_eq!(
        meeting.refused("gus", data(&["ann", "out"])),
        ErrorKind::NotPresent
    );
    assert_eq!(meeting.refused("out", data(&["ann"])), ErrorKind::Forbidden);
    let many: Vec<String> = (0..33).map(|n| format!("p{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(meeting.refused("gus", data(&many)), ErrorKind::TooLong);
    for _ in 0..19 {
        meeting.done("gus", data(&["zoe"]));
    }
    assert_eq!(
        meeting.refused("gus", data(&["zoe"])),
        ErrorKind::RateLimited
    );
}
