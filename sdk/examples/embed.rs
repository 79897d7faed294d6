//! The snippet of the README and of docs/embed.md, whole: joins a meeting by its link and looks at everybody.
//!
//! ```text
//! cargo run -p parvis --example embed -- http://127.0.0.1:8080/abc-defg-hij
//! ```

// embed: begin
use parvis::{
    AudioOptions, clock,
    codec::{Channels, TestPattern, test_tone},
    meeting::{JoinOptions, Meeting, MeetingEvent, MeetingState, Source, VideoTarget},
};

// embed: end
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let link = std::env::args().nth(1).ok_or("usage: embed LINK")?;
    // embed: begin
    let meeting = Meeting::join(&link, JoinOptions::new("Zoé", "id-of-this-device")).await?;
    let mut events = meeting.events();
    let so = |state: &MeetingState| state.is_connected() || state.is_turned_away();
    meeting.wait_for(so).await; // until then in the lobby
    let camera = meeting.camera(1280, 720).await?;
    camera.push(&TestPattern::new(1280, 720).frame(0, clock::now())); // as often as it gives one
    let microphone = meeting.microphone(AudioOptions::default()).await?;
    microphone.push(&test_tone(0, Channels::Mono, clock::now())); // as much as it gives
    meeting.chat("Bonjour !").await?;
    meeting.raise_hand().await?;
    while let Some(event) = events.next().await {
        match event {
            // One's own coming is told too.
            MeetingEvent::Joined(who) if who.id != meeting.state().me => {
                let target = VideoTarget::new(640, 360);
                let mut shown = meeting.picture(&who.id, Source::Camera, target);
                tokio::spawn(async move {
                    while let Some(picture) = shown.next().await {
                        println!("{} at {}", who.name, picture.frame.time()); // decoded; when it was captured
                    }
                });
            }
            _ => {}
        }
    }
    meeting.leave().await; // nothing of it runs any more
    // embed: end
    Ok(())
}
