//! Enough of an Opus packet to know how long it lasts. RFC 6716, "The TOC Byte".

/// Samples per channel at 48 kHz that a packet decodes to; `None` if it is no Opus packet.
pub fn packet_samples(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let configuration = u32::from(toc >> 3);
    let frame = match configuration {
        // SILK: 10, 20, 40, 60 ms
        0..12 => [480, 960, 1_920, 2_880][configuration as usize % 4],
        // Hybrid: 10, 20 ms
        12..16 => [480, 960][configuration as usize % 2],
        // CELT: 2.5, 5, 10, 20 ms
        _ => [120, 240, 480, 960][configuration as usize % 4],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3F),
    };
    // No packet is longer than 120 ms.
    (frames > 0 && frames * frame <= 5_760).then_some(frames * frame)
}

#[cfg(test)]
mod tests;
