//! A participant of a meeting in a terminal, or as a script says.

mod act;
mod board;
mod device;
pub mod hearing;
pub mod media;
pub mod script;
pub mod seat;
mod terminal;
mod told;
mod watching;

#[cfg(test)]
mod scenes;

use std::{
    fs,
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use parvis::meeting::{ErrorKind, JoinError, JoinOptions, Meeting, TicketError, TicketSource};
use serde_json::json;

pub use self::device::id as device_id;
use self::{
    hearing::Hearing,
    media::{Media, MediaArgs},
    script::Script,
    seat::Seat,
};
use crate::{
    api::{SavedLogin, SiteArgs, default_login_file, read_login, trimmed},
    cli::DraftArg,
    output::Output,
};

/// What `parvis join` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct JoinArgs {
    /// The room's link, or its code
    #[arg(value_name = "LINK")]
    pub room: String,
    /// How others see you, 1 to 50 characters [default: as the account that is signed in is called]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The meeting service of a bare code, as in https://meet.example; otherwise the one of the login
    #[arg(long, value_name = "URL", env = "PARVIS_SITE")]
    pub site: Option<String>,
    /// Join as the account of this file, which `parvis login` wrote [default: the one in the
    /// configuration folder, where it is for this service]
    #[arg(long, value_name = "FILE", env = "PARVIS_LOGIN")]
    pub login: Option<PathBuf>,
    /// Join as a guest, whoever is signed in
    #[arg(long)]
    pub guest: bool,
    /// What the service knows this device by [default: kept in the configuration folder]
    #[arg(long, value_name = "ID")]
    pub device: Option<String>,
    /// Microphone, camera and screen.
    #[command(flatten)]
    pub media: MediaArgs,
    /// Tell of the data that others send on this topic; several times for several
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Do what this file says, a command a line, then leave; - is standard input
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Say what happens line by line, on a terminal too
    #[arg(long)]
    pub plain: bool,
    /// How long the script waits for each thing
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub wait: Duration,
    /// Trust the relay's certificate that the authority in this PEM file signed
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Trust a service whose certificate the authority in this PEM file signed, and its relay
    #[arg(long = "site-ca", value_name = "FILE", env = "PARVIS_SITE_CA")]
    pub site_ca: Option<PathBuf>,
    /// Offer only this draft of MoQ Transport
    #[arg(long, value_enum)]
    pub draft: Option<DraftArg>,
    /// How long connecting may take
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// How long a connection that was lost is tried to be replaced; 0s: not at all
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = humantime::parse_duration)]
    pub reconnect: Duration,
}

const EXAMPLES: &str = "\
Examples:
  parvis join https://meet.example/abc-defg-hij --name Zoé --microphone test: --camera test:
  parvis join abc-defg-hij --site https://meet.example --name Zoé --guest
  parvis join abc-defg-hij --name Robot --script robot.txt --json
A script:
  wait within 1m connected
  say Bonjour !
  raise
  wait chat go on
  lower
The commands and keys: docs/join.md. There is no access to cameras, microphones and screens of this
machine so far: files and generators stand for them.";

/// The largest script.
const MAX_SCRIPT: u64 = 1 << 20;

/// Takes part in a meeting.
pub async fn run(args: JoinArgs, output: &Output) -> anyhow::Result<()> {
    let script = args.script.as_deref().map(read_script).transpose()?;
    let media = Media::new(args.media.clone())?;
    let login = args.account()?;
    let name = args.own_name(login.as_ref()).await?;
    let options = args.options(&name, login)?;
    let meeting = Meeting::join(&args.room, options)
        .await
        .map_err(|error| explain(error, &args.room))?;
    let state = meeting.state();
    output.event(
        "joining",
        &format!("Joining {} as {name}", state.code),
        &json!({ "code": state.code, "participant": state.me, "name": name }),
    );
    let mut topics = args.topics.clone();
    topics.extend(script.iter().flat_map(Script::topics));
    let seat = Seat::new(meeting, media, Hearing::default(), Some(output)).with_topics(topics);
    match script {
        Some(script) => seat.follow(&script, args.wait).await,
        None if args.is_interactive(output) => seat.attend().await,
        None => seat.watch().await,
    }
}

