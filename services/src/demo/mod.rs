//! A meeting on this machine, with real encoders and figures: of the whole service, or of a relay alone
//! with a recorder.

mod clips;
mod demo_relay;
mod figures;
mod meeting;
mod participant;
mod person;
mod recorder;
mod story;
mod summary;
mod table;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use parvis::{Draft, ParticipantName, RoomName, Trust};
use serde_json::json;
use tokio::{sync::watch, task::JoinSet};

use self::{
    demo_relay::DemoRelay,
    figures::{Figures, Row},
    participant::Place,
    summary::Summary,
    table::Table,
};
use crate::{
    cli::{DraftArg, EncoderArg},
    output::{Output, one_line},
    stop::stop,
};

/// What `parvis demo` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// How long they talk
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = humantime::parse_duration)]
    pub duration: Duration,
    /// Show no meeting but the relay alone, with recordings of who is there
    #[arg(long)]
    pub relay_only: bool,
    /// How many participants there are with --relay-only
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=8))]
    pub participants: u8,
    /// Where the recordings and the summary are written
    #[arg(long, value_name = "FOLDER", default_value = "parvis-demo")]
    pub out: PathBuf,
    /// Where carphone.y4m, bikes.y4m, screen.y4m and fr/*.wav are [default: the cache folder]
    #[arg(long, value_name = "FOLDER")]
    pub clips: Option<PathBuf>,
    /// Use generated pictures and sound even where clips are
    #[arg(long)]
    pub generated: bool,
    /// The video encoder with --relay-only
    #[arg(long, value_enum, default_value_t = EncoderArg::Aom)]
    pub codec: EncoderArg,
    /// Speak only this draft of MoQ Transport with --relay-only
    #[arg(long, value_enum)]
    pub draft: Option<DraftArg>,
    /// Meet at this relay instead of one of the demonstration's own; trusts any certificate
    #[arg(long, value_name = "URL", requires = "relay_only")]
    pub relay: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  parvis demo
  parvis demo --json | tail -1
  parvis demo --relay-only --duration 60s --participants 4 --out /tmp/meeting
Two agents and three guests hold a meeting of the whole service; each step is shown when it is so.
The exit code is not zero if one did not happen, or anyone did not see and hear everyone.";

/// How often the table is drawn on a terminal, and told in JSON.
const REFRESH: Duration = Duration::from_secs(1);

/// The names, in turn.
const NAMES: [&str; 8] = [
    "alice", "bruno", "chloe", "david", "emma", "felix", "gina", "hugo",
];

/// Everything that the participants of a demonstration share.
pub struct Meeting {
    url: String,
    room: RoomName,
    trust: Trust,
    drafts: Vec<Draft>,
    names: Vec<ParticipantName>,
    encoder: parvis::codec::VideoEncoderChoice,
    figures: Mutex<Vec<Figures>>,
}

impl Meeting {
    /// Changes what `viewer` has seen of `publisher`.
    fn note(&self, viewer: &str, publisher: &str, change: impl FnOnce(&mut Figures)) {
        let mut all = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(figures) = all
            .iter_mut()
            .find(|f| f.viewer == viewer && f.publisher == publisher)
        {
            change(figures);
        }
    }

    fn rows(&self, recent: bool) -> Vec<Row> {
        let mut all = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter_mut().map(|figures| figures.row(recent)).collect()
    }

    fn total(&self) -> (f64, f64) {
        let all = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        figures::total(&all.iter().collect::<Vec<_>>())
    }
}

/// Runs the demonstration.
pub async fn run(args: DemoArgs, output: &Output) -> anyhow::Result<()> {
    if args.relay_only {
        run_relay_only(args, output).await
    } else {
        meeting::run(&args, output).await
    }
}

