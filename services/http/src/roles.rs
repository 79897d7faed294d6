//! Roles in a room.

use axum::{Json, extract::State};
use parvis_meeting::{AccountId, ErrorKind, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ApiError,
    app::{App, audit},
    caller::SignedIn,
    error::Refusal,
    extract::{Body, Code, CodePath},
    mail, on_behalf,
    room_access::moderated,
    room_body::role_schema,
};

/// Somebody's role in a room.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleBody {
    /// Whose
    #[schema(value_type = String)]
    account: AccountId,
    /// The name of the account
    name: String,
    /// The address of the account
    email: Option<String>,
    /// Which
    #[schema(schema_with = role_schema)]
    role: Role,
}

/// Who has a role in a room.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleList {
    roles: Vec<RoleBody>,
}

/// Gives a role to somebody with an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    /// The account's address
    #[schema(format = Email)]
    email: String,
    /// Which; `guest`: none any more
    #[schema(schema_with = role_schema)]
    role: Role,
}

/// Lists who has a role in a room
#[utoipa::path(
    get, path = "/api/v1/rooms/{code}/roles", tag = "rooms", params(CodePath),
    security(("login" = [])),
    responses(
        (status = 200, description = "The roles", body = RoleList),
        (status = 400, description = "This is no room code", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "You do not moderate it", body = Refusal),
        (status = 404, description = "There is no such room, or you have no role in it", body = Refusal),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    SignedIn(caller): SignedIn,
    Code(code): Code,
) -> Result<Json<RoleList>, ApiError> {
    moderated(&app, &caller, &code, Role::Administrator).await?;
    let found = app.store.roles(&code).await?.ok_or(ErrorKind::NotFound)?;
    let mut roles = Vec::new();
    for (id, role) in found.iter() {
        let account = app.store.account(id).await?;
        let (name, email) = account.map_or_else(Default::default, |a| (a.name, a.email));
        roles.push(RoleBody {
            account: id.clone(),
            name,
            email,
            role,
        });
    }
    Ok(Json(RoleList { roles }))
}

/// Gives somebody a role in a room, or takes it away
#[utoipa::path(
    put, path = "/api/v1/rooms/{code}/roles", tag = "rooms", params(CodePath),
    request_body = NewRole, security(("login" = [])),
    responses(
        (status = 200, description = "The role", body = RoleBody),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "Not allowed: nobody gives a role above their own, nor changes their own", body = Refusal),
        (status = 404, description = "There is no such room, or you have no role in it", body = Refusal),
        (status = 409, description = "The room would be left without an owner, or nobody has that address", body = Refusal),
    )
)]
pub(crate) async fn set(
    State(app): State<App>,
    SignedIn(caller): SignedIn,
    Code(code): Code,
    Body(body): Body<NewRole>,
) -> Result<Json<RoleBody>, ApiError> {
    let (_, own, account) = moderated(&app, &caller, &code, Role::Administrator).await?;
    let email = mail::address(&body.email)?;
    let target = on_behalf::find(&app, &email).await?;
    let target = target.ok_or_else(|| on_behalf::nobody(&email))?;
    let roles = app.store.roles(&code).await?.ok_or(ErrorKind::NotFound)?;
    if target.id == account.id && own == Role::Owner && roles.owners() == 1 {
        return Err(ErrorKind::LastOwner.into());
    }
    if target.id == account.id || roles.role(&target.id) > own || body.role > own {
        return Err(ApiError::because(
            ErrorKind::Forbidden,
            "nobody changes their own role, or gives or takes one above their own",
        ));
    }
    let details = serde_json::json!({ "account": target.id, "role": body.role });
    let entry = audit(app.now(), &account.id, "set_role", &details);
    app.store
        .set_role(&code, &target.id, body.role, &entry)
        .await??;
    Ok(Json(RoleBody {
        account: target.id,
        name: target.name,
        email: target.email,
        role: body.role,
    }))
}
