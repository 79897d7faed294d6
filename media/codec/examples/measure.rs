//! Prints what each codec costs and gives on the clips of `scripts/make-clips.sh`:
//! `cargo run --release -p parvis-codec --example measure [frames]`.
//!
//! Times are those of the processor, over all threads.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Duration;

use nix::time::ClockId;
use parvis_codec::{
    AudioDecoderConfig, AudioEncoderConfig, AudioFrame, Bitrate, Channels, Content, FrameRate,
    KeyFrame, Loss, OpenError, SAMPLES_PER_FRAME, TestPattern, VideoDecoderConfig,
    VideoEncoderChoice, VideoEncoderConfig, VideoFrame, correlation, open_audio_decoder,
    open_audio_encoder, open_video_decoder, open_video_encoder, psnr_luma, signal_to_noise,
};
use parvis_format::{MediaTime, wav, y4m};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Clip {
    name: String,
    frame_rate: FrameRate,
    frames: Vec<VideoFrame>,
}

fn main() -> Result<()> {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(150), |count| count.parse())?;
    println!(
        "{:<8} {:<20} {:>9} {}",
        "codec", "clip", "target", VIDEO_COLUMNS
    );
    let camera = ["carphone", "bikes"].map(|name| read_video(name, count));
    for clip in camera {
        let clip = clip?;
        let half = clip.halved();
        measure_video(VideoEncoderChoice::Aom, &half, Content::Camera, 150)?;
        measure_video(VideoEncoderChoice::Aom, &clip, Content::Camera, 400)?;
        measure_video(VideoEncoderChoice::Rav1e, &half, Content::Camera, 150)?;
        measure_video(VideoEncoderChoice::Rav1e, &clip, Content::Camera, 400)?;
    }
    let screen = read_video("screen", count)?;
    measure_video(VideoEncoderChoice::Aom, &screen, Content::Camera, 600)?;
    measure_video(VideoEncoderChoice::Aom, &screen, Content::Screen, 600)?;
    println!(
        "\n{:<8} {:<20} {:>9} {}",
        "codec", "sound", "target", AUDIO_COLUMNS
    );
    let speech = read_speech(1500)?;
    for kbps in [16, 24, 32, 64] {
        measure_audio(&speech, kbps)?;
    }
    Ok(())
}

fn measure_video(
    choice: VideoEncoderChoice,
    clip: &Clip,
    content: Content,
    kbps: u32,
) -> Result<()> {
    let (width, height) = (clip.frames[0].width(), clip.frames[0].height());
    let opened = open_video_encoder(&VideoEncoderConfig {
        choice,
        bitrate: Bitrate::kbps(kbps),
        frame_rate: clip.frame_rate,
        content,
        ..VideoEncoderConfig::new(width, height)
    });
    let mut encoder = match opened {
        Err(OpenError::NotBuilt(_)) => return Ok(()),
        opened => opened?,
    };
    let mut decoder = open_video_decoder(&VideoDecoderConfig::default())?;
    let mut packets = Vec::new();
    let mut encode_times = Vec::new();
    for frame in &clip.frames {
        let start = Stopwatch::start();
        packets.extend(encoder.encode(frame, KeyFrame::AsNeeded)?);
        encode_times.push(start.elapsed());
    }
    packets.extend(encoder.flush()?);
    let start = Stopwatch::start();
    let mut decoded = Vec::new();
    for packet in &packets {
        decoded.extend(decoder.decode(packet)?);
    }
    let decode_time = start.elapsed();
    let count = clip.frames.len() as f64;
    let psnr: f64 = clip
        .frames
        .iter()
        .zip(&decoded)
        .filter_map(|(a, b)| psnr_luma(a, b))
        .sum();
    let bytes: usize = packets.iter().map(|packet| packet.payload.len()).sum();
    let seconds = count * clip.frame_rate.frame_duration().as_secs_f64();
    let encode_time: Duration = encode_times.iter().sum();
    encode_times.sort();
    println!(
        "{:<8} {:<20} {:>9} {:>9.2} {:>9.2} {:>8.0} {:>7.1} {:>9.2} {:>7}",
        encoder.caps().name,
        format!("{} {height}p {content:?}", clip.name),
        kbps,
        milliseconds(encode_time) / count,
        milliseconds(encode_times[encode_times.len() * 95 / 100]),
        bytes as f64 * 8.0 / seconds / 1000.0,
        psnr / count,
        milliseconds(decode_time) / count,
        format!("{}/{}", decoded.len(), clip.frames.len()),
    );
    Ok(())
}

