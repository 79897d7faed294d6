use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use parvis::{
    Participant, RemoteFrame, RemoteTrack, Room, TrackInfo, TrackKind,
    format::{
        AudioCodec, MediaTime, VideoCodec,
        mp4::{Options, TrackId, WriteError, Writer},
    },
};
use serde::Serialize;

/// A file that appears under its name when it is whole, and not before.
#[derive(Debug)]
pub struct OutFile {
    file: File,
    path: PathBuf,
    /// Where the bytes are until then; `None`: the name is a device, which is written to as it is.
    temporary: Option<PathBuf>,
}

impl OutFile {
    /// Opens a file for writing, next to the place it is to have.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        if special {
            if path.is_dir() {
                bail!("{} is a folder: give the name of a file", path.display());
            }
            let file = OpenOptions::new()
                .write(true)
                .open(path)
                .with_context(|| cannot(path))?;
            return Ok(Self {
                file,
                path: path.to_owned(),
                temporary: None,
            });
        }
        let Some(name) = path.file_name() else {
            bail!("{} is no file name", path.display());
        };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        let temporary = path.with_file_name(hidden);
        let file = File::create(&temporary).with_context(|| cannot(path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            temporary: Some(temporary),
        })
    }

    /// Gives the file its name, after its bytes are on the disk.
    fn publish(&mut self) -> io::Result<()> {
        if let Some(temporary) = &self.temporary {
            self.file.sync_all()?;
            fs::rename(temporary, &self.path)?;
            self.temporary = None;
        }
        Ok(())
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}

fn cannot(path: &Path) -> String {
    format!("cannot write {}: choose another --out", path.display())
}

/// What a recording holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Video frames.
    pub video_frames: u64,
    /// Audio packets.
    pub audio_frames: u64,
    /// Bytes of media.
    pub bytes: u64,
    /// Frames that did not come, or not in time.
    pub missing: u64,
    /// From the first to the last frame, milliseconds.
    pub duration_ms: u64,
}

/// Writes a participant's largest picture and sound into an MP4 file as they were encoded.
#[derive(Debug)]
pub struct Recording {
    video: Option<(RemoteTrack, TrackId)>,
    audio: Option<(RemoteTrack, TrackId)>,
    writer: Writer<BufWriter<File>>,
    file: OutFile,
    recorded: Recorded,
    span: Option<(MediaTime, MediaTime)>,
}

impl Recording {
    /// Subscribes to what is to be recorded.
    pub async fn start(room: &Room, from: &Participant, file: OutFile) -> anyhow::Result<Self> {
        let (video, audio) = choose(from);
        if video.is_none() && audio.is_none() {
            bail!(
                "{} publishes neither AV1 nor Opus: nothing can be recorded",
                from.name
            );
        }
        let output = BufWriter::new(file.file.try_clone()?);
        let mut writer = Writer::new(output, Options::default());
        let mut tracks = Vec::new();
        for info in [video, audio].into_iter().flatten() {
            let id = match &info.kind {
                TrackKind::Video(params) => writer.add_video(params)?,
                TrackKind::Audio(params) => writer.add_audio(params)?,
            };
            let track = room.subscribe(&from.name, &info.name).await?;
            tracks.push((track, id));
        }
        let take = |tracks: &mut Vec<(RemoteTrack, TrackId)>, video: bool| {
            let is_video = |(track, _): &(RemoteTrack, TrackId)| {
                matches!(track.info().kind, TrackKind::Video(_))
            };
            let place = tracks.iter().position(|entry| is_video(entry) == video)?;
            Some(tracks.remove(place))
        };
        let video = take(&mut tracks, true);
        let audio = take(&mut tracks, false);
        Ok(Self {
            video,
            audio,
            writer,
            file,
            recorded: Recorded::default(),
            span: None,
        })
    }

    /// The tracks that are recorded.
    pub fn tracks(&self) -> Vec<TrackInfo> {
        [&self.video, &self.audio]
            .into_iter()
            .flatten()
            .map(|(t, _)| t.info().clone())
            .collect()
    }

