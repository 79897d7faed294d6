use proptest::prelude::*;

use super::{FrameRate, Picture, Reader, Y4mError};
use crate::MediaTime;

fn two_pictures() -> Vec<u8> {
    let mut file = b"YUV4MPEG2 W3 H2 F30000:1001 Ip A1:1 C420jpeg XYSCSS=420JPEG\nFRAME\n".to_vec();
    file.extend_from_slice(&[1; 10]);
    file.extend_from_slice(b"FRAME Ip\n");
    file.extend_from_slice(&[2; 10]);
    file
}

fn error(header: &str) -> Y4mError {
    Reader::new(format!("{header}\n").as_bytes())
        .map(|_| ())
        .unwrap_err()
}

#[test]
fn pictures_come_at_their_times() {
    let file = two_pictures();
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!((reader.width(), reader.height()), (3, 2));
    assert_eq!(
        reader.rate(),
        FrameRate {
            numerator: 30_000,
            denominator: 1_001
        }
    );
    let first = Picture {
        time: MediaTime::ZERO,
        data: vec![1; 10].into(),
    };
    let second = Picture {
        time: MediaTime::from_micros(33_367),
        data: vec![2; 10].into(),
    };
    assert_eq!(reader.read().unwrap(), Some(first));
    assert_eq!(reader.read().unwrap(), Some(second));
    assert_eq!(reader.read().unwrap(), None);
}

#[test]
fn other_formats_are_refused_by_name() {
    assert!(matches!(error("RIFF"), Y4mError::NoY4m));
    assert!(matches!(
        error("YUV4MPEG2 H2 F1:1"),
        Y4mError::Missing("width")
    ));
    assert!(matches!(
        error("YUV4MPEG2 W2 F1:1"),
        Y4mError::Missing("height")
    ));
    assert!(matches!(
        error("YUV4MPEG2 W2 H2"),
        Y4mError::Missing("frame rate")
    ));
    assert!(matches!(error("YUV4MPEG2 W2 H2 F0:0"), Y4mError::Field(f) if f == "F0:0"));
    assert!(matches!(error("YUV4MPEG2 W0 H2 F1:1"), Y4mError::Field(f) if f == "W0"));
    assert!(matches!(
        error("YUV4MPEG2 W9999 H2 F1:1"),
        Y4mError::TooLarge { width: 9_999, .. }
    ));
    assert!(matches!(error("YUV4MPEG2 W2 H2 F1:1 It"), Y4mError::Interlaced(i) if i == "t"));
    assert!(matches!(
        error(&format!("YUV4MPEG2 {}", "X".repeat(2_000))),
        Y4mError::LongHeader
    ));
    let colour = error("YUV4MPEG2 W2 H2 F1:1 C420p10");
    assert!(
        matches!(&colour, Y4mError::ColourFormat(f) if f == "C420p10"),
        "{colour}"
    );
}

#[test]
fn file_cut_anywhere_says_so() {
    let file = two_pictures();
    for end in 0..file.len() {
        let mut errors = 0;
        let mut pictures = 0;
        match Reader::new(&file[..end]) {
            Err(_) => errors += 1,
            Ok(mut reader) => loop {
                match reader.read() {
                    Ok(Some(_)) => pictures += 1,
                    Ok(None) => break,
                    Err(_) => {
                        errors += 1;
                        break;
                    }
                }
            },
        }
        let first = file.len() - 19;
        let header = first - 16;
        let whole = end == header || end == first;
        assert_eq!(errors, usize::from(!whole), "{end}");
        assert_eq!(pictures, usize::from(end >= first), "{end}");
    }
}

proptest! {
    #[test]
    fn mutated_file_is_pictures_or_error(at: prop::sample::Index, byte: u8) {
        let mut file = two_pictures();
        let at = at.index(file.len());
        file[at] = byte;
        if let Ok(mut reader) = Reader::new(&file[..]) {
            while let Ok(Some(_)) = reader.read() {}
        }
    }
}
