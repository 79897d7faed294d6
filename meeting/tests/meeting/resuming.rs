use parvis_meeting::{
    ChatSeq, Command, ErrorKind, Input, LobbyStatus, Output, Room, Settings, StateMessage,
    from_json, to_json,
};

use crate::support::{Meeting, admit, agent, chat, deny, guest, id, seconds};

/// The authority is killed, and another one goes on after a while.
fn restart(meeting: &mut Meeting, pause: u64) {
    let saved = from_json(&to_json(&meeting.room.save())).expect("what was saved");
    meeting.room = Room::restore(saved, Settings::default());
    meeting.now = meeting.now.plus(seconds(pause));
    meeting.forget();
    meeting.input(Input::Resumed);
}

#[test]
fn a_session_goes_on_where_it_was() {
    let mut meeting = Meeting::running();
    meeting.enter("ann", agent("ann"));
    meeting.done("ann", Command::RaiseHand);
    meeting.done("ann", chat("c0", "hello"));
    let answer = meeting.ask_as("ann", "same", chat("c1", "again"));
    let before = meeting.view().clone();
    restart(&mut meeting, 20);
    assert_eq!(*meeting.view(), before);
    let [
        Output::State {
            group,
            object: 0,
            message: StateMessage::Snapshot { snapshot },
        },
    ] = &meeting.outputs[..]
    else {
        panic!("{:?}", meeting.outputs);
    };
    assert!(*group > before.session().0);
    assert_eq!(**snapshot, before.snapshot());
    meeting.arrive("ann", agent("ann"));
    assert_eq!(meeting.ask_as("ann", "same", chat("c1", "again")), answer);
    assert_eq!(
        meeting.done("ann", chat("c2", "more")).seq,
        Some(ChatSeq(2))
    );
    assert_eq!(meeting.view().hand_position(&id("ann")), Some(1));
}

#[test]
fn who_does_not_come_back_after_a_restart_is_gone_after_the_grace() {
    let mut meeting = Meeting::running();
    meeting.enter("ann", agent("ann"));
    meeting.enter("gus", guest("Gus"));
    meeting.enter("amy", guest("Amy"));
    restart(&mut meeting, 3600);
    assert_eq!(meeting.room.waiting(), 2);
    meeting.done("zoe", Command::RaiseHand);
    meeting.arrive("amy", guest("Amy"));
    meeting.pass(seconds(10));
    assert_eq!(meeting.room.waiting(), 1);
    assert!(meeting.is_in("ann"));
    meeting.pass(seconds(20));
    assert!(!meeting.is_in("ann") && meeting.is_in("zoe"));
}

#[test]
fn a_wait_stands_still_while_nothing_is_heard() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    meeting.pass(seconds(500));
    restart(&mut meeting, 3600);
    meeting.arrive("zoe", agent("zoe"));
    meeting.arrive("gus", guest("Gus"));
    meeting.pass(seconds(99));
    assert_eq!(meeting.room.waiting(), 1);
    meeting.pass(seconds(1));
    assert_eq!(meeting.status("gus"), Some(LobbyStatus::TimedOut));
}

#[test]
fn denials_and_decisions_are_remembered_over_a_restart() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    meeting.done("zoe", deny("gus"));
    restart(&mut meeting, 1);
    assert_eq!(
        meeting.refused("zoe", admit("gus")),
        ErrorKind::AlreadyDecided
    );
    assert_eq!(meeting.knock("gus").unwrap_err().retry_after_ms, Some(4000));
}
