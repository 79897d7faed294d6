//! Enters a room, publishes a generated camera, and prints who is there and what they show.
//!
//! With a relay on this machine (`parvis relay` prints its fingerprint):
//!
//! ```text
//! cargo run -p hello_room -- moqt://127.0.0.1:4433 FINGERPRINT zoe
//! ```

use std::time::Duration;

use anyhow::{Context, bail};
use parvis::{
    ParticipantName, Room, RoomEvent, RoomName, RoomOptions, Trust,
    source::{self, PlayOptions, Playback},
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, fingerprint, name] = arguments.as_slice() else {
        bail!("usage: hello_room URL FINGERPRINT NAME");
    };
    let options = RoomOptions::new(RoomName::new("hello")?, ParticipantName::new(name)?)
        .with_trust(Trust::Fingerprint(fingerprint.clone()));
    let room = Room::connect(url, options)
        .await
        .context("cannot enter the room")?;
    println!(
        "{name} is in room {}, draft {}",
        room.name(),
        room.draft().number()
    );

    let playback = Playback::start(&room, source::open("test:")?, PlayOptions::default()).await?;
    let mut events = room.events();
    // Somebody new every now and then; after half a minute alone it leaves.
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(30), events.next()).await {
        match event {
            RoomEvent::Joined(who) | RoomEvent::Changed(who) => {
                let tracks: Vec<String> = who.tracks.iter().map(ToString::to_string).collect();
                println!("{} has {}", who.name, tracks.join(", "));
                if let Some((track, _)) = who.video_tracks().first() {
                    let mut video = room.subscribe_video(&who.name, track).await?;
                    if let Some(picture) = video.next().await {
                        let frame = picture.frame;
                        println!(
                            "{} looks like {}x{}",
                            who.name,
                            frame.width(),
                            frame.height()
                        );
                    }
                }
            }
            RoomEvent::Left(who) => println!("{who} left"),
            RoomEvent::Moving => println!("the relay is about to stop; going to another one"),
            RoomEvent::Reconnecting(reason) => println!("the relay is lost: {reason}"),
            RoomEvent::Moved => println!("connected again"),
            RoomEvent::Closed(reason) => bail!("the relay is gone: {reason}"),
        }
    }
    drop(playback);
    room.close().await;
    Ok(())
}
