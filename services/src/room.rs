//! Rooms of a meeting service.

mod role;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use self::role::RoleArgs;
use crate::{api::SiteArgs, output::Output};

/// What `parvis room` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RoomCommandArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RoomCommand,
}

const EXAMPLES: &str = "\
Examples:
  parvis login --site https://meet.example --email zoe@example.org
  parvis room create --title Stand-up
  parvis room schedule --title Review --starts-at 2027-03-01T09:00:00+01:00 --lasts 45m --invite ann@example.org
  parvis room schedule --room abc-defg-hij --starts-at 2027-03-02T09:00:00+01:00
  parvis room list --json
  parvis room role abc-defg-hij ann@example.org administrator
  parvis room create --site https://meet.example --application-token-file token --on-behalf-of zoe@example.org";

/// A subcommand of `parvis room`.
#[derive(Debug, Subcommand)]
pub enum RoomCommand {
    /// Make a room to meet in now
    Create(CreateArgs),
    /// Make a room for later, or give one another time; invitations go out by e-mail
    Schedule(ScheduleArgs),
    /// List the rooms that you moderate, the newest first
    List(ListArgs),
    /// Show a room, and the text that invites people to it
    Show(OneArgs),
    /// Take a room away; a meeting in it ends
    Delete(OneArgs),
    /// List the roles in a room, or give one, also to somebody who is not there
    Role(RoleArgs),
}

/// What a room is like.
#[derive(Debug, Args)]
pub struct Looks {
    /// What it is called
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Who enters without knocking: everybody, agents, or whoever has a role
    #[arg(long, value_enum)]
    pub access: Option<Access>,
    /// With `trusted`: agents of this organisation of yours only; `all`: of any
    #[arg(long, value_name = "ID")]
    pub organisation: Option<String>,
    /// Whether guests wait until an agent is in
    #[arg(long, value_name = "BOOL")]
    pub host_gate: Option<bool>,
    /// Which chat messages a late joiner gets
    #[arg(long, value_enum)]
    pub history: Option<History>,
    /// How long chat is kept after the end, as in 30d
    #[arg(long, value_name = "TIME")]
    pub retention: Option<String>,
    /// Send an invitation to this address; several times for several people. With --room: all who are invited
    #[arg(long, value_name = "ADDRESS")]
    pub invite: Vec<String>,
}

/// Who enters without knocking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Access {
    /// Everybody
    Public,
    /// Agents; guests wait
    Trusted,
    /// Whoever has a role in the room
    Restricted,
}

/// Which chat messages a late joiner gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum History {
    /// Those of the whole session
    Session,
    /// Those since its arrival
    FromJoin,
    /// As since its arrival, and none are kept
    None,
}

/// What `parvis room create` takes.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The service.
    #[command(flatten)]
    pub site: SiteArgs,
    /// The room.
    #[command(flatten)]
    pub looks: Looks,
    /// The address of the user whose room it is; with --application-token-file
    #[arg(long, value_name = "ADDRESS", requires = "application_token_file")]
    pub on_behalf_of: Option<String>,
}

/// What `parvis room schedule` takes.
#[derive(Debug, Args)]
pub struct ScheduleArgs {
    /// The service.
    #[command(flatten)]
    pub site: SiteArgs,
    /// The code or link of a room that gets another time; otherwise a new room is made
    #[arg(long, value_name = "CODE")]
    pub room: Option<String>,
    /// When the meeting begins, as in 2027-03-01T09:00:00+01:00
    #[arg(long, value_name = "TIME")]
    pub starts_at: String,
    /// How long it is meant to last, as in 45m [default: 1h, or as before]
    #[arg(long, value_name = "TIME")]
    pub lasts: Option<String>,
    /// The room.
    #[command(flatten)]
    pub looks: Looks,
    /// The address of the user whose room it is; with --application-token-file
    #[arg(
        long,
        value_name = "ADDRESS",
        requires = "application_token_file",
        conflicts_with = "room"
    )]
    pub on_behalf_of: Option<String>,
}

/// What `parvis room list` takes.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The service.
    #[command(flatten)]
    pub site: SiteArgs,
    /// The address of the user whose rooms they are; with --application-token-file
    #[arg(long, value_name = "ADDRESS", requires = "application_token_file")]
    pub on_behalf_of: Option<String>,
}

/// What `parvis room show` and `parvis room delete` take.
#[derive(Debug, Args)]
pub struct OneArgs {
    /// The service.
    #[command(flatten)]
    pub site: SiteArgs,
    /// The room's code or link
    #[arg(value_name = "CODE")]
    pub room: String,
}

/// Makes, changes, lists rooms.
pub fn run(args: &RoomCommandArgs, output: &Output) -> anyhow::Result<()> {
    match &args.command {
        RoomCommand::Create(args) => create(args, output),
        RoomCommand::Schedule(args) => schedule(args, output),
        RoomCommand::List(args) => list(args, output),
        RoomCommand::Show(args) => show(args, output),
        RoomCommand::Delete(args) => delete(args, output),
        RoomCommand::Role(args) => role::run(args, output),
    }
}

