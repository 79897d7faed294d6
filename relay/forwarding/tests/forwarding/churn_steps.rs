//! The steps of random comings and goings.

use proptest::prelude::*;

use crate::churn::{NAMESPACES, PATHS, SHARDS};

/// One step of a session; numbers are taken modulo what there is.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Connect(usize),
    Disconnect,
    Namespace(usize),
    Publish {
        path: usize,
        continues: bool,
    },
    Subscribe {
        path: usize,
        wait: u64,
        forward: bool,
        fill: bool,
    },
    Prefix {
        tracks: bool,
    },
    /// Ends a request that the session made.
    End(usize),
    Forward(usize, bool),
    /// Answers what it was asked or offered.
    Answer {
        accept: bool,
    },
    /// Sends an object on one of its sources.
    Object {
        source: usize,
        finish: bool,
    },
    /// Fetches groups that the world may have had.
    Fetch {
        path: usize,
        back: u64,
        groups: u64,
    },
    /// Answers a FETCH that it was asked, somehow.
    AnswerFetch(FetchAnswer),
    Deliver(usize),
    Wait(u64),
}

#[derive(Debug, Clone, Copy)]
pub enum FetchAnswer {
    Rejected,
    Broken,
    Begun,
    Whole,
}

pub fn step() -> impl Strategy<Value = Step> {
    let index = 0..20_usize;
    prop_oneof![
        4 => (0..SHARDS).prop_map(Step::Connect),
        1 => Just(Step::Disconnect),
        3 => (0..NAMESPACES.len()).prop_map(Step::Namespace),
        3 => (0..PATHS.len(), any::<bool>())
            .prop_map(|(path, continues)| Step::Publish { path, continues }),
        6 => (0..PATHS.len(), prop_oneof![Just(0_u64), Just(3_000)], any::<bool>())
            .prop_map(|(path, wait, forward)| {
                Step::Subscribe { path, wait, forward, fill: path == 1 }
            }),
        2 => any::<bool>().prop_map(|tracks| Step::Prefix { tracks }),
        3 => index.clone().prop_map(Step::End),
        2 => (index.clone(), any::<bool>()).prop_map(|(n, on)| Step::Forward(n, on)),
        10 => prop_oneof![1 => Just(false), 4 => Just(true)]
            .prop_map(|accept| Step::Answer { accept }),
        8 => (index, any::<bool>()).prop_map(|(source, finish)| Step::Object { source, finish }),
        4 => (0..PATHS.len(), 0..9_u64, 0..4_u64)
            .prop_map(|(path, back, groups)| Step::Fetch { path, back, groups }),
        4 => prop_oneof![
            Just(FetchAnswer::Rejected),
            Just(FetchAnswer::Broken),
            Just(FetchAnswer::Begun),
            Just(FetchAnswer::Whole),
        ]
        .prop_map(Step::AnswerFetch),
        8 => (0..6_usize).prop_map(Step::Deliver),
        1 => (0..4_000_u64).prop_map(Step::Wait),
    ]
}
