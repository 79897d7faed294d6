use super::{ObuError, bits::Bits};

/// The fields of a sequence header that containers and codec strings repeat.
///
/// AV1 specification, "Sequence header OBU syntax".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SequenceHeader {
    /// 0 main, 1 high, 2 professional.
    pub profile: u8,
    /// Whether this is the short form for a single picture.
    pub reduced_still_picture: bool,
    /// Level index of the first operating point (4 is level 3.0).
    pub level: u8,
    /// Whether that operating point is of the high tier.
    pub high_tier: bool,
    /// Most pixels across.
    pub max_width: u32,
    /// Most pixels down.
    pub max_height: u32,
    /// 8, 10 or 12.
    pub bit_depth: u8,
    /// Whether there is no colour.
    pub monochrome: bool,
    /// Whether chroma has half of the columns.
    pub subsampling_x: bool,
    /// Whether chroma has half of the rows.
    pub subsampling_y: bool,
    /// Where chroma samples lie: 0 unknown, 1 vertical, 2 colocated.
    pub chroma_sample_position: u8,
}

impl SequenceHeader {
    /// Parses the body of a sequence header OBU.
    pub fn parse(body: &[u8]) -> Result<Self, ObuError> {
        Self::read(&mut Bits::new(body)).ok_or(ObuError::SequenceHeader)
    }

    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let profile = bits.bits(3)? as u8;
        bits.skip(1)?; // still_picture
        let reduced_still_picture = bits.flag()?;
        let (level, high_tier) = if reduced_still_picture {
            (bits.bits(5)? as u8, false)
        } else {
            operating_points(bits)?
        };
        let width_bits = bits.bits(4)? + 1;
        let height_bits = bits.bits(4)? + 1;
        let max_width = bits.bits(width_bits)? + 1;
        let max_height = bits.bits(height_bits)? + 1;
        if !reduced_still_picture && bits.flag()? {
            bits.skip(7)?; // lengths of frame ids
        }
        bits.skip(3)?; // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
        if !reduced_still_picture {
            tools(bits)?;
        }
        bits.skip(3)?; // enable_superres, enable_cdef, enable_restoration
        let colour = Colour::read(bits, profile)?;
        Some(Self {
            profile,
            reduced_still_picture,
            level,
            high_tier,
            max_width,
            max_height,
            bit_depth: colour.bit_depth,
            monochrome: colour.monochrome,
            subsampling_x: colour.subsampling_x,
            subsampling_y: colour.subsampling_y,
            chroma_sample_position: colour.chroma_sample_position,
        })
    }
}

/// Level and tier of the first operating point.
fn operating_points(bits: &mut Bits<'_>) -> Option<(u8, bool)> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.skip(64)?; // num_units_in_display_tick, time_scale
        if bits.flag()? {
            bits.skip_uvlc()?; // num_ticks_per_picture_minus_1
        }
        if bits.flag()? {
            delay_bits = Some(bits.bits(5)? + 1);
            bits.skip(32)?; // num_units_in_decoding_tick
            bits.skip(10)?; // lengths of removal and presentation times
        }
    }
    let initial_display_delay_present = bits.flag()?;
    let count = bits.bits(5)? + 1;
    let mut first = None;
    for _ in 0..count {
        bits.skip(12)?; // operating_point_idc
        let level = bits.bits(5)? as u8;
        let high_tier = level > 7 && bits.flag()?;
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(delay_bits)?;
            bits.skip(delay_bits)?;
            bits.skip(1)?; // low_delay_mode_flag
        }
        if initial_display_delay_present && bits.flag()? {
            bits.skip(4)?;
        }
        first.get_or_insert((level, high_tier));
    }
    first
}

/// The coding tools between the superblock flags and the filters.
fn tools(bits: &mut Bits<'_>) -> Option<()> {
    bits.skip(4)?; // interintra_compound, masked_compound, warped_motion, dual_filter
    let order_hint = bits.flag()?;
    if order_hint {
        bits.skip(2)?; // jnt_comp, ref_frame_mvs
    }
    let chosen_per_frame = bits.flag()?;
    let screen_content = chosen_per_frame || bits.flag()?;
    if screen_content && !bits.flag()? {
        bits.skip(1)?; // seq_force_integer_mv
    }
    if order_hint {
        bits.skip(3)?; // order_hint_bits_minus_1
    }
    Some(())
}

struct Colour {
    bit_depth: u8,
    monochrome: bool,
    subsampling_x: bool,
    subsampling_y: bool,
    chroma_sample_position: u8,
}

impl Colour {
    /// AV1 specification, "Color config syntax".
    fn read(bits: &mut Bits<'_>, profile: u8) -> Option<Self> {
        let high_bit_depth = bits.flag()?;
        let bit_depth = match (high_bit_depth, profile) {
            (true, 2) => 10 + 2 * u8::from(bits.flag()?),
            (true, _) => 10,
            (false, _) => 8,
        };
        let monochrome = profile != 1 && bits.flag()?;
        let described = bits.flag()?;
        let description = if described {
            bits.bits(24)?
        } else {
            0x02_02_02
        };
        let mut colour = Self {
            bit_depth,
            monochrome,
            subsampling_x: true,
            subsampling_y: true,
            chroma_sample_position: 0,
        };
        if monochrome {
            bits.skip(1)?; // color_range
            return Some(colour);
        }
        // BT.709 primaries, sRGB transfer, identity matrix: RGB, never subsampled.
        if description == 0x01_0D_00 {
            (colour.subsampling_x, colour.subsampling_y) = (false, false);
        } else {
            bits.skip(1)?; // color_range
            (colour.subsampling_x, colour.subsampling_y) = match (profile, bit_depth) {
                (0, _) => (true, true),
                (1, _) => (false, false),
                (_, 12) => {
                    let x = bits.flag()?;
                    (x, x && bits.flag()?)
                }
                _ => (true, false),
            };
            if colour.subsampling_x && colour.subsampling_y {
                colour.chroma_sample_position = bits.bits(2)? as u8;
            }
        }
        bits.skip(1)?; // separate_uv_delta_q
        Some(colour)
    }
}
