//! Fragmented MP4: made by ffmpeg, taken apart, and compared by ffprobe.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, bail, ensure};
use tokio::process::Command;

/// Pictures a group of the clip has.
pub const GROUP: usize = 30;
/// Groups that the clip has.
pub const GROUPS: usize = 4;

/// A fragmented MP4 in its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clip {
    /// The boxes `ftyp` and `moov`.
    pub head: Vec<u8>,
    /// One picture or one packet of sound each.
    pub fragments: Vec<Fragment>,
}

/// The boxes `moof` and `mdat` that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The number of the track that it is of.
    pub track: u32,
    /// Both boxes, whole.
    pub bytes: Vec<u8>,
}

/// What ffprobe tells of one packet.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// When it is shown, seconds.
    pub time: f64,
    /// Whether decoding can begin with it.
    pub key: bool,
    /// Bytes.
    pub size: String,
    /// Of the bytes.
    pub hash: String,
}

impl Clip {
    /// Makes four seconds of H.264 and AAC from the real clips in the folder `clips`, with a key
    /// picture every [`GROUP`] pictures and a fragment for each packet.
    pub async fn make(clips: &Path, folder: &Path) -> anyhow::Result<Self> {
        let speech = std::fs::read_dir(clips.join("fr"))
            .context("no clips; run `make clips`")?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter_map(|path| Some((path.metadata().ok()?.len(), path)))
            .max()
            .context("no speech among the clips; run `make clips`")?
            .1;
        let path = folder.join("clip.mp4");
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-y", "-i"]);
        command.arg(clips.join("bikes.y4m")).arg("-i").arg(speech);
        command.args(["-t", "4", "-vf", "scale=320:180", "-c:v", "libx264"]);
        command.args(["-preset", "veryfast", "-bf", "0", "-pix_fmt", "yuv420p"]);
        command.args(["-g", &GROUP.to_string(), "-sc_threshold", "0"]);
        // The encoder's delay goes before nothing: both tracks begin at zero.
        command.args(["-c:a", "aac", "-b:a", "64k", "-af", "asetpts=N+1024"]);
        command.args(["-use_editlist", "0", "-frag_duration", "1", "-movflags"]);
        command.arg("empty_moov+separate_moof+omit_tfhd_offset+skip_trailer");
        command.arg(&path);
        run(command).await?;
        let clip = Self::read(&std::fs::read(&path)?)?;
        let pictures = clip.tracks().values().next().map_or(0, Vec::len);
        ensure!(
            pictures == GROUP * GROUPS,
            "ffmpeg made {pictures} pictures"
        );
        Ok(clip)
    }

    /// Takes apart what is whole of `bytes`, which may end anywhere.
    pub fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let mut clip = Self::default();
        let mut opened: Option<Fragment> = None;
        let mut rest = bytes;
        while let Some((kind, whole)) = next_box(rest)? {
            rest = &rest[whole.len()..];
            match kind {
                b"ftyp" | b"moov" if clip.fragments.is_empty() => {
                    clip.head.extend_from_slice(whole);
                }
                b"moof" if opened.is_none() => {
                    opened = Some(Fragment {
                        track: track_of(&whole[8..])?,
                        bytes: whole.to_vec(),
                    });
                }
                b"mdat" => {
                    let mut fragment = opened.take().context("an mdat without its moof")?;
                    fragment.bytes.extend_from_slice(whole);
                    clip.fragments.push(fragment);
                }
                _ => bail!("an unexpected box {}", kind.escape_ascii()),
            }
        }
        Ok(clip)
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head.clone();
        for fragment in &self.fragments {
            bytes.extend_from_slice(&fragment.bytes);
        }
        bytes
    }

    /// Where the picture `number` is among the fragments.
    pub fn picture(&self, number: usize) -> anyhow::Result<usize> {
        let first = self.fragments.iter().map(|fragment| fragment.track).min();
        let pictures = self.fragments.iter().enumerate();
        pictures
            .filter(|(_, fragment)| Some(fragment.track) == first)
            .nth(number)
            .map(|(index, _)| index)
            .context("too few pictures")
    }

    /// The fragments of each track, in order.
    pub fn tracks(&self) -> BTreeMap<u32, Vec<&[u8]>> {
        let mut tracks = BTreeMap::<u32, Vec<&[u8]>>::new();
        for fragment in &self.fragments {
            tracks
                .entry(fragment.track)
                .or_default()
                .push(&fragment.bytes);
        }
        tracks
    }
}

