use bytes::Bytes;
use mp4_atom::{
    Co64, Ctts, Dops, Elst, Hdlr, Mdhd, Mehd, Mvhd, Stco, Stsc, Stss, Stsz, Stts, Tkhd, Trex,
    Visual,
};

use super::{ReadError, SampleRef, Track, TrackParams, UnsupportedTrack, table::SampleTable};
use crate::{
    AudioParams, MediaKind, MediaTime, Timescale, VideoParams, av1::Av1Config, mp4::boxes::Child,
};

/// What `moov` says.
#[derive(Debug)]
pub(super) struct Movie {
    pub tracks: Vec<Track>,
    /// As many as tracks, in the same order.
    pub sources: Vec<Source>,
    pub unsupported: Vec<UnsupportedTrack>,
    /// Where the fragments end, if it says so.
    pub duration: Option<MediaTime>,
    /// Where fragments may start.
    pub fragments_at: Option<u64>,
}

/// Where a track's samples are, and how their times are told.
#[derive(Debug)]
pub(super) struct Source {
    pub id: u32,
    pub timescale: Timescale,
    pub table: SampleTable,
    pub defaults: Trex,
    pub sequence_header: Bytes,
    /// Ticks that the edit list skips, less the decoder's delay.
    skipped: i64,
    /// What the edit list leaves empty at the start.
    delay: MediaTime,
}

impl Source {
    pub(super) fn decode_time(&self, decode: u64) -> MediaTime {
        self.time(i64::try_from(decode).unwrap_or(i64::MAX))
    }

    pub(super) fn presentation_time(&self, sample: &SampleRef) -> MediaTime {
        let decode = i64::try_from(sample.decode).unwrap_or(i64::MAX);
        self.time(decode.saturating_add(sample.composition))
    }

    fn time(&self, ticks: i64) -> MediaTime {
        let time = MediaTime::from_ticks(ticks.saturating_sub(self.skipped), self.timescale);
        MediaTime::from_micros(time.as_micros().saturating_add(self.delay.as_micros()))
    }
}

impl Movie {
    /// end: where `moov` ends in the file.
    pub(super) fn parse(moov: Child<'_>, end: u64) -> Result<Self, ReadError> {
        let mvhd = moov.required(*b"mvhd")?;
        let movie_timescale = timescale(mvhd, mvhd.decode::<Mvhd>()?.timescale)?;
        let mvex = moov.child(*b"mvex")?;
        let mut movie = Self {
            tracks: Vec::new(),
            sources: Vec::new(),
            unsupported: Vec::new(),
            duration: fragments_duration(mvex, movie_timescale)?,
            fragments_at: mvex.map(|_| end),
        };
        for trak in moov.children(0) {
            let trak = trak?;
            if &trak.kind != b"trak" {
                continue;
            }
            if movie.tracks.len() + movie.unsupported.len() == MAX_TRACKS {
                return Err(moov.malformed(format!("it has more than {MAX_TRACKS} tracks")));
            }
            match parse_track(trak, mvex, movie_timescale)? {
                Ok((track, source)) => {
                    movie.tracks.push(track);
                    movie.sources.push(source);
                }
                Err(unsupported) => movie.unsupported.push(unsupported),
            }
        }
        Ok(movie)
    }
}

fn fragments_duration(
    mvex: Option<Child<'_>>,
    movie_timescale: Timescale,
) -> Result<Option<MediaTime>, ReadError> {
    let mehd = mvex.map(|mvex| mvex.child(*b"mehd")).transpose()?.flatten();
    let Some(mehd) = mehd else { return Ok(None) };
    let ticks = mehd.decode::<Mehd>()?.fragment_duration;
    let ticks = i64::try_from(ticks).unwrap_or(i64::MAX);
    Ok((ticks > 0).then(|| MediaTime::from_ticks(ticks, movie_timescale)))
}

fn parse_track(
    trak: Child<'_>,
    mvex: Option<Child<'_>>,
    movie_timescale: Timescale,
) -> Result<Result<(Track, Source), UnsupportedTrack>, ReadError> {
    let id = trak.required(*b"tkhd")?.decode::<Tkhd>()?.track_id;
    let mdia = trak.required(*b"mdia")?;
    let handler = mdia.required(*b"hdlr")?.decode::<Hdlr>()?.handler;
    let kind = match handler.as_ref() {
        b"vide" => Some(MediaKind::Video),
        b"soun" => Some(MediaKind::Audio),
        _ => None,
    };
    let stbl = mdia.required(*b"minf")?.required(*b"stbl")?;
    let stsd = stbl.required(*b"stsd")?;
    // Version, flags and the number of entries come before the entries, of which one is read.
    let entry = stsd.children(8).next().transpose()?;
    let unsupported = |codec: String| Ok(Err(UnsupportedTrack { id, kind, codec }));
    let (params, sequence_header, delay) = match (kind, entry) {
        (Some(MediaKind::Video), Some(entry)) if &entry.kind == b"av01" => {
            let (params, config) = video(entry, stbl)?;
            (TrackParams::Video(params), config.sequence_header, 0)
        }
        (Some(MediaKind::Audio), Some(entry)) if &entry.kind == b"Opus" => {
            let dops: Dops = boxed(entry, AUDIO_FIELDS, *b"dOps")?.decode()?;
            if !(1..=2).contains(&dops.output_channel_count) || dops.channel_mapping.is_some() {
                return unsupported(format!("opus of {} channels", dops.output_channel_count));
            }
            let params = AudioParams {
                pre_skip: dops.pre_skip,
                ..AudioParams::opus(dops.output_channel_count)
            };
            (TrackParams::Audio(params), Bytes::new(), dops.pre_skip)
        }
        (_, Some(entry)) => return unsupported(crate::mp4::boxes::name(entry.kind)),
        (_, None) => return unsupported("no codec".to_owned()),
    };
    let mdhd = mdia.required(*b"mdhd")?;
    let timescale = timescale(mdhd, mdhd.decode::<Mdhd>()?.timescale)?;
    let (skipped, empty) = edits(trak)?;
    let delay = MediaTime::from_ticks(delay.into(), Timescale::AUDIO_48K).to_ticks(timescale);
    let source = Source {
        id,
        timescale,
        table: sample_table(stbl)?,
        defaults: defaults(mvex, id)?,
        sequence_header,
        skipped: skipped.saturating_sub(delay),
        delay: MediaTime::from_ticks(empty, movie_timescale),
    };
    Ok(Ok((
        Track {
            id,
            params: with_framerate(params, &source),
        },
        source,
    )))
}

