use parvis_meeting::{
    Act, Change, Command, Done, ErrorKind, Input, LeaveReason, LobbyStatus, MediaState, Notice,
    Order, Output, PerSource, Policy, Role, Settings, Source, Target,
};

use crate::support::{Meeting, account, admit, agent, guest, id, one};

/// Zoé, Adam the administrator, Mia the member, Ann without a role and Gus, a guest.
fn meeting() -> Meeting {
    let mut meeting = Meeting::running();
    for who in ["adam", "mia", "ann"] {
        meeting.enter(who, agent(who));
    }
    meeting.admitted("gus", guest("Gus"));
    meeting.forget();
    meeting
}

fn set(source: Source, state: MediaState) -> Command {
    let of = |s| (s == source).then_some(state);
    Command::SetMedia {
        microphone: of(Source::Microphone),
        camera: of(Source::Camera),
        screen: of(Source::Screen),
    }
}

fn media(meeting: &Meeting, who: &str) -> PerSource<MediaState> {
    meeting
        .view()
        .participant(&id(who))
        .expect("somebody")
        .media
}

fn stop(who: &str, source: Source) -> Order {
    let participant = id(who);
    Order::Stop {
        participant,
        source,
    }
}

fn allow(who: &str, source: Source) -> Order {
    let participant = id(who);
    Order::Allow {
        participant,
        source,
    }
}

fn role(who: &str, role: Role) -> Command {
    let who = id(who);
    Command::SetRole { who, role }
}

fn shown_role(meeting: &Meeting, who: &str) -> Role {
    meeting.view().participant(&id(who)).expect("somebody").role
}

#[test]
fn several_share_their_screens_at_once() {
    let mut meeting = meeting();
    for who in ["ann", "gus"] {
        meeting.done(who, set(Source::Screen, MediaState::On));
    }
    assert_eq!(media(&meeting, "ann").screen, MediaState::On);
    assert_eq!(media(&meeting, "gus").screen, MediaState::On);
    assert!(meeting.orders().is_empty());
}

#[test]
fn a_muted_microphone_is_stopped_and_only_its_owner_turns_it_on() {
    let mut meeting = meeting();
    meeting.done("gus", set(Source::Microphone, MediaState::On));
    meeting.done("adam", Command::Mute { who: one("gus") });
    assert_eq!(media(&meeting, "gus").microphone, MediaState::Muted);
    assert_eq!(meeting.orders(), [stop("gus", Source::Microphone)]);
    assert!(meeting.notices("gus").contains(&Notice::Muted {
        source: Source::Microphone,
        by: id("adam")
    }));
    meeting.forget();
    meeting.done("gus", set(Source::Microphone, MediaState::On));
    assert_eq!(meeting.orders(), [allow("gus", Source::Microphone)]);
    assert_eq!(media(&meeting, "gus").microphone, MediaState::On);
}

#[test]
fn a_microphone_is_stopped_whatever_its_owner_says_that_it_does() {
    let mut meeting = meeting();
    meeting.done("zoe", Command::Mute { who: one("gus") });
    assert_eq!(meeting.orders(), [stop("gus", Source::Microphone)]);
    meeting.done("zoe", Command::Mute { who: one("gus") });
    assert_eq!(meeting.orders().len(), 1);
}

#[test]
fn all_others_are_muted_at_once() {
    let mut meeting = meeting();
    for who in ["zoe", "ann", "gus"] {
        meeting.done(who, set(Source::Microphone, MediaState::On));
    }
    meeting.forget();
    meeting.done("zoe", Command::Mute { who: Target::All });
    assert_eq!(media(&meeting, "zoe").microphone, MediaState::On);
    assert_eq!(media(&meeting, "ann").microphone, MediaState::Muted);
    assert_eq!(media(&meeting, "gus").microphone, MediaState::Muted);
    assert_eq!(meeting.orders().len(), 4);
    assert!(!meeting.orders().contains(&stop("zoe", Source::Microphone)));
    assert_eq!(meeting.audited(), [Act::MutedAll]);
}

