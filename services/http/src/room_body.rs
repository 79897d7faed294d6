//! Rooms as requests and answers have them.
#![allow(clippy::option_option, reason = "what is null is not what is left out")]

use std::time::Duration;

use parvis_meeting::{
    AccessLevel, AccountId, ErrorKind, HistoryPolicy, OrganisationId, Policy, Role,
};
use parvis_store::{Account, Room, Schedule};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, Type},
};

use crate::{
    ApiError, Config, mail,
    time::{duration, parse_duration, parse_time, rfc3339},
};

/// The most characters of a title.
const MAX_TITLE: usize = 200;
/// The most people that are invited by e-mail.
const MAX_INVITEES: usize = 200;
/// How long a meeting lasts if nobody says so.
const LASTS: Duration = Duration::from_hours(1);

/// A room to be made; everything may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRoomBody {
    /// What it is called
    #[schema(min_length = 1, max_length = 200)]
    pub(crate) title: Option<String>,
    /// Who enters without knocking
    #[schema(schema_with = access_schema)]
    pub(crate) access: Option<AccessLevel>,
    /// With `trusted`: agents of this organisation of yours only
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    pub(crate) organisation: Option<OrganisationId>,
    /// Whether guests wait until an agent is in
    pub(crate) host_gate: Option<bool>,
    /// Which chat messages a late joiner gets
    #[schema(schema_with = history_schema)]
    pub(crate) history: Option<HistoryPolicy>,
    /// Whether media is encrypted from end to end: not offered so far, `true` is refused
    pub(crate) encrypted: Option<bool>,
    /// How long chat is kept after the end, as in `30d`; 60 s if it is left out
    #[schema(pattern = "^(0|[1-9][0-9]{0,8})[smhd]$")]
    pub(crate) retention: Option<String>,
    /// When the meeting is, as in `2027-03-01T09:00:00+01:00`
    #[schema(format = DateTime)]
    pub(crate) starts_at: Option<String>,
    /// How long it is meant to last, as in `45m`; an hour if it is left out
    #[schema(pattern = "^[1-9][0-9]{0,8}[smhd]$")]
    pub(crate) lasts: Option<String>,
    /// Addresses that an invitation is sent to
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false, max_items = 200)]
    pub(crate) invite: Vec<String>,
    /// The address of the user whose room it is; for applications only
    #[schema(format = Email)]
    pub(crate) on_behalf_of: Option<String>,
}

/// What shall be different about a room; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeBody {
    /// Another title
    #[schema(min_length = 1, max_length = 200)]
    pub(crate) title: Option<String>,
    /// Who enters without knocking
    #[schema(schema_with = access_schema)]
    pub(crate) access: Option<AccessLevel>,
    /// With `trusted`: another organisation of yours; null: none
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    pub(crate) organisation: Option<Option<OrganisationId>>,
    /// Whether guests wait until an agent is in
    pub(crate) host_gate: Option<bool>,
    /// Which chat messages a late joiner gets
    #[schema(schema_with = history_schema)]
    pub(crate) history: Option<HistoryPolicy>,
    /// Whether media is encrypted from end to end: not offered so far, `true` is refused
    pub(crate) encrypted: Option<bool>,
    /// How long chat is kept after the end; null: 60 s
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, pattern = "^(0|[1-9][0-9]{0,8})[smhd]$")]
    pub(crate) retention: Option<Option<String>>,
    /// When the meeting is; null: at no time in particular, those who were invited get a cancellation
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) starts_at: Option<Option<String>>,
    /// How long it is meant to last
    #[schema(pattern = "^[1-9][0-9]{0,8}[smhd]$")]
    pub(crate) lasts: Option<String>,
    /// All addresses that are invited: new ones get an invitation, those who are left out a cancellation
    #[schema(max_items = 200)]
    pub(crate) invite: Option<Vec<String>>,
}

