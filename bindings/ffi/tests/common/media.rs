//! The pictures and sounds of `bindings/SCENARIO.md`, given and recognised.

use std::{sync::Arc, time::Duration};

use parvis::{
    clock,
    codec::{Channels, TestPattern, VideoFrame as Picture, test_tone},
    format::MediaTime,
};
use parvis_ffi::{Microphone, ParvisError, RemotePicture, RemoteVoice, VideoFrame};
use tokio::{
    task::JoinHandle,
    time::{interval, timeout},
};

use super::PATIENCE;

pub const WIDTH: i32 = 320;
pub const HEIGHT: i32 = 180;
/// Pictures of the file.
pub const PICTURES: u32 = 45;
const SOUNDS: u64 = 150;

/// Planes of a picture, as they are pushed.
pub struct Planes<'a> {
    pub y: &'a [u8],
    pub u: &'a [u8],
    pub v: &'a [u8],
}

/// Pushes a picture of the file.
pub fn push(
    number: u32,
    push: impl Fn(Planes<'_>) -> Result<(), ParvisError>,
) -> Result<(), ParvisError> {
    let pattern = TestPattern::new(WIDTH as u32, HEIGHT as u32);
    let picture = pattern.frame(number, MediaTime::ZERO).to_i420();
    let luma = (WIDTH * HEIGHT) as usize;
    push(Planes {
        y: &picture[..luma],
        u: &picture[luma..luma * 5 / 4],
        v: &picture[luma * 5 / 4..],
    })
}

/// Gives the pictures of the file to a camera or a screen, until the task is ended.
macro_rules! film {
    ($source:expr) => {{
        let source = std::sync::Arc::clone(&$source);
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(std::time::Duration::from_millis(66));
            for number in (0..$crate::common::media::PICTURES).cycle() {
                beat.tick().await;
                let (width, height) = ($crate::common::media::WIDTH, $crate::common::media::HEIGHT);
                let pushed = $crate::common::media::push(number, |planes| {
                    let half = width / 2;
                    source.push_i420(
                        planes.y, planes.u, planes.v, width, height, width, half, 1, 0, 0,
                    )
                });
                if pushed.is_err() {
                    return;
                }
            }
        })
    }};
}
pub(crate) use film;

/// Gives the sound of the file to a microphone, until the task is ended.
pub fn talk(microphone: &Arc<Microphone>) -> JoinHandle<()> {
    let microphone = Arc::clone(microphone);
    tokio::spawn(async move {
        let mut beat = interval(Duration::from_millis(20));
        for number in (0..SOUNDS).cycle() {
            beat.tick().await;
            let sound = test_tone(number, Channels::Mono, clock::now());
            let bytes = sound.samples().iter().flat_map(|s| s.to_le_bytes());
            let bytes: Vec<u8> = bytes.collect();
            if microphone.push_f32(&bytes, 0).is_err() {
                return;
            }
        }
    })
}

/// The number in a picture.
pub fn number(frame: &VideoFrame) -> Option<u32> {
    let layout = frame.layout();
    let (width, height) = (layout.width as u32, layout.height as u32);
    let time = MediaTime::from_micros(layout.timestamp_us);
    let picture = Picture::from_i420(width, height, frame.copy().into(), time).unwrap();
    TestPattern::read_number(&picture)
}

/// Takes pictures, which have the numbers of the file in their order.
pub async fn watch(picture: &RemotePicture, count: usize) {
    let watching = async {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let frame = picture.next().await.expect("a picture comes");
            let layout = frame.layout();
            assert_eq!((layout.width, layout.height), (WIDTH, HEIGHT));
            numbers.push(number(&frame).expect("a picture has a number"));
        }
        let starts_again = |a: u32, b: u32| a > 30 && b < 15;
        let mut pairs = numbers.windows(2);
        let in_order = pairs.all(|pair| pair[1] > pair[0] || starts_again(pair[0], pair[1]));
        let of_file = numbers.iter().all(|number| *number < PICTURES);
        assert!(in_order && of_file, "{numbers:?}");
    };
    timeout(PATIENCE, watching).await.expect("pictures come");
}

/// Listens for a second: the tone is heard.
pub async fn listen(voice: &RemoteVoice) {
    let listening = async {
        // What was made up for lost sound, or fades in after a mute, comes first.
        for _ in 0..25 {
            voice.next().await.expect("sound comes");
        }
        let mut samples: Vec<f32> = Vec::new();
        for _ in 0..50 {
            let frame = voice.next().await.expect("sound comes");
            assert_eq!(frame.layout().channels, 1);
            assert_eq!(frame.layout().samples, 960);
            let bytes = frame.copy();
            let (sound, rest) = bytes.as_chunks();
            assert!(rest.is_empty());
            samples.extend(sound.iter().copied().map(f32::from_le_bytes));
        }
        let louder = 10.0 * (power(&samples, 220.0) / power(&samples, 3000.0)).log10();
        assert!(louder > 20.0, "220 Hz is {louder} dB louder than 3000 Hz");
    };
    timeout(PATIENCE, listening).await.expect("sound comes");
}

/// Goertzel's algorithm: the power of one frequency.
fn power(samples: &[f32], frequency: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * frequency / 48_000.0).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in samples {
        (before, last) = (last, f64::from(*sample) + coefficient * last - before);
    }
    (last * last + before * before - coefficient * last * before) / samples.len() as f64 + 1e-12
}
