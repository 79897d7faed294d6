//! Joins a meeting as a guest, shows a moving picture, greets whomever it sees, and prints who is there and what they
//! write, until everybody else has left.
//!
//! ```text
//! cargo run -p hello_room -- https://meet.example/abc-defg-hij Zoé
//! ```

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use parvis::{
    clock,
    codec::TestPattern,
    meeting::{
        Camera, JoinOptions, Meeting, MeetingEvent, MeetingEvents, MeetingState, Participant,
        Source, VideoTarget,
    },
};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [link, name] = arguments.as_slice() else {
        bail!("usage: hello_room LINK NAME");
    };
    let device = format!("hello-{:x}", clock::now().as_micros());
    let meeting = Meeting::join(link, JoinOptions::new(name, device)).await;
    let meeting = Arc::new(meeting.context("cannot join")?);
    let events = meeting.events();
    println!("joining {}", meeting.state().code);
    let so = |state: &MeetingState| state.is_connected() || state.is_turned_away();
    let known = meeting.wait_for(so).await;
    if !known.is_connected() {
        bail!("not let in: {:?}", known.phase);
    }
    let camera = meeting.camera(320, 180).await.context("no camera")?;
    tokio::select! {
        () = film(&camera) => {}
        () = follow(&meeting, events) => {}
    }
    drop(camera);
    let meeting = Arc::into_inner(meeting).context("somebody is still looked at")?;
    meeting.leave().await;
    println!("left");
    Ok(())
}

/// Prints what happens until nobody else is in, after somebody was.
async fn follow(meeting: &Arc<Meeting>, mut events: MeetingEvents) {
    let mut looking = JoinSet::new();
    let mut had_company = false;
    while let Some(event) = events.next().await {
        match event {
            MeetingEvent::Joined(who) if who.id != meeting.state().me => {
                had_company = true;
                println!("{} is here", who.name);
                looking.spawn(look_at(Arc::clone(meeting), who));
            }
            MeetingEvent::Chat(message) => println!("{}: {}", message.name, message.text),
            MeetingEvent::Left { participant, .. } => {
                println!("{participant} is gone");
                let state = meeting.state();
                let others = state
                    .view
                    .as_ref()
                    .map_or(0, |view| view.participants().count());
                if had_company && others <= 1 {
                    break;
                }
            }
            MeetingEvent::Phase(phase) => println!("{phase:?}"),
            _ => {}
        }
    }
    looking.shutdown().await;
}

/// Waits for a first picture of somebody, and greets.
async fn look_at(meeting: Arc<Meeting>, who: Participant) {
    let mut camera = meeting.picture(&who.id, Source::Camera, VideoTarget::new(320, 180));
    let Some(picture) = camera.next().await else {
        return;
    };
    let frame = picture.frame;
    println!(
        "{} looks like {}x{}",
        who.name,
        frame.width(),
        frame.height()
    );
    if let Err(error) = meeting.chat(&format!("Hello, {}!", who.name)).await {
        println!("not said: {error}");
    }
}

/// Gives a pattern that moves to the camera, 15 pictures a second.
async fn film(camera: &Camera) {
    let pattern = TestPattern::new(320, 180);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / 15);
    for number in 0.. {
        ticks.tick().await;
        camera.push(&pattern.frame(number, clock::now()));
    }
}
