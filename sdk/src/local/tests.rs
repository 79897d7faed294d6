use std::thread;

use parvis_codec::{Plane, TestPattern, VideoFrame};
use parvis_format::MediaTime;

use super::*;

#[test]
fn a_full_queue_drops_the_oldest() {
    let queue = FreshQueue::new(2);
    assert!(!queue.push(1));
    assert!(!queue.push(2));
    assert!(queue.push(3));
    assert_eq!((queue.pop(), queue.pop()), (Some(2), Some(3)));
}

#[test]
fn a_closed_queue_gives_what_it_has_and_then_ends() {
    let queue = FreshQueue::new(2);
    queue.push(1);
    queue.close();
    assert!(queue.push(2));
    assert_eq!((queue.pop(), queue.pop()), (Some(1), None));
}

#[test]
fn closing_wakes_who_waits() {
    let queue = FreshQueue::<u32>::new(1);
    let waiting = queue.clone();
    let thread = thread::spawn(move || waiting.pop());
    queue.close();
    assert_eq!(thread.join().unwrap(), None);
}

#[test]
fn the_ladder_goes_from_the_largest_layer_that_fits_down_by_halves() {
    let heights = |height, max| {
        let size = |layer: &VideoLayer| layer.size(16 * height / 9, height).1;
        VideoLayer::ladder(height, max)
            .iter()
            .map(size)
            .collect::<Vec<u32>>()
    };
    assert_eq!(heights(360, 360), [360, 180]);
    assert_eq!(heights(720, 360), [360, 180]);
    assert_eq!(heights(720, 720), [720, 360, 180]);
    assert_eq!(heights(1080, 720), [540, 270, 134]);
    assert_eq!(heights(480, 360), [240, 120]);
    assert_eq!(heights(144, 360), [144]);
}

#[test]
fn a_scaled_picture_has_even_sides_and_keeps_its_number() {
    let frame = TestPattern::new(854, 480).frame(1234, MediaTime::from_millis(5));
    let layer = VideoLayer {
        halvings: 1,
        bitrate: None,
    };
    let scaled = layer.scale(&frame);
    assert_eq!((scaled.width(), scaled.height()), (426, 240));
    assert_eq!(layer.size(854, 480), (426, 240));
    assert_eq!(scaled.time(), frame.time());
    assert_eq!(TestPattern::read_number(&scaled), Some(1234));
}

#[test]
fn scaling_keeps_colours() {
    let grey = VideoFrame::filled(64, 36, [100, 90, 160], MediaTime::ZERO).unwrap();
    let scaled = VideoLayer {
        halvings: 2,
        bitrate: None,
    }
    .scale(&grey);
    assert_eq!((scaled.width(), scaled.height()), (16, 8));
    for (plane, value) in [(Plane::Y, 100), (Plane::U, 90), (Plane::V, 160)] {
        assert!(scaled.rows(plane).flatten().all(|pixel| *pixel == value));
    }
}

#[test]
fn a_layer_of_nothing_is_refused() {
    let layer = VideoLayer {
        halvings: 9,
        bitrate: None,
    };
    assert!(layer.label(640, 360).is_err());
    assert!(
        VideoLayer {
            halvings: 40,
            bitrate: None
        }
        .label(640, 360)
        .is_err()
    );
    assert_eq!(VideoLayer::FULL.label(640, 360).unwrap(), "360p");
}
