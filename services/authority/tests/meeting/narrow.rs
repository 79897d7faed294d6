//! A network that is short: what is given up, and that it comes back.

use std::time::Duration;

use parvis::{
    AudioOptions, VideoLayer, VideoOptions,
    codec::FrameRate,
    meeting::{Meeting, MeetingEvent, MeetingEvents, RemotePicture, Source, StepDown, VideoTarget},
};
use tokio::task::JoinHandle;

use crate::{
    house::{House, event, soon},
    path::Path,
    pictures::show,
    together::{me, talk},
};

/// Shows a camera of 360 and 180 lines and talks, until it is aborted.
async fn appears(meeting: &Meeting) -> [JoinHandle<()>; 2] {
    let options = VideoOptions {
        frame_rate: FrameRate::whole(15),
        layers: VideoLayer::ladder(360, 360),
        ..VideoOptions::camera(640, 360)
    };
    let camera = meeting.camera_with(options).await.expect("it is on");
    let microphone = meeting.microphone(AudioOptions::default()).await;
    [show(camera).0, talk(microphone.expect("it is on"))]
}

/// Takes pictures all the time; the task gives what the last one's height was when it is asked.
fn watch(mut picture: RemotePicture) -> (JoinHandle<()>, tokio::sync::watch::Receiver<u32>) {
    let (seen, height) = tokio::sync::watch::channel(0);
    let task = tokio::spawn(async move {
        while let Some(shown) = picture.next().await {
            seen.send_replace(shown.frame.height());
        }
    });
    (task, height)
}

async fn steps_to(events: &mut MeetingEvents, wanted: StepDown) {
    event(events, "the step", |event| match event {
        MeetingEvent::StepDown(level) => (*level == wanted).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_cameras_shrink_when_the_network_is_short_and_sound_stays() {
    let (house, code, host) = House::public().await;
    let path = Path::to(house.relay().local_addr()).await;
    let ben = house.member(&code, "Ben").await;
    let anna = house.member_by(&path, &code, "Anna").await;
    let mut tasks = Vec::new();
    tasks.extend(appears(&host).await);
    tasks.extend(appears(&ben).await);
    let mut heights = Vec::new();
    for who in [me(&host), me(&ben)] {
        let (task, height) = watch(anna.picture(&who, Source::Camera, VideoTarget::new(640, 360)));
        tasks.push(task);
        heights.push(height);
    }
    for height in &mut heights {
        let large = soon("a large picture", height.wait_for(|height| *height == 360)).await;
        large.expect("it goes on");
    }

    let mut events = anna.events();
    path.set_width(Some(300));
    steps_to(&mut events, StepDown::OthersSmall).await;
    assert!(anna.state().step_down >= StepDown::OthersSmall);
    // Sound comes as before.
    let mut voice = anna.voice(&me(&host));
    for _ in 0..100 {
        let sound = tokio::time::timeout(Duration::from_secs(10), voice.next()).await;
        sound.expect("no long silence").expect("it goes on");
    }

    path.set_width(None);
    for height in &mut heights {
        // A machine that is busy with other things passes for a network that is short.
        let large = height.wait_for(|height| *height == 360);
        let large = tokio::time::timeout(Duration::from_mins(3), large).await;
        large.expect("a large picture").expect("it goes on");
    }
    let stats = anna.stats().await;
    assert!(stats.path.is_some() && stats.rates.received.as_bps() > 0);
    let cameras = stats
        .received
        .iter()
        .filter(|track| track.track.starts_with("camera/"));
    assert!(cameras.clone().count() >= 2 && cameras.clone().all(|track| track.stats.received > 0));
    let sent = host.stats().await.sent;
    assert!(
        sent.iter()
            .any(|track| track.track == "microphone" && track.encoded > 0)
    );
    tasks.iter().for_each(JoinHandle::abort);
}
