use parvis::codec::Plane;

use super::*;

/// 4x2 with a luma stride of 5: its luma is 1 2 3 4 / 5 6 7 8, its chroma 10 11 and 20 21.
const Y: [u8; 9] = [1, 2, 3, 4, 0, 5, 6, 7, 8];
const PLANAR: Planes<'_> = Planes {
    y: &Y,
    u: &[10, 11],
    v: &[20, 21],
};
const INTERLEAVED: [u8; 4] = [10, 20, 11, 21];

fn upright(geometry: (i32, i32, i32), rotation: i32, planes: Planes<'_>) -> VideoFrame {
    let geometry = Geometry::new((4, 2), geometry, rotation).unwrap();
    geometry.copy(planes, MediaTime::from_micros(7)).unwrap()
}

fn planes(frame: &VideoFrame) -> [&[u8]; 3] {
    Plane::ALL.map(|plane| frame.plane(plane))
}

#[test]
fn padding_is_left_out() {
    let frame = upright((5, 2, 1), 0, PLANAR);
    assert_eq!(
        planes(&frame),
        [&[1, 2, 3, 4, 5, 6, 7, 8][..], &[10, 11], &[20, 21]]
    );
    assert_eq!(frame.time().as_micros(), 7);
}

#[test]
fn interleaved_chroma_is_taken_apart() {
    let interleaved = Planes {
        y: &Y,
        u: &INTERLEAVED,
        v: &INTERLEAVED[1..],
    };
    let frame = upright((5, 4, 2), 0, interleaved);
    assert_eq!(planes(&frame)[1..], [&[10, 11][..], &[20, 21]]);
    let turned = upright((5, 4, 2), 180, interleaved);
    assert_eq!(planes(&turned)[1..], [&[11, 10][..], &[21, 20]]);
}

#[test]
fn pictures_are_turned_upright() {
    let clockwise = upright((5, 2, 1), 90, PLANAR);
    assert_eq!((clockwise.width(), clockwise.height()), (2, 4));
    assert_eq!(
        planes(&clockwise),
        [&[5, 1, 6, 2, 7, 3, 8, 4][..], &[10, 11], &[20, 21]]
    );
    let half = upright((5, 2, 1), 180, PLANAR);
    assert_eq!(planes(&half)[0], [8, 7, 6, 5, 4, 3, 2, 1]);
    let counterclockwise = upright((5, 2, 1), 270, PLANAR);
    assert_eq!(
        planes(&counterclockwise),
        [&[4, 8, 3, 7, 2, 6, 1, 5][..], &[11, 10], &[21, 20]]
    );
}

#[test]
fn a_picture_that_is_too_short_or_of_another_size_is_refused() {
    let refused = |geometry: Result<Geometry, ParvisError>| geometry.unwrap_err().kind();
    let strides = (5, 2, 1);
    assert_eq!(
        refused(Geometry::new((0, 2), strides, 0)),
        ErrorKind::BadFrame
    );
    assert_eq!(
        refused(Geometry::new((4, 2), (3, 2, 1), 0)),
        ErrorKind::BadFrame
    );
    assert_eq!(
        refused(Geometry::new((4, 2), (5, 2, 3), 0)),
        ErrorKind::BadFrame
    );
    assert_eq!(
        refused(Geometry::new((4, 2), strides, 45)),
        ErrorKind::BadArgument
    );
    let geometry = Geometry::new((4, 2), strides, 90).unwrap();
    let short = Planes {
        y: &Y[..8],
        ..PLANAR
    };
    assert_eq!(
        geometry.copy(short, MediaTime::ZERO).unwrap_err().kind(),
        ErrorKind::BadFrame
    );
    assert!(geometry.expect_size((2, 4)).is_ok());
    assert_eq!(
        geometry.expect_size((4, 2)).unwrap_err().kind(),
        ErrorKind::BadFrame
    );
}