fn create(args: &CreateArgs, output: &Output) -> anyhow::Result<()> {
    let mut body = args.looks.body();
    put(&mut body, "on_behalf_of", args.on_behalf_of.as_ref());
    let api = args.site.signed_in()?;
    let room = api.send("POST", "/api/v1/rooms", &Value::Object(body))?;
    say(output, &room);
    say_unsent(output, &room);
    Ok(())
}

fn schedule(args: &ScheduleArgs, output: &Output) -> anyhow::Result<()> {
    let mut body = args.looks.body();
    put(&mut body, "starts_at", Some(&args.starts_at));
    put(&mut body, "lasts", args.lasts.as_ref());
    put(&mut body, "on_behalf_of", args.on_behalf_of.as_ref());
    let api = args.site.signed_in()?;
    let body = Value::Object(body);
    let room = match &args.room {
        Some(room) => api.send("PATCH", &format!("/api/v1/rooms/{}", code(room)?), &body)?,
        None => api.send("POST", "/api/v1/rooms", &body)?,
    };
    say(output, &room);
    say_unsent(output, &room);
    Ok(())
}

fn list(args: &ListArgs, output: &Output) -> anyhow::Result<()> {
    let api = args.site.signed_in()?;
    let user = args.on_behalf_of.as_ref();
    let user = user.map_or_else(String::new, |user| {
        format!("&on_behalf_of={}", encoded(user))
    });
    let mut next = None;
    let mut count = 0;
    loop {
        let before = next.map_or_else(String::new, |next: String| format!("&before={next}"));
        let page = api.get(&format!("/api/v1/rooms?limit=100{before}{user}"))?;
        let rooms = page["rooms"].as_array().cloned().unwrap_or_default();
        count += rooms.len();
        for room in &rooms {
            say(output, room);
        }
        next = page["next"].as_str().map(encoded);
        if next.is_none() {
            break;
        }
    }
    if count == 0 && !output.is_json() {
        crate::output::say("No rooms.");
    }
    Ok(())
}

fn show(args: &OneArgs, output: &Output) -> anyhow::Result<()> {
    let api = args.site.signed_in()?;
    let code = code(&args.room)?;
    let mut room = api.get(&format!("/api/v1/rooms/{code}"))?;
    let invitation = api.get(&format!("/api/v1/rooms/{code}/invitation"))?;
    let mut text = line(&room);
    text.push_str("\n\n");
    text.push_str(invitation["text"].as_str().unwrap_or_default().trim_end());
    room["invitation"] = invitation;
    output.event("room", &text, &room);
    Ok(())
}

fn delete(args: &OneArgs, output: &Output) -> anyhow::Result<()> {
    let api = args.site.signed_in()?;
    let code = code(&args.room)?;
    api.order("DELETE", &format!("/api/v1/rooms/{code}"))?;
    output.event(
        "room-deleted",
        &format!("{code} is gone"),
        &json!({ "code": code }),
    );
    Ok(())
}

impl Looks {
    fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        put(&mut body, "title", self.title.as_ref());
        put(&mut body, "access", self.access.as_ref().map(word));
        let organisation = self.organisation.as_deref();
        let organisation = organisation.map(|id| Some(id).filter(|id| *id != "all"));
        put(&mut body, "organisation", organisation);
        put(&mut body, "history", self.history.as_ref().map(word));
        put(&mut body, "retention", self.retention.as_ref());
        put(&mut body, "host_gate", self.host_gate);
        if !self.invite.is_empty() {
            put(&mut body, "invite", Some(&self.invite));
        }
        body
    }
}

fn put(body: &mut Map<String, Value>, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), json!(value));
    }
}

/// As the API has it.
fn word(value: &impl ValueEnum) -> String {
    let name = value.to_possible_value();
    name.map_or_else(String::new, |name| name.get_name().replace('-', "_"))
}

/// The code in a code or a link, before the service is asked.
fn code(text: &str) -> anyhow::Result<String> {
    let code = parvis_meeting::RoomCode::parse(text)
        .map_err(|error| anyhow::anyhow!("BadCode: {error}, got {text:?}"))?;
    Ok(code.to_string())
}

fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let byte = |byte: u8| {
        if plain(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}

fn say(output: &Output, room: &Value) {
    output.event("room", &line(room), room);
}

/// Says that those who are invited do not hear of it, if the service sends no mail.
fn say_unsent(output: &Output, room: &Value) {
    let invited = room["invited"].as_array().map_or(0, Vec::len);
    if invited == 0 || room["sends_mail"] != false {
        return;
    }
    let code = room["code"].as_str().unwrap_or_default();
    output.event(
        "invitations-not-sent",
        &format!("No invitation is sent, the service has no mail server: `parvis room show {code}` has the text for them"),
        &json!({ "code": code, "invited": room["invited"] }),
    );
}

/// A room in a line; what others wrote commands no terminal.
fn line(room: &Value) -> String {
    let field = |name: &str| room[name].as_str().unwrap_or_default();
    let time = match (room["starts_at"].as_str(), room["lasts"].as_str()) {
        (Some(starts), Some(lasts)) => format!("  {starts} for {lasts}"),
        _ => String::new(),
    };
    let line = format!(
        "{}  {}  {}{time}",
        field("code"),
        field("url"),
        field("title")
    );
    line.replace(char::is_control, " ")
}
