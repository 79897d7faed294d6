//! Pictures in the layer that fits what is shown of them.

use std::time::Duration;

use parvis::{
    VideoLayer, VideoOptions, clock,
    codec::{FrameRate, TestPattern},
    meeting::{Camera, Receive, RemotePicture, Source, VideoTarget},
};
use tokio::sync::watch;

use crate::house::{House, soon};

/// Shows pictures until it is dropped; gives out which layers are watched.
pub fn show(
    camera: Camera,
) -> (
    tokio::task::JoinHandle<()>,
    watch::Receiver<Vec<(String, bool)>>,
) {
    let (watched, known) = watch::channel(Vec::new());
    let task = tokio::spawn(async move {
        let pattern = TestPattern::new(640, 360);
        let mut ticks = tokio::time::interval(Duration::from_millis(66));
        for n in 0.. {
            ticks.tick().await;
            camera.push(&pattern.frame(n, clock::now()));
            let stats = camera.stats().into_iter();
            let now: Vec<_> = stats.map(|layer| (layer.track, layer.watched)).collect();
            watched.send_if_modified(|before| {
                let changed = *before != now;
                *before = now;
                changed
            });
        }
    });
    (task, known)
}

/// Takes pictures until they are of that layer.
async fn shows(picture: &mut RemotePicture, layer: &str, height: u32) {
    soon(layer, async {
        loop {
            let shown = picture.next().await.expect("it goes on");
            if picture.layer() == Some(layer) && shown.frame.height() == height {
                return;
            }
        }
    })
    .await;
}

/// Waits until these layers are watched, and no others; pictures are taken meanwhile.
async fn watched(
    known: &mut watch::Receiver<Vec<(String, bool)>>,
    picture: &mut RemotePicture,
    layers: &[&str],
) {
    let holds = |now: &Vec<(String, bool)>| {
        let watched = now.iter().filter(|(_, watched)| *watched);
        let watched: Vec<&str> = watched.map(|(layer, _)| layer.as_str()).collect();
        watched == layers
    };
    let taking = async {
        loop {
            picture.next().await.expect("it goes on");
        }
    };
    soon("the layers", async {
        tokio::select! {
            now = known.wait_for(holds) => drop(now.expect("it is shown still")),
            () = taking => {}
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_nobody_shows_is_not_encoded() {
    let (house, code, host) = House::public().await;
    let anna = house.member(&code, "Anna").await;
    let camera = host
        .camera_with(VideoOptions {
            frame_rate: FrameRate::whole(15),
            layers: VideoLayer::ladder(360, 360),
            ..VideoOptions::camera(640, 360)
        })
        .await
        .expect("it is on");
    let (showing, mut known) = show(camera);
    let who = host.state().me.clone();
    let mut picture = anna.picture(&who, Source::Camera, VideoTarget::new(160, 90));
    shows(&mut picture, "camera/180p", 180).await;
    watched(&mut known, &mut picture, &["camera/180p"]).await;

    picture.set_target(VideoTarget::new(640, 360));
    shows(&mut picture, "camera/360p", 360).await;
    watched(&mut known, &mut picture, &["camera/360p"]).await;
    anna.set_receive(Receive::Less);
    shows(&mut picture, "camera/180p", 180).await;
    anna.set_receive(Receive::AudioOnly);
    watched(&mut known, &mut picture, &[]).await;
    anna.set_receive(Receive::All);
    shows(&mut picture, "camera/360p", 360).await;
    picture.set_target(VideoTarget::HIDDEN);
    watched(&mut known, &mut picture, &[]).await;
    showing.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_set_by_the_meeting_too_and_who_is_pinned_keeps_a_floor() {
    let (house, code, host) = House::public().await;
    let anna = house.member(&code, "Anna").await;
    let camera = host.camera_with(VideoOptions {
        frame_rate: FrameRate::whole(15),
        layers: VideoLayer::ladder(360, 360),
        ..VideoOptions::camera(640, 360)
    });
    let (showing, mut known) = show(camera.await.expect("it is on"));
    let who = host.state().me.clone();
    let mut picture = anna.picture(&who, Source::Camera, VideoTarget::new(640, 360));
    shows(&mut picture, "camera/360p", 360).await;
    let small = VideoTarget::new(160, 90);
    anna.set_video_target(&who, Source::Camera, small);
    shows(&mut picture, "camera/180p", 180).await;

    anna.set_pinned(&who, true);
    assert!(anna.pinned().contains(&who));
    shows(&mut picture, "camera/360p", 360).await;
    anna.set_receive(Receive::Less);
    watched(&mut known, &mut picture, &["camera/360p"]).await;
    anna.set_pinned(&who, false);
    shows(&mut picture, "camera/180p", 180).await;

    // Five pictures a second of fifteen.
    anna.set_video_target(&who, Source::Camera, small.with_fps(5));
    let mut times = Vec::new();
    for _ in 0..10 {
        let shown = soon("a picture", picture.next()).await.expect("it goes on");
        times.push(shown.frame.time());
    }
    let took = times[9].saturating_since(times[2]);
    assert!(took >= Duration::from_millis(6 * 200), "{times:?}");
    showing.abort();
}
