use axum::{
    Json,
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use parvis_meeting::ErrorKind;
use parvis_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    error: String,
    message: String,
    retry_after: Option<u64>,
}

/// The body of a refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refusal {
    /// One word, the same in the API, the SDK and the command line
    #[schema(example = "NotFound")]
    error: String,
    /// A sentence that says what was expected
    message: String,
}

impl ApiError {
    /// A refusal with the sentence of its kind.
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self::because(kind, kind.to_string())
    }

    /// A refusal with a sentence of its own.
    pub(crate) fn because(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            status: status(kind),
            error: format!("{kind:?}"),
            message: message.into(),
            retry_after: None,
        }
    }

    /// The caller is not, or not rightly, signed in.
    pub(crate) fn not_signed_in(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..Self::because(ErrorKind::NotSignedIn, message)
        }
    }

    /// The same answer to a guest whether the room is there or not, before it is looked for.
    pub(crate) fn not_for_guests() -> Self {
        Self::not_signed_in("rooms are managed by people who are signed in, and by applications")
    }

    /// Too many in a short time.
    pub(crate) fn rate_limited(seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds.max(1)),
            ..Self::because(
                ErrorKind::RateLimited,
                format!(
                    "too many in a short time; try again in {} s",
                    seconds.max(1)
                ),
            )
        }
    }

    /// The service has too much to do.
    pub(crate) fn busy() -> Self {
        Self {
            retry_after: Some(1),
            ..Self::unavailable("the service has too much to do; try again")
        }
    }

    /// The service itself is at fault.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            error: "ServiceUnavailable".to_owned(),
            message: message.into(),
            retry_after: None,
        }
    }

    /// The sentence.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// A refusal with another status, as the rules of HTTP want it.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Forbidden | ErrorKind::Denied | ErrorKind::NotSignedIn => StatusCode::FORBIDDEN,
        ErrorKind::LastOwner
        | ErrorKind::AlreadyDecided
        | ErrorKind::AlreadyRecording
        | ErrorKind::NotPresent => StatusCode::CONFLICT,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::BAD_REQUEST,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Refusal {
            error: self.error,
            message: self.message,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, bearer);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<ErrorKind> for ApiError {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::unavailable("the service cannot reach its store; try again")
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let status = match rejection.status() {
            // What is no JSON of ours is one thing to a client.
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        };
        Self::because(ErrorKind::Malformed, rejection.body_text()).with_status(status)
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::because(ErrorKind::Malformed, rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::because(ErrorKind::Malformed, rejection.body_text())
    }
}
