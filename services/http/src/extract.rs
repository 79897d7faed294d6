use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::request::Parts,
};
use parvis_meeting::{ErrorKind, RoomCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::IntoParams;

use crate::{ApiError, app::App};

/// A JSON body, or a refusal that says what is wrong with it.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        // A list of the fields' values in order would do for serde, too.
        let Json(fields) = Json::<Map<String, Value>>::from_request(request, app).await?;
        let body = serde_json::from_value(Value::Object(fields));
        let malformed =
            |error: serde_json::Error| ApiError::because(ErrorKind::Malformed, error.to_string());
        body.map(Self).map_err(malformed)
    }
}

/// What follows the question mark.
pub(crate) struct Question<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Question<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Query(question) = Query::<T>::from_request_parts(parts, app).await?;
        Ok(Self(question))
    }
}

/// The room code in a path, as the document has it.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document only")]
pub(crate) struct CodePath {
    /// The room's code, with or without hyphens, in any case
    #[param(pattern = "^([A-Za-z0-9]{10}|[A-Za-z0-9]{3}-[A-Za-z0-9]{4}-[A-Za-z0-9]{3})$")]
    code: String,
}

/// The room code in a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code(pub(crate) RoomCode);

impl FromRequestParts<App> for Code {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Path(parameters) =
            Path::<std::collections::HashMap<String, String>>::from_request_parts(parts, app)
                .await?;
        let text = parameters.get("code").map_or("", String::as_str);
        // A link is not for a path of ours.
        let bare = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let code = RoomCode::parse(text).ok().filter(|_| bare);
        code.map(Self).ok_or_else(|| {
            ApiError::because(
                ErrorKind::BadCode,
                "a room code is ten letters and digits, as in abc-defg-hij",
            )
        })
    }
}

/// An id in a path, with its rules checked by the type.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: std::str::FromStr<Err: std::fmt::Display>> FromRequestParts<App> for Named<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Path(parameters) =
            Path::<std::collections::HashMap<String, String>>::from_request_parts(parts, app)
                .await?;
        let text = parameters.get("id").map_or("", String::as_str);
        let malformed = |error: T::Err| ApiError::because(ErrorKind::Malformed, error.to_string());
        text.parse().map(Self).map_err(malformed)
    }
}