/// What ffprobe reads in the file `bytes`: the packets of each stream, by its codec's name.
pub async fn packets(bytes: &[u8], folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<Packet>>> {
    let path = folder.join("probed.mp4");
    std::fs::write(&path, bytes)?;
    let mut command = Command::new("ffprobe");
    command.args([
        "-v",
        "error",
        "-show_data_hash",
        "md5",
        "-of",
        "compact=p=0",
    ]);
    command.args(["-show_entries", "stream=index,codec_name"]);
    command.args([
        "-show_entries",
        "packet=stream_index,pts_time,size,flags,data_hash",
    ]);
    command.arg(&path);
    let mut names = BTreeMap::new();
    let mut packets = Vec::new();
    for line in run(command).await?.lines() {
        let fields: BTreeMap<&str, &str> = line
            .split('|')
            .filter_map(|field| field.split_once('='))
            .collect();
        let field = |name: &str| {
            let value = fields.get(name).map(|value| (*value).to_owned());
            value.with_context(|| format!("ffprobe tells no {name}: {line}"))
        };
        if fields.contains_key("codec_name") {
            names.insert(field("index")?, field("codec_name")?);
        } else if fields.contains_key("stream_index") {
            let packet = Packet {
                time: field("pts_time")?.parse()?,
                key: field("flags")?.starts_with('K'),
                size: field("size")?,
                hash: field("data_hash")?,
            };
            packets.push((field("stream_index")?, packet));
        }
    }
    let mut streams = BTreeMap::<String, Vec<Packet>>::new();
    for (index, packet) in packets {
        let name = names.get(&index).context("a packet of no stream")?;
        streams.entry(name.clone()).or_default().push(packet);
    }
    Ok(streams)
}

async fn run(mut command: Command) -> anyhow::Result<String> {
    let output = command.kill_on_drop(true).output().await;
    let output = output.context("ffmpeg is not installed; run `make packages`")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && errors.is_empty(),
        "{}: {} {errors}",
        command.as_std().get_program().display(),
        output.status
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// The first box of `bytes`, if it is whole.
fn next_box(bytes: &[u8]) -> anyhow::Result<Option<(&[u8; 4], &[u8])>> {
    let Some((size, rest)) = bytes.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let Some(kind) = rest.first_chunk::<4>() else {
        return Ok(None);
    };
    let size = u32::from_be_bytes(*size) as usize;
    ensure!(size >= 8, "a box {} of {size} bytes", kind.escape_ascii());
    Ok(bytes.get(..size).map(|whole| (kind, whole)))
}

/// The track that the content of a `moof` is of.
fn track_of(moof: &[u8]) -> anyhow::Result<u32> {
    let traf = child(moof, *b"traf")?;
    // Version and flags come first.
    let number = child(traf, *b"tfhd")?.get(4..8).context("a short tfhd")?;
    Ok(u32::from_be_bytes(number.try_into()?))
}

fn child(mut bytes: &[u8], wanted: [u8; 4]) -> anyhow::Result<&[u8]> {
    while let Some((kind, whole)) = next_box(bytes)? {
        if *kind == wanted {
            return Ok(&whole[8..]);
        }
        bytes = &bytes[whole.len()..];
    }
    bail!("no box {}", wanted.escape_ascii())
}