impl JoinArgs {
    /// Whether somebody sits at a terminal.
    fn is_interactive(&self, output: &Output) -> bool {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        terminal && !self.plain && !output.is_json()
    }

    /// The login that counts: the one that is given, or the kept one where it is for this site.
    fn account(&self) -> anyhow::Result<Option<SavedLogin>> {
        if self.guest {
            return Ok(None);
        }
        let site = link_site(&self.room).or(self.site.as_deref());
        // What a site is shown is for no other one.
        let other = |login: &SavedLogin| site.filter(|site| trimmed(site) != trimmed(&login.site));
        if let Some(file) = &self.login {
            let login = read_login(file)?;
            if let Some(site) = other(&login) {
                let (file, known) = (file.display(), &login.site);
                bail!(
                    "the login {file} is for {known}, not for {site}: sign in there with `parvis login --site {site}`"
                );
            }
            return Ok(Some(login));
        }
        let kept = default_login_file().ok().filter(|file| file.is_file());
        let login = kept.map(|file| read_login(&file)).transpose()?;
        Ok(login.filter(|login| other(login).is_none()))
    }

    /// What is said on the command line, or how the account is called.
    async fn own_name(&self, login: Option<&SavedLogin>) -> anyhow::Result<String> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let Some(login) = login else {
            bail!("how do others see you? Give --name, or sign in with `parvis login`");
        };
        let site = SiteArgs {
            site_ca: self.site_ca.clone(),
            ..SiteArgs::default()
        };
        let api = site.with_login(login)?;
        let me = tokio::task::spawn_blocking(move || api.get("/api/v1/me"));
        let me = me.await.context("asking who is signed in")??;
        let name = me["name"].as_str().map(str::to_owned);
        name.with_context(|| format!("{} does not say who is signed in", login.site))
    }

    fn options(&self, name: &str, login: Option<SavedLogin>) -> anyhow::Result<JoinOptions> {
        let device = match &self.device {
            Some(device) => device.clone(),
            None => device::id()?,
        };
        let mut options = JoinOptions::new(name, device);
        options.site.clone_from(&self.site);
        if let Some(login) = login {
            options.site = Some(login.site);
            options.tickets = TicketSource::agent(login.token);
        }
        options.authority.clone_from(&self.site_ca);
        if let Some(ca) = &self.ca {
            options.trust = Some(parvis::Trust::AuthorityFile(ca.clone()));
        }
        if let Some(draft) = self.draft {
            options.drafts = vec![draft.into()];
        }
        options.connect_timeout = self.timeout;
        options.reconnect = self.reconnect;
        Ok(options)
    }
}

/// Scheme, host and port of a link.
fn link_site(link: &str) -> Option<&str> {
    let scheme = link.trim().find("://")?;
    let link = link.trim();
    let host = &link[scheme + 3..];
    let end = host.find(['/', '?', '#']).unwrap_or(host.len());
    (end > 0).then(|| &link[..scheme + 3 + end])
}

fn read_script(file: &Path) -> anyhow::Result<Script> {
    let cannot = || format!("cannot read the script {}", file.display());
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(MAX_SCRIPT).read_to_string(&mut text)
    } else {
        fs::File::open(file).and_then(|open| open.take(MAX_SCRIPT).read_to_string(&mut text))
    };
    read.with_context(cannot)?;
    Script::parse(&text).with_context(|| format!("the script {}", file.display()))
}

/// In the words of the API, and what to do.
pub fn explain(error: JoinError, room: &str) -> anyhow::Error {
    let kind = match &error {
        JoinError::BadCode(_) => Some(ErrorKind::BadCode),
        JoinError::BadName(kind) => Some(*kind),
        JoinError::Ticket(TicketError::NoSite) => {
            return anyhow::anyhow!("which meeting service? Give the whole link, or --site");
        }
        JoinError::Ticket(error) => error.kind(),
        _ => None,
    };
    let error = anyhow::Error::new(error);
    match kind {
        Some(kind @ (ErrorKind::BadCode | ErrorKind::NotFound)) => {
            error.context(format!("{kind:?}, got {room:?}"))
        }
        Some(kind) => error.context(format!("{kind:?}")),
        None => error,
    }
}
