use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;

use super::{
    Cut, Pauses, WriteError,
    silence::{Grain, silence},
};
use crate::{
    AudioCodec, AudioParams, EncodedFrame, MediaTime, Timescale, VideoCodec, VideoParams,
    av1::{self, Av1Config, ObuError},
    mp4::{
        fragment::{RandomAccess, Run, Sample},
        header::Description,
    },
    opus,
};

/// One track: what the header says of it, and the samples that wait for their fragment.
#[derive(Debug)]
pub(super) struct Track {
    id: u32,
    media: Media,
    waiting: VecDeque<Waiting>,
    buffered: usize,
    last: Option<MediaTime>,
    /// Zero of the file, once the header is written.
    origin: Option<MediaTime>,
    /// End of what was written, in ticks.
    end: u64,
}

#[derive(Debug)]
enum Media {
    Video {
        width: u16,
        height: u16,
        config: Option<Av1Config>,
        index: RandomAccess,
    },
    Audio {
        channels: u8,
        pre_skip: u16,
        /// Where the packet before ended.
        end: Option<MediaTime>,
    },
}

#[derive(Debug)]
struct Waiting {
    time: MediaTime,
    /// How long it lasts if nothing follows.
    length: Duration,
    key: bool,
    payload: Bytes,
}

impl Track {
    pub(super) fn video(id: u32, params: &VideoParams) -> Result<Self, WriteError> {
        let unsupported = |codec: String| WriteError::UnsupportedCodec { codec };
        if params.family() != VideoCodec::Av1 {
            return Err(unsupported(params.codec.clone()));
        }
        let (Ok(width), Ok(height)) = (params.width.try_into(), params.height.try_into()) else {
            return Err(unsupported(format!(
                "av01 of {}x{}",
                params.width, params.height
            )));
        };
        let config = params
            .config
            .as_ref()
            .and_then(|body| Av1Config::decode(body).ok());
        let config = config.filter(|config| !config.sequence_header.is_empty());
        let index = RandomAccess {
            track_id: id,
            entries: Vec::new(),
        };
        Ok(Self::new(
            id,
            Media::Video {
                width,
                height,
                config,
                index,
            },
        ))
    }

    pub(super) fn audio(id: u32, params: &AudioParams) -> Result<Self, WriteError> {
        if params.family() != AudioCodec::Opus || !(1..=2).contains(&params.channels) {
            let codec = format!("{} of {} channels", params.codec, params.channels);
            return Err(WriteError::UnsupportedCodec { codec });
        }
        let media = Media::Audio {
            channels: params.channels,
            pre_skip: params.pre_skip,
            end: None,
        };
        Ok(Self::new(id, media))
    }

    const fn new(id: u32, media: Media) -> Self {
        Self {
            id,
            media,
            waiting: VecDeque::new(),
            buffered: 0,
            last: None,
            origin: None,
            end: 0,
        }
    }

    pub(super) fn push(&mut self, frame: EncodedFrame, pauses: Pauses) -> Result<(), WriteError> {
        if let Some(last) = self.last
            && frame.time <= last
        {
            return Err(WriteError::OutOfOrder {
                last,
                got: frame.time,
            });
        }
        let (start, length, payload) = match self.media {
            Media::Video { .. } => {
                if self.last.is_none() {
                    self.start_video(&frame)?;
                }
                let payload = av1::strip_temporal_delimiters(&frame.payload)?;
                (frame.time, self.video_length(&frame), payload)
            }
            Media::Audio { end, .. } => {
                let samples = opus::packet_samples(&frame.payload)
                    .ok_or(WriteError::NoOpus(frame.payload.len()))?;
                let length = Duration::from_micros(u64::from(samples) * 125 / 6);
                let mut start = audio_start(end, frame.time, length)?;
                if pauses == Pauses::Silence {
                    self.fill(start, Grain::Fine);
                    start = self
                        .audio_end()
                        .map_or(Ok(start), |end| audio_start(Some(end), start, length))?;
                }
                (start, length, frame.payload)
            }
        };
        self.last = Some(frame.time);
        self.wait(Waiting {
            time: start,
            length,
            key: frame.key,
            payload,
        });
        Ok(())
    }

    fn wait(&mut self, sample: Waiting) {
        if let Media::Audio { end, .. } = &mut self.media {
            *end = Some(sample.time + sample.length);
        }
        self.buffered += sample.payload.len();
        self.waiting.push_back(sample);
    }

    /// Fills a pause of a started audio track up to `until`.
    pub(super) fn fill_pause(&mut self, until: MediaTime) {
        self.fill(until, Grain::Coarse);
    }

    fn fill(&mut self, until: MediaTime, grain: Grain) {
        let Some(end) = self.audio_end() else { return };
        for packet in silence(end, until, grain) {
            let (time, length, payload) = (packet.start, packet.length, packet.payload);
            self.wait(Waiting {
                time,
                length,
                key: true,
                payload,
            });
        }
    }

    const fn audio_end(&self) -> Option<MediaTime> {
        match self.media {
            Media::Audio { end, .. } => end,
            Media::Video { .. } => None,
        }
    }

