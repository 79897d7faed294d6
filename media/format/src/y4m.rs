//! Reads YUV4MPEG2 video: uncompressed pictures with a header in text.
//!
//! 8 bits, 4:2:0. What else there is in the field is refused by name.

use std::{io, io::Read};

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use crate::{MediaTime, Timescale, fill::fill};

/// Frames per second, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameRate {
    /// Frames.
    pub numerator: u32,
    /// In so many seconds; not zero.
    pub denominator: u32,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// When it is shown; the first at zero.
    pub time: MediaTime,
    /// Planes Y, U and V without padding; chroma has half of the width and height, rounded up.
    pub data: Bytes,
}

/// Why a file is no video that can be read here.
#[derive(Debug, Error)]
pub enum Y4mError {
    /// The input failed.
    #[error("reading the y4m file: {0}")]
    Io(#[from] io::Error),
    /// It does not start as it must.
    #[error("the file does not start with YUV4MPEG2")]
    NoY4m,
    /// The header line is longer than any sensible one.
    #[error("the header line has more than {MAX_LINE} bytes")]
    LongHeader,
    /// The header says something that cannot be.
    #[error("the header's field {0:?} is malformed")]
    Field(String),
    /// The header lacks a field.
    #[error("the header has no {0}")]
    Missing(&'static str),
    /// Pictures larger than this reader takes.
    #[error("pictures are {width}x{height}, {MAX_SIDE}x{MAX_SIDE} is the most")]
    TooLarge {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// Another colour format.
    #[error(
        "the colour format is {0}, expected 8-bit 4:2:0 (C420, C420jpeg, C420mpeg2, C420paldv)"
    )]
    ColourFormat(String),
    /// Interlaced pictures.
    #[error("pictures are interlaced (I{0}), expected progressive ones")]
    Interlaced(String),
    /// A picture does not start as it must.
    #[error("picture {0} does not start with FRAME")]
    NoFrame(u64),
    /// The file ends inside a picture.
    #[error("the file ends inside picture {picture}: {got} of {needed} bytes")]
    Truncated {
        /// Its number, from 0.
        picture: u64,
        /// Bytes that are there.
        got: usize,
        /// Bytes that it has.
        needed: usize,
    },
}

/// Reads pictures one at a time.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    width: u32,
    height: u32,
    rate: FrameRate,
    pictures: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the header. input: buffered, as lines are read byte by byte.
    pub fn new(mut input: R) -> Result<Self, Y4mError> {
        let line = match read_line(&mut input)? {
            Line::Whole(line) => line,
            Line::End | Line::Cut => return Err(Y4mError::NoY4m),
            Line::Long => return Err(Y4mError::LongHeader),
        };
        let line = String::from_utf8_lossy(&line);
        let mut fields = line.split(' ');
        if fields.next() != Some("YUV4MPEG2") {
            return Err(Y4mError::NoY4m);
        }
        let (mut width, mut height, mut rate) = (None, None, None);
        for field in fields.filter(|field| !field.is_empty()) {
            let malformed = || Y4mError::Field(field.to_owned());
            let (tag, value) = field.split_at_checked(1).ok_or_else(malformed)?;
            match tag {
                "W" => width = Some(positive(value).ok_or_else(malformed)?),
                "H" => height = Some(positive(value).ok_or_else(malformed)?),
                "F" => rate = Some(fraction(value).ok_or_else(malformed)?),
                "C" if !EIGHT_BIT_420.contains(&value) => {
                    return Err(Y4mError::ColourFormat(field.to_owned()));
                }
                "I" if !["p", "?"].contains(&value) => {
                    return Err(Y4mError::Interlaced(value.to_owned()));
                }
                _ => {}
            }
        }
        let width = width.ok_or(Y4mError::Missing("width"))?;
        let height = height.ok_or(Y4mError::Missing("height"))?;
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(Y4mError::TooLarge { width, height });
        }
        let rate = rate.ok_or(Y4mError::Missing("frame rate"))?;
        Ok(Self {
            input,
            width,
            height,
            rate,
            pictures: 0,
        })
    }

    /// Pixels across.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Pictures per second.
    pub const fn rate(&self) -> FrameRate {
        self.rate
    }

    /// The next picture; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Picture>, Y4mError> {
        match read_line(&mut self.input)? {
            Line::End => return Ok(None),
            Line::Whole(line) if line == b"FRAME" || line.starts_with(b"FRAME ") => {}
            Line::Whole(_) | Line::Cut | Line::Long => {
                return Err(Y4mError::NoFrame(self.pictures));
            }
        }
        let needed = self.picture_bytes();
        let mut data = BytesMut::zeroed(needed);
        let got = fill(&mut self.input, &mut data)?;
        if got < needed {
            return Err(Y4mError::Truncated {
                picture: self.pictures,
                got,
                needed,
            });
        }
        let time = self.time(self.pictures);
        self.pictures += 1;
        Ok(Some(Picture {
            time,
            data: data.freeze(),
        }))
    }

    const fn picture_bytes(&self) -> usize {
        let (width, height) = (self.width as usize, self.height as usize);
        width * height + 2 * (width.div_ceil(2) * height.div_ceil(2))
    }

    fn time(&self, picture: u64) -> MediaTime {
        let ticks = picture.saturating_mul(self.rate.denominator.into());
        let timescale = Timescale::new(self.rate.numerator.into());
        let ticks = i64::try_from(ticks).unwrap_or(i64::MAX);
        timescale.map_or(MediaTime::ZERO, |scale| MediaTime::from_ticks(ticks, scale))
    }
}

enum Line {
    /// Without its end.
    Whole(Vec<u8>),
    /// The input ended before the line began.
    End,
    /// The input ended before the line did.
    Cut,
    Long,
}

fn read_line<R: Read>(input: &mut R) -> Result<Line, io::Error> {
    let mut line = Vec::new();
    let mut byte = [0];
    while fill(input, &mut byte)? == 1 {
        match byte[0] {
            b'\n' => return Ok(Line::Whole(line)),
            _ if line.len() == MAX_LINE => return Ok(Line::Long),
            byte => line.push(byte),
        }
    }
    Ok(if line.is_empty() {
        Line::End
    } else {
        Line::Cut
    })
}

fn positive(value: &str) -> Option<u32> {
    value.parse().ok().filter(|&number| number > 0)
}

fn fraction(value: &str) -> Option<FrameRate> {
    let (numerator, denominator) = value.split_once(':')?;
    Some(FrameRate {
        numerator: positive(numerator)?,
        denominator: positive(denominator)?,
    })
}

const EIGHT_BIT_420: [&str; 4] = ["420", "420jpeg", "420mpeg2", "420paldv"];
const MAX_LINE: usize = 1_024;
const MAX_SIDE: u32 = 8_192;

#[cfg(test)]
mod tests;