    /// Takes the next frame and writes it; false: every track has ended.
    ///
    /// Cancel safe: no frame is lost when it is dropped.
    pub async fn step(&mut self) -> anyhow::Result<bool> {
        let Self { video, audio, .. } = self;
        let next = tokio::select! {
            frame = next(video) => (frame, true),
            frame = next(audio) => (frame, false),
        };
        let (Some((frame, id)), is_video) = next else {
            return Ok(self.video.is_some() || self.audio.is_some());
        };
        self.write(frame, id, is_video)?;
        Ok(true)
    }

    fn write(&mut self, received: RemoteFrame, id: TrackId, video: bool) -> anyhow::Result<()> {
        let RemoteFrame { frame, gap, .. } = received;
        let (time, bytes) = (frame.time, frame.payload.len() as u64);
        self.recorded.missing = self.recorded.missing.saturating_add(gap);
        match self.writer.write(id, frame) {
            Ok(()) => {}
            Err(error @ (WriteError::Io(_) | WriteError::Failed)) => {
                return Err(explain(error, &self.file.path));
            }
            Err(error) => {
                tracing::debug!(%error, "a frame is left out of the recording");
                self.recorded.missing = self.recorded.missing.saturating_add(1);
                return Ok(());
            }
        }
        let (first, last) = self.span.get_or_insert((time, time));
        (*first, *last) = ((*first).min(time), (*last).max(time));
        self.recorded.duration_ms = last.saturating_since(*first).as_millis() as u64;
        self.recorded.bytes += bytes;
        let counter = if video {
            &mut self.recorded.video_frames
        } else {
            &mut self.recorded.audio_frames
        };
        *counter += 1;
        Ok(())
    }

    /// What was recorded so far.
    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// Ends the file and gives it its name. A recording of nothing leaves no file.
    pub fn finish(self) -> anyhow::Result<Recorded> {
        let Self {
            writer,
            mut file,
            recorded,
            ..
        } = self;
        if recorded.video_frames + recorded.audio_frames == 0 {
            bail!(
                "not one frame came: {} was not written",
                file.path.display()
            );
        }
        // A device such as a pipe cannot be gone back in.
        let ended = if file.temporary.is_some() {
            writer.finish_with_duration()
        } else {
            writer.finish()
        };
        ended.map_err(|error| explain(error, &file.path))?;
        file.publish().with_context(|| cannot(&file.path))?;
        Ok(recorded)
    }
}

async fn next(track: &mut Option<(RemoteTrack, TrackId)>) -> Option<(RemoteFrame, TrackId)> {
    let Some((remote, id)) = track else {
        return std::future::pending().await;
    };
    let id = *id;
    let frame = remote.next().await;
    if frame.is_none() {
        *track = None;
    }
    frame.map(|frame| (frame, id))
}

fn explain(error: WriteError, path: &Path) -> anyhow::Error {
    let full = matches!(&error, WriteError::Io(io) if io.kind() == io::ErrorKind::StorageFull);
    let advice = if full {
        format!(
            "the disk is full, {} was not written: free some space or choose another --out",
            path.display()
        )
    } else {
        format!("{} was not written", path.display())
    };
    anyhow::Error::new(error).context(advice)
}

/// The largest AV1 picture and the first Opus sound.
fn choose(participant: &Participant) -> (Option<TrackInfo>, Option<TrackInfo>) {
    let info = |name: &str| participant.track(name).cloned();
    let video = participant
        .video_tracks()
        .into_iter()
        .find(|(_, params)| params.family() == VideoCodec::Av1)
        .and_then(|(name, _)| info(name));
    let audio = participant
        .audio_tracks()
        .into_iter()
        .find(|(_, params)| params.family() == AudioCodec::Opus && params.channels <= 2)
        .and_then(|(name, _)| info(name));
    (video, audio)
}

impl Recorded {
    /// One line for people.
    pub fn describe(&self) -> String {
        let seconds = Duration::from_millis(self.duration_ms).as_secs_f64();
        let rate = if seconds > 0.0 {
            self.bytes as f64 * 8.0 / 1000.0 / seconds
        } else {
            0.0
        };
        format!(
            "{seconds:.1} s, {} pictures, {} audio packets, {rate:.0} kbit/s, {} missing",
            self.video_frames, self.audio_frames, self.missing
        )
    }
}