/// A room.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoomBody {
    /// Its code without hyphens, as it stands in the names of tracks
    pub(crate) id: String,
    /// Its code as people read it
    #[schema(example = "abc-defg-hij")]
    pub(crate) code: String,
    /// The link to it
    pub(crate) url: String,
    /// What it is called
    pub(crate) title: String,
    /// Who enters without knocking
    #[schema(schema_with = access_schema)]
    pub(crate) access: AccessLevel,
    /// With `trusted`: agents of this organisation only
    #[schema(value_type = Option<String>)]
    pub(crate) organisation: Option<OrganisationId>,
    /// Whether guests wait until an agent is in
    pub(crate) host_gate: bool,
    /// Which chat messages a late joiner gets
    #[schema(schema_with = history_schema)]
    pub(crate) history: HistoryPolicy,
    /// Whether media is encrypted from end to end
    pub(crate) encrypted: bool,
    /// How long chat is kept after the end
    pub(crate) retention: Option<String>,
    /// When the meeting is
    #[schema(format = DateTime)]
    pub(crate) starts_at: Option<String>,
    /// How long it is meant to last
    pub(crate) lasts: Option<String>,
    /// Who is invited by e-mail; hosts see that
    pub(crate) invited: Vec<String>,
    /// Whether this service sends mail; if not, those who are invited hear of it by somebody else
    pub(crate) sends_mail: bool,
    /// What you are in it
    #[schema(schema_with = role_schema)]
    pub(crate) role: Role,
    /// Who made it
    #[schema(value_type = String)]
    pub(crate) creator: AccountId,
    /// When it was made
    #[schema(format = DateTime)]
    pub(crate) created: String,
}

impl RoomBody {
    pub(crate) fn new(config: &Config, room: Room, role: Role, invited: Vec<String>) -> Self {
        Self {
            id: room.code.compact().to_owned(),
            code: room.code.to_string(),
            url: room.code.link(config.site.as_str()),
            title: room.title,
            access: room.policy.access,
            organisation: room.policy.organisation,
            host_gate: room.policy.host_gate,
            history: room.policy.history,
            encrypted: room.policy.encrypted,
            retention: room.retention.map(duration),
            starts_at: room.schedule.map(|schedule| rfc3339(schedule.starts_at)),
            lasts: room.schedule.map(|schedule| duration(schedule.lasts)),
            invited: if role.is_host() { invited } else { Vec::new() },
            sends_mail: config.mail.is_some(),
            role,
            creator: room.creator,
            created: rfc3339(room.created_at),
        }
    }
}

impl NewRoomBody {
    pub(crate) fn policy(&self, creator: &Account) -> Result<Policy, ApiError> {
        let usual = Policy::default();
        not_encrypted(self.encrypted)?;
        let policy = Policy {
            access: self.access.unwrap_or(usual.access),
            organisation: self.organisation.clone(),
            host_gate: self.host_gate.unwrap_or(usual.host_gate),
            history: self.history.unwrap_or(usual.history),
            ..usual
        };
        if self.organisation.is_some() {
            of_trusted(&policy)?;
        }
        of_ones_own(&policy, creator)?;
        Ok(policy)
    }

    pub(crate) fn schedule(&self) -> Result<Option<Schedule>, ApiError> {
        let lasts = self.lasts.as_deref().map(lasts).transpose()?;
        let starts_at = self.starts_at.as_deref().map(parse_time).transpose()?;
        match (starts_at, lasts) {
            (Some(starts_at), lasts) => Ok(Some(Schedule {
                starts_at,
                lasts: lasts.unwrap_or(LASTS),
            })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(ApiError::because(
                ErrorKind::Malformed,
                "a meeting that lasts some time has a beginning: give starts_at, too",
            )),
        }
    }
}

impl ChangeBody {
    /// `None`: the policy stays.
    pub(crate) fn policy(&self, room: &Room, by: &Account) -> Result<Option<Policy>, ApiError> {
        let now = &room.policy;
        not_encrypted(self.encrypted)?;
        let policy = Policy {
            access: self.access.unwrap_or(now.access),
            organisation: self
                .organisation
                .clone()
                .unwrap_or_else(|| now.organisation.clone()),
            host_gate: self.host_gate.unwrap_or(now.host_gate),
            history: self.history.unwrap_or(now.history),
            encrypted: self.encrypted.unwrap_or(now.encrypted),
            retention: now.retention,
        };
        if matches!(self.organisation, Some(Some(_))) {
            of_trusted(&policy)?;
        }
        if policy.organisation != now.organisation {
            of_ones_own(&policy, by)?;
        }
        Ok((policy != *now).then_some(policy))
    }

