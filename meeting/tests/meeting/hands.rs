use parvis_meeting::{Act, Command, ErrorKind, HandSeq, ParticipantId};

use crate::support::{Meeting, agent, guest, id, seconds};

fn meeting() -> Meeting {
    let mut meeting = Meeting::running();
    for who in ["ann", "ben", "cat"] {
        meeting.enter(who, agent(who));
    }
    meeting.forget();
    meeting
}

fn order(meeting: &Meeting) -> Vec<&str> {
    meeting.view().hands().map(ParticipantId::as_str).collect()
}

#[test]
fn hands_are_in_the_order_of_receipt() {
    let mut meeting = meeting();
    assert_eq!(
        meeting.done("cat", Command::RaiseHand).hand,
        Some(HandSeq(0))
    );
    meeting.done("ann", Command::RaiseHand);
    meeting.done("ben", Command::RaiseHand);
    assert_eq!(order(&meeting), ["cat", "ann", "ben"]);
    assert_eq!(meeting.view().hand_position(&id("cat")), Some(1));
    assert_eq!(meeting.view().hand_position(&id("ben")), Some(3));
    assert_eq!(meeting.view().hand_position(&id("zoe")), None);
}

#[test]
fn a_raised_hand_that_is_raised_keeps_its_place() {
    let mut meeting = meeting();
    meeting.done("ann", Command::RaiseHand);
    meeting.done("ben", Command::RaiseHand);
    meeting.forget();
    assert_eq!(
        meeting.done("ann", Command::RaiseHand).hand,
        Some(HandSeq(0))
    );
    assert_eq!(order(&meeting), ["ann", "ben"]);
    assert!(meeting.changes().is_empty());
}

#[test]
fn lowering_and_raising_goes_to_the_end() {
    let mut meeting = meeting();
    meeting.done("ann", Command::RaiseHand);
    meeting.done("ben", Command::RaiseHand);
    meeting.done("ann", Command::LowerHand { whose: None });
    meeting.done("ann", Command::RaiseHand);
    assert_eq!(order(&meeting), ["ben", "ann"]);
}

#[test]
fn a_hand_survives_a_reconnection_within_thirty_seconds_and_no_longer() {
    let mut meeting = meeting();
    meeting.done("ann", Command::RaiseHand);
    meeting.done("ben", Command::RaiseHand);
    meeting.left("ann");
    meeting.pass(seconds(29));
    assert_eq!(order(&meeting), ["ann", "ben"]);
    meeting.arrive("ann", agent("ann"));
    meeting.pass(seconds(31));
    assert_eq!(order(&meeting), ["ann", "ben"]);
    meeting.left("ann");
    meeting.pass(seconds(30));
    assert_eq!(order(&meeting), ["ben"]);
    meeting.enter("ann", agent("ann"));
    assert_eq!(order(&meeting), ["ben"]);
}

#[test]
fn hosts_lower_one_or_all() {
    let mut meeting = meeting();
    for who in ["ann", "ben", "cat"] {
        meeting.done(who, Command::RaiseHand);
    }
    let lower = |who| Command::LowerHand {
        whose: Some(id(who)),
    };
    assert_eq!(meeting.refused("ann", lower("ben")), ErrorKind::Forbidden);
    assert_eq!(
        meeting.refused("ann", Command::LowerAllHands),
        ErrorKind::Forbidden
    );
    assert_eq!(
        meeting.refused("zoe", lower("nobody")),
        ErrorKind::NotPresent
    );
    meeting.done("zoe", lower("ben"));
    assert_eq!(order(&meeting), ["ann", "cat"]);
    meeting.done("zoe", Command::LowerAllHands);
    assert!(order(&meeting).is_empty());
    let whom = id("ben");
    assert_eq!(
        meeting.audited(),
        [Act::LoweredHand { whom }, Act::LoweredAllHands]
    );
}

#[test]
fn the_list_shows_hands_then_oneself_then_names() {
    let mut meeting = meeting();
    meeting.admitted("gus", guest("Gus"));
    let name = "Änne".to_owned();
    meeting.done("gus", Command::Rename { who: None, name });
    meeting.done("cat", Command::RaiseHand);
    meeting.done("ben", Command::RaiseHand);
    let me = id("zoe");
    let listed = meeting.view().listed(Some(&me));
    let names: Vec<&str> = listed.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["cat", "ben", "zoe", "ann", "Änne"]);
}
