//! Organisations and their e-mail domains, for administrators of the service.

use axum::{Json, extract::State, http::StatusCode};
use parvis_meeting::{ErrorKind, OrganisationId};
use parvis_store::Organisation;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ApiError,
    app::{App, audit},
    caller::Administrator,
    error::Refusal,
    extract::{Body, Named},
};

/// What an organisation is called and who belongs to it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrganisation {
    /// What it is called
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The domains of its members' addresses
    #[serde(default)]
    #[schema(required = false, max_items = 100)]
    domains: Vec<String>,
}

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrganisationBody {
    /// Names it
    #[schema(value_type = String)]
    id: OrganisationId,
    /// What it is called
    name: String,
    /// The domains of its members' addresses
    domains: Vec<String>,
}

/// All organisations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrganisationList {
    organisations: Vec<OrganisationBody>,
}

impl From<Organisation> for OrganisationBody {
    fn from(organisation: Organisation) -> Self {
        Self {
            id: organisation.id,
            name: organisation.name,
            domains: organisation.domains,
        }
    }
}

/// Lists all organisations
#[utoipa::path(
    get, path = "/api/v1/organisations", tag = "administration", security(("login" = [])),
    responses(
        (status = 200, description = "The organisations", body = OrganisationList),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "You do not manage this service", body = Refusal),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    _: Administrator,
) -> Result<Json<OrganisationList>, ApiError> {
    let organisations = app.store.organisations().await?;
    let organisations = organisations.into_iter().map(Into::into).collect();
    Ok(Json(OrganisationList { organisations }))
}

/// Makes an organisation, or changes it; a domain belongs to the last one that it was bound to
#[utoipa::path(
    put, path = "/api/v1/organisations/{id}", tag = "administration",
    params(("id" = String, Path, description = "Names the organisation", max_length = 255)),
    request_body = NewOrganisation, security(("login" = [])),
    responses(
        (status = 200, description = "The organisation", body = OrganisationBody),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "You do not manage this service", body = Refusal),
    )
)]
pub(crate) async fn put(
    State(app): State<App>,
    Administrator(account): Administrator,
    Named(id): Named<OrganisationId>,
    Body(body): Body<NewOrganisation>,
) -> Result<Json<OrganisationBody>, ApiError> {
    let name = body.name.trim();
    if name.is_empty() {
        return Err(ErrorKind::Empty.into());
    }
    if name.chars().count() > 100 || body.domains.len() > 100 {
        return Err(ErrorKind::TooLong.into());
    }
    let domains = body.domains.iter().map(|text| domain(text));
    let mut domains = domains.collect::<Result<Vec<_>, _>>()?;
    domains.sort();
    domains.dedup();
    let organisation = Organisation {
        id,
        name: name.to_owned(),
        domains,
    };
    let now = app.now();
    let details =
        serde_json::json!({ "organisation": organisation.id, "domains": organisation.domains });
    let entry = audit(now, &account.id, "put_organisation", &details);
    let put = app.store.put_organisation(&organisation, now, &entry);
    put.await?;
    Ok(Json(organisation.into()))
}

/// Takes an organisation away; its members keep their accounts
#[utoipa::path(
    delete, path = "/api/v1/organisations/{id}", tag = "administration",
    params(("id" = String, Path, description = "Names the organisation", max_length = 255)),
    security(("login" = [])),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "You do not manage this service", body = Refusal),
        (status = 404, description = "There is no such organisation", body = Refusal),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    Administrator(account): Administrator,
    Named(id): Named<OrganisationId>,
) -> Result<StatusCode, ApiError> {
    let details = serde_json::json!({ "organisation": id });
    let entry = audit(app.now(), &account.id, "delete_organisation", &details);
    if !app.store.delete_organisation(&id, &entry).await? {
        let message = "there is no organisation with that id";
        return Err(ApiError::because(ErrorKind::NotFound, message));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A domain in lower case, as it stands behind the @ of an address.
pub(crate) fn domain(text: &str) -> Result<String, ApiError> {
    let domain = text.trim().to_lowercase();
    crate::mail::address(&format!("a@{domain}")).map_err(|_| {
        let message = format!(
            "a domain is as in example.org, got {:?}",
            text.chars().take(64).collect::<String>()
        );
        ApiError::because(ErrorKind::Malformed, message)
    })?;
    Ok(domain)
}
