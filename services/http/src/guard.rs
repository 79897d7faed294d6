use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use parvis_meeting::ErrorKind;

use crate::{ApiError, app::App, caller::Peer};

/// Holds requests to the limits before anything else is done for them.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = match answer(&app, request, next).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn answer(app: &App, request: Request, next: Next) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let Peer(from) = Peer::from_request_parts(&mut parts, app).await?;
    app.limiters.requests.take(from)?;
    let turn = app.turns.try_acquire().map_err(|_| ApiError::busy())?;
    let request = Request::from_parts(parts, body);
    let answered = tokio::time::timeout(app.config.limits.request, next.run(request)).await;
    drop(turn);
    answered.map_err(|_| {
        ApiError::because(ErrorKind::TimedOut, "the request took too long")
            .with_status(StatusCode::REQUEST_TIMEOUT)
    })
}
