use parvis_meeting::{
    AccessLevel, Act, Command, Done, ErrorKind, HistoryPolicy, Input, LeaveReason, LobbyStatus,
    Notice, Output, Policy, Quality, Role, Settings, StateMessage, Target,
};

use crate::support::{Meeting, account, admit, agent, guest, id, recorder, seconds};

fn with(access: AccessLevel) -> Meeting {
    let policy = Policy {
        access,
        ..Policy::default()
    };
    let mut meeting = Meeting::with(policy, Settings::default());
    meeting.enter("zoe", agent("zoe"));
    meeting.forget();
    meeting
}

#[test]
fn everybody_enters_a_public_room() {
    let mut meeting = with(AccessLevel::Public);
    meeting.enter("ann", agent("ann"));
    meeting.enter("gus", guest("Gus"));
    assert!(meeting.is_in("ann") && meeting.is_in("gus"));
    assert_eq!(meeting.tokens(), ["ann", "gus"]);
}

#[test]
fn agents_enter_a_trusted_room_and_guests_wait() {
    let mut meeting = with(AccessLevel::Trusted);
    meeting.enter("ann", agent("ann"));
    meeting.enter("gus", guest("Gus"));
    assert!(meeting.is_in("ann") && !meeting.is_in("gus"));
    assert!(matches!(
        meeting.status("gus"),
        Some(LobbyStatus::Waiting { .. })
    ));
}

#[test]
fn agents_of_another_organisation_wait_where_one_is_trusted() {
    let mut meeting = with(AccessLevel::Trusted);
    let command = |organisation: &str| Command::SetAccess {
        level: AccessLevel::Trusted,
        organisation: Some(organisation.parse().unwrap()),
    };
    assert_eq!(
        meeting.refused("zoe", command("prefecture")),
        ErrorKind::Forbidden
    );
    meeting.done("zoe", command("ministry"));
    meeting.enter("ann", agent("ann"));
    assert!(meeting.is_in("ann"));
    let mut other = agent("oscar");
    if let parvis_meeting::Identity::Agent { organisations, .. } = &mut other {
        *organisations = vec!["prefecture".parse().unwrap()];
    }
    meeting.enter("oscar", other);
    assert!(!meeting.is_in("oscar"));
}

#[test]
fn whoever_has_a_role_enters_a_restricted_room() {
    let mut meeting = with(AccessLevel::Restricted);
    meeting.enter("mia", agent("mia"));
    meeting.enter("ann", agent("ann"));
    meeting.enter("gus", guest("Gus"));
    assert!(meeting.is_in("mia"));
    assert!(!meeting.is_in("ann") && !meeting.is_in("gus"));
}

#[test]
fn guests_wait_for_an_agent_and_enter_with_it() {
    let policy = Policy {
        access: AccessLevel::Public,
        ..Policy::default()
    };
    let mut meeting = Meeting::with(policy, Settings::default());
    meeting.enter("gus", guest("Gus"));
    assert_eq!(meeting.status("gus"), Some(LobbyStatus::WaitingForHost));
    assert!(meeting.changes().is_empty());
    meeting.enter("ann", agent("ann"));
    assert!(meeting.is_in("gus"));
    assert_eq!(meeting.tokens(), ["ann", "gus"]);
}

#[test]
fn without_a_host_gate_guests_enter_alone() {
    let policy = Policy {
        access: AccessLevel::Public,
        host_gate: false,
        ..Policy::default()
    };
    let mut meeting = Meeting::with(policy, Settings::default());
    meeting.enter("gus", guest("Gus"));
    assert!(meeting.is_in("gus"));
}

#[test]
fn when_the_last_agent_leaves_guests_stay_and_new_ones_wait_for_the_host() {
    let mut meeting = with(AccessLevel::Public);
    meeting.enter("gus", guest("Gus"));
    meeting.done("zoe", Command::Leave);
    assert!(meeting.is_in("gus"));
    meeting.enter("gil", guest("Gil"));
    assert_eq!(meeting.status("gil"), Some(LobbyStatus::WaitingForHost));
    meeting.enter("ann", agent("ann"));
    assert!(meeting.is_in("gil"));
}

#[test]
fn the_first_one_begins_a_session_with_a_snapshot() {
    let mut meeting = Meeting::new();
    meeting.enter("zoe", agent("zoe"));
    let Output::Began { session } = meeting.outputs[0] else {
        panic!("{:?}", meeting.outputs[0]);
    };
    let Output::State {
        group,
        object: 0,
        message: StateMessage::Snapshot { snapshot },
    } = &meeting.outputs[1]
    else {
        panic!("{:?}", meeting.outputs[1]);
    };
    assert_eq!((snapshot.session, *group), (session, session.0));
    assert!(snapshot.participants.is_empty());
    let zoe = meeting.view().participant(&id("zoe")).unwrap();
    assert_eq!(zoe.role, Role::Owner);
    assert!(zoe.verified && zoe.signed_in);
}

