use parvis_meeting::{
    Act, Command, ErrorKind, LobbyStatus, Notice, Policy, Role, Settings, Target, Waiter,
};

use crate::support::{Meeting, START, admit, agent, deny, guest, id, seconds};

fn waiter(meeting: &Meeting, who: &str, name: &str) -> Waiter {
    Waiter {
        participant: id(who),
        name: name.to_owned(),
        verified: false,
        signed_in: false,
        since: meeting.now,
    }
}

#[test]
fn hosts_see_who_waits_first_come_first_served() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    let gus = waiter(&meeting, "gus", "Gus");
    assert_eq!(
        meeting.notices("zoe"),
        [Notice::LobbyJoined {
            waiter: gus.clone()
        }]
    );
    meeting.pass(seconds(1));
    meeting.enter("amy", guest("Amy"));
    let amy = waiter(&meeting, "amy", "Amy");
    meeting.enter("mia", agent("mia"));
    assert!(meeting.notices("mia").is_empty());
    meeting.enter("adam", agent("adam"));
    let waiters = vec![gus, amy];
    assert_eq!(meeting.notices("adam"), [Notice::LobbySnapshot { waiters }]);
}

#[test]
fn the_first_decision_wins() {
    let mut meeting = Meeting::running();
    meeting.enter("adam", agent("adam"));
    meeting.enter("gus", guest("Gus"));
    meeting.enter("amy", guest("Amy"));
    meeting.forget();
    meeting.done("zoe", admit("gus"));
    assert!(meeting.is_in("gus"));
    assert_eq!(
        meeting.refused("adam", deny("gus")),
        ErrorKind::AlreadyDecided
    );
    assert_eq!(
        meeting.refused("adam", admit("gus")),
        ErrorKind::AlreadyDecided
    );
    meeting.done("adam", deny("amy"));
    assert_eq!(
        meeting.refused("zoe", admit("amy")),
        ErrorKind::AlreadyDecided
    );
    assert_eq!(
        meeting.refused("zoe", admit("nobody")),
        ErrorKind::NotPresent
    );
    let left = |who| Notice::LobbyLeft {
        participant: id(who),
    };
    assert_eq!(meeting.notices("adam"), [left("gus"), left("amy")]);
    let acts = meeting.audited();
    assert!(
        matches!(&acts[..], [Act::Admitted { .. }, Act::Denied { .. }]),
        "{acts:?}"
    );
}

#[test]
fn all_are_admitted_at_once_in_order() {
    let mut meeting = Meeting::running();
    for who in ["gus", "amy", "bob"] {
        meeting.enter(who, guest(who));
    }
    meeting.forget();
    meeting.done("zoe", Command::Admit { who: Target::All });
    assert_eq!(meeting.tokens(), ["gus", "amy", "bob"]);
    assert_eq!(meeting.room.waiting(), 0);
}

#[test]
fn all_are_denied_at_once() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    meeting.enter("amy", guest("Amy"));
    meeting.done("zoe", Command::Deny { who: Target::All });
    for who in ["gus", "amy"] {
        let retry_after_ms = Some(5000);
        assert_eq!(
            meeting.status(who),
            Some(LobbyStatus::Denied { retry_after_ms })
        );
    }
}

#[test]
fn only_hosts_decide() {
    let mut meeting = Meeting::running();
    meeting.enter("mia", agent("mia"));
    meeting.enter("gus", guest("Gus"));
    assert_eq!(meeting.refused("mia", admit("gus")), ErrorKind::Forbidden);
    assert_eq!(meeting.refused("gus", admit("gus")), ErrorKind::Forbidden);
}

#[test]
fn a_denied_guest_pauses_five_seconds_and_three_denials_end_it() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    for round in 0..2 {
        meeting.done("zoe", deny("gus"));
        let refusal = meeting.knock("gus").unwrap_err();
        assert_eq!(refusal.error, ErrorKind::Denied, "round {round}");
        assert_eq!(refusal.retry_after_ms, Some(5000));
        meeting.pass(seconds(4));
        assert_eq!(meeting.knock("gus").unwrap_err().retry_after_ms, Some(1000));
        meeting.pass(seconds(1));
        meeting.knock("gus").unwrap();
        assert!(matches!(
            meeting.status("gus"),
            Some(LobbyStatus::Waiting { .. })
        ));
    }
    meeting.done("zoe", deny("gus"));
    let retry_after_ms = None;
    assert_eq!(
        meeting.status("gus"),
        Some(LobbyStatus::Denied { retry_after_ms })
    );
    meeting.pass(seconds(3600));
    let refusal = meeting.knock("gus").unwrap_err();
    assert_eq!(
        (refusal.error, refusal.retry_after_ms),
        (ErrorKind::Denied, None)
    );
}

