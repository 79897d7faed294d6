//! How rooms have frames delivered, for simulations of them: not a part of the API.

use std::time::Duration;

use parvis_format::MediaKind;
use parvis_wire::{Parameters, Priority};

pub use crate::order::{AudioOrder, Ordered, Placed, VideoOrder};

/// The publisher's priority of sound: before every picture.
pub const AUDIO_PRIORITY: u8 = 32;

/// The publisher's priority of pictures of the smallest size; larger ones come after.
pub const VIDEO_PRIORITY: u8 = 96;

/// How long the frames of a video group are waited for when a newer group is there.
pub const VIDEO_PATIENCE: Duration = Duration::from_millis(200);

/// How long a frame of sound is waited for when a later one is there.
pub const AUDIO_PATIENCE: Duration = Duration::from_millis(120);

/// How old an object of video may get on its way before it is given up, milliseconds.
const VIDEO_DELIVERY_TIMEOUT: u64 = 1000;

/// The same of sound.
const AUDIO_DELIVERY_TIMEOUT: u64 = 400;

/// The subscriber's priority of a track, unless it is told otherwise.
pub const fn priority(kind: MediaKind) -> u8 {
    match kind {
        MediaKind::Video => 128,
        MediaKind::Audio => 32,
    }
}

/// What the SUBSCRIBE of a track says.
pub fn subscription(kind: MediaKind) -> Parameters {
    match kind {
        MediaKind::Video => Parameters {
            subscriber_priority: Some(Priority(priority(kind))),
            object_delivery_timeout: Some(VIDEO_DELIVERY_TIMEOUT),
            ..Parameters::default()
        },
        MediaKind::Audio => Parameters {
            subscriber_priority: Some(Priority(priority(kind))),
            object_delivery_timeout: Some(AUDIO_DELIVERY_TIMEOUT),
            subgroup_delivery_timeout: Some(AUDIO_DELIVERY_TIMEOUT),
            ..Parameters::default()
        },
    }
}