#[test]
fn a_guest_who_takes_another_name_is_unverified() {
    let mut meeting = with(AccessLevel::Public);
    meeting.arrive("ann", agent("ann"));
    let name = Some("The Minister".to_owned());
    meeting.done("ann", Command::Knock { name });
    let ann = meeting.view().participant(&id("ann")).unwrap();
    assert_eq!(ann.name, "The Minister");
    assert!(!ann.verified && ann.signed_in);
    meeting.arrive("gus", guest("Gus"));
    let name = Some("\u{1b}[2J".to_owned());
    assert_eq!(
        meeting.refused("gus", Command::Knock { name }),
        ErrorKind::BadName
    );
}

#[test]
fn a_lost_connection_keeps_the_place_for_thirty_seconds() {
    let mut meeting = with(AccessLevel::Public);
    meeting.enter("gus", guest("Gus"));
    meeting.left("gus");
    assert_eq!(
        meeting.view().participant(&id("gus")).unwrap().quality,
        Quality::Lost
    );
    meeting.pass(seconds(29));
    meeting.forget();
    meeting.arrive("gus", guest("Gus"));
    assert_eq!(meeting.tokens(), ["gus"]);
    meeting.pass(seconds(60));
    assert_eq!(
        meeting.view().participant(&id("gus")).unwrap().quality,
        Quality::Good
    );
    meeting.left("gus");
    meeting.pass(seconds(30));
    assert!(!meeting.is_in("gus"));
    let left = parvis_meeting::Change::Left {
        participant: id("gus"),
        reason: LeaveReason::Lost,
    };
    assert_eq!(meeting.changes().last(), Some(&left));
}

#[test]
fn an_agent_who_may_come_back_keeps_the_gate_open() {
    let mut meeting = with(AccessLevel::Public);
    meeting.enter("gus", guest("Gus"));
    meeting.left("zoe");
    meeting.enter("gil", guest("Gil"));
    assert!(meeting.is_in("gil"));
    meeting.pass(seconds(30));
    meeting.enter("gia", guest("Gia"));
    assert_eq!(meeting.status("gia"), Some(LobbyStatus::WaitingForHost));
}

#[test]
fn whom_a_host_let_in_comes_back_without_knocking_at_the_host() {
    let mut meeting = Meeting::running();
    meeting.admitted("gus", guest("Gus"));
    meeting.left("gus");
    meeting.pass(seconds(31));
    assert!(!meeting.is_in("gus"));
    meeting.enter("gus", guest("Gus"));
    assert!(meeting.is_in("gus"));
}

#[test]
fn somebody_else_under_a_participants_id_is_not_heard() {
    let mut meeting = Meeting::running();
    meeting.enter("ann", agent("ann"));
    meeting.left("ann");
    meeting.arrive("ann", agent("mallory"));
    assert_eq!(meeting.ask_as("ann", "x", Command::RaiseHand), None);
    assert_eq!(meeting.view().participant(&id("ann")).unwrap().name, "ann");
}

#[test]
fn a_full_room_takes_nobody_in() {
    let settings = Settings {
        room_size: 2,
        ..Settings::default()
    };
    let mut meeting = Meeting::with(Policy::default(), settings);
    meeting.enter("zoe", agent("zoe"));
    meeting.enter("ann", agent("ann"));
    meeting.arrive("mia", agent("mia"));
    assert_eq!(meeting.knock("mia").unwrap_err().error, ErrorKind::RoomFull);
    // It knocked by itself, perhaps, and nobody asked for the answer.
    let full = Notice::Lobby(LobbyStatus::LobbyFull);
    assert_eq!(meeting.notices("mia"), [full]);
    meeting.enter("gus", guest("Gus"));
    assert_eq!(meeting.refused("zoe", admit("gus")), ErrorKind::RoomFull);
    meeting.done("ann", Command::Leave);
    meeting.done("zoe", admit("gus"));
    assert!(meeting.is_in("gus"));
}

