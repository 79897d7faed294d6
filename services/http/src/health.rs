//! Pages for whoever watches the service.

use axum::extract::State;

use crate::{ApiError, app::App, error::Refusal};

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
    app.store.check().await?;
    for need in app.needs.get().into_iter().flatten() {
        need.check().await.map_err(ApiError::unavailable)?;
    }
    Ok("ok")
}
