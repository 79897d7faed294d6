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
    Deliver(usize),
    Wait(u64),
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
            .prop_map(|(path, wait, forward)| Step::Subscribe { path, wait, forward }),
        2 => any::<bool>().prop_map(|tracks| Step::Prefix { tracks }),
        3 => index.clone().prop_map(Step::End),
        2 => (index.clone(), any::<bool>()).prop_map(|(n, on)| Step::Forward(n, on)),
        10 => prop_oneof![1 => Just(false), 4 => Just(true)]
            .prop_map(|accept| Step::Answer { accept }),
        8 => (index, any::<bool>()).prop_map(|(source, finish)| Step::Object { source, finish }),
        8 => (0..6_usize).prop_map(Step::Deliver),
        1 => (0..4_000_u64).prop_map(Step::Wait),
    ]
}
