use super::*;

fn counting(width: u32, height: u32) -> VideoFrame {
    let data: Vec<u8> = (0..packed_len(width, height)).map(|i| i as u8).collect();
    VideoFrame::from_i420(width, height, data.into(), MediaTime::ZERO).unwrap()
}

#[test]
fn clone_shares_the_pixels() {
    let frame = counting(16, 8);
    let clone = frame.clone().at(MediaTime::from_millis(1));
    assert_eq!(
        frame.plane(Plane::Y).as_ptr(),
        clone.plane(Plane::Y).as_ptr()
    );
    assert_eq!(clone.time(), MediaTime::from_millis(1));
}

#[test]
fn planes_of_an_odd_size_round_chroma_up() {
    let frame = counting(5, 3);
    assert_eq!(frame.plane(Plane::Y).len(), 15);
    assert_eq!(frame.plane(Plane::U), [15, 16, 17, 18, 19, 20]);
    assert_eq!(frame.plane(Plane::V), [21, 22, 23, 24, 25, 26]);
}

#[test]
fn strides_are_left_out_of_rows_and_of_packed_pixels() {
    // 2x2 luma in rows of 4, 1x1 chroma in rows of 3; 9 marks what must not be seen.
    let data = vec![1, 2, 9, 9, 3, 4, 9, 9, 5, 9, 9, 6, 9, 9];
    let frame = VideoFrame::with_strides(2, 2, 4, 3, data.into(), MediaTime::ZERO).unwrap();
    assert_eq!(frame.rows(Plane::Y).collect::<Vec<_>>(), [[1, 2], [3, 4]]);
    assert_eq!(&frame.to_i420()[..], [1, 2, 3, 4, 5, 6]);
    let rows = |plane, y| frame.rows(plane).nth(y).unwrap();
    let copied = VideoFrame::from_rows(2, 2, MediaTime::ZERO, rows).unwrap();
    assert_eq!(copied.to_i420(), frame.to_i420());
}

#[test]
fn packed_pixels_are_not_copied_again() {
    let frame = counting(16, 8);
    assert_eq!(frame.to_i420().as_ptr(), frame.plane(Plane::Y).as_ptr());
}

#[test]
fn buffers_that_do_not_fit_are_refused() {
    let wrap = |width, height, luma, chroma, length| {
        let data = vec![0; length].into();
        VideoFrame::with_strides(width, height, luma, chroma, data, MediaTime::ZERO)
    };
    assert!(matches!(
        wrap(0, 2, 2, 1, 6),
        Err(VideoFrameError::Size { .. })
    ));
    assert!(matches!(
        wrap(2, 20_000, 2, 1, 6),
        Err(VideoFrameError::Size { .. })
    ));
    assert!(matches!(
        wrap(2, 2, 1, 1, 6),
        Err(VideoFrameError::Stride { .. })
    ));
    assert!(matches!(
        wrap(2, 2, 2, 1, 5),
        Err(VideoFrameError::Length {
            expected: 6,
            got: 5
        })
    ));
    assert!(matches!(
        wrap(2, 2, usize::MAX, 1, 5),
        Err(VideoFrameError::Length { .. })
    ));
}

#[test]
fn halving_takes_the_mean_of_four() {
    let mut data = vec![10, 20, 0, 0, 30, 41, 0, 255];
    data.extend([1, 3, 5, 7]);
    let half = VideoFrame::from_i420(4, 2, data.into(), MediaTime::from_millis(5))
        .unwrap()
        .halved();
    assert_eq!((half.width(), half.height()), (2, 1));
    assert_eq!(half.plane(Plane::Y), [25, 64]);
    assert_eq!(
        (half.plane(Plane::U), half.plane(Plane::V)),
        (&[2][..], &[6][..])
    );
    assert_eq!(half.time(), MediaTime::from_millis(5));
}

#[test]
fn halving_reaches_every_small_size() {
    for width in 1..12 {
        for height in 1..12 {
            let grey = VideoFrame::filled(width, height, [90, 91, 92], MediaTime::ZERO).unwrap();
            let half = grey.halved();
            let (half_width, half_height) = ((width / 2).max(1), (height / 2).max(1));
            let expected =
                VideoFrame::filled(half_width, half_height, [90, 91, 92], MediaTime::ZERO).unwrap();
            assert_eq!(half, expected, "{width}x{height}");
        }
    }
}