#[test]
fn what_is_forbidden_is_stopped_for_everybody_but_hosts() {
    let mut meeting = meeting();
    for who in ["zoe", "ann", "gus"] {
        meeting.done(who, set(Source::Camera, MediaState::On));
        meeting.done(who, set(Source::Screen, MediaState::On));
    }
    meeting.forget();
    let forbid = |source, forbidden| Command::Forbid { source, forbidden };
    meeting.done("adam", forbid(Source::Camera, true));
    meeting.done("adam", forbid(Source::Screen, true));
    assert_eq!(media(&meeting, "zoe").camera, MediaState::On);
    assert_eq!(media(&meeting, "gus").camera, MediaState::Muted);
    assert_eq!(media(&meeting, "gus").screen, MediaState::Off);
    let stopped: Vec<Order> = ["ann", "gus", "mia"]
        .iter()
        .map(|who| stop(who, Source::Camera))
        .collect();
    assert_eq!(meeting.orders()[..3], stopped[..]);
    assert_eq!(
        meeting.refused("ann", set(Source::Camera, MediaState::On)),
        ErrorKind::Forbidden
    );
    meeting.done("zoe", set(Source::Camera, MediaState::On));

    meeting.forget();
    meeting.enter("ben", agent("ben"));
    let sources = [Source::Camera, Source::Screen];
    assert_eq!(meeting.orders(), sources.map(|source| stop("ben", source)));

    meeting.forget();
    meeting.done("adam", forbid(Source::Camera, false));
    assert!(meeting.orders().is_empty());
    meeting.done("ben", set(Source::Camera, MediaState::On));
    assert_eq!(meeting.orders(), [allow("ben", Source::Camera)]);
    assert_eq!(
        meeting.refused("ben", set(Source::Screen, MediaState::On)),
        ErrorKind::Forbidden
    );
}

#[test]
fn a_newcomer_is_stopped_before_it_has_a_token() {
    let mut meeting = meeting();
    let (source, forbidden) = (Source::Microphone, true);
    meeting.done("zoe", Command::Forbid { source, forbidden });
    meeting.forget();
    meeting.enter("ben", agent("ben"));
    let at = |wanted: fn(&Output) -> bool| meeting.outputs.iter().position(wanted).unwrap();
    let stopped = at(|output| matches!(output, Output::Order(Order::Stop { .. })));
    assert!(stopped < at(|output| matches!(output, Output::Admit { .. })));
}

#[test]
fn promoted_hosts_may_what_is_forbidden_and_demoted_ones_are_stopped() {
    let mut meeting = meeting();
    let (source, forbidden) = (Source::Camera, true);
    meeting.done("zoe", Command::Forbid { source, forbidden });
    meeting.done("zoe", role("ann", Role::Administrator));
    meeting.forget();
    meeting.done("ann", set(Source::Camera, MediaState::On));
    assert_eq!(meeting.orders(), [allow("ann", Source::Camera)]);
    meeting.done("zoe", role("ann", Role::Guest));
    assert_eq!(media(&meeting, "ann").camera, MediaState::Muted);
    assert_eq!(meeting.orders()[1..], [stop("ann", Source::Camera)]);
}

#[test]
fn names_are_changed_by_oneself_and_by_hosts() {
    let mut meeting = meeting();
    let rename = |who: Option<&str>, name: &str| Command::Rename {
        who: who.map(id),
        name: name.to_owned(),
    };
    meeting.done("ann", rename(None, "Anne"));
    let ann = meeting.view().participant(&id("ann")).unwrap();
    assert_eq!((ann.name.as_str(), ann.verified), ("Anne", false));
    meeting.done("ann", rename(None, "ann"));
    assert!(meeting.view().participant(&id("ann")).unwrap().verified);
    assert_eq!(
        meeting.refused("ann", rename(Some("gus"), "G")),
        ErrorKind::Forbidden
    );
    assert_eq!(
        meeting.refused("ann", rename(None, " ")),
        ErrorKind::BadName
    );
    assert_eq!(
        meeting.refused("adam", rename(Some("zoe"), "Z")),
        ErrorKind::Forbidden
    );
    meeting.done("adam", rename(Some("gus"), "Gustave"));
    assert_eq!(
        meeting.view().participant(&id("gus")).unwrap().name,
        "Gustave"
    );
    assert_eq!(meeting.audited().len(), 1);
}

