use parvis_format::VideoParams;

/// What of a picture an app shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VideoTarget {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pictures a second, at most; `None`: all that come. It spares those that are shown: of a
    /// track without temporal layers all are received and decoded.
    pub fps: Option<u32>,
    /// Whether it is seen at all; if not, nothing of it is received.
    pub visible: bool,
}

impl VideoTarget {
    /// A visible one of that size.
    pub const fn new(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            fps: None,
            visible: true,
        }
    }

    /// One that is not seen.
    pub const HIDDEN: Self = Self {
        width: 0,
        height: 0,
        fps: None,
        visible: false,
    };

    /// With at most so many pictures a second.
    pub const fn with_fps(self, fps: u32) -> Self {
        Self {
            fps: Some(fps),
            ..self
        }
    }
}

/// How much is received of others' pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Receive {
    /// What their targets ask for.
    #[default]
    All,
    /// The smallest layer of each.
    Less,
    /// Sound only.
    AudioOnly,
}

/// Picks the layer that is shown in a target: the smallest that is not magnified by more than a
/// quarter, or the largest there is. `None`: none is received.
///
/// floor: the least lines, where there is such a layer.
pub(super) fn choose<'a>(
    layers: &[(&'a str, &VideoParams)],
    target: VideoTarget,
    receive: Receive,
    floor: Option<u32>,
) -> Option<&'a str> {
    if !target.visible || receive == Receive::AudioOnly {
        return None;
    }
    let mut sorted: Vec<&(&str, &VideoParams)> = layers.iter().collect();
    sorted.sort_by_key(|(_, params)| u64::from(params.width) * u64::from(params.height));
    let least = floor.unwrap_or(0);
    if let Some(first) = sorted.iter().position(|(_, params)| params.height >= least) {
        sorted.drain(..first);
    } else if !sorted.is_empty() {
        sorted.drain(..sorted.len() - 1);
    }
    let fits = |params: &VideoParams| {
        u64::from(params.height) * 5 >= u64::from(target.height) * 4
            && u64::from(params.width) * 5 >= u64::from(target.width) * 4
    };
    let chosen = match receive {
        Receive::Less => sorted.first(),
        _ => sorted
            .iter()
            .find(|(_, params)| fits(params))
            .or(sorted.last()),
    };
    chosen.map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_layer_that_is_hardly_magnified_is_picked() {
        let params = [(320, 180), (640, 360), (1280, 720)].map(|(w, h)| VideoParams::av1(w, h));
        let layers = [
            ("camera/720p", &params[2]),
            ("camera/180p", &params[0]),
            ("camera/360p", &params[1]),
        ];
        let pick = |w, h, receive| choose(&layers, VideoTarget::new(w, h), receive, None);
        assert_eq!(pick(160, 90, Receive::All), Some("camera/180p"));
        assert_eq!(pick(400, 225, Receive::All), Some("camera/180p"));
        assert_eq!(pick(480, 270, Receive::All), Some("camera/360p"));
        assert_eq!(pick(1000, 600, Receive::All), Some("camera/720p"));
        assert_eq!(pick(3840, 2160, Receive::All), Some("camera/720p"));
        assert_eq!(pick(3840, 2160, Receive::Less), Some("camera/180p"));
        assert_eq!(pick(3840, 2160, Receive::AudioOnly), None);
        let floor = |w, h, receive| choose(&layers, VideoTarget::new(w, h), receive, Some(360));
        assert_eq!(floor(160, 90, Receive::All), Some("camera/360p"));
        assert_eq!(floor(160, 90, Receive::Less), Some("camera/360p"));
        assert_eq!(floor(1000, 600, Receive::All), Some("camera/720p"));
        let small = &layers[1..2];
        let only = choose(small, VideoTarget::new(160, 90), Receive::Less, Some(360));
        assert_eq!(only, Some("camera/180p"));
        let hidden = choose(&layers, VideoTarget::HIDDEN, Receive::All, None);
        assert_eq!(hidden, None);
        let of_none = choose(&[], VideoTarget::new(1, 1), Receive::All, None);
        assert_eq!(of_none, None);
    }
}
