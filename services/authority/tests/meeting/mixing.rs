//! Everybody's voice in one sound.

use std::{f32::consts::TAU, time::Duration};

use parvis::{
    AudioOptions, clock,
    codec::{AudioFrame, Channels},
    meeting::{Meeting, Mixer, Source},
};
use tokio::task::JoinHandle;

use crate::{
    house::{House, soon},
    together::me,
};

/// Pushes a tone, 10 ms at a time as many devices do, until it is aborted.
fn hum(push: impl Fn(&AudioFrame) + Send + 'static, frequency: f32) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        // Whole periods in 10 ms, so that the pieces fit together.
        let sample = |n: usize| (TAU * frequency * n as f32 / 48_000.0).sin() * 0.3;
        let samples: Vec<f32> = (0..480).map(sample).collect();
        loop {
            ticks.tick().await;
            let piece = AudioFrame::new(clock::now(), Channels::Mono, samples.clone());
            push(&piece.expect("10 ms of sound"));
        }
    })
}

async fn hums(meeting: &Meeting, frequency: f32) -> JoinHandle<()> {
    let microphone = meeting.microphone(AudioOptions::default()).await;
    let microphone = microphone.expect("it is on");
    hum(move |piece| microphone.push(piece), frequency)
}

/// How loud a tone is in a sound: its amplitude.
fn loudness(samples: &[f32], frequency: f32) -> f32 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let angle = TAU * frequency * n as f32 / 48_000.0;
        re += sample * angle.cos();
        im += sample * angle.sin();
    }
    2.0 * f32::hypot(re, im) / samples.len() as f32
}

/// Pulls as a loudspeaker does until the tones are so loud for 200 ms.
async fn hears(mixer: &Mixer, what: &str, holds: impl Fn(f32, f32) -> bool) {
    soon(what, async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        let mut window = Vec::new();
        loop {
            ticks.tick().await;
            let sound = mixer.pull();
            assert_eq!(sound.samples_per_channel(), 480);
            window.extend(sound.samples().chunks_exact(2).map(|frame| frame[0]));
            if window.len() < 9600 {
                continue;
            }
            if holds(loudness(&window, LOW), loudness(&window, HIGH)) {
                return;
            }
            window.drain(..480);
        }
    })
    .await;
}

const LOW: f32 = 300.0;
const HIGH: f32 = 700.0;

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_heard_in_one_sound_as_loud_as_one_likes() {
    let (house, code, host) = House::public().await;
    let mixer = host.mixer(Channels::Stereo);
    assert_eq!(mixer.pull().samples(), [0.0; 960]);

    // They are received as they come.
    let anna = house.member(&code, "Anna").await;
    let ben = house.member(&code, "Ben").await;
    let humming = [hums(&anna, LOW).await, hums(&ben, HIGH).await];
    hears(&mixer, "both", |low, high| low > 0.15 && high > 0.15).await;

    host.mute_for_me(&me(&anna), true);
    assert!(host.is_muted_for_me(&me(&anna)));
    hears(&mixer, "Ben alone", |low, high| low < 0.01 && high > 0.15).await;
    host.mute_for_me(&me(&anna), false);
    host.set_volume(&me(&ben), 0.3);
    let soft = |low: f32, high: f32| low > 0.15 && (0.04..0.12).contains(&high);
    hears(&mixer, "Ben softer", soft).await;
    assert!((host.volume(&me(&ben)) - 0.3).abs() < f32::EPSILON);

    soon("leaving", anna.leave()).await;
    hears(&mixer, "Anna gone", |low, high| low < 0.01 && high > 0.04).await;
    humming.iter().for_each(JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_is_shared_with_its_sound_which_stops_with_it() {
    let (house, code, host) = House::public().await;
    let mixer = host.mixer(Channels::Stereo);
    let anna = house.member(&code, "Anna").await;
    let talking = hums(&anna, HIGH).await;
    let screen = anna.screen(320, 180).await.expect("it is shared");
    let shared = screen.share_sound(AudioOptions::default()).await;
    shared.expect("it has sound");
    let playing = hum(move |piece| screen.push_sound(piece), LOW);
    hears(&mixer, "both", |low, high| low > 0.15 && high > 0.15).await;
    host.forbid(Source::Screen, true)
        .await
        .expect("it is a host");
    hears(&mixer, "the voice", |low, high| low < 0.01 && high > 0.15).await;
    host.forbid(Source::Screen, false)
        .await
        .expect("it is a host");
    playing.abort();
    let _ = playing.await;

    // Shared anew, for whoever takes sounds one by one.
    let ben = house.member(&code, "Ben").await;
    let screen = anna.screen(320, 180).await.expect("it is shared");
    let shared = screen.share_sound(AudioOptions::default()).await;
    shared.expect("it has sound");
    let playing = hum(move |piece| screen.push_sound(piece), LOW);
    let mut sound = ben.screen_sound(&me(&anna));
    soon("its sound", sound.next()).await.expect("it goes on");
    playing.abort();
    talking.abort();
}