fn video(entry: Child<'_>, stbl: Child<'_>) -> Result<(VideoParams, Av1Config), ReadError> {
    let mut fields = entry.body;
    let visual = <Visual as mp4_atom::Decode>::decode(&mut fields)
        .map_err(|error| entry.malformed(error.to_string()))?;
    let av1c = boxed(entry, VISUAL_FIELDS, *b"av1C")?;
    let config = Av1Config::decode(av1c.body).map_err(|error| av1c.malformed(error.to_string()))?;
    if visual.width == 0 || visual.height == 0 {
        return Err(stbl.malformed("its video has no width or height"));
    }
    let params = VideoParams {
        codec: config.codec_string(),
        width: visual.width.into(),
        height: visual.height.into(),
        framerate: None,
        bitrate: None,
        config: Some(Bytes::copy_from_slice(av1c.body)),
    };
    Ok((params, config))
}

/// The box in a sample entry, after its fields.
fn boxed(entry: Child<'_>, fields: usize, kind: [u8; 4]) -> Result<Child<'_>, ReadError> {
    for child in entry.children(fields) {
        let child = child?;
        if child.kind == kind {
            return Ok(child);
        }
    }
    Err(entry.malformed(format!("it has no {}", crate::mp4::boxes::name(kind))))
}

fn timescale(child: Child<'_>, ticks: u32) -> Result<Timescale, ReadError> {
    Timescale::new(ticks.into()).ok_or_else(|| child.malformed("its timescale is zero"))
}

/// What the edit list skips in ticks of the track, and leaves empty in ticks of the movie.
fn edits(trak: Child<'_>) -> Result<(i64, i64), ReadError> {
    let edts = trak.child(*b"edts")?;
    let Some(elst) = edts.map(|edts| edts.child(*b"elst")).transpose()?.flatten() else {
        return Ok((0, 0));
    };
    let mut empty = 0_i64;
    for entry in elst.decode::<Elst>()?.entries {
        match entry.media_time {
            None => {
                let duration = i64::try_from(entry.segment_duration).unwrap_or(i64::MAX);
                empty = empty.saturating_add(duration);
            }
            Some(start) => return Ok((i64::try_from(start).unwrap_or(i64::MAX), empty)),
        }
    }
    Ok((0, empty))
}

fn defaults(mvex: Option<Child<'_>>, track: u32) -> Result<Trex, ReadError> {
    for child in mvex.into_iter().flat_map(|mvex| mvex.children(0)) {
        let child = child?;
        if &child.kind == b"trex" {
            let trex: Trex = child.decode()?;
            if trex.track_id == track {
                return Ok(trex);
            }
        }
    }
    Ok(Trex::default())
}

fn sample_table(stbl: Child<'_>) -> Result<SampleTable, ReadError> {
    let sync = stbl
        .child(*b"stss")?
        .map(Child::decode::<Stss>)
        .transpose()?;
    let offsets = stbl
        .child(*b"ctts")?
        .map(Child::decode::<Ctts>)
        .transpose()?;
    let chunks = match (stbl.child(*b"co64")?, stbl.child(*b"stco")?) {
        (Some(co64), _) => co64.decode::<Co64>()?.entries,
        (None, Some(stco)) => stco
            .decode::<Stco>()?
            .entries
            .into_iter()
            .map(u64::from)
            .collect(),
        (None, None) => Vec::new(),
    };
    Ok(SampleTable {
        at: stbl.at,
        durations: stbl.required(*b"stts")?.decode::<Stts>()?.entries,
        offsets: offsets.unwrap_or_default().entries,
        sizes: stbl.required(*b"stsz")?.decode::<Stsz>()?.samples,
        runs: stbl.required(*b"stsc")?.decode::<Stsc>()?.entries,
        chunks,
        sync: sync.map(|stss| stss.entries),
    })
}

/// The mean rate of the samples that `moov` describes.
fn with_framerate(params: TrackParams, source: &Source) -> TrackParams {
    match params {
        TrackParams::Video(video) => {
            let framerate = source.table.mean_rate(source.timescale);
            TrackParams::Video(VideoParams { framerate, ..video })
        }
        audio @ TrackParams::Audio(_) => audio,
    }
}

const MAX_TRACKS: usize = 64;
/// Bytes of a sample entry before its boxes.
const VISUAL_FIELDS: usize = 78;
const AUDIO_FIELDS: usize = 28;
