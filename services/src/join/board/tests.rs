use parvis::meeting::{
    ChatMessage, ChatSeq, DisconnectReason, Emoji, HistoryGap, HistoryPage, LeaveReason,
    PrivateMessage, Source, Waiter,
};
use parvis_meeting::{CommandId, UnixMillis};
use serde_json::json;

use super::*;
use crate::join::{
    scenes::{id, meeting, people, person},
    script::Step,
};

fn holds(board: &Board, state: &MeetingState, hearing: &Hearing, line: &str) -> bool {
    let Ok(Step::Wait { until, .. }) = Step::parse(line) else {
        panic!("{line} is no wait");
    };
    board.holds(&until, state, hearing, Instant::now())
}

fn message(text: &str) -> MeetingEvent {
    MeetingEvent::Chat(numbered(0, text))
}

fn numbered(seq: u64, text: &str) -> ChatMessage {
    ChatMessage {
        seq: ChatSeq(seq),
        at: UnixMillis(1),
        from: id("palice"),
        name: "Alice\u{7}".to_owned(),
        client_id: CommandId::new(&seq.to_string()).unwrap(),
        text: text.to_owned(),
    }
}

fn texts(board: &Board) -> Vec<&str> {
    board.chat.iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn conditions_look_at_people_hands_and_media() {
    let (board, hearing) = (Board::default(), Hearing::default());
    let state = meeting(people());
    let is = |line: &str| holds(&board, &state, &hearing, line);
    for line in [
        "wait connected",
        "wait participants 3",
        "wait participants 2+",
        "wait present Alice",
        "wait present palice",
        "wait absent Bruno",
        "wait hand Gil",
        "wait hand Gil 1",
        "wait no-hand Alice",
        "wait mic on Alice",
        "wait mic off Gil",
        "wait screen on Alice",
        "wait camera off Alice",
        "wait role Zoé owner",
        "wait locked off",
        "wait forbidden camera off",
    ] {
        assert!(is(line), "{line}");
    }
    for line in [
        "wait in-lobby",
        "wait participants 2",
        "wait absent Alice",
        "wait hand Gil 2",
        "wait hand Alice",
        "wait no-hand Bruno",
        "wait mic off Bruno",
        "wait role Alice owner",
        "wait removed",
        "wait ended",
        "wait lobby Alice",
        "wait chat Bonjour",
        "wait speaks Alice",
        "wait hears Alice",
        "wait sees Alice screen",
    ] {
        assert!(!is(line), "{line}");
    }
}

#[test]
fn conditions_look_at_the_lobby_and_at_the_end() {
    let (board, hearing) = (Board::default(), Hearing::default());
    let mut state = meeting(Vec::new());
    state.view = None;
    let mut with = |phase: Phase, line: &str| {
        state.phase = phase;
        holds(&board, &state, &hearing, line)
    };
    let asked = Lobby::Waiting {
        since: UnixMillis(1),
    };
    assert!(with(Phase::InLobby(asked.clone()), "wait waiting"));
    assert!(with(Phase::InLobby(asked), "wait in-lobby"));
    assert!(!with(Phase::InLobby(Lobby::WaitingForHost), "wait waiting"));
    assert!(with(
        Phase::InLobby(Lobby::WaitingForHost),
        "wait waiting-for-host"
    ));
    let denied = Lobby::Denied { retry_after: None };
    assert!(with(Phase::InLobby(denied), "wait denied"));
    let removed = Phase::Disconnected(DisconnectReason::Removed);
    assert!(with(removed.clone(), "wait removed"));
    assert!(!with(removed, "wait ended"));
    // Who is outside does not know who is in.
    assert!(!with(Phase::InLobby(Lobby::Outside), "wait absent Alice"));
    state.lobby = vec![Waiter {
        participant: id("phugo"),
        name: "Hugo".to_owned(),
        verified: false,
        signed_in: false,
        since: UnixMillis(2),
    }];
    assert!(holds(&board, &state, &hearing, "wait lobby Hugo"));
    assert!(!holds(&board, &state, &hearing, "wait no-lobby Hugo"));
}

#[test]
fn chat_and_reactions_are_remembered_and_private_messages_are_told_apart() {
    let (mut board, hearing) = (Board::default(), Hearing::default());
    let state = meeting(people());
    let now = Instant::now();
    board.take(&message("Bonjour à tous"), now);
    let private = PrivateMessage {
        at: UnixMillis(1),
        from: id("palice"),
        name: "Alice".to_owned(),
        to: id("pzoe"),
        client_id: CommandId::new("2").unwrap(),
        text: "psst".to_owned(),
    };
    board.take(&MeetingEvent::PrivateMessage(private), now);
    board.note("psst too".to_owned());
    let reaction = MeetingEvent::Reaction {
        participant: id("palice"),
        emoji: Emoji::PartyPopper,
    };
    board.take(&reaction, now);
    board.forget(now + SHOWN);
    assert!(board.reactions.is_empty());
    let is = |line: &str| holds(&board, &state, &hearing, line);
    assert!(is("wait chat Bonjour"));
    assert!(!is("wait private Bonjour"));
    assert!(is("wait private psst"));
    assert!(!is("wait chat psst"));
    assert!(is("wait reaction party-popper"));
    assert!(!is("wait reaction thumbs-up"));
    for n in 1..2 * LINES {
        let message = numbered(n as u64, &n.to_string());
        board.take(&MeetingEvent::Chat(message), now);
    }
    assert_eq!(board.chat.len(), LINES);
    let past = HistoryPage {
        messages: vec![numbered(1, "no place for it")],
        gaps: Vec::new(),
        before: None,
    };
    assert!(board.recall(&past).is_empty());
    assert_eq!(board.chat.len(), LINES);
}

#[test]
fn messages_of_before_stand_before_the_newer_ones_once() {
    let (mut board, now) = (Board::default(), Instant::now());
    let take = |board: &mut Board, seq, text| {
        let event = MeetingEvent::Chat(numbered(seq, text));
        board.take(&event, now).is_some()
    };
    assert!(take(&mut board, 4, "four"));
    board.note("psst".to_owned());
    let gap = HistoryGap {
        from: ChatSeq(0),
        to: ChatSeq(1),
    };
    let page = HistoryPage {
        messages: vec![
            numbered(2, "two"),
            numbered(3, "three"),
            numbered(4, "four"),
            numbered(5, "five"),
        ],
        gaps: vec![gap],
        before: None,
    };
    let told = board.recall(&page);
    let told: Vec<&str> = told.iter().map(|told| told.text.as_str()).collect();
    let gone = "Messages 0 to 1 are gone";
    assert_eq!(told, [gone, "Alice : two", "Alice : three", "Alice : five"]);
    // It comes as an event, too.
    assert!(!take(&mut board, 5, "five"));
    assert!(take(&mut board, 6, "six"));
    assert_eq!(
        texts(&board),
        [gone, "two", "three", "four", "psst", "five", "six"]
    );
    assert!(board.recall(&page).is_empty());
    // What a later session says under a number of this one is something else.
    let mut other = numbered(6, "six of another session");
    other.client_id = CommandId::new("other").unwrap();
    assert!(board.take(&MeetingEvent::Chat(other), now).is_some());
}

#[test]
fn somebody_is_heard_shortly_after_a_sound_and_silent_a_second_later() {
    let (board, hearing) = (Board::default(), Hearing::default());
    let state = meeting(people());
    let now = Instant::now();
    hearing.heard(&id("palice"), now, 20);
    let is = |line: &str, after: Duration| {
        let Ok(Step::Wait { until, .. }) = Step::parse(line) else {
            panic!("{line} is no wait");
        };
        board.holds(&until, &state, &hearing, now + after)
    };
    assert!(is("wait hears Alice", Duration::ZERO));
    assert!(!is("wait silence Alice", Duration::ZERO));
    assert!(!is("wait hears Alice", Duration::from_millis(500)));
    assert!(!is("wait silence Alice", Duration::from_millis(500)));
    assert!(is("wait silence Alice", Duration::from_millis(1100)));
    assert!(!is("wait silence Bruno", Duration::from_millis(1100)));
}

#[test]
fn what_happens_is_told_to_people_and_to_scripts() {
    let mut board = Board::default();
    let mut tell = |event: MeetingEvent| {
        let told = board.take(&event, Instant::now()).unwrap();
        (told.event, told.text, told.fields)
    };
    let guest = Participant {
        verified: false,
        signed_in: false,
        ..person("pgil", "Gil")
    };
    let (event, text, fields) = tell(MeetingEvent::Joined(guest));
    assert_eq!(
        (event, text.as_str()),
        ("joined", "Gil is in (guest, unverified)")
    );
    assert_eq!(fields["id"], "pgil");
    let (event, text, fields) = tell(MeetingEvent::Hands(vec![id("pgil"), id("pwho")]));
    assert_eq!((event, text.as_str()), ("hands", "Hands: 1. Gil, 2. pwho"));
    assert_eq!(fields["names"], json!(["Gil", "pwho"]));
    let (event, text, _) = tell(message("two\nlines"));
    assert_eq!((event, text.as_str()), ("chat", "Alice : two lines"));
    // A name stays known after its owner has left.
    let left = MeetingEvent::Left {
        participant: id("pgil"),
        reason: LeaveReason::Removed,
    };
    let (event, text, fields) = tell(left);
    assert_eq!((event, text.as_str()), ("left", "Gil was removed"));
    assert_eq!(fields["reason"], "removed");
    let denied = Lobby::Denied {
        retry_after: Some(Duration::from_secs(5)),
    };
    let (event, text, fields) = tell(MeetingEvent::Phase(Phase::InLobby(denied)));
    assert_eq!(
        (event, text.as_str()),
        ("phase", "Denied: knock again in 5 s")
    );
    assert_eq!(fields["retry_after_ms"], 5000);
    let (_, text, _) = tell(MeetingEvent::Muted {
        source: Source::Microphone,
        by: id("pgil"),
    });
    assert_eq!(text, "Gil stopped your microphone");
}

#[test]
fn what_only_hosts_may_use_was_stopped_by_nobody_in_particular() {
    let mut board = Board::of(id("pme"));
    let forbidden = MeetingEvent::Muted {
        source: Source::Screen,
        by: id("pme"),
    };
    let told = board.take(&forbidden, Instant::now()).unwrap();
    assert_eq!(told.text, "Your screen is off: only hosts may use one");
    assert_eq!(
        told.fields,
        json!({ "source": "screen", "forbidden": true })
    );
}
