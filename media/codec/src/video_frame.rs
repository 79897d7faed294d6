//! An uncompressed picture.

use std::fmt;

use bytes::{Bytes, BytesMut};
use parvis_format::MediaTime;

/// One I420 picture: three 8-bit planes in one shared buffer, chroma halved both ways (rounded up).
///
/// A clone shares the pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct VideoFrame {
    time: MediaTime,
    width: u32,
    height: u32,
    luma_stride: usize,
    chroma_stride: usize,
    data: Bytes,
}

impl VideoFrame {
    /// Wraps tightly packed planes, Y then U then V, without a copy.
    pub fn from_i420(
        width: u32,
        height: u32,
        data: Bytes,
        time: MediaTime,
    ) -> Result<Self, VideoFrameError> {
        let (luma_stride, chroma_stride) = (width as usize, width.div_ceil(2) as usize);
        Self::with_strides(width, height, luma_stride, chroma_stride, data, time)
    }

    /// Wraps planes whose rows lie `luma_stride` and `chroma_stride` bytes apart, each plane right
    /// after the one before, without a copy.
    pub fn with_strides(
        width: u32,
        height: u32,
        luma_stride: usize,
        chroma_stride: usize,
        data: Bytes,
        time: MediaTime,
    ) -> Result<Self, VideoFrameError> {
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            return Err(VideoFrameError::Size { width, height });
        }
        if luma_stride < width as usize || chroma_stride < width.div_ceil(2) as usize {
            return Err(VideoFrameError::Stride {
                luma: luma_stride,
                chroma: chroma_stride,
                width,
            });
        }
        let expected = luma_stride
            .checked_mul(height as usize)
            .zip(chroma_stride.checked_mul(2 * height.div_ceil(2) as usize))
            .and_then(|(luma, chroma)| luma.checked_add(chroma));
        if expected != Some(data.len()) {
            return Err(VideoFrameError::Length {
                expected: expected.unwrap_or(usize::MAX),
                got: data.len(),
            });
        }
        Ok(Self {
            time,
            width,
            height,
            luma_stride,
            chroma_stride,
            data,
        })
    }

    /// Copies a picture out of rows: `row(plane, y)` gives at least as many bytes as the plane is
    /// wide.
    pub fn from_rows<'a>(
        width: u32,
        height: u32,
        time: MediaTime,
        row: impl Fn(Plane, usize) -> &'a [u8],
    ) -> Result<Self, VideoFrameError> {
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            return Err(VideoFrameError::Size { width, height });
        }
        let mut data = BytesMut::with_capacity(packed_len(width, height));
        for plane in Plane::ALL {
            let (columns, rows) = plane.size(width, height);
            for y in 0..rows {
                let pixels = row(plane, y);
                data.extend_from_slice(&pixels[..columns]);
            }
        }
        Self::from_i420(width, height, data.freeze(), time)
    }

    /// A picture of one colour.
    pub fn filled(
        width: u32,
        height: u32,
        [y, u, v]: [u8; 3],
        time: MediaTime,
    ) -> Result<Self, VideoFrameError> {
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            return Err(VideoFrameError::Size { width, height });
        }
        let mut data = BytesMut::with_capacity(packed_len(width, height));
        for (plane, value) in Plane::ALL.into_iter().zip([y, u, v]) {
            let (columns, rows) = plane.size(width, height);
            data.resize(data.len() + columns * rows, value);
        }
        Self::from_i420(width, height, data.freeze(), time)
    }

    /// When it was captured, or is to be shown.
    pub fn time(&self) -> MediaTime {
        self.time
    }

    /// The same pixels at another time.
    pub fn at(self, time: MediaTime) -> Self {
        Self { time, ..self }
    }

    /// Width of the luma plane, pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height of the luma plane, pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All bytes of a plane, [`VideoFrame::stride`] bytes a row.
    pub fn plane(&self, plane: Plane) -> &[u8] {
        let luma = self.luma_stride * self.height as usize;
        let chroma = self.chroma_stride * self.height.div_ceil(2) as usize;
        match plane {
            Plane::Y => &self.data[..luma],
            Plane::U => &self.data[luma..luma + chroma],
            Plane::V => &self.data[luma + chroma..],
        }
    }

    /// Bytes from one row of a plane to the next.
    pub fn stride(&self, plane: Plane) -> usize {
        match plane {
            Plane::Y => self.luma_stride,
            Plane::U | Plane::V => self.chroma_stride,
        }
    }

    /// The rows of a plane, top first, without what the stride adds.
    pub fn rows(&self, plane: Plane) -> impl Iterator<Item = &[u8]> {
        let (columns, _) = plane.size(self.width, self.height);
        self.plane(plane)
            .chunks_exact(self.stride(plane))
            .map(move |row| &row[..columns])
    }

    /// The planes tightly packed, Y then U then V: the shared buffer itself if it is packed.
    pub fn to_i420(&self) -> Bytes {
        if self.data.len() == packed_len(self.width, self.height) {
            return self.data.clone();
        }
        let mut packed = BytesMut::with_capacity(packed_len(self.width, self.height));
        for plane in Plane::ALL {
            for row in self.rows(plane) {
                packed.extend_from_slice(row);
            }
        }
        packed.freeze()
    }

    /// The picture at half the width and half the height, each pixel the mean of four: the next
    /// lower layer. An odd last column or row is left out. A side of one pixel stays one pixel.
    pub fn halved(&self) -> Self {
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        let mut data = BytesMut::with_capacity(packed_len(width, height));
        for plane in Plane::ALL {
            let (columns, rows) = plane.size(width, height);
            let (from_columns, from_rows) = plane.size(self.width, self.height);
            let (stride, from) = (self.stride(plane), self.plane(plane));
            for y in 0..rows {
                let row = |y: usize| {
                    let start = y.min(from_rows - 1) * stride;
                    &from[start..start + from_columns]
                };
                halve_row(row(2 * y), row(2 * y + 1), columns, &mut data);
            }
        }
        Self {
            time: self.time,
            width,
            height,
            luma_stride: width as usize,
            chroma_stride: width.div_ceil(2) as usize,
            data: data.freeze(),
        }
    }
}