#[test]
fn roles_are_given_to_people_who_are_there_and_signed_in() {
    let mut meeting = meeting();
    meeting.done("zoe", role("ann", Role::Administrator));
    assert_eq!(shown_role(&meeting, "ann"), Role::Administrator);
    let stored = Output::RoleChanged {
        account: account("ann"),
        role: Role::Administrator,
    };
    assert!(meeting.outputs.contains(&stored));
    assert_eq!(
        meeting.refused("zoe", role("gus", Role::Member)),
        ErrorKind::NotSignedIn
    );
    assert_eq!(
        meeting.refused("zoe", role("nobody", Role::Member)),
        ErrorKind::NotPresent
    );
    assert_eq!(
        meeting.refused("mia", role("gus", Role::Member)),
        ErrorKind::Forbidden
    );
    let (whom, from, to) = (account("ann"), Role::Guest, Role::Administrator);
    assert_eq!(meeting.audited(), [Act::SetRole { whom, from, to }]);
}

#[test]
fn nobody_changes_their_own_role_and_the_last_owner_stays() {
    let mut meeting = meeting();
    assert_eq!(
        meeting.refused("zoe", role("zoe", Role::Member)),
        ErrorKind::LastOwner
    );
    assert_eq!(
        meeting.refused("adam", role("adam", Role::Owner)),
        ErrorKind::Forbidden
    );
    meeting.done("zoe", role("ann", Role::Owner));
    assert_eq!(
        meeting.refused("zoe", role("zoe", Role::Member)),
        ErrorKind::Forbidden
    );
    meeting.done("ann", role("zoe", Role::Guest));
    assert_eq!(
        meeting.refused("ann", role("ann", Role::Guest)),
        ErrorKind::LastOwner
    );
    meeting.enter("ann2", agent("ann"));
    assert_eq!(
        meeting.refused("ann", role("ann2", Role::Guest)),
        ErrorKind::LastOwner
    );
}

#[test]
fn administrators_neither_make_nor_change_owners() {
    let mut meeting = meeting();
    assert_eq!(
        meeting.refused("adam", role("zoe", Role::Member)),
        ErrorKind::Forbidden
    );
    assert_eq!(
        meeting.refused("adam", role("ann", Role::Owner)),
        ErrorKind::Forbidden
    );
    meeting.done("adam", role("ann", Role::Administrator));
    meeting.done("adam", role("mia", Role::Guest));
    assert_eq!(shown_role(&meeting, "mia"), Role::Guest);
}

#[test]
fn a_role_is_that_of_all_devices_of_an_account() {
    let mut meeting = meeting();
    meeting.enter("ann2", agent("ann"));
    meeting.enter("bob", guest("Bob"));
    meeting.forget();
    meeting.done("zoe", role("ann", Role::Administrator));
    assert_eq!(shown_role(&meeting, "ann2"), Role::Administrator);
    for device in ["ann", "ann2"] {
        let notices = meeting.notices(device);
        assert!(
            matches!(&notices[..], [Notice::LobbySnapshot { waiters }] if waiters.len() == 1),
            "{notices:?}"
        );
    }
}

#[test]
fn who_is_removed_is_told_and_has_to_knock_again() {
    let mut meeting = meeting();
    let policy = Policy {
        access: parvis_meeting::AccessLevel::Public,
        ..Policy::default()
    };
    meeting.input(Input::Policy { policy });
    meeting.forget();
    meeting.done("adam", Command::Remove { who: id("gus") });
    assert_eq!(
        meeting.orders(),
        [Order::Remove {
            participant: id("gus")
        }]
    );
    let left = Change::Left {
        participant: id("gus"),
        reason: LeaveReason::Removed,
    };
    assert_eq!(meeting.changes(), [left]);
    assert_eq!(meeting.notices("gus"), [Notice::Removed]);
    assert_eq!(meeting.ask_as("gus", "x", Command::RaiseHand), None);
    meeting.arrive("gus", guest("Gus"));
    assert_eq!(
        meeting.ask_as("gus", "y", Command::Knock { name: None }),
        None
    );

    meeting.enter("gus2", guest("Gus"));
    assert!(matches!(
        meeting.status("gus2"),
        Some(LobbyStatus::Waiting { .. })
    ));
    meeting.done("zoe", admit("gus2"));
    assert!(meeting.is_in("gus2"));
    meeting.done("gus2", Command::Leave);
    meeting.enter("gus3", guest("Gus"));
    assert!(meeting.is_in("gus3"));
}

