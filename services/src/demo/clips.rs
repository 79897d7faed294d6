use std::path::{Path, PathBuf};

use anyhow::Context;
use parvis::{
    codec::FrameRate,
    source::{self, MediaSource},
};

/// Pictures of the first participants; later ones show generated ones.
const VIDEOS: [&str; 3] = ["carphone.y4m", "bikes.y4m", "screen.y4m"];

/// Every participant's pictures a second, whatever the clip has.
const RATE: FrameRate = FrameRate::whole(30);

/// What a generated participant shows.
const GENERATED: &str = "test:640x360@30";

/// Prompts that one participant speaks, one after the other.
const PROMPTS: usize = 12;

/// Where the clips are unless the command line says otherwise.
pub fn default_folder() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|p| p.is_absolute());
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("parvis/clips"))
}

/// What a participant shows and says.
pub struct Clip {
    /// For people: what it is.
    pub label: String,
    /// Pictures and sound.
    pub media: MediaSource,
}

/// The clip of the participant with that number: real video and speech where they are, generated
/// ones otherwise.
pub fn clip(folder: Option<&Path>, number: usize) -> anyhow::Result<Clip> {
    let real = VIDEOS.get(number).and_then(|name| Some(folder?.join(name)));
    let real = real.filter(|path| path.is_file());
    let source = real
        .as_ref()
        .map_or(GENERATED.to_owned(), |path| path.display().to_string());
    let mut media = source::open(&source).context("a clip of the demonstration")?;
    media.set_rate(RATE);
    let speech = folder
        .map(|folder| prompts(&folder.join("fr"), number))
        .unwrap_or_default();
    let sound = if speech.is_empty() {
        "a tone"
    } else {
        media.set_speech(&speech)?;
        "speech"
    };
    let pictures = if real.is_some() {
        VIDEOS[number]
    } else {
        "a test picture"
    };
    Ok(Clip {
        label: format!("{pictures} and {sound}"),
        media,
    })
}

/// Every n-th prompt, other ones for each participant.
fn prompts(folder: &Path, number: usize) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "wav"))
        .collect();
    files.sort();
    files
        .into_iter()
        .skip(number * PROMPTS)
        .take(PROMPTS)
        .collect()
}
