//! The snippet of the README, whole: enters a room of a relay on this machine and looks at everybody.
//!
//! ```text
//! cargo run -p parvis --example embed -- HASH
//! ```

// readme: begin
use parvis::{
    ParticipantName, Room, RoomEvent, RoomName, RoomOptions, Trust, VideoOptions, clock,
    codec::TestPattern,
};

// readme: pause
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hash = std::env::args().nth(1).ok_or("usage: embed HASH")?;
    // readme: on
    let options = RoomOptions::new(RoomName::new("stand-up")?, ParticipantName::new("Zoé")?)
        .with_trust(Trust::Fingerprint(hash));
    let room = Room::connect("moqt://relay.example:4433", options).await?;
    let camera = room.publish_video(VideoOptions::camera(640, 360)).await?;
    camera.push(&TestPattern::new(640, 360).frame(0, clock::now())); // as often as a camera gives one

    let mut events = room.events();
    while let Some(event) = events.next().await {
        let RoomEvent::Joined(who) = event else {
            continue;
        };
        for (track, _) in who.video_tracks() {
            let mut video = room.subscribe_video(&who.name, track).await?;
            if let Some(picture) = video.next().await {
                println!("{} at {}", who.name, picture.frame.time()); // decoded; when it was captured
            }
        }
    }
    room.close().await; // nothing of it runs any more
    // readme: end
    Ok(())
}
