//! A whole meeting on this machine: the service, two agents and three guests.

use std::{
    collections::BTreeMap,
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use parvis::meeting::VideoTarget;
use parvis_http::Operator;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    DemoArgs, clips,
    figures::{Figures, Row, total},
    person::{ALICE, BRUNO, CHLOE, DAVID, EMMA, Person},
    story::{Beat, END, GATE, LATE, LOBBY},
    table,
};
use crate::{
    api::SiteArgs,
    join::{hearing::Gauge, media::MediaArgs},
    output::Output,
    serve::{ServeArgs, Serving},
    stop::{Stop, stop},
};

/// In the order in which they come.
const CAST: [&str; 5] = [CHLOE, DAVID, ALICE, BRUNO, EMMA];
const BRUNOS_ADDRESS: &str = "bruno@example.org";
const PASSPHRASE: &str = "a passphrase of the demonstration";
/// What generated people show.
const CAMERA: &str = "test:640x360@15";
/// How long a code may take to be shown.
const CODE: Duration = Duration::from_secs(10);

type All = Arc<Mutex<Vec<Figures>>>;

/// Who is in, and what was shown so far.
struct Stage<'a> {
    link: String,
    clips: Option<PathBuf>,
    people: BTreeMap<&'static str, Person>,
    figures: All,
    shown: Vec<Value>,
    began: Instant,
    output: &'a Output,
}

/// Runs it; an error is the first thing that did not happen.
pub async fn run(args: &DemoArgs, output: &Output) -> anyhow::Result<()> {
    let folder = Folder::make()?;
    let (tell, mut codes) = mpsc::channel(8);
    let operator = Operator::new(move |text| {
        // More are shown than anybody asks for.
        let _ = tell.try_send(text.to_owned());
    });
    let serving = Serving::start(&service(&folder.0), operator).await?;
    let result = hold(args, &serving, &mut codes, output).await;
    serving.stop().await?;
    result
}

async fn hold(
    args: &DemoArgs,
    serving: &Serving,
    codes: &mut mpsc::Receiver<String>,
    output: &Output,
) -> anyhow::Result<()> {
    let site = serving.site.clone();
    let administrator = serving
        .administrator
        .as_ref()
        .context("a new service has no administrator")?;
    let body = json!({ "email": administrator.email, "passphrase": administrator.passphrase });
    let alice = token(&post(&site, "/api/v1/login", body).await?)?;
    let room = {
        let (site, alice) = (site.clone(), alice.clone());
        tokio::task::spawn_blocking(move || {
            client(&site)?
                .with_token(&alice)
                .send("POST", "/api/v1/rooms", &json!({}))
        })
        .await??
    };
    let link = room["url"]
        .as_str()
        .context("a room has a link")?
        .to_owned();
    let mut stage = Stage {
        clips: args
            .clips
            .clone()
            .or_else(clips::default_folder)
            .filter(|_| !args.generated),
        link,
        people: BTreeMap::new(),
        figures: All::default(),
        shown: Vec::new(),
        began: Instant::now(),
        output,
    };
    stage.show(&format!(
        "The service runs at {site}, its relay at {}",
        serving.relay_url
    ));
    stage.show(&format!(
        "Alice, its administrator, makes a room: {}",
        stage.link
    ));
    let bruno = account(&site, codes).await?;
    stage.show("Bruno makes an account, and proves his address by a code");
    let result = stage.play(args, alice, bruno).await;
    for (_, person) in std::mem::take(&mut stage.people) {
        // What went wrong before it is what counts.
        let left = person.leave().await;
        if result.is_ok() {
            left?;
        }
    }
    let rows = stage.rows();
    if result.is_ok() {
        stage.sum_up(args, &rows)?;
    }
    result
}

impl Stage<'_> {
    async fn play(&mut self, args: &DemoArgs, alice: String, bruno: String) -> anyhow::Result<()> {
        self.comes(CHLOE, None).await?;
        self.comes(DAVID, None).await?;
        self.act(GATE).await?;
        self.comes(ALICE, Some(alice)).await?;
        self.comes(BRUNO, Some(bruno)).await?;
        self.act(LOBBY).await?;
        self.comes(EMMA, None).await?;
        self.act(LATE).await?;
        let talk = humantime::format_duration(args.duration);
        self.show(&format!("They talk for {talk}"));
        if stop(Some(args.duration)).await == Stop::Signal {
            bail!("stopped");
        }
        self.check_that_all_see_all()?;
        self.act(END).await
    }

    async fn comes(&mut self, name: &'static str, login: Option<String>) -> anyhow::Result<()> {
        let others = CAST.into_iter().filter(|other| *other != name);
        let mine = others.map(|other| Figures::new(name, other));
        lock(&self.figures).extend(mine);
        let media = media(self.clips.as_deref(), name);
        let gauge = gauge(&self.figures, name);
        let person = Person::join(name, &self.link, login, media, gauge).await?;
        self.people.insert(name, person);
        Ok(())
    }

    async fn act(&mut self, beats: &[Beat]) -> anyhow::Result<()> {
        for beat in beats {
            let person = self.people.get(beat.who).context("who is that?")?;
            let done = person.perform(beat.line).await;
            done.with_context(|| format!("{}: {}", beat.who, beat.line))?;
            if !beat.shows.is_empty() {
                self.show(beat.shows);
            }
        }
        Ok(())
    }

    fn show(&mut self, text: &str) {
        let at = self.began.elapsed().as_secs_f64();
        let fields = json!({ "at_s": at, "text": text });
        self.output
            .event("step", &format!("{at:5.1} s  ✓ {text}"), &fields);
        self.shown.push(fields);
    }

    fn check_that_all_see_all(&self) -> anyhow::Result<()> {
        for row in self.rows() {
            if row.pictures == 0 {
                bail!("{} did not see {}", row.viewer, row.publisher);
            }
            if row.audio_packets == 0 {
                bail!("{} did not hear {}", row.viewer, row.publisher);
            }
        }
        Ok(())
    }

    fn rows(&self) -> Vec<Row> {
        lock(&self.figures)
            .iter_mut()
            .map(|figures| figures.row(false))
            .collect()
    }

    fn sum_up(&self, args: &DemoArgs, rows: &[Row]) -> anyhow::Result<()> {
        let (p50, p99) = total(&lock(&self.figures).iter().collect::<Vec<_>>());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let mut lines = vec![String::new(), table::HEAD.to_owned()];
        lines.extend(rows.iter().map(table::format));
        lines.push(format!(
            "all pictures, capture to decode: p50 {p50:.1} ms, p99 {p99:.1} ms, on {processors} processors"
        ));
        let summary = json!({
            "steps": self.shown,
            "rows": rows,
            "p50_ms": p50,
            "p99_ms": p99,
            "processors": processors,
        });
        let path = args.out.join(super::summary::FILE);
        fs::create_dir_all(&args.out)
            .and_then(|()| fs::write(&path, format!("{summary:#}\n")))
            .with_context(|| format!("cannot write {}: choose another --out", path.display()))?;
        self.output.event("summary", &lines.join("\n"), &summary);
        Ok(())
    }
}

