//! Pages for whoever watches the service.

use std::time::Duration;

use axum::extract::State;
use tokio::time::timeout;

use crate::{ApiError, app::App, error::Refusal};

/// How long the store has to answer: whoever asks may not wait longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the process lives
#[utoipa::path(
    get, path = "/healthz", tag = "health",
    responses((status = 200, description = "It does", body = str, content_type = "text/plain"))
)]
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// Whether it can serve: the store answers, and whatever else it needs
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "It can", body = str, content_type = "text/plain"),
        (status = 503, description = "It cannot", body = Refusal),
    )
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    let silent = |_| ApiError::unavailable("the store does not answer");
    timeout(PATIENCE, app.store.check())
        .await
        .map_err(silent)??;
    for need in app.needs.get().into_iter().flatten() {
        need.check().await.map_err(ApiError::unavailable)?;
    }
    Ok("ok")
}
