//! Tickets: who knocks at a room as whom, and where.

use std::time::Duration;

use axum::{Json, extract::State};
use parvis_meeting::{
    DeviceId, ErrorKind, Identity, ParticipantId, RoomCode, UnixMillis, display_name, tracks,
};
use parvis_store::{NewJoin, Secret, Store};
use parvis_token::{Action, Claims, Grant, UnixTime};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ApiError, RelayAddress,
    app::App,
    caller::{Caller, Peer},
    error::Refusal,
    extract::{Body, Code, CodePath},
    time::rfc3339,
};

/// The most bytes of a secret that is looked at.
const MAX_SECRET: usize = 128;
/// How long a ticket for a test is good.
const TEST: Duration = Duration::from_mins(2);

/// Somebody wants to join.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JoinBody {
    /// How others shall see the person, 1 to 50 characters; agents may leave it out
    #[schema(min_length = 1, max_length = 50)]
    name: Option<String>,
    /// A random id that the device keeps; agents may leave it out
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, pattern = "^[!-~]+$")]
    device: Option<DeviceId>,
    /// The secret of a former ticket, to come back as the same participant
    #[schema(max_length = 128)]
    resume: Option<String>,
    /// Whether the ticket is to measure the path to the relay: its holder sends data to itself, for two
    /// minutes at most, and cannot knock
    #[serde(default)]
    test: bool,
}

/// What leads into the lobby of a room, and from there perhaps further.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ticket {
    /// Who one is in the meeting
    #[schema(value_type = String)]
    participant: ParticipantId,
    /// The room's code as people read it
    code: String,
    /// Where to connect to
    relay: Relay,
    /// Shown to the relay
    token: String,
    /// Shown in the next request for a ticket, to come back as the same participant
    resume: String,
    /// When the token and the secret cease to be valid
    #[schema(format = DateTime)]
    expires: String,
    /// The name that others see, if they let one in
    name: String,
    /// Whether somebody vouches for the name
    verified: bool,
}

/// Where the relay is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Relay {
    /// As in `moqt://relay.example:443`
    url: String,
    /// The SHA-256 of its certificate, if no public authority signed it
    fingerprint: Option<String>,
}

impl From<RelayAddress> for Relay {
    fn from(address: RelayAddress) -> Self {
        let RelayAddress { url, fingerprint } = address;
        Self { url, fingerprint }
    }
}

/// Gives out a ticket: for a guest the same whether there is such a room or not
#[utoipa::path(
    post, path = "/api/v1/rooms/{code}/join", tag = "rooms", params(CodePath),
    request_body = JoinBody, security((), ("login" = [])),
    responses(
        (status = 200, description = "The ticket", body = Ticket),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "The login is none", body = Refusal),
        (status = 403, description = "Applications do not join", body = Refusal),
        (status = 404, description = "There is no such room; said to people who are signed in", body = Refusal),
    )
)]
pub(crate) async fn join(
    State(app): State<App>,
    Peer(from): Peer,
    caller: Caller,
    Code(code): Code,
    Body(body): Body<JoinBody>,
) -> Result<Json<Ticket>, ApiError> {
    app.limiters.joins.take(from)?;
    if body.resume.as_ref().is_some_and(|s| s.len() > MAX_SECRET) {
        return Err(ErrorKind::TooLong.into());
    }
    let identity = identity(&caller, &body)?;
    if identity.account().is_some() && app.store.room(&code).await?.is_none() {
        return Err(ErrorKind::NotFound.into());
    }
    // From here on nothing looks whether the room is there: nobody finds out by waiting.
    let now = app.now();
    let valid = if body.test {
        TEST.min(app.config.ticket)
    } else {
        app.config.ticket
    };
    let join = NewJoin {
        room: code,
        identity,
        expires_at: now.plus(valid),
    };
    let resumed = match &body.resume {
        Some(secret) => resume(&app.store, &join, secret, now).await?,
        None => None,
    };
    let (participant, secret) = match resumed {
        Some(same) => same,
        None => app.store.create_join(&join, now).await?,
    };
    let grants = if body.test {
        to_itself(&participant)
    } else {
        to_knock(&code, &participant)
    };
    let verified = matches!(join.identity, Identity::Agent { verified: true, .. });
    Ok(Json(Ticket {
        token: token(&app, &participant, grants, now, join.expires_at)?,
        participant,
        code: code.to_string(),
        relay: app.relay().into(),
        resume: secret.reveal().to_owned(),
        expires: rfc3339(join.expires_at),
        name: join.identity.name().to_owned(),
        verified,
    }))
}

async fn resume(
    store: &Store,
    join: &NewJoin,
    secret: &str,
    now: UnixMillis,
) -> Result<Option<(ParticipantId, Secret)>, ApiError> {
    let secret = Secret::shown(secret);
    let participant = store.resume_join(join, &secret, now).await?;
    Ok(participant.map(|participant| (participant, secret)))
}

fn identity(caller: &Caller, body: &JoinBody) -> Result<Identity, ApiError> {
    let name = body.name.as_deref().map(display_name).transpose()?;
    match caller {
        // The service vouches for the account's name only.
        Caller::Agent(account) => Ok(Identity::Agent {
            account: account.id.clone(),
            organisations: account.organisations.clone(),
            verified: name.as_ref().is_none_or(|name| *name == account.name),
            name: name.unwrap_or_else(|| account.name.clone()),
        }),
        Caller::Application(_) => Err(ApiError::because(
            ErrorKind::Forbidden,
            "applications do not join; people do",
        )),
        Caller::Guest => {
            let Some(name) = name else {
                return Err(ApiError::because(
                    ErrorKind::BadName,
                    "a guest says its name: 1 to 50 visible characters",
                ));
            };
            let Some(device) = body.device.clone() else {
                return Err(ApiError::because(
                    ErrorKind::Malformed,
                    "a guest says its device: a random id of 1 to 64 visible characters that it keeps",
                ));
            };
            Ok(Identity::Guest { device, name })
        }
    }
}

/// Lets a waiter send commands and read the answers, and nothing else.
fn to_knock(code: &RoomCode, participant: &ParticipantId) -> Vec<Grant> {
    let grants = [
        Grant::exact([Action::Publish], tracks::inbox(code, participant)),
        Grant::exact([Action::Subscribe], tracks::outbox(code, participant)),
    ];
    let grants = grants.into_iter().collect::<Result<Vec<_>, _>>();
    grants.expect("the namespaces of a participant have fields")
}

/// Lets somebody send data to itself, and nothing else.
fn to_itself(participant: &ParticipantId) -> Vec<Grant> {
    let both = [Action::Publish, Action::Subscribe];
    let grant = Grant::exact(both, tracks::probe(participant));
    vec![grant.expect("the namespaces of a participant have fields")]
}

fn token(
    app: &App,
    participant: &ParticipantId,
    grants: Vec<Grant>,
    now: UnixMillis,
    expires: UnixMillis,
) -> Result<String, ApiError> {
    let seconds = |at: UnixMillis| UnixTime(at.0 / 1000);
    let claims = Claims {
        issuer: app.config.issuer.clone(),
        audience: app.config.audience.clone().into_iter().collect(),
        issued_at: Some(seconds(now)),
        grants,
        ..Claims::new(participant.as_str(), seconds(expires))
    };
    app.config.signer.sign(&claims).map_err(|error| {
        tracing::error!(%error, "no token");
        ApiError::unavailable("the service cannot sign tickets")
    })
}