async fn run_relay_only(args: DemoArgs, output: &Output) -> anyhow::Result<()> {
    fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make {}: choose another --out", args.out.display()))?;
    let relay = match &args.relay {
        Some(_) => None,
        None => Some(DemoRelay::start()?),
    };
    let (url, trust) = match (&args.relay, &relay) {
        (Some(url), _) => (url.clone(), Trust::Anyone),
        (None, Some(relay)) => (relay.url(), Trust::Fingerprint(relay.fingerprint())),
        (None, None) => bail!("there is no relay"),
    };
    let names: Vec<ParticipantName> = NAMES
        .iter()
        .take(usize::from(args.participants))
        .map(|name| ParticipantName::new(name))
        .collect::<Result<_, _>>()?;
    forget_earlier(&args.out)?;
    let pairs = names.iter().flat_map(|viewer| {
        let others = names.iter().filter(move |publisher| *publisher != viewer);
        others.map(|publisher| Figures::new(viewer.as_str(), publisher.as_str()))
    });
    let meeting = Arc::new(Meeting {
        room: RoomName::new(&format!("demo-{}", std::process::id()))?,
        drafts: args
            .draft
            .map_or_else(|| Draft::ALL.to_vec(), |draft| vec![draft.into()]),
        encoder: args.codec.into(),
        figures: Mutex::new(pairs.collect()),
        url,
        trust,
        names,
    });
    let result = hold(&args, &meeting, output).await;
    if let Some(relay) = relay {
        relay.stop().await?;
    }
    result
}

/// Removes what an earlier run left, so that nothing in the folder is taken for this one's.
fn forget_earlier(folder: &Path) -> anyhow::Result<()> {
    let recordings = NAMES.iter().map(|name| format!("{name}.mp4"));
    for file in recordings.chain([summary::FILE.to_owned()]) {
        let path = folder.join(file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let path = path.display();
                return Err(error).with_context(|| format!("cannot replace {path}"));
            }
            _ => {}
        }
    }
    Ok(())
}

async fn hold(args: &DemoArgs, meeting: &Arc<Meeting>, output: &Output) -> anyhow::Result<()> {
    let folder = args
        .clips
        .clone()
        .or_else(clips::default_folder)
        .filter(|_| !args.generated);
    let (leave, leaving) = watch::channel(false);
    let mut people = JoinSet::new();
    for (number, name) in meeting.names.iter().enumerate() {
        let clip = clips::clip(folder.as_deref(), number)?;
        output.event(
            "joining",
            &format!(
                "{name} joins {} at {} with {}",
                meeting.room, meeting.url, clip.label
            ),
            &json!({ "name": name.as_str(), "clip": clip.label }),
        );
        let place = Place {
            meeting: Arc::clone(meeting),
            number,
            leaving: leaving.clone(),
        };
        people.spawn(participant::run(place, clip.media));
    }
    let recorder = recorder::run(Arc::clone(meeting), args.out.clone(), leaving.clone());
    let recorder = tokio::spawn(recorder);

    let ended = show(args, meeting, &mut people, output).await;
    // Nobody listens when all have failed.
    let _ = leave.send(true);
    let rows = meeting.rows(false);
    let recordings = recorder.await.context("the recorder")??;
    let mut failures: Vec<String> = ended?;
    while let Some(left) = people.join_next().await {
        if let Err(error) = left.map_err(anyhow::Error::from).and_then(|result| result) {
            failures.push(one_line(&error));
        }
    }
    let summary = Summary::new(meeting, args, rows, recordings, failures);
    summary.write(&args.out)?;
    output.event("summary", &summary.describe(), &summary);
    summary.verdict()
}

/// Draws the table until the meeting is over; returns what went wrong on the way.
async fn show(
    args: &DemoArgs,
    meeting: &Meeting,
    people: &mut JoinSet<anyhow::Result<()>>,
    output: &Output,
) -> anyhow::Result<Vec<String>> {
    let table = if output.is_json() {
        Table::none()
    } else {
        Table::new(meeting.rows(true).len())
    };
    let started = Instant::now();
    let mut refresh = tokio::time::interval(REFRESH);
    let end = stop(Some(args.duration));
    tokio::pin!(end);
    let mut failures = Vec::new();
    loop {
        tokio::select! {
            _ = refresh.tick() => {
                let rows = meeting.rows(true);
                let left = args.duration.saturating_sub(started.elapsed()).as_secs();
                let title =
                    format!("room {} at {}, {left} s left, Ctrl-C ends it", meeting.room, meeting.url);
                table.draw(&title, &rows);
                if output.is_json() {
                    output.progress("", &json!({ "rows": rows }));
                }
            }
            _ = &mut end => break,
            Some(left) = people.join_next() => {
                if let Err(error) = left.map_err(anyhow::Error::from).and_then(|result| result) {
                    failures.push(one_line(&error));
                    break;
                }
            }
        }
    }
    table.clear();
    Ok(failures)
}