fn halve_row(upper: &[u8], lower: &[u8], columns: usize, out: &mut BytesMut) {
    let mean = |a: u8, b: u8, c: u8, d: u8| {
        ((u16::from(a) + u16::from(b) + u16::from(c) + u16::from(d) + 2) / 4) as u8
    };
    let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
    let whole = columns.min(upper.len() / 2);
    out.extend(pairs.take(whole).map(|(u, l)| mean(u[0], u[1], l[0], l[1])));
    // A chroma plane of odd width is rounded up on both sides: its last column has no neighbour.
    for _ in whole..columns {
        let (u, l) = (upper[upper.len() - 1], lower[lower.len() - 1]);
        out.extend_from_slice(&[mean(u, u, l, l)]);
    }
}

fn packed_len(width: u32, height: u32) -> usize {
    Plane::ALL
        .into_iter()
        .map(|plane| plane.size(width, height))
        .map(|(columns, rows)| columns * rows)
        .sum()
}

impl fmt::Debug for VideoFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoFrame")
            .field("time", &self.time)
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

/// One of the three planes of an I420 picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// Luma.
    Y,
    /// Blue difference.
    U,
    /// Red difference.
    V,
}

impl Plane {
    /// The planes in the order of memory.
    pub const ALL: [Self; 3] = [Self::Y, Self::U, Self::V];

    /// Columns and rows of this plane in a picture of this size.
    pub fn size(self, width: u32, height: u32) -> (usize, usize) {
        match self {
            Self::Y => (width as usize, height as usize),
            Self::U | Self::V => (width.div_ceil(2) as usize, height.div_ceil(2) as usize),
        }
    }
}

/// Why bytes are no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VideoFrameError {
    /// A side is zero or over 16384.
    #[error("{width}x{height} is no size of a picture")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// A row does not fit in its stride.
    #[error("strides {luma} and {chroma} are too short for width {width}")]
    Stride {
        /// Bytes.
        luma: usize,
        /// Bytes.
        chroma: usize,
        /// Pixels.
        width: u32,
    },
    /// The buffer is not as long as the planes.
    #[error("expected {expected} bytes, got {got}")]
    Length {
        /// Bytes.
        expected: usize,
        /// Bytes.
        got: usize,
    },
}

const MAX_SIDE: u32 = 16384;

#[cfg(test)]
mod tests;
