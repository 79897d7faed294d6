//! What the tests of video codecs share.

#![allow(dead_code)]

use parvis_codec::{
    KeyFrame, VideoDecoder, VideoDecoderConfig, VideoEncoder, VideoFrame, open_video_decoder,
    psnr_luma,
};
use parvis_format::EncodedFrame;

/// A decoder that awaits its first key frame.
pub fn decoder() -> Box<dyn VideoDecoder> {
    open_video_decoder(&VideoDecoderConfig::default()).unwrap()
}

/// Encodes all frames and flushes; key frames only where the codec wants them.
pub fn encode_all(encoder: &mut dyn VideoEncoder, frames: &[VideoFrame]) -> Vec<EncodedFrame> {
    let mut packets = Vec::new();
    for frame in frames {
        packets.extend(encoder.encode(frame, KeyFrame::AsNeeded).unwrap());
    }
    packets.extend(encoder.flush().unwrap());
    packets
}

/// Decodes a whole stream, in which every packet gives one picture.
pub fn decode_all(packets: &[EncodedFrame]) -> Vec<VideoFrame> {
    let mut decoder = decoder();
    packets
        .iter()
        .map(|packet| {
            let mut pictures = decoder.decode(packet).unwrap();
            assert_eq!(pictures.len(), 1);
            pictures.remove(0)
        })
        .collect()
}

/// Asserts that decoded pictures are the originals in number, order and time, and gives their mean
/// PSNR-Y.
pub fn mean_psnr(originals: &[VideoFrame], decoded: &[VideoFrame]) -> f64 {
    assert_eq!(originals.len(), decoded.len());
    let psnr: Vec<f64> = originals
        .iter()
        .zip(decoded)
        .map(|(original, decoded)| {
            assert_eq!(original.time(), decoded.time());
            psnr_luma(original, decoded).expect("sizes are equal")
        })
        .collect();
    psnr.iter().sum::<f64>() / psnr.len() as f64
}

/// Kilobits a second of packets that last 1/`rate` seconds each.
pub fn kbps(packets: &[EncodedFrame], rate: f64) -> f64 {
    let bytes: usize = packets.iter().map(|packet| packet.payload.len()).sum();
    bytes as f64 * 8.0 * rate / packets.len() as f64 / 1000.0
}

/// Places of the key frames.
pub fn keys(packets: &[EncodedFrame]) -> Vec<usize> {
    packets
        .iter()
        .enumerate()
        .filter_map(|(index, packet)| packet.key.then_some(index))
        .collect()
}
