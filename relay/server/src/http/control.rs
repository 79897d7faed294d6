//! What operators may change while the relay runs, for those who know the secret.

use std::{io, path::Path, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State as Extract},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use parvis_token::UnixTime;
use parvis_wire::{FullTrackName, TrackNamespace};
use serde::{Deserialize, Serialize};
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;

use super::State;
use crate::{
    access::{Denial, WallClock, Whom},
    shard::{Ask, Command, SessionInfo},
};

/// How long a thread may take to answer; beyond, it hangs.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of a request; the longest name takes most of them.
const MAX_BODY: usize = 32 * 1024;

/// What a caller must know.
#[derive(Clone)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    /// The least bytes of a secret.
    const LEAST: usize = 16;

    /// Reads a secret; blanks around it do not count.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let secret = text.trim().as_bytes().to_vec();
        if secret.len() < Self::LEAST {
            let least = Self::LEAST;
            let why = format!("a secret has at least {least} characters");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(Self(secret))
    }

    /// Takes the same time however much of it is right.
    fn is(&self, given: &[u8]) -> bool {
        self.0.as_slice().ct_eq(given).into()
    }
}

#[derive(Clone)]
struct Control {
    state: State,
    secret: Secret,
}

pub(super) fn router(state: State, secret: Secret) -> Router {
    let control = Control { state, secret };
    Router::new()
        .route("/v1/sessions", get(sessions))
        .route("/v1/deny", post(deny))
        .route("/v1/allow", post(allow))
        .route("/v1/tracks/stop", post(stop_track))
        .route("/v1/tracks/allow", post(allow_track))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(
            control.clone(),
            authenticate,
        ))
        .with_state(control)
}

/// Lets nobody in who does not know the secret, not even to learn what there is.
async fn authenticate(
    Extract(control): Extract<Control>,
    request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(AUTHORIZATION);
    let given = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if given.is_some_and(|given| control.secret.is(given)) {
        next.run(request).await
    } else {
        fault(StatusCode::UNAUTHORIZED, "who are you?").into_response()
    }
}

#[derive(Serialize)]
struct Sessions {
    sessions: Vec<SessionInfo>,
}

async fn sessions(Extract(control): Extract<Control>) -> Result<Response, Fault> {
    let answers = control.ask(|answer| Ask::Sessions { answer }).await?;
    let sessions = answers.into_iter().flatten().collect();
    Ok(Json(Sessions { sessions }).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deny {
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    jti: Option<String>,
    /// Ends by itself then.
    #[serde(default)]
    until: Option<UnixTime>,
    /// Tokens that are issued from now on are accepted.
    #[serde(default)]
    only_issued_before: bool,
}

async fn deny(
    Extract(control): Extract<Control>,
    Json(body): Json<Deny>,
) -> Result<Response, Fault> {
    let whom = whom(body.sub, body.jti)?;
    let now = WallClock::read(std::time::Instant::now()).now();
    let denial = Denial {
        issued_until: body.only_issued_before.then_some(now),
        until: body.until,
    };
    let ask = |answer| Ask::Deny {
        whom: whom.clone(),
        denial,
        answer,
    };
    let mut ended = 0;
    for answer in control.ask(ask).await? {
        ended += answer.map_err(|_| {
            let why = "too many denials; lift some, or give them an `until`";
            fault(StatusCode::INSUFFICIENT_STORAGE, why)
        })?;
    }
    tracing::info!(?whom, sessions = ended, "denied");
    Ok(Json(json!({ "ended": ended })).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    jti: Option<String>,
}

async fn allow(
    Extract(control): Extract<Control>,
    Json(body): Json<Allow>,
) -> Result<Response, Fault> {
    let whom = whom(body.sub, body.jti)?;
    let ask = |answer| Ask::Allow {
        whom: whom.clone(),
        answer,
    };
    let lifted = control.ask(ask).await?.contains(&true);
    tracing::info!(?whom, lifted, "allowed");
    Ok(Json(json!({ "lifted": lifted })).into_response())
}

fn whom(sub: Option<String>, jti: Option<String>) -> Result<Whom, Fault> {
    match (sub, jti) {
        (Some(sub), None) => Ok(Whom::Subject(sub)),
        (None, Some(jti)) => Ok(Whom::Token(jti)),
        (Some(_), Some(_)) | (None, None) => {
            Err(fault(StatusCode::BAD_REQUEST, "either `sub` or `jti`"))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Track {
    namespace: Vec<String>,
    track: String,
}

impl Track {
    fn name(self) -> Result<FullTrackName, Fault> {
        let namespace = TrackNamespace::new(self.namespace);
        namespace
            .and_then(|namespace| FullTrackName::new(namespace, self.track.into()))
            .map_err(|error| fault(StatusCode::BAD_REQUEST, &error.to_string()))
    }
}

async fn stop_track(
    Extract(control): Extract<Control>,
    Json(body): Json<Track>,
) -> Result<Response, Fault> {
    let track = body.name()?;
    let ask = |answer| Ask::StopTrack {
        track: track.clone(),
        answer,
    };
    control.ask(ask).await?;
    tracing::info!(%track, "track stopped");
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn allow_track(
    Extract(control): Extract<Control>,
    Json(body): Json<Track>,
) -> Result<Response, Fault> {
    let track = body.name()?;
    let ask = |answer| Ask::AllowTrack {
        track: track.clone(),
        answer,
    };
    control.ask(ask).await?;
    tracing::info!(%track, "track allowed");
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Control {
    /// Asks every thread.
    async fn ask<T>(
        &self,
        mut ask: impl FnMut(oneshot::Sender<T>) -> Ask,
    ) -> Result<Vec<T>, Fault> {
        let unavailable = |why| fault(StatusCode::SERVICE_UNAVAILABLE, why);
        let shards = self.state.shards();
        let shards = shards.ok_or_else(|| unavailable("the relay is starting"))?;
        let answers = shards.ask(PATIENCE, |answer| Command::Control(ask(answer)));
        let answers = answers.await;
        answers.ok_or_else(|| unavailable("a thread does not answer, or is over"))
    }
}

fn fault(status: StatusCode, why: &str) -> Fault {
    Fault(status, why.to_owned())
}

/// Why an order is not obeyed.
struct Fault(StatusCode, String);

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let Self(status, why) = self;
        (status, Json(json!({ "error": why }))).into_response()
    }
}