    /// `None`: the schedule stays.
    pub(crate) fn schedule(&self, room: &Room) -> Result<Option<Option<Schedule>>, ApiError> {
        let lasts = self.lasts.as_deref().map(lasts).transpose()?;
        let before = room.schedule;
        let starts_at = match &self.starts_at {
            Some(starts_at) => starts_at.as_deref().map(parse_time).transpose()?,
            None => before.map(|before| before.starts_at),
        };
        let schedule = starts_at.map(|starts_at| Schedule {
            starts_at,
            lasts: lasts.or(before.map(|before| before.lasts)).unwrap_or(LASTS),
        });
        if schedule.is_none() && lasts.is_some() {
            return Err(ApiError::because(
                ErrorKind::Malformed,
                "a meeting that lasts some time has a beginning: give starts_at, too",
            ));
        }
        Ok((schedule != before).then_some(schedule))
    }
}

/// How long a meeting lasts: its end is after its beginning. RFC 5545, 3.8.2.2.
fn lasts(text: &str) -> Result<Duration, ApiError> {
    let lasts = parse_duration(text)?;
    if lasts.is_zero() {
        return Err(ApiError::because(
            ErrorKind::Malformed,
            "a meeting lasts longer than no time: lasts is as in 45m",
        ));
    }
    Ok(lasts)
}

/// A title of 1 to 200 characters.
pub(crate) fn title(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ErrorKind::Empty.into());
    }
    if text.chars().count() > MAX_TITLE {
        return Err(ApiError::because(
            ErrorKind::TooLong,
            format!("a title has {MAX_TITLE} characters at most"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(ApiError::because(
            ErrorKind::Malformed,
            "a title has no control characters",
        ));
    }
    Ok(text.to_owned())
}

/// Addresses in lower case, each once.
pub(crate) fn invitees(addresses: &[String]) -> Result<Vec<String>, ApiError> {
    if addresses.len() > MAX_INVITEES {
        return Err(ApiError::because(
            ErrorKind::TooLong,
            format!(
                "{MAX_INVITEES} people at most are invited, got {}",
                addresses.len()
            ),
        ));
    }
    let addresses = addresses.iter().map(|address| mail::address(address));
    let mut addresses = addresses.collect::<Result<Vec<_>, _>>()?;
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

/// Nothing encrypts media from end to end so far: no room says that it does.
fn not_encrypted(wanted: Option<bool>) -> Result<(), ApiError> {
    if wanted != Some(true) {
        return Ok(());
    }
    Err(ApiError::because(
        ErrorKind::Malformed,
        "encryption from end to end is not offered: leave `encrypted` out, or set it to false",
    ))
}

fn of_trusted(policy: &Policy) -> Result<(), ApiError> {
    if policy.access == AccessLevel::Trusted {
        return Ok(());
    }
    Err(ApiError::because(
        ErrorKind::Malformed,
        "only trusted access has an organisation",
    ))
}

fn of_ones_own(policy: &Policy, account: &Account) -> Result<(), ApiError> {
    match &policy.organisation {
        Some(organisation) if !account.organisations.contains(organisation) => {
            Err(ApiError::because(
                ErrorKind::Forbidden,
                format!("you do not belong to the organisation {organisation:?}"),
            ))
        }
        _ => Ok(()),
    }
}

/// Tells what is left out from what is null.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn words(words: &'static [&'static str]) -> utoipa::openapi::schema::Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.iter().copied()))
        .build()
}

pub(crate) fn access_schema() -> utoipa::openapi::schema::Object {
    words(&["public", "trusted", "restricted"])
}

pub(crate) fn history_schema() -> utoipa::openapi::schema::Object {
    words(&["session", "from_join", "none"])
}

pub(crate) fn role_schema() -> utoipa::openapi::schema::Object {
    words(&["guest", "member", "administrator", "owner"])
}
