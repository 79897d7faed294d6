use parvis::{clock, codec::VideoFrame, format::MediaTime};

use crate::{ErrorKind, ParvisError};

/// How the planes of a picture lie, and how it is turned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Geometry {
    width: usize,
    height: usize,
    y_stride: usize,
    uv_stride: usize,
    uv_pixel_stride: usize,
    rotation: Rotation,
}

/// The planes of a picture, as the app lends them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planes<'a> {
    pub y: &'a [u8],
    pub u: &'a [u8],
    pub v: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rotation {
    None,
    Clockwise,
    Half,
    Counterclockwise,
}

/// The longest side, pixels.
const MAX_SIDE: usize = 16_384;

impl Geometry {
    pub(crate) fn new(
        (width, height): (i32, i32),
        (y_stride, uv_stride, uv_pixel_stride): (i32, i32, i32),
        rotation: i32,
    ) -> Result<Self, ParvisError> {
        let number = |number: i32| usize::try_from(number).unwrap_or_default();
        let geometry = Self {
            width: number(width),
            height: number(height),
            y_stride: number(y_stride),
            uv_stride: number(uv_stride),
            uv_pixel_stride: number(uv_pixel_stride),
            rotation: match rotation {
                0 => Rotation::None,
                90 => Rotation::Clockwise,
                180 => Rotation::Half,
                270 => Rotation::Counterclockwise,
                other => {
                    let reason = format!("a rotation is 0, 90, 180 or 270, got {other}");
                    return Err(ParvisError::new(ErrorKind::BadArgument, reason));
                }
            },
        };
        let sides = 1..=MAX_SIDE;
        let chroma_row =
            geometry.width.div_ceil(2).saturating_sub(1) * geometry.uv_pixel_stride + 1;
        if sides.contains(&geometry.width)
            && sides.contains(&geometry.height)
            && geometry.y_stride >= geometry.width
            && (1..=2).contains(&geometry.uv_pixel_stride)
            && geometry.uv_stride >= chroma_row
        {
            return Ok(geometry);
        }
        Err(bad(format!(
            "a picture has sides of 1 to {MAX_SIDE}, strides that hold a row, and chroma values 1 or 2 bytes apart, got {width}x{height}, {y_stride}, {uv_stride} and {uv_pixel_stride}"
        )))
    }

    /// Refuses a picture that is not of the declared size once it is upright.
    pub(crate) fn expect_size(&self, (width, height): (u32, u32)) -> Result<(), ParvisError> {
        let got = match self.rotation {
            Rotation::None | Rotation::Half => (self.width, self.height),
            Rotation::Clockwise | Rotation::Counterclockwise => (self.height, self.width),
        };
        if got == (width as usize, height as usize) {
            return Ok(());
        }
        let (w, h) = got;
        Err(bad(format!(
            "pictures were declared to be {width}x{height} when upright, got {w}x{h}"
        )))
    }

    /// Refuses a picture that is larger than that.
    pub(crate) fn expect_pixels(&self, most: u64) -> Result<(), ParvisError> {
        let pixels = self.width as u64 * self.height as u64;
        if pixels <= most {
            return Ok(());
        }
        Err(bad(format!(
            "a picture has at most {most} pixels, got {pixels}"
        )))
    }

    /// Copies the picture, upright.
    pub(crate) fn copy(
        &self,
        planes: Planes<'_>,
        time: MediaTime,
    ) -> Result<VideoFrame, ParvisError> {
        let (columns, rows) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut upright = Vec::with_capacity(self.width * self.height + 2 * columns * rows);
        let luma = Lent {
            bytes: planes.y,
            columns: self.width,
            rows: self.height,
            stride: self.y_stride,
            step: 1,
        };
        luma.turn(self.rotation, &mut upright)?;
        for bytes in [planes.u, planes.v] {
            let chroma = Lent {
                bytes,
                columns,
                rows,
                stride: self.uv_stride,
                step: self.uv_pixel_stride,
            };
            chroma.turn(self.rotation, &mut upright)?;
        }
        let (width, height) = match self.rotation {
            Rotation::None | Rotation::Half => (self.width, self.height),
            Rotation::Clockwise | Rotation::Counterclockwise => (self.height, self.width),
        };
        let frame = VideoFrame::from_i420(width as u32, height as u32, upright.into(), time);
        frame.map_err(|error| bad(error.to_string()))
    }
}

/// A plane that the app lends.
struct Lent<'a> {
    bytes: &'a [u8],
    columns: usize,
    rows: usize,
    stride: usize,
    step: usize,
}

impl Lent<'_> {
    fn turn(&self, rotation: Rotation, out: &mut Vec<u8>) -> Result<(), ParvisError> {
        let (columns, rows, step) = (self.columns, self.rows, self.step);
        let needed = (rows - 1) * self.stride + (columns - 1) * step + 1;
        if self.bytes.len() < needed {
            let got = self.bytes.len();
            return Err(bad(format!("a plane needs {needed} bytes, got {got}")));
        }
        let row = |y: usize| &self.bytes[y * self.stride..][..=(columns - 1) * step];
        let at = |x: usize, y: usize| self.bytes[y * self.stride + x * step];
        match rotation {
            Rotation::None if step == 1 => (0..rows).for_each(|y| out.extend_from_slice(row(y))),
            Rotation::None => (0..rows).for_each(|y| out.extend(row(y).iter().step_by(step))),
            Rotation::Half => {
                for y in (0..rows).rev() {
                    out.extend((0..columns).rev().map(|x| at(x, y)));
                }
            }
            Rotation::Clockwise => {
                for x in 0..columns {
                    out.extend((0..rows).rev().map(|y| at(x, y)));
                }
            }
            Rotation::Counterclockwise => {
                for x in (0..columns).rev() {
                    out.extend((0..rows).map(|y| at(x, y)));
                }
            }
        }
        Ok(())
    }
}

/// When a picture was captured. timestamp_us: 0: now.
pub(crate) fn captured(timestamp_us: i64) -> MediaTime {
    match timestamp_us {
        0 => clock::now(),
        time => MediaTime::from_micros(time),
    }
}

fn bad(reason: String) -> ParvisError {
    ParvisError::new(ErrorKind::BadFrame, reason)
}

#[cfg(test)]
mod tests;