#[test]
fn nobody_removes_themselves_or_a_higher_role() {
    let mut meeting = meeting();
    let remove = |who| Command::Remove { who: id(who) };
    assert_eq!(meeting.refused("zoe", remove("zoe")), ErrorKind::Forbidden);
    assert_eq!(meeting.refused("adam", remove("zoe")), ErrorKind::Forbidden);
    assert_eq!(meeting.refused("mia", remove("gus")), ErrorKind::Forbidden);
    assert_eq!(
        meeting.refused("zoe", remove("nobody")),
        ErrorKind::NotPresent
    );
    meeting.done("zoe", remove("adam"));
    meeting.enter("adam2", agent("adam"));
    assert!(!meeting.is_in("adam2"));
}

#[test]
fn every_act_of_moderation_is_audited_once_with_who_did_it() {
    let mut meeting = meeting();
    meeting.enter("bob", guest("Bob"));
    meeting.forget();
    for command in [
        admit("bob"),
        Command::Mute { who: one("bob") },
        Command::Forbid {
            source: Source::Screen,
            forbidden: true,
        },
        Command::Rename {
            who: Some(id("bob")),
            name: "Robert".to_owned(),
        },
        role("ann", Role::Member),
        Command::SetAccess {
            level: parvis_meeting::AccessLevel::Restricted,
            organisation: None,
        },
        Command::SetHostGate { on: false },
        Command::SetHistory {
            history: parvis_meeting::HistoryPolicy::FromJoin,
        },
        Command::Lock { locked: true },
        Command::Remove { who: id("bob") },
        Command::StartRecording,
        Command::StopRecording,
        Command::EndForAll,
    ] {
        let before = meeting.audited().len();
        assert_eq!(meeting.ask("zoe", command.clone()).map(|_| ()), Ok(()));
        assert_eq!(meeting.audited().len(), before + 1, "{command:?}");
    }
    for output in &meeting.outputs {
        if let Output::Audit(entry) = output {
            assert_eq!(
                (entry.actor.as_str(), entry.account.clone()),
                ("zoe", Some(account("zoe")))
            );
            assert_eq!(entry.at, meeting.now);
        }
    }
}

#[test]
fn commands_beyond_their_rate_are_refused_and_then_not_answered() {
    let mut meeting = Meeting::with(Policy::default(), Settings::default());
    meeting.enter("zoe", agent("zoe"));
    meeting.enter("ann", agent("ann"));
    let (mut done, mut refused, mut silent) = (0, 0, 0);
    for n in 0..1000 {
        match meeting.ask_as("ann", &format!("f{n}"), Command::RaiseHand) {
            Some(Ok(_)) => done += 1,
            Some(Err(refusal)) => {
                assert_eq!(refusal.error, ErrorKind::RateLimited);
                refused += 1;
            }
            None => silent += 1,
        }
    }
    assert_eq!((done, refused, silent), (99, 5, 896));
    assert_eq!(
        meeting.ask("zoe", Command::LowerAllHands),
        Ok(Done::default())
    );
}

#[test]
fn a_relay_that_was_started_anew_gets_every_order_that_holds() {
    let mut meeting = meeting();
    meeting.done("zoe", Command::Mute { who: one("gus") });
    meeting.done("zoe", Command::Mute { who: one("ann") });
    meeting.done("ann", set(Source::Microphone, MediaState::On));
    meeting.done("zoe", Command::Remove { who: id("mia") });
    meeting.forget();
    meeting.input(Input::RelayStarted);
    let removed = Order::Remove {
        participant: id("mia"),
    };
    assert_eq!(meeting.orders(), [stop("gus", Source::Microphone), removed]);
}
