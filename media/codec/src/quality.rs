//! How near decoded media is to its original.

use crate::{Plane, VideoFrame};

/// Peak signal-to-noise ratio of the luma plane in dB, up to 100 for equal pictures; nothing for
/// pictures of different sizes.
pub fn psnr_luma(original: &VideoFrame, decoded: &VideoFrame) -> Option<f64> {
    if (original.width(), original.height()) != (decoded.width(), decoded.height()) {
        return None;
    }
    let squares: u64 = original
        .rows(Plane::Y)
        .zip(decoded.rows(Plane::Y))
        .map(|(a, b)| {
            let of_row = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b)).pow(2);
            a.iter().zip(b).map(of_row).sum::<u64>()
        })
        .sum();
    let mean = squares as f64 / (f64::from(original.width()) * f64::from(original.height()));
    Some((10.0 * (255.0 * 255.0 / mean.max(1e-12)).log10()).min(100.0))
}

/// Signal-to-noise ratio in dB over the shorter length of the two, up to 100. The decoded sound
/// must be aligned with the original by the caller.
pub fn signal_to_noise(original: &[f32], decoded: &[f32]) -> f64 {
    let (mut signal, mut noise) = (0.0_f64, 0.0_f64);
    for (&a, &b) in original.iter().zip(decoded) {
        signal += f64::from(a).powi(2);
        noise += f64::from(a - b).powi(2);
    }
    if noise == 0.0 {
        return 100.0;
    }
    (10.0 * (signal / noise).log10()).min(100.0)
}

/// Correlation of two aligned sounds over their shorter length, -1 to 1; 0 where one is silent.
pub fn correlation(original: &[f32], decoded: &[f32]) -> f64 {
    let (mut cross, mut left, mut right) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (&a, &b) in original.iter().zip(decoded) {
        cross += f64::from(a) * f64::from(b);
        left += f64::from(a).powi(2);
        right += f64::from(b).powi(2);
    }
    let scale = (left * right).sqrt();
    if scale == 0.0 { 0.0 } else { cross / scale }
}
