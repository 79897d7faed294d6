//! The steps of the reference model's random sequences.

use parvis_wire::{GroupId, LocationFilter};
use proptest::prelude::*;

use crate::{model::TRACKS, support::at};

/// One step; numbers are taken modulo what there is.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Connect,
    Disconnect(usize),
    Subscribe {
        peer: usize,
        track: usize,
        filter: Option<LocationFilter>,
    },
    Cancel(usize),
    Forward(usize, bool),
    Stop(usize),
    /// Opens a stream in a group near the newest one.
    Open {
        track: usize,
        back: u64,
        ahead: u64,
        first_mode: bool,
    },
    /// Begins an object, after the one before is complete.
    Object {
        stream: usize,
        skip: u64,
    },
    /// More of the current object.
    More {
        stream: usize,
    },
    End {
        stream: usize,
        finished: bool,
    },
    Wait(u64),
    Republish,
}

fn filter() -> impl Strategy<Value = Option<LocationFilter>> {
    let location = || (0..8_u64, 0..6_u64).prop_map(|(g, o)| at(g, o));
    prop_oneof![
        Just(None),
        Just(Some(LocationFilter::NextObject)),
        Just(Some(LocationFilter::NextGroup)),
        (1..4_u64).prop_map(|n| Some(LocationFilter::RelativeStart(n))),
        location().prop_map(|l| Some(LocationFilter::AbsoluteStart(l))),
        (location(), 0..3_u64).prop_map(|(start, more)| {
            let end = GroupId(start.group.0 + more);
            Some(LocationFilter::AbsoluteGroups { start, end })
        }),
        (location(), location())
            .prop_map(|(start, end)| Some(LocationFilter::AbsoluteRange { start, end })),
    ]
}

pub fn step() -> impl Strategy<Value = Step> {
    let index = 0..100_usize;
    prop_oneof![
        2 => Just(Step::Connect),
        1 => index.clone().prop_map(Step::Disconnect),
        6 => (index.clone(), 0..TRACKS, filter())
            .prop_map(|(peer, track, filter)| Step::Subscribe { peer, track, filter }),
        1 => index.clone().prop_map(Step::Cancel),
        2 => (index.clone(), any::<bool>()).prop_map(|(s, on)| Step::Forward(s, on)),
        1 => index.clone().prop_map(Step::Stop),
        6 => (0..TRACKS, 0..3_u64, 0..3_u64, any::<bool>()).prop_map(
            |(track, back, ahead, first_mode)| Step::Open { track, back, ahead, first_mode }
        ),
        16 => (index.clone(), 0..3_u64).prop_map(|(stream, skip)| Step::Object { stream, skip }),
        10 => index.clone().prop_map(|stream| Step::More { stream }),
        4 => (index, any::<bool>()).prop_map(|(stream, finished)| Step::End { stream, finished }),
        1 => (0..2_000_u64).prop_map(Step::Wait),
        1 => Just(Step::Republish),
    ]
}
