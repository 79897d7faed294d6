use parvis_meeting::{
    ChatSeq, Command, EndReason, ErrorKind, Input, LobbyStatus, Notice, Order, Output, Policy,
    Settings, StateMessage,
};

use crate::support::{Meeting, agent, chat, deny, guest, id, recorder, seconds};

fn ends(meeting: &Meeting) -> Vec<EndReason> {
    let ends = meeting.outputs.iter().filter_map(|output| match output {
        Output::Ended { reason, .. } => Some(*reason),
        _ => None,
    });
    ends.collect()
}

#[test]
fn the_last_person_out_ends_the_session() {
    let mut meeting = Meeting::running();
    meeting.enter("rec", recorder());
    meeting.enter("ann", agent("ann"));
    meeting.done("zoe", Command::Leave);
    assert!(ends(&meeting).is_empty());
    meeting.left("ann");
    meeting.pass(seconds(29));
    assert!(ends(&meeting).is_empty());
    meeting.pass(seconds(1));
    assert_eq!(ends(&meeting), [EndReason::Empty]);
    assert_eq!(meeting.notices("rec").last(), Some(&Notice::RoomEnded));
    meeting.left("rec");
    meeting.left("zoe");
    assert!(meeting.room.is_deserted());
}

#[test]
fn who_waits_when_the_last_one_leaves_meets_the_next_session() {
    let mut meeting = Meeting::running();
    meeting.done("zoe", chat("c0", "hello"));
    let first = meeting.view().session();
    let last_group = meeting.outputs.iter().filter_map(|output| match output {
        Output::State { group, .. } => Some(*group),
        _ => None,
    });
    let last_group = last_group.max();
    meeting.enter("gus", guest("Gus"));
    meeting.done("zoe", Command::Leave);
    assert_eq!(meeting.status("gus"), Some(LobbyStatus::WaitingForHost));
    assert!(!meeting.room.is_deserted());
    meeting.forget();
    meeting.enter("zoe2", agent("zoe"));
    assert!(meeting.view().session() > first);
    let Some(Output::State {
        group,
        message: StateMessage::Snapshot { snapshot },
        ..
    }) = meeting.outputs.get(1).cloned()
    else {
        panic!("{:?}", meeting.outputs);
    };
    assert!(Some(group) > last_group);
    assert_eq!(snapshot.revision.0, 0);
    assert_eq!(
        meeting.done("zoe2", chat("c0", "again")).seq,
        Some(ChatSeq(0))
    );
    meeting.done("zoe2", Command::Leave);
    meeting.knock("zoe2").unwrap();
    meeting.forget();
    meeting.done("zoe2", chat("c0", "in another session"));
    let mut outputs = meeting.outputs.iter();
    assert!(outputs.any(|output| matches!(output, Output::Chat { .. })));
}

#[test]
fn denials_and_locks_are_those_of_one_session() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    for _ in 0..3 {
        meeting.pass(seconds(5));
        let _ = meeting.knock("gus");
        meeting.done("zoe", deny("gus"));
    }
    meeting.done("zoe", Command::Lock { locked: true });
    meeting.done("zoe", Command::Leave);
    meeting.enter("ann", agent("ann"));
    assert!(meeting.is_in("ann"));
    meeting.knock("gus").unwrap();
}

#[test]
fn a_host_ends_it_for_all() {
    let mut meeting = Meeting::running();
    meeting.admitted("gus", guest("Gus"));
    meeting.enter("amy", guest("Amy"));
    meeting.forget();
    assert_eq!(
        meeting.refused("gus", Command::EndForAll),
        ErrorKind::Forbidden
    );
    meeting.done("zoe", Command::EndForAll);
    assert_eq!(ends(&meeting), [EndReason::Ended]);
    let removed = ["gus", "zoe"].map(|who| Order::Remove {
        participant: id(who),
    });
    assert_eq!(meeting.orders(), removed);
    for who in ["zoe", "gus", "amy"] {
        assert_eq!(meeting.notices(who), [Notice::RoomEnded], "{who}");
    }
    assert!(meeting.room.is_deserted() && meeting.view().is_empty());
    assert_eq!(
        meeting.refused("gus", Command::RaiseHand),
        ErrorKind::RoomEnded
    );
    assert_eq!(
        meeting.knock("amy").unwrap_err().error,
        ErrorKind::RoomEnded
    );
    meeting.arrive("late", agent("late"));
    assert_eq!(meeting.notices("late"), [Notice::RoomEnded]);
    meeting.pass(seconds(3600));
    assert_eq!(ends(&meeting), [EndReason::Ended]);
}

#[test]
fn the_service_ends_a_room_that_nobody_entered() {
    let mut meeting = Meeting::with(Policy::default(), Settings::default());
    meeting.enter("gus", guest("Gus"));
    meeting.input(Input::End);
    meeting.input(Input::End);
    assert_eq!(ends(&meeting), [EndReason::Ended]);
    assert!(meeting.notices("gus").contains(&Notice::RoomEnded));
    assert!(meeting.changes().is_empty());
}
