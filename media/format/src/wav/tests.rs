use proptest::prelude::*;

use super::{Reader, WavError};

/// tag, channels, rate, bits
type Format = (u16, u16, u32, u16);

fn file((tag, channels, rate, bits): Format, data: &[u8]) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut fmt = Vec::new();
    fmt.extend_from_slice(&tag.to_le_bytes());
    fmt.extend_from_slice(&channels.to_le_bytes());
    fmt.extend_from_slice(&rate.to_le_bytes());
    fmt.extend_from_slice(&(rate * u32::from(block)).to_le_bytes());
    fmt.extend_from_slice(&block.to_le_bytes());
    fmt.extend_from_slice(&bits.to_le_bytes());
    let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt ".to_vec();
    file.extend_from_slice(&(fmt.len() as u32).to_le_bytes());
    file.extend_from_slice(&fmt);
    file.extend_from_slice(b"data");
    file.extend_from_slice(&(data.len() as u32).to_le_bytes());
    file.extend_from_slice(data);
    file
}

fn read(file: &[u8]) -> Result<Vec<f32>, WavError> {
    let mut reader = Reader::new(file)?;
    let mut samples = Vec::new();
    while reader.read(3, &mut samples)? > 0 {}
    Ok(samples)
}

fn assert_samples(format: Format, data: &[u8], expected: &[f32]) {
    let found = read(&file(format, data)).unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-6,
            "{found}, expected {expected}"
        );
    }
}

#[test]
fn every_encoding_is_scaled_to_one() {
    assert_samples((1, 1, 48_000, 8), &[0, 128, 192], &[-1.0, 0.0, 0.5]);
    assert_samples((1, 2, 48_000, 16), &[0, 0x80, 0, 0x40], &[-1.0, 0.5]);
    assert_samples((1, 1, 48_000, 24), &[0, 0, 0xC0, 0, 0, 0x40], &[-0.5, 0.5]);
    assert_samples((1, 1, 48_000, 32), &[0, 0, 0, 0x80], &[-1.0]);
    let floats = [0.25_f32, -4.0, f32::NAN, 1.0]
        .map(f32::to_le_bytes)
        .concat();
    assert_samples((3, 2, 48_000, 32), &floats, &[0.25, -1.0, 0.0, 1.0]);
}

#[test]
fn samples_are_counted_per_channel() {
    let file = file((1, 2, 48_000, 16), &[0; 20]);
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(reader.channels(), 2);
    let mut samples = Vec::new();
    let counts = [4, 4, 4].map(|frames| reader.read(frames, &mut samples).unwrap());
    assert_eq!(counts, [4, 1, 0]);
    assert_eq!(samples.len(), 10);
}

#[test]
fn extensible_format_is_looked_into() {
    let mut fmt = vec![0xFE, 0xFF, 1, 0, 0x80, 0xBB, 0, 0, 0, 0, 0, 0, 2, 0, 16, 0];
    fmt.extend_from_slice(&[22, 0, 16, 0, 4, 0, 0, 0, 1, 0]);
    fmt.extend_from_slice(&[0; 14]);
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x28\0\0\0".to_vec();
    file.extend_from_slice(&fmt);
    // A size that was left open: all that follows.
    file.extend_from_slice(b"data\xFF\xFF\xFF\xFF\0\x40");
    assert_eq!(read(&file).unwrap(), [0.5]);
}

#[test]
fn other_files_are_refused_by_name() {
    assert!(matches!(read(b"fLaC"), Err(WavError::NoWav)));
    let of = |format| read(&file(format, &[0; 4]));
    assert!(matches!(
        of((1, 1, 44_100, 16)),
        Err(WavError::SampleRate(44_100))
    ));
    assert!(matches!(of((1, 6, 48_000, 16)), Err(WavError::Channels(6))));
    assert!(matches!(
        of((6, 1, 48_000, 8)),
        Err(WavError::Encoding { tag: 6, bits: 8 })
    ));
    let early = b"RIFF\0\0\0\0WAVEdata\x02\0\0\0\0\0";
    assert!(matches!(read(early), Err(WavError::NoFormat)));
}

#[test]
fn file_cut_anywhere_says_so() {
    let file = file((1, 2, 48_000, 16), &[1; 8]);
    for end in 0..file.len() {
        assert!(read(&file[..end]).is_err(), "{end}");
    }
    assert!(read(&file).is_ok());
}

proptest! {
    #[test]
    fn mutated_file_is_samples_or_error(at: prop::sample::Index, byte: u8) {
        let mut file = file((1, 2, 48_000, 16), &[1; 8]);
        let at = at.index(file.len());
        file[at] = byte;
        if let Ok(samples) = read(&file) {
            prop_assert!(samples.iter().all(|sample| (-1.0..=1.0).contains(sample)));
        }
    }
}