fn gauge(all: &All, viewer: &'static str) -> Gauge {
    let place = |name: &str| CAST.iter().position(|other| *other == name);
    // The next one in the circle is shown large, the others small.
    let large = place(viewer).map(|at| CAST[(at + 1) % CAST.len()]);
    let (seen, heard) = (Arc::clone(all), Arc::clone(all));
    let note = move |all: &All, name: &str, change: &mut dyn FnMut(&mut Figures)| {
        let mut all = lock(all);
        if let Some(figures) = all
            .iter_mut()
            .find(|f| f.viewer == viewer && f.publisher == name)
        {
            change(figures);
        }
    };
    Gauge {
        target: Arc::new(move |name| {
            if large == Some(name) {
                VideoTarget::new(640, 360)
            } else {
                VideoTarget::new(320, 180)
            }
        }),
        saw: Arc::new(move |name, layer, picture, stats| {
            note(&seen, name, &mut |figures| {
                if !figures.watches(layer) {
                    figures.watch(layer);
                }
                figures.saw(picture, stats);
            });
        }),
        heard: Arc::new(move |name, sound| {
            note(&heard, name, &mut |figures| figures.heard(sound));
        }),
    }
}

fn lock(all: &All) -> std::sync::MutexGuard<'_, Vec<Figures>> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What somebody shows and says: real pictures and speech where they are.
fn media(clips: Option<&Path>, name: &str) -> MediaArgs {
    let number = CAST.iter().position(|other| *other == name).unwrap_or(0);
    let file = |name: &str| {
        let file = clips?.join(name);
        file.is_file().then(|| file.display().to_string())
    };
    let camera = ["carphone.y4m", "bikes.y4m"]
        .get(number)
        .and_then(|name| file(name));
    let speech = file(&format!("fr/{}.wav", 12 * number));
    let screen = file("screen.y4m");
    MediaArgs {
        camera: Some(camera.unwrap_or_else(|| CAMERA.to_owned())),
        microphone: Some(speech.unwrap_or_else(|| "test:".to_owned())),
        screen: Some(screen.unwrap_or_else(|| "test:1280x720@5".to_owned())),
        screen_sound: None,
        off: false,
    }
}

fn service(folder: &Path) -> ServeArgs {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    ServeArgs {
        admin_name: ALICE.to_owned(),
        admin_email: "alice@example.org".to_owned(),
        drain: Duration::ZERO,
        ..ServeArgs::local(folder.to_owned(), any, any)
    }
}

/// Makes Bruno's account; returns his login.
async fn account(site: &str, codes: &mut mpsc::Receiver<String>) -> anyhow::Result<String> {
    let body = json!({ "email": BRUNOS_ADDRESS, "name": BRUNO });
    let sent = post(site, "/api/v1/accounts", body).await?;
    let told = tokio::time::timeout(CODE, codes.recv()).await?;
    let told = told.context("the service shows no code")?;
    let code: String = told
        .split(' ')
        .find(|word| word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_digit()))
        .context("the service shows no code")?
        .to_owned();
    let body = json!({
        "proof": sent["proof"],
        "email": BRUNOS_ADDRESS,
        "code": code,
        "passphrase": PASSPHRASE,
    });
    token(&post(site, "/api/v1/accounts/proof", body).await?)
}

fn client(site: &str) -> anyhow::Result<crate::api::Api> {
    let nobody = SiteArgs {
        site: Some(site.to_owned()),
        ..SiteArgs::default()
    };
    nobody.anonymous()
}

async fn post(site: &str, path: &'static str, body: Value) -> anyhow::Result<Value> {
    let site = site.to_owned();
    tokio::task::spawn_blocking(move || client(&site)?.send("POST", path, &body)).await?
}

fn token(login: &Value) -> anyhow::Result<String> {
    let token = login["token"].as_str();
    Ok(token.context("a login has a token")?.to_owned())
}

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let random: [u8; 8] = crate::token::random()?;
        let name = format!("parvis-demo-{:016x}", u64::from_be_bytes(random));
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left over is in a folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}