#[test]
fn denials_follow_the_device_and_not_the_participants_id() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    meeting.done("zoe", deny("gus"));
    meeting.left("gus");
    meeting.arrive("gus2", guest("Gus"));
    assert_eq!(meeting.knock("gus2").unwrap_err().error, ErrorKind::Denied);
    meeting.arrive("gil", guest("Gil"));
    meeting.knock("gil").unwrap();
}

#[test]
fn nobody_waits_longer_than_ten_minutes() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    meeting.pass(seconds(599));
    assert_eq!(meeting.room.waiting(), 1);
    meeting.forget();
    meeting.pass(seconds(1));
    assert_eq!(meeting.status("gus"), Some(LobbyStatus::TimedOut));
    let participant = id("gus");
    assert_eq!(meeting.notices("zoe"), [Notice::LobbyLeft { participant }]);
    meeting.knock("gus").unwrap();
    assert_eq!(meeting.room.waiting(), 1);
}

#[test]
fn the_wait_stands_still_while_there_is_no_host() {
    let mut meeting = Meeting::new();
    meeting.enter("gus", guest("Gus"));
    meeting.pass(seconds(3600));
    assert_eq!(meeting.room.waiting(), 1);
    meeting.enter("zoe", agent("zoe"));
    assert!(
        matches!(meeting.status("gus"), Some(LobbyStatus::Waiting { since }) if since == START)
    );
    meeting.pass(seconds(300));
    meeting.enter("bob", guest("Bob"));
    meeting.done("zoe", admit("bob"));
    meeting.done("zoe", Command::Leave);
    assert_eq!(meeting.status("gus"), Some(LobbyStatus::WaitingForHost));
    meeting.pass(seconds(3600));
    meeting.enter("zoe2", agent("zoe"));
    meeting.pass(seconds(299));
    assert_eq!(meeting.room.waiting(), 1);
    meeting.pass(seconds(1));
    assert_eq!(meeting.status("gus"), Some(LobbyStatus::TimedOut));
}

#[test]
fn a_place_is_kept_for_ten_seconds() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    meeting.enter("amy", guest("Amy"));
    meeting.left("gus");
    meeting.pass(seconds(9));
    meeting.arrive("gus", guest("Gus"));
    meeting.pass(seconds(10));
    meeting.forget();
    meeting.done("zoe", Command::Resync);
    let Notice::LobbySnapshot { waiters } = meeting.notices("zoe").pop().unwrap() else {
        panic!("the lobby");
    };
    let order: Vec<&str> = waiters.iter().map(|w| w.participant.as_str()).collect();
    assert_eq!(order, ["gus", "amy"]);
    meeting.left("gus");
    meeting.pass(seconds(10));
    let participant = id("gus");
    assert_eq!(meeting.notices("zoe"), [Notice::LobbyLeft { participant }]);
}

#[test]
fn who_is_admitted_while_away_is_waited_for() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    meeting.left("gus");
    meeting.done("zoe", admit("gus"));
    assert!(!meeting.view().is_connected(&id("gus")));
    meeting.pass(seconds(20));
    meeting.forget();
    meeting.arrive("gus", guest("Gus"));
    assert_eq!(meeting.tokens(), ["gus"]);
    meeting.pass(seconds(60));
    assert!(meeting.view().is_connected(&id("gus")));
}

#[test]
fn a_full_lobby_takes_nobody_more() {
    let settings = Settings {
        lobby_size: 2,
        ..Settings::default()
    };
    let mut meeting = Meeting::with(Policy::default(), settings);
    meeting.enter("gus", guest("Gus"));
    meeting.enter("amy", guest("Amy"));
    meeting.arrive("bob", guest("Bob"));
    assert_eq!(
        meeting.knock("bob").unwrap_err().error,
        ErrorKind::LobbyFull
    );
    assert_eq!(meeting.status("bob"), Some(LobbyStatus::LobbyFull));
    meeting.done("gus", Command::Leave);
    meeting.knock("bob").unwrap();
}

#[test]
fn a_demoted_host_hears_nothing_more_of_the_lobby() {
    let mut meeting = Meeting::running();
    meeting.enter("adam", agent("adam"));
    meeting.forget();
    let who = id("adam");
    let role = Role::Member;
    meeting.done("zoe", Command::SetRole { who, role });
    meeting.enter("gus", guest("Gus"));
    assert_eq!(meeting.notices("adam"), [Notice::LobbyClosed]);
    assert_eq!(meeting.refused("adam", admit("gus")), ErrorKind::Forbidden);
}
