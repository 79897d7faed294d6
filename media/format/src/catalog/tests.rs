use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Catalog, CatalogError, Packaging, Role, Track};
use crate::{AudioParams, VideoParams};

fn parse(document: &Value) -> Result<Catalog, CatalogError> {
    Catalog::from_json(document.to_string().as_bytes())
}

fn meeting() -> Catalog {
    let params = VideoParams {
        framerate: Some(29.97),
        bitrate: Some(400_000),
        config: Some(Bytes::from_static(&[0x81, 0, 0x0C, 0])),
        ..VideoParams::av1(640, 360)
    };
    let small = VideoParams {
        bitrate: Some(120_000),
        ..VideoParams::av1(320, 180)
    };
    let layer = |name: &str, params: &VideoParams| Track {
        alt_group: Some(1),
        render_group: Some(1),
        ..Track::video(name, params)
    };
    let microphone = Track {
        render_group: Some(1),
        lang: Some("fr".to_owned()),
        ..Track::audio("microphone", &AudioParams::opus(1))
    };
    Catalog {
        generated_at: Some(1_767_225_600_000),
        is_complete: false,
        tracks: vec![
            layer("camera/360p", &params),
            layer("camera/180p", &small),
            microphone,
        ],
    }
}

#[test]
fn meeting_round_trips() {
    let catalog = meeting();
    assert_eq!(
        Catalog::from_json(catalog.to_json().as_bytes()).unwrap(),
        catalog
    );
}

#[test]
fn document_has_the_members_of_the_draft() {
    let document: Value = serde_json::from_str(&meeting().to_json()).unwrap();
    assert_eq!(document["version"], "draft-01");
    assert_eq!(document.get("isComplete"), None);
    assert_eq!(
        document["tracks"][0],
        json!({
            "name": "camera/360p", "packaging": "loc", "isLive": true, "role": "video",
            "renderGroup": 1, "altGroup": 1, "codec": "av01.0.01M.08", "framerate": 29.97,
            "bitrate": 400_000, "width": 640, "height": 360, "initRef": "init0",
        })
    );
    assert_eq!(document["tracks"][2]["channelConfig"], "1");
    assert_eq!(
        document["initDataList"],
        json!([{ "id": "init0", "type": "inline", "data": "gQAMAA==" }])
    );
}

#[test]
fn equal_initialization_data_is_written_once() {
    let mut catalog = meeting();
    catalog.tracks[1].init_data = catalog.tracks[0].init_data.clone();
    let document: Value = serde_json::from_str(&catalog.to_json()).unwrap();
    assert_eq!(document["initDataList"].as_array().unwrap().len(), 1);
    assert_eq!(parse(&document).unwrap(), catalog);
}

#[test]
fn params_come_back_from_a_track() {
    let catalog = meeting();
    let video = catalog
        .track("camera/180p")
        .unwrap()
        .video_params()
        .unwrap();
    assert_eq!(
        (video.width, video.height, video.bitrate),
        (320, 180, Some(120_000))
    );
    let audio = catalog.track("microphone").unwrap().audio_params().unwrap();
    assert_eq!(audio, AudioParams::opus(1));
    assert_eq!(catalog.track("screen"), None);
}

#[test]
fn draft_00_is_read() {
    let catalog = parse(&json!({
        "version": 1,
        "tracks": [{
            "name": "v", "packaging": "loc", "initData": "AQI=", "width": 640.0, "role": "sport",
            "codec": "av01", "height": 360, "samplerate": null,
        }],
    }))
    .unwrap();
    let track = &catalog.tracks[0];
    assert_eq!(track.init_data.as_deref(), Some(&[1, 2][..]));
    assert_eq!(track.width, Some(640));
    assert_eq!(track.role, Some(Role::Other("sport".to_owned())));
    assert!(!track.is_live);
}

#[test]
fn unknown_members_and_packagings_are_no_error() {
    let catalog = parse(&json!({
        "version": "draft-07",
        "com.example.extra": { "deep": [1, 2, 3] },
        "publishTracks": [],
        "tracks": [{ "name": "x", "packaging": "com.example.box", "isLive": true, "buffers": {} }],
    }))
    .unwrap();
    assert_eq!(
        catalog.tracks[0].packaging,
        Packaging::Other("com.example.box".to_owned())
    );
}

#[test]
fn names_of_channels_are_understood() {
    for (config, channels) in [
        ("mono", Some(1)),
        ("stereo", Some(2)),
        ("6", Some(6)),
        ("?", None),
    ] {
        let mut track = Track::audio("a", &AudioParams::opus(1));
        track.channel_config = Some(config.to_owned());
        assert_eq!(track.audio_params().map(|params| params.channels), channels);
    }
}

#[test]
fn what_is_no_catalog_is_refused() {
    let track = json!({ "name": "x", "packaging": "loc" });
    let error = |document: Value| parse(&document).unwrap_err();
    assert!(matches!(error(json!("text")), CatalogError::Json(_)));
    assert!(matches!(error(json!({})), CatalogError::Version(_)));
    assert!(matches!(
        error(json!({ "version": 2 })),
        CatalogError::Version(_)
    ));
    assert!(matches!(
        error(json!({ "deltaUpdate": [] })),
        CatalogError::Delta
    ));
    let twice = json!({ "version": "draft-01", "tracks": [track, track] });
    assert!(matches!(error(twice), CatalogError::DuplicateName(name) if name == "x"));
    let many: Vec<Value> = (0..257)
        .map(|i| json!({ "name": i.to_string(), "packaging": "loc" }))
        .collect();
    let many = json!({ "version": "draft-01", "tracks": many });
    assert!(matches!(error(many), CatalogError::TooManyTracks(257)));
    let dangling = json!({
        "version": "draft-01",
        "tracks": [{ "name": "x", "packaging": "loc", "initRef": "nowhere" }],
    });
    assert!(matches!(error(dangling), CatalogError::UnknownInit { id, .. } if id == "nowhere"));
    let bad = json!({
        "version": "draft-01",
        "tracks": [{ "name": "x", "packaging": "loc", "initData": "!" }],
    });
    assert!(matches!(error(bad), CatalogError::Base64 { .. }));
    let negative = json!({
        "version": "draft-01",
        "tracks": [{ "name": "x", "packaging": "loc", "width": -1 }],
    });
    assert!(matches!(error(negative), CatalogError::Json(_)));
    let long = vec![b' '; Catalog::MAX_BYTES + 1];
    assert!(matches!(
        Catalog::from_json(&long),
        Err(CatalogError::TooLong(_))
    ));
}

#[test]
fn every_prefix_is_an_error_and_no_panic() {
    let json = meeting().to_json();
    for end in 0..json.len() {
        assert!(
            Catalog::from_json(&json.as_bytes()[..end]).is_err(),
            "{end}"
        );
    }
}

proptest! {
    #[test]
    fn mutated_document_is_catalog_or_error(at: prop::sample::Index, byte: u8) {
        let mut json = meeting().to_json().into_bytes();
        let at = at.index(json.len());
        json[at] = byte;
        if let Ok(catalog) = Catalog::from_json(&json) {
            prop_assert_eq!(Catalog::from_json(catalog.to_json().as_bytes()).unwrap(), catalog);
        }
    }
}
