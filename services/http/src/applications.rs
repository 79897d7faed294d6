//! Application tokens, for administrators of the service.

use axum::{Json, extract::State, http::StatusCode};
use parvis_meeting::{AccountId, ErrorKind};
use parvis_store::{Application, ApplicationId, NewApplication, Scope};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{
        ObjectBuilder, Type,
        schema::{Array, ArrayBuilder},
    },
};

use crate::{
    ApiError,
    app::{App, audit},
    caller::Administrator,
    error::Refusal,
    extract::{Body, Named},
    organisations::domain,
    time::rfc3339,
};

/// An application to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApplicationBody {
    /// What it is called
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may do
    #[schema(schema_with = scopes_schema)]
    scopes: Vec<Scope>,
    /// The domains of the addresses of users that it acts for
    #[schema(min_items = 1, max_items = 100)]
    domains: Vec<String>,
}

/// An application.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApplicationBody {
    /// Names it
    id: String,
    /// What it is called
    name: String,
    /// What it may do
    #[schema(schema_with = scopes_schema)]
    scopes: Vec<Scope>,
    /// The domains of the addresses of users that it acts for
    domains: Vec<String>,
    /// Who made it
    #[schema(value_type = String)]
    created_by: AccountId,
    /// When it was made
    #[schema(format = DateTime)]
    created: String,
}

/// An application and its token, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApplicationToken {
    /// Names it
    id: String,
    /// Shown as `Authorization: Bearer` in requests
    token: String,
}

/// All applications.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApplicationList {
    applications: Vec<ApplicationBody>,
}

impl From<Application> for ApplicationBody {
    fn from(application: Application) -> Self {
        Self {
            id: application.id.to_string(),
            name: application.name,
            scopes: application.scopes,
            domains: application.domains,
            created_by: application.created_by,
            created: rfc3339(application.created_at),
        }
    }
}

/// Makes an application and its token
#[utoipa::path(
    post, path = "/api/v1/applications", tag = "administration", request_body = NewApplicationBody,
    security(("login" = [])),
    responses(
        (status = 201, description = "The token, shown this once", body = ApplicationToken),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "You do not manage this service", body = Refusal),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    Administrator(account): Administrator,
    Body(body): Body<NewApplicationBody>,
) -> Result<(StatusCode, Json<ApplicationToken>), ApiError> {
    let name = body.name.trim();
    if name.is_empty() {
        return Err(ErrorKind::Empty.into());
    }
    if name.chars().count() > 100 {
        return Err(ErrorKind::TooLong.into());
    }
    let mut scopes = body.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() || body.domains.is_empty() || body.domains.len() > 100 {
        return Err(ApiError::because(
            ErrorKind::Malformed,
            "an application has one scope at least, and 1 to 100 domains of users' addresses",
        ));
    }
    let domains = body.domains.iter().map(|text| domain(text));
    let new = NewApplication {
        name: name.to_owned(),
        scopes,
        domains: domains.collect::<Result<_, _>>()?,
        created_by: account.id.clone(),
    };
    let now = app.now();
    let entry = |id: &ApplicationId| {
        let details =
            serde_json::json!({ "application": id, "name": new.name, "scopes": new.scopes });
        audit(now, &account.id, "create_application", &details)
    };
    let (id, secret) = app.store.create_application(&new, now, entry).await?;
    let token = ApplicationToken {
        id: id.to_string(),
        token: secret.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(token)))
}

/// Lists all applications
#[utoipa::path(
    get, path = "/api/v1/applications", tag = "administration", security(("login" = [])),
    responses(
        (status = 200, description = "The applications", body = ApplicationList),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "You do not manage this service", body = Refusal),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    _: Administrator,
) -> Result<Json<ApplicationList>, ApiError> {
    let applications = app.store.applications().await?;
    let applications = applications.into_iter().map(Into::into).collect();
    Ok(Json(ApplicationList { applications }))
}

/// Takes an application's token away
#[utoipa::path(
    delete, path = "/api/v1/applications/{id}", tag = "administration",
    params(("id" = String, Path, description = "Names the application")), security(("login" = [])),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "You do not manage this service", body = Refusal),
        (status = 404, description = "There is no such application", body = Refusal),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    Administrator(account): Administrator,
    Named(id): Named<String>,
) -> Result<StatusCode, ApiError> {
    let id = ApplicationId(id);
    let details = serde_json::json!({ "application": id });
    let entry = audit(app.now(), &account.id, "delete_application", &details);
    if !app.store.delete_application(&id, &entry).await? {
        let message = "there is no application with that id";
        return Err(ApiError::because(ErrorKind::NotFound, message));
    }
    Ok(StatusCode::NO_CONTENT)
}

fn scopes_schema() -> Array {
    let scope = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["rooms:create", "rooms:list", "rooms:read"]));
    ArrayBuilder::new().items(scope).min_items(Some(1)).build()
}
