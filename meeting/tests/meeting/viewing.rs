use parvis_meeting::{Applied, Command, MediaState, Output, Revision, Room, StateMessage, View};

use crate::support::{Meeting, agent, chat, seconds};

fn states(meeting: &Meeting) -> Vec<(u64, u64, StateMessage)> {
    let states = meeting.outputs.iter().filter_map(|output| match output {
        Output::State {
            group,
            object,
            message,
        } => Some((*group, *object, message.clone())),
        _ => None,
    });
    states.collect()
}

fn busy() -> Meeting {
    let mut meeting = Meeting::new();
    meeting.enter("zoe", agent("zoe"));
    for _ in 0..100 {
        meeting.done("zoe", Command::RaiseHand);
        meeting.done("zoe", Command::LowerHand { whose: None });
        meeting.pass(seconds(1));
    }
    meeting
}

#[test]
fn a_group_has_a_snapshot_and_sixty_four_deltas() {
    let states = states(&busy());
    let first = states[0].0;
    for (n, (group, object, message)) in states.iter().enumerate() {
        let n = n as u64;
        assert_eq!((*group, *object), (first + n / 65, n % 65));
        assert_eq!(
            matches!(message, StateMessage::Snapshot { .. }),
            *object == 0
        );
    }
    assert!(states.len() > 200);
}

#[test]
fn in_a_large_room_a_group_has_as_many_deltas_as_people() {
    let mut meeting = Meeting::new();
    meeting.enter("zoe", agent("zoe"));
    for n in 0..300 {
        let who = format!("p{n}");
        meeting.enter(&who, agent(&who));
    }
    let snapshots = states(&meeting)
        .iter()
        .filter(|(_, object, _)| *object == 0)
        .count();
    assert_eq!(snapshots, 2);
}

#[test]
fn a_command_in_a_large_room_has_as_few_outputs_as_in_a_small_one() {
    let mut meeting = Meeting::new();
    meeting.enter("zoe", agent("zoe"));
    let mut outputs_of = |people: usize| {
        for n in meeting.view().len()..people {
            let who = format!("p{n}");
            meeting.enter(&who, agent(&who));
        }
        meeting.pass(seconds(10));
        let commands = [
            Command::RaiseHand,
            Command::LowerAllHands,
            chat(&format!("c{people}"), "hello"),
            Command::SetMedia {
                microphone: Some(MediaState::On),
                camera: None,
                screen: None,
            },
            Command::SetMedia {
                microphone: Some(MediaState::Off),
                camera: None,
                screen: None,
            },
        ];
        commands.map(|command| {
            meeting.forget();
            meeting.done("zoe", command);
            let snapshots = states(&meeting)
                .into_iter()
                .filter(|(_, object, _)| *object == 0);
            meeting.outputs.len() - snapshots.count()
        })
    };
    assert_eq!(outputs_of(2), outputs_of(300));
}

#[test]
fn who_joins_late_reads_the_current_group_and_has_it_all() {
    let meeting = busy();
    let states = states(&meeting);
    let (last, ..) = states[states.len() - 1];
    let group = states.into_iter().filter(|(group, ..)| *group == last);
    let mut messages = group.map(|(_, _, message)| message);
    let Some(StateMessage::Snapshot { snapshot }) = messages.next() else {
        panic!("a snapshot first");
    };
    let mut view = View::from(*snapshot);
    for message in messages {
        assert!(matches!(view.apply(message), Ok(Applied::Changed(_))));
    }
    assert_eq!(view, *meeting.view());
}

#[test]
fn a_gap_is_noticed_and_filled_by_the_next_snapshot() {
    let meeting = busy();
    let states = states(&meeting);
    let StateMessage::Snapshot { snapshot } = &states[0].2 else {
        panic!("a snapshot first");
    };
    let mut view = View::from((**snapshot).clone());
    view.apply(states[1].2.clone()).unwrap();
    assert_eq!(view.apply(states[1].2.clone()), Ok(Applied::Known));
    let gap = view.apply(states[3].2.clone()).unwrap_err();
    assert_eq!((gap.have, gap.got), (Revision(1), Revision(3)));
    assert_eq!(view.apply(states[65].2.clone()), Ok(Applied::Replaced));
    assert_eq!(view.apply(states[3].2.clone()), Ok(Applied::Known));
    for (_, _, message) in &states[66..] {
        view.apply(message.clone()).unwrap();
    }
    assert_eq!(view, *meeting.view());
}

#[test]
fn the_same_inputs_make_the_same_room_whenever_timers_are_called() {
    let mut punctual = Meeting::running();
    let mut late = Meeting::running();
    for meeting in [&mut punctual, &mut late] {
        meeting.enter("ann", agent("ann"));
        meeting.left("ann");
    }
    punctual.pass(seconds(100));
    late.now = late.now.plus(seconds(100));
    for meeting in [&mut punctual, &mut late] {
        meeting.done("zoe", Command::RaiseHand);
    }
    assert_eq!(punctual.room.save(), late.room.save());
    let restored = Room::restore(late.room.save(), parvis_meeting::Settings::default());
    assert_eq!(restored.save(), late.room.save());
}
