//! Leaving a room ends its tasks and threads. Alone in its process, whose threads it counts.

mod common;

use common::{enter, name, play, relay, soon, until};
use parvis::Draft;

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn closing_a_room_leaves_no_task_and_no_thread() {
    let relay = relay();
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = (tasks(), threads());

    let alice = enter(&relay, "alice", Draft::D22).await;
    let bruno = enter(&relay, "bruno", Draft::D22).await;
    let playback = play(&alice).await;
    until("the tracks", || {
        let state = bruno.state();
        state
            .participants
            .get(&name("alice"))
            .is_some_and(|who| who.tracks.len() >= 2)
    })
    .await;
    let mut video = bruno
        .subscribe_video(&name("alice"), "camera/180p")
        .await
        .unwrap();
    let mut audio = bruno
        .subscribe_audio(&name("alice"), "microphone")
        .await
        .unwrap();
    soon("a picture", video.next()).await.unwrap();
    soon("sound", audio.next()).await.unwrap();
    assert!(tasks() > before.0 && threads() > before.1);

    // What is still held only sees the end.
    soon("leaving", alice.close()).await;
    soon("leaving", bruno.close()).await;
    assert_eq!((tasks(), threads()), before);
    soon("the end", async { while video.next().await.is_some() {} }).await;
    soon("the end", async { while audio.next().await.is_some() {} }).await;
    drop(playback);
}
