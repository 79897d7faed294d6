//! The threads of this process.

use std::{fs, time::Duration};

use parvis_ffi::Tickets;
use tokio::time::{interval, timeout};

use super::{PATIENCE, Person};

/// How many threads there are once the library's runtime, which stays, has its own.
pub async fn before_joining() -> usize {
    // The first call starts the runtime.
    assert!(Person::tries("", "Zoé", Tickets::guest()).await.is_err());
    count()
}

/// How many there are now.
pub fn count() -> usize {
    names().len()
}

/// Waits until there are so many threads: blocking ones, which asked for tickets, end after a while.
pub async fn are_again(wanted: usize) {
    let mut beat = interval(Duration::from_millis(20));
    let ending = async {
        while count() != wanted {
            beat.tick().await;
        }
    };
    let ended = timeout(PATIENCE, ending).await;
    assert!(ended.is_ok(), "{wanted} threads before, now {:?}", names());
}

fn names() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")));
    // One that has ended meanwhile has no name any more.
    names.flatten().collect()
}