    /// Learns from the first frame, which must be a key frame, what the header has to say.
    fn start_video(&mut self, frame: &EncodedFrame) -> Result<(), WriteError> {
        if !frame.key {
            return Err(WriteError::NeedsKeyFrame(frame.time));
        }
        match (Av1Config::from_key_frame(&frame.payload), &mut self.media) {
            (
                Ok((found, header)),
                Media::Video {
                    width,
                    height,
                    config,
                    ..
                },
            ) if self.origin.is_none() => {
                *config = Some(found);
                *width = header.max_width.try_into().unwrap_or(*width);
                *height = header.max_height.try_into().unwrap_or(*height);
            }
            (Ok(_) | Err(ObuError::NoSequenceHeader), _) => {}
            (Err(error), _) => return Err(error.into()),
        }
        Ok(())
    }

    /// What the frame says, or what the one before lasted.
    fn video_length(&self, frame: &EncodedFrame) -> Duration {
        let before = self.last.map(|last| frame.time.saturating_since(last));
        frame
            .duration
            .or(before)
            .unwrap_or(USUAL_FRAME)
            .min(LONGEST_FRAME)
    }

    pub(super) fn oldest(&self) -> Option<MediaTime> {
        self.waiting.front().map(|sample| sample.time)
    }

    pub(super) const fn buffered(&self) -> usize {
        self.buffered
    }

    pub(super) fn describe(&mut self) -> Description<'_> {
        match &mut self.media {
            Media::Video {
                width,
                height,
                config,
                ..
            } => {
                let (width, height) = (*width, *height);
                let assumed = || Av1Config::assumed(width.into(), height.into());
                Description::Video {
                    width,
                    height,
                    config: config.get_or_insert_with(assumed),
                }
            }
            Media::Audio {
                channels, pre_skip, ..
            } => Description::Audio {
                channels: *channels,
                pre_skip: *pre_skip,
            },
        }
    }

    /// The header is written; `origin` is zero.
    pub(super) const fn place(&mut self, origin: MediaTime) {
        self.origin = Some(origin);
    }

    /// When what was written ends, from zero.
    pub(super) fn end(&self) -> MediaTime {
        MediaTime::from_ticks(
            i64::try_from(self.end).unwrap_or(i64::MAX),
            self.timescale(),
        )
    }

    pub(super) const fn index_mut(&mut self) -> Option<&mut RandomAccess> {
        match &mut self.media {
            Media::Video { index, .. } => Some(index),
            Media::Audio { .. } => None,
        }
    }

    pub(super) fn take_index(&mut self) -> Option<RandomAccess> {
        let id = self.id;
        let index = self.index_mut()?;
        Some(std::mem::replace(
            index,
            RandomAccess {
                track_id: id,
                entries: Vec::new(),
            },
        ))
    }

    /// Takes the samples for a fragment, in runs without pause. Without its successor a video
    /// sample is taken only when it is older than `give_up`, or with [`Cut::All`].
    pub(super) fn take(&mut self, cut: Cut, give_up: MediaTime) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        while let Some(sample) = self.next_sample(cut, give_up) {
            let follows = runs.last().is_some_and(|_| sample.start == self.end);
            self.end = sample.start + u64::from(sample.duration);
            match runs.last_mut() {
                Some(run) if follows => run.samples.push(sample),
                _ => runs.push(Run {
                    track_id: self.id,
                    samples: vec![sample],
                }),
            }
        }
        runs
    }

    fn next_sample(&mut self, cut: Cut, give_up: MediaTime) -> Option<Sample> {
        let first = self.waiting.front()?;
        let next = self.waiting.get(1).map(|next| self.ticks(next.time));
        if matches!(self.media, Media::Video { .. })
            && next.is_none()
            && cut == Cut::Known
            && first.time >= give_up
        {
            return None;
        }
        let start = self.ticks(first.time).max(self.end);
        let length = self.length_ticks(first.length);
        let duration = match self.media {
            // A picture is seen until the next one; sound lasts as long as it lasts.
            Media::Video { .. } => next.map_or(length, |next| next.saturating_sub(start)),
            Media::Audio { .. } => length,
        };
        let sample = self.waiting.pop_front()?;
        self.buffered -= sample.payload.len();
        Some(Sample {
            start,
            duration: u32::try_from(duration.max(1)).unwrap_or(u32::MAX),
            key: sample.key,
            payload: sample.payload,
        })
    }

    const fn timescale(&self) -> Timescale {
        match self.media {
            Media::Video { .. } => Timescale::MICROS,
            Media::Audio { .. } => Timescale::AUDIO_48K,
        }
    }

    fn ticks(&self, time: MediaTime) -> u64 {
        let origin = self.origin.unwrap_or(MediaTime::ZERO);
        let since = MediaTime::from_micros(time.signed_since(origin));
        u64::try_from(since.to_ticks(self.timescale())).unwrap_or(0)
    }

    fn length_ticks(&self, length: Duration) -> u64 {
        u64::try_from((MediaTime::ZERO + length).to_ticks(self.timescale())).unwrap_or(0)
    }
}

/// Where a packet starts: at the end of the one before, but for a pause.
fn audio_start(
    end: Option<MediaTime>,
    time: MediaTime,
    length: Duration,
) -> Result<MediaTime, WriteError> {
    let Some(end) = end else { return Ok(time) };
    if end.saturating_since(time) > length {
        return Err(WriteError::Overlap { end, got: time });
    }
    // Small steps of the clock are rounding or jitter.
    if time.saturating_since(end) <= AUDIO_JITTER {
        Ok(end)
    } else {
        Ok(time)
    }
}

const USUAL_FRAME: Duration = Duration::from_micros(33_333);
const LONGEST_FRAME: Duration = Duration::from_secs(1);
const AUDIO_JITTER: Duration = Duration::from_millis(5);
