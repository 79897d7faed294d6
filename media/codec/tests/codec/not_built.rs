//! What this build leaves out is said, and nothing stands in for it.

use parvis_codec::{
    AudioDecoderConfig, AudioEncoderConfig, OpenError, VideoDecoderConfig, VideoEncoderChoice,
    VideoEncoderConfig, open_audio_decoder, open_audio_encoder, open_video_decoder,
    open_video_encoder,
};

#[test]
fn codecs_open_exactly_where_they_are_built() {
    let encoder = |choice| {
        open_video_encoder(&VideoEncoderConfig {
            choice,
            ..VideoEncoderConfig::new(160, 96)
        })
    };
    check(cfg!(feature = "aom"), encoder(VideoEncoderChoice::Aom));
    check(cfg!(feature = "rav1e"), encoder(VideoEncoderChoice::Rav1e));
    check(
        cfg!(feature = "dav1d"),
        open_video_decoder(&VideoDecoderConfig::default()),
    );
    check(
        cfg!(feature = "opus"),
        open_audio_encoder(&AudioEncoderConfig::default()),
    );
    check(
        cfg!(feature = "opus"),
        open_audio_decoder(&AudioDecoderConfig::default()),
    );
}

fn check<T>(built: bool, opened: Result<T, OpenError>) {
    match opened {
        Ok(_) => assert!(built),
        Err(OpenError::NotBuilt(_)) => assert!(!built),
        Err(error) => panic!("{error}"),
    }
}
