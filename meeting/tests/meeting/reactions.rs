use std::{collections::BTreeMap, time::Duration};

use parvis_meeting::{Command, Emoji, ErrorKind, Output, Policy, Reactions, Room, Settings};

use crate::support::{Meeting, agent, id, seconds};

fn react(emoji: &str) -> Command {
    let emoji = emoji.to_owned();
    Command::React { emoji }
}

fn reactions(meeting: &Meeting) -> Vec<Reactions> {
    let said = meeting.outputs.iter().filter_map(|output| match output {
        Output::Reactions(reactions) => Some(reactions.clone()),
        _ => None,
    });
    said.collect()
}

#[test]
fn the_eight_are_said_with_who_and_others_are_refused() {
    let mut meeting = Meeting::running();
    for emoji in Emoji::ALL {
        meeting.done("zoe", react(emoji.name()));
    }
    assert_eq!(Emoji::ALL.len(), 8);
    let first = Reactions::One {
        participant: id("zoe"),
        emoji: Emoji::ThumbsUp,
    };
    assert_eq!(reactions(&meeting)[0], first);
    for bad in ["", "THUMBS-UP", "middle-finger", "👍"] {
        assert_eq!(meeting.refused("zoe", react(bad)), ErrorKind::BadReaction);
    }
    assert_eq!(reactions(&meeting).len(), 8);
}

#[test]
fn ten_a_second_pass() {
    let mut meeting = Meeting::running();
    for _ in 0..10 {
        meeting.done("zoe", react("party-popper"));
    }
    let refusal = meeting.ask("zoe", react("party-popper")).unwrap_err();
    assert_eq!(
        (refusal.error, refusal.retry_after_ms),
        (ErrorKind::RateLimited, Some(100))
    );
    meeting.pass(Duration::from_millis(100));
    meeting.done("zoe", react("party-popper"));
    meeting.pass(seconds(10));
    for _ in 0..10 {
        meeting.done("zoe", react("party-popper"));
    }
    assert_eq!(
        meeting.refused("zoe", react("party-popper")),
        ErrorKind::RateLimited
    );
}

#[test]
fn counts_are_said_by_the_authority_that_goes_on() {
    let settings = Settings {
        named_reactions: 0,
        ..Settings::default()
    };
    let mut meeting = Meeting::with(Policy::default(), settings);
    meeting.enter("zoe", agent("zoe"));
    meeting.done("zoe", react("folded-hands"));
    meeting.room = Room::restore(meeting.room.save(), settings);
    meeting.pass(seconds(1));
    let counts = BTreeMap::from([(Emoji::FoldedHands, 1)]);
    assert_eq!(reactions(&meeting), [Reactions::Counts { counts }]);
}

#[test]
fn above_fifty_people_they_are_counted_every_quarter_of_a_second() {
    let mut meeting = Meeting::with(Policy::default(), Settings::default());
    meeting.enter("zoe", agent("zoe"));
    for n in 1..51 {
        let who = format!("p{n}");
        meeting.enter(&who, agent(&who));
    }
    meeting.forget();
    for n in 1..30 {
        meeting.done(&format!("p{n}"), react("thumbs-up"));
    }
    meeting.done("zoe", react("red-heart"));
    assert!(reactions(&meeting).is_empty());
    meeting.pass(Duration::from_millis(249));
    assert!(reactions(&meeting).is_empty());
    meeting.pass(Duration::from_millis(1));
    let counts = BTreeMap::from([(Emoji::ThumbsUp, 29), (Emoji::RedHeart, 1)]);
    assert_eq!(reactions(&meeting), [Reactions::Counts { counts }]);
    meeting.pass(seconds(5));
    assert_eq!(reactions(&meeting).len(), 1);
}
