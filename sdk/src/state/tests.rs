use parvis_format::{AudioParams, VideoParams, catalog::Track};

use super::TrackInfo;

#[test]
fn tracks_that_a_terminal_would_obey_are_not_listed() {
    let video = |name: &str, codec: &str| {
        let params = VideoParams {
            codec: codec.to_owned(),
            ..VideoParams::av1(640, 360)
        };
        TrackInfo::from_catalog(&Track::video(name, &params))
    };
    let codec = VideoParams::av1(640, 360).codec;
    assert!(video("camera/360p", &codec).is_some());
    assert!(video("camera\u{1b}[2J", &codec).is_none());
    assert!(video("camera", &format!("{codec}\u{9b}2J")).is_none());
    let audio = Track::audio("microphone\nparvis: all is well", &AudioParams::opus(1));
    assert!(TrackInfo::from_catalog(&audio).is_none());
}
