use std::time::Duration;

use axum::{
    Router,
    extract::State as Extract,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{State, metrics};

/// How long a thread may take to answer; beyond, it hangs.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn router(state: State) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(readiness))
        .with_state(state)
}

async fn metrics(Extract(state): Extract<State>) -> Response {
    let Some(shards) = state.shards() else {
        return unavailable("starting\n");
    };
    // During a stop a thread may be over already: what it counted is there still.
    let report = shards.report(PATIENCE).await.unwrap_or_default();
    match metrics::encode(&shards.stats(), report) {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "no metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Whether every thread answers.
async fn health(Extract(state): Extract<State>) -> Response {
    let Some(shards) = state.shards() else {
        return "starting\n".into_response();
    };
    if shards.report(PATIENCE).await.is_some() || shards.is_draining() {
        "healthy\n".into_response()
    } else {
        unavailable("a thread does not answer\n")
    }
}

/// Whether newcomers are welcome.
async fn readiness(Extract(state): Extract<State>) -> Response {
    match state.shards() {
        None => unavailable("starting\n"),
        Some(shards) if shards.is_draining() => unavailable("draining\n"),
        Some(_) => "ready\n".into_response(),
    }
}

fn unavailable(text: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}
