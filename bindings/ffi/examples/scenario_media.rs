//! Writes the files of `bindings/SCENARIO.md`, which the tests of the bindings publish.
//!
//! ```text
//! cargo run -p parvis-ffi --example scenario_media -- FOLDER
//! ```

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use parvis::{
    codec::{Channels, SAMPLE_RATE, TestPattern, test_tone},
    format::MediaTime,
};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 180;
const PICTURES: u32 = 45;
/// Frames of 20 ms.
const SOUNDS: u64 = 150;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("usage: scenario_media FOLDER")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    write_camera(&folder.join("camera.y4m"))?;
    write_microphone(&folder.join("microphone.wav"))?;
    Ok(())
}

fn write_camera(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "YUV4MPEG2 W{WIDTH} H{HEIGHT} F15:1 Ip C420jpeg")?;
    let pattern = TestPattern::new(WIDTH, HEIGHT);
    for number in 0..PICTURES {
        writeln!(file, "FRAME")?;
        file.write_all(&pattern.frame(number, MediaTime::ZERO).to_i420())?;
    }
    file.flush()?;
    Ok(())
}

fn write_microphone(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut sound = Vec::new();
    for number in 0..SOUNDS {
        let frame = test_tone(number, Channels::Mono, MediaTime::ZERO);
        for sample in frame.samples() {
            let sample = (sample * 32_767.0).round() as i16;
            sound.extend_from_slice(&sample.to_le_bytes());
        }
    }
    let length = u32::try_from(sound.len())?;
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"RIFF")?;
    file.write_all(&(36 + length).to_le_bytes())?;
    file.write_all(b"WAVEfmt ")?;
    file.write_all(&16_u32.to_le_bytes())?;
    // PCM, one channel.
    file.write_all(&[1, 0, 1, 0])?;
    file.write_all(&SAMPLE_RATE.to_le_bytes())?;
    file.write_all(&(SAMPLE_RATE * 2).to_le_bytes())?;
    // Bytes a sample, bits a sample.
    file.write_all(&[2, 0, 16, 0])?;
    file.write_all(b"data")?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(&sound)?;
    file.flush()?;
    Ok(())
}
