use parvis_codec::{Bitrate, Plane, VideoFrame};

use crate::PublishError;

/// One encoding of a picture source: a track of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoLayer {
    /// How often the source's width and height are halved.
    pub halvings: u32,
    /// Target bitrate; `None`: what suits the size.
    pub bitrate: Option<Bitrate>,
}

/// The least lines of a layer that is half of another.
const LEAST: u32 = 120;

impl VideoLayer {
    /// The source at its own size.
    pub const FULL: Self = Self {
        halvings: 0,
        bitrate: None,
    };

    /// Layers for a source of that size: the largest of at most `max_height` lines, half of that, and
    /// so on down to 120 lines or more: 720, 360 and 180 of a camera.
    pub fn ladder(height: u32, max_height: u32) -> Vec<Self> {
        let mut halvings = 0;
        while height >> halvings > max_height.max(2) {
            halvings += 1;
        }
        let mut layers = Vec::new();
        while layers.is_empty() || height >> halvings >= LEAST {
            layers.push(Self {
                halvings,
                bitrate: None,
            });
            halvings += 1;
        }
        layers
    }

    /// Two layers for a screen of that size: the largest of at most `max_height` lines, and half of
    /// that.
    pub fn pair(height: u32, max_height: u32) -> Vec<Self> {
        let mut layers = Self::ladder(height, max_height);
        layers.truncate(2);
        layers
    }

    /// Width and height of this layer of a source, both even.
    pub fn size(&self, width: u32, height: u32) -> (u32, u32) {
        let side = |full: u32| (full.checked_shr(self.halvings).unwrap_or(0)) & !1;
        (side(width), side(height))
    }

    /// The end of the layer's track name, such as `360p`.
    pub(crate) fn label(&self, width: u32, height: u32) -> Result<String, PublishError> {
        let (w, h) = self.size(width, height);
        if w == 0 || h == 0 {
            return Err(PublishError::BadLayer {
                layer: format!("{width}x{height} halved {} times", self.halvings),
                reason: "nothing is left".to_owned(),
            });
        }
        Ok(format!("{h}p"))
    }

    /// The picture in this layer's size.
    pub(crate) fn scale(&self, frame: &VideoFrame) -> VideoFrame {
        let mut scaled = frame.clone();
        for _ in 0..self.halvings {
            scaled = scaled.halved();
        }
        let (width, height) = (scaled.width() & !1, scaled.height() & !1);
        if (width, height) == (scaled.width(), scaled.height()) {
            return scaled;
        }
        let row = |plane: Plane, y: usize| {
            let stride = scaled.stride(plane);
            &scaled.plane(plane)[y * stride..(y + 1) * stride]
        };
        VideoFrame::from_rows(width, height, frame.time(), row).unwrap_or_else(|_| frame.clone())
    }
}
