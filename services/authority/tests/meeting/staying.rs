//! What others see stays true: whatever is turned off and on again, and whatever a network loses.

use std::{sync::Arc, time::Duration};

use parvis::meeting::{DataTarget, MediaState, Meeting, MeetingState, ParticipantId};

use parvis_meeting::Settings;

use crate::{
    house::{House, soon},
    path::Path,
    together::me,
};

fn screen(state: &MeetingState, whose: &ParticipantId) -> Option<MediaState> {
    let view = state.view.as_ref()?;
    view.participant(whose).map(|p| p.media.screen)
}

fn hand(state: &MeetingState, whose: &ParticipantId) -> bool {
    let view = state.view.as_ref();
    view.is_some_and(|view| view.hand_position(whose).is_some())
}

/// Waits until somebody sees a hand up, or down.
async fn sees_hand(meeting: &Meeting, whose: &ParticipantId, up: bool) -> Arc<MeetingState> {
    soon(
        "the hand",
        meeting.wait_for(|state| hand(state, whose) == up),
    )
    .await
}

/// How often a screen is turned off and shared again.
fn rounds() -> usize {
    let rounds = std::env::var("PARVIS_ROUNDS").ok();
    rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(12)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_that_is_turned_off_and_shared_again_is_seen() {
    let settings = Settings {
        commands_per_second: 100_000,
        ..Settings::default()
    };
    let house = House::with(settings).await;
    let (code, host) = house.open().await;
    let anna = house.member(&code, "Anna").await;
    let who = me(&anna);
    let mut shared = anna.screen(320, 180).await.expect("it is shared");
    for round in 0..rounds() {
        // As an app does that drops it on another thread.
        let off = std::thread::spawn(move || drop(shared));
        shared = soon("sharing", anna.screen(320, 180))
            .await
            .expect("it is shared");
        off.join().expect("it is dropped");
        // What was said before the hand is known by then.
        anna.raise_hand().await.expect("it is in");
        sees_hand(&host, &who, true).await;
        anna.lower_hand().await.expect("it is in");
        let state = sees_hand(&host, &who, false).await;
        assert_eq!(screen(&state, &who), Some(MediaState::On), "round {round}");
    }
    drop(shared);
    let off = |state: &MeetingState| screen(state, &who) == Some(MediaState::Off);
    soon("the end of it", host.wait_for(off)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_that_is_dropped_is_left_whatever_of_it_is_held() {
    let house = House::new().await;
    let (code, host) = house.open().await;
    let anna = house.member(&code, "Anna").await;
    let who = me(&anna);
    let camera = anna.camera(320, 180).await.expect("it is on");
    let options = parvis::AudioOptions::default();
    let microphone = anna.microphone(options).await.expect("it is on");
    let (mixer, notes) = (
        anna.mixer(parvis::codec::Channels::Mono),
        anna.data("notes"),
    );
    let said = anna
        .chat_pending("the last word")
        .await
        .expect("it is on its way");
    drop(anna);
    let gone = |state: &MeetingState| {
        let view = state.view.as_ref();
        view.is_some_and(|view| view.participant(&who).is_none())
    };
    soon("Anna is gone", host.wait_for(gone)).await;
    // What was asked before was heard.
    assert!(soon("the answer", said.outcome()).await.is_ok());
    assert!(camera.mute().await.is_err());
    drop((camera, microphone, mixer, notes));
}

/// A relay gives up a group that waits for too long, and sends nothing more of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_the_relay_gave_up_is_seen_soon_after() {
    let house = House::built(Settings::default(), |config| {
        config.queue_age = Duration::from_millis(100);
        config.send_window = "64KiB".parse().expect("a size");
    })
    .await;
    let (code, host) = house.open().await;
    let path = Path::to(house.relay().local_addr()).await;
    let anna = house.member_by(&path, &code, "Anna").await;
    let ben = house.member(&code, "Ben").await;
    let mut filling = anna.data("filling");
    let fill = vec![0; 8 << 10];
    let mut again = tokio::time::interval(Duration::from_millis(20));
    soon("data", async {
        loop {
            tokio::select! {
                _ = filling.next() => return,
                _ = again.tick() => {
                    let sent = host.send_data("filling", &fill, DataTarget::All);
                    sent.await.expect("it is in");
                }
            }
        }
    })
    .await;
    for up in [true, false, true] {
        // What is sent to Anna waits for what was sent before, and for too long.
        tokio::join!(path.lose_for(Duration::from_secs(1)), async {
            for _ in 0..16 {
                let sent = host.send_data("filling", &fill, DataTarget::All);
                sent.await.expect("it is in");
            }
            turn_hand(&ben, &host, up).await;
        });
        sees_hand(&anna, &me(&ben), up).await;
    }
}

/// Raises or lowers a hand, until another one sees it.
async fn turn_hand(whose: &Meeting, other: &Meeting, up: bool) {
    if up {
        whose.raise_hand().await.expect("it is in");
    } else {
        whose.lower_hand().await.expect("it is in");
    }
    sees_hand(other, &me(whose), up).await;
}