#[test]
fn all_are_admitted_as_far_as_there_are_places_in_the_order_of_their_knocks() {
    let settings = Settings {
        room_size: 3,
        ..Settings::default()
    };
    let mut meeting = Meeting::with(Policy::default(), settings);
    meeting.enter("zoe", agent("zoe"));
    let waiters = ["wim", "gus", "lea", "bob"];
    for name in waiters {
        meeting.enter(name, guest(name));
    }
    let all = || Command::Admit { who: Target::All };
    let done = meeting.done("zoe", all());
    assert_eq!((done.admitted, done.waiting), (Some(2), Some(2)));
    assert_eq!(
        waiters.map(|name| meeting.is_in(name)),
        [true, true, false, false]
    );
    assert_eq!(meeting.refused("zoe", all()), ErrorKind::RoomFull);
    meeting.done("wim", Command::Leave);
    let done = meeting.done("zoe", all());
    assert_eq!((done.admitted, done.waiting), (Some(1), Some(1)));
    assert!(meeting.is_in("lea") && !meeting.is_in("bob"));
    meeting.done("gus", Command::Leave);
    let done = meeting.done("zoe", admit("bob"));
    assert_eq!((done.admitted, done.waiting), (Some(1), Some(0)));
    // Nobody waits: nothing is refused.
    let done = meeting.done("zoe", all());
    assert_eq!((done.admitted, done.waiting), (Some(0), Some(0)));
}

#[test]
fn a_recorder_is_visible_and_opens_no_gate() {
    let policy = Policy {
        access: AccessLevel::Public,
        ..Policy::default()
    };
    let mut meeting = Meeting::with(policy, Settings::default());
    meeting.enter("rec", recorder());
    assert!(
        meeting
            .view()
            .participant(&id("rec"))
            .unwrap()
            .service
            .is_some()
    );
    meeting.enter("gus", guest("Gus"));
    assert_eq!(meeting.status("gus"), Some(LobbyStatus::WaitingForHost));
    assert_eq!(
        meeting.refused("rec", Command::RaiseHand),
        ErrorKind::Forbidden
    );
}

#[test]
fn changed_access_receives_everybody_who_waits_anew() {
    let mut meeting = with(AccessLevel::Restricted);
    meeting.enter("ann", agent("ann"));
    meeting.enter("gus", guest("Gus"));
    let set = |level| Command::SetAccess {
        level,
        organisation: None,
    };
    meeting.done("zoe", set(AccessLevel::Trusted));
    assert!(meeting.is_in("ann") && !meeting.is_in("gus"));
    meeting.done("zoe", set(AccessLevel::Public));
    assert!(meeting.is_in("gus"));
    assert!(meeting.audited().contains(&Act::SetAccess {
        level: AccessLevel::Public,
        organisation: None
    }));
    let stored = meeting.outputs.iter().any(|output| {
        matches!(output, Output::PolicyChanged(policy) if policy.access == AccessLevel::Public)
    });
    assert!(stored);
}

#[test]
fn what_is_set_outside_of_the_meeting_counts_inside() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    let policy = Policy {
        access: AccessLevel::Public,
        history: HistoryPolicy::None,
        ..Policy::default()
    };
    meeting.input(Input::Policy {
        policy: policy.clone(),
    });
    assert!(meeting.is_in("gus"));
    assert_eq!(*meeting.view().policy(), policy);

    let mut roles = meeting.room.roles().clone();
    roles.set(account("zoe"), Role::Administrator).unwrap_err();
    roles.set(account("ann"), Role::Owner).unwrap();
    roles.set(account("zoe"), Role::Member).unwrap();
    meeting.forget();
    meeting.input(Input::Roles { roles });
    assert_eq!(
        meeting.view().participant(&id("zoe")).unwrap().role,
        Role::Member
    );
    assert_eq!(meeting.notices("zoe"), [Notice::LobbyClosed]);
}

#[test]
fn a_locked_room_lets_only_hosts_in() {
    let mut meeting = with(AccessLevel::Public);
    meeting.done("zoe", Command::Lock { locked: true });
    meeting.enter("mia", agent("mia"));
    meeting.enter("gus", guest("Gus"));
    meeting.enter("adam", agent("adam"));
    assert!(meeting.is_in("adam") && !meeting.is_in("mia") && !meeting.is_in("gus"));
    meeting.done("adam", admit("gus"));
    assert!(meeting.is_in("gus"));
    meeting.done("zoe", Command::Lock { locked: false });
    assert!(meeting.is_in("mia"));
    assert_eq!(
        meeting.ask("zoe", Command::Lock { locked: false }),
        Ok(Done::default())
    );
}

#[test]
fn who_waits_may_nothing_but_knock_resync_and_leave() {
    let mut meeting = Meeting::running();
    meeting.enter("gus", guest("Gus"));
    meeting.forget();
    for command in [
        Command::RaiseHand,
        Command::EndForAll,
        Command::RenewToken,
        crate::support::chat("c", "hello"),
        admit("gus"),
    ] {
        assert_eq!(meeting.refused("gus", command), ErrorKind::Forbidden);
    }
    assert!(meeting.tokens().is_empty() && meeting.changes().is_empty());
    meeting.done("gus", Command::Resync);
    assert!(matches!(
        meeting.status("gus"),
        Some(LobbyStatus::Waiting { .. })
    ));
    meeting.done("gus", Command::Leave);
    assert_eq!(meeting.room.waiting(), 0);
}