fn measure_audio(speech: &[AudioFrame], kbps: u32) -> Result<()> {
    let mut encoder = match open_audio_encoder(&AudioEncoderConfig {
        bitrate: Bitrate::kbps(kbps),
        ..AudioEncoderConfig::default()
    }) {
        Err(OpenError::NotBuilt(_)) => return Ok(()),
        opened => opened?,
    };
    let lookahead = encoder.caps().lookahead_samples as usize;
    let mut decoder = open_audio_decoder(&AudioDecoderConfig::default())?;
    let start = Stopwatch::start();
    let mut packets = Vec::new();
    for frame in speech {
        packets.extend(encoder.encode(frame)?);
    }
    let encode_time = start.elapsed();
    let start = Stopwatch::start();
    let mut decoded: Vec<f32> = Vec::new();
    for packet in &packets {
        decoded.extend_from_slice(decoder.decode(packet)?.samples());
    }
    let decode_time = start.elapsed();
    let start = Stopwatch::start();
    let mut concealed = 0;
    for packet in packets.iter().skip(4).step_by(5) {
        decoder.decode(packet)?;
        decoder.conceal(Loss {
            time: packet.time,
            next: None,
        })?;
        concealed += 1;
    }
    let decode_share = decode_time * concealed / packets.len() as u32;
    let conceal_time = start.elapsed().saturating_sub(decode_share);
    let original: Vec<f32> = speech
        .iter()
        .flat_map(|f| f.samples().iter().copied())
        .collect();
    let bytes: usize = packets.iter().map(|packet| packet.payload.len()).sum();
    let count = packets.len() as f64;
    println!(
        "{:<8} {:<20} {:>9} {:>9.0} {:>9.0} {:>9.0} {:>8.1} {:>7.1} {:>7.3}",
        encoder.caps().name,
        "French prompts",
        kbps,
        milliseconds(encode_time) * 1000.0 / count,
        milliseconds(decode_time) * 1000.0 / count,
        milliseconds(conceal_time) * 1000.0 / f64::from(concealed),
        bytes as f64 * 8.0 / (count * 20.0),
        signal_to_noise(&original, &decoded[lookahead..]),
        correlation(&original, &decoded[lookahead..]),
    );
    Ok(())
}

impl Clip {
    fn halved(&self) -> Self {
        Self {
            name: self.name.clone(),
            frame_rate: self.frame_rate,
            frames: self.frames.iter().map(VideoFrame::halved).collect(),
        }
    }
}

fn read_video(name: &str, count: usize) -> Result<Clip> {
    let Ok(file) = File::open(folder().join(name).with_extension("y4m")) else {
        let pattern = TestPattern::new(640, 360);
        let time = |index| MediaTime::from_micros(i64::from(index) * 33_333);
        return Ok(Clip {
            name: "generated".to_owned(),
            frame_rate: FrameRate::whole(30),
            frames: (0..count as u32)
                .map(|index| pattern.frame(index, time(index)))
                .collect(),
        });
    };
    let mut reader = y4m::Reader::new(BufReader::new(file))?;
    let (width, height, rate) = (reader.width(), reader.height(), reader.rate());
    let mut frames = Vec::new();
    while frames.len() < count {
        let Some(picture) = reader.read()? else { break };
        frames.push(VideoFrame::from_i420(
            width,
            height,
            picture.data,
            picture.time,
        )?);
    }
    Ok(Clip {
        name: name.to_owned(),
        frame_rate: FrameRate::new(rate.numerator, rate.denominator),
        frames,
    })
}

fn read_speech(count: usize) -> Result<Vec<AudioFrame>> {
    let mut prompts: Vec<PathBuf> = std::fs::read_dir(folder().join("fr"))
        .map(|entries| {
            entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect()
        })
        .unwrap_or_default();
    prompts.sort();
    let mut samples: Vec<f32> = Vec::new();
    for prompt in prompts {
        let mut reader = wav::Reader::new(BufReader::new(File::open(prompt)?))?;
        let mut prompt = Vec::new();
        while reader.read(SAMPLES_PER_FRAME, &mut prompt)? > 0 {}
        let energy: f32 = prompt.iter().map(|sample| sample * sample).sum();
        if energy > 0.001 * prompt.len() as f32 {
            samples.extend(prompt);
        }
    }
    let time = |index: usize| MediaTime::from_millis(20 * i64::try_from(index).unwrap_or(0));
    if samples.len() < SAMPLES_PER_FRAME {
        let tone = |index| parvis_codec::test_tone(index as u64, Channels::Mono, time(index));
        return Ok((0..count).map(tone).collect());
    }
    let frames = samples
        .chunks_exact(SAMPLES_PER_FRAME)
        .take(count)
        .enumerate();
    Ok(frames
        .map(|(index, chunk)| AudioFrame::new(time(index), Channels::Mono, chunk))
        .collect::<std::result::Result<_, _>>()?)
}

fn folder() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from);
    from("PARVIS_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|cache| cache.join("parvis")))
        .or_else(|| from("HOME").map(|home| home.join(".cache/parvis")))
        .unwrap_or_default()
        .join("clips")
}

/// Measures the processor time of all threads of this process.
struct Stopwatch(Duration);

impl Stopwatch {
    fn start() -> Self {
        Self(processor_time())
    }

    fn elapsed(&self) -> Duration {
        processor_time().saturating_sub(self.0)
    }
}

fn processor_time() -> Duration {
    ClockId::CLOCK_PROCESS_CPUTIME_ID
        .now()
        .expect("the clock exists on every Unix")
        .into()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

const VIDEO_COLUMNS: &str = "  ms/frame   95th %   kbit/s  PSNR-Y    ms dec  frames";
const AUDIO_COLUMNS: &str = "    µs enc    µs dec    µs PLC   kbit/s  SNR dB   corr.";
