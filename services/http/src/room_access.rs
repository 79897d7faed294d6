//! Who may see and change a room.

use parvis_meeting::{AccountId, ErrorKind, Role, RoomCode};
use parvis_store::{Account, Application, Room, Scope};

use crate::{ApiError, app::App, caller::Caller, on_behalf};

/// Who stands in the audit log.
pub(crate) fn actor(caller: &Caller) -> Result<String, ApiError> {
    match caller {
        Caller::Agent(account) => Ok(account.id.to_string()),
        Caller::Application(application) => Ok(format!("application {}", application.id)),
        Caller::Guest => Err(ApiError::not_for_guests()),
    }
}

/// A room that the caller may see, and the caller's role in it.
pub(crate) async fn readable(
    app: &App,
    caller: &Caller,
    code: &RoomCode,
) -> Result<(Room, Role), ApiError> {
    match caller {
        Caller::Guest => Err(ApiError::not_for_guests()),
        Caller::Agent(account) => with_role(app, account, code).await,
        Caller::Application(application) => {
            let room = readable_by(app, application, code).await?;
            Ok((room, Role::Administrator))
        }
    }
}

async fn readable_by(
    app: &App,
    application: &Application,
    code: &RoomCode,
) -> Result<Room, ApiError> {
    on_behalf::has_scope(application, Scope::RoomsRead)?;
    let room = app.store.room(code).await?;
    let nobody = || AccountId::new("nobody").expect("letters are an account");
    let creator = room
        .as_ref()
        .map_or_else(nobody, |room| room.creator.clone());
    // Rooms of others are none to it, and are looked for as long.
    let creator = app.store.account(&creator).await?;
    let email = creator
        .and_then(|creator| creator.email)
        .unwrap_or_default();
    let room = room.filter(|_| on_behalf::has_domain(application, &email));
    Ok(room.ok_or(ErrorKind::NotFound)?)
}

/// A room in which the caller has at least this role.
pub(crate) async fn moderated(
    app: &App,
    caller: &Caller,
    code: &RoomCode,
    least: Role,
) -> Result<(Room, Role, Account), ApiError> {
    let account = match caller {
        Caller::Agent(account) => account,
        Caller::Application(_) => {
            return Err(ApiError::because(
                ErrorKind::Forbidden,
                "this is for people who are signed in, not for applications",
            ));
        }
        Caller::Guest => return Err(ApiError::not_for_guests()),
    };
    let (room, role) = with_role(app, account, code).await?;
    if role < least {
        let message = match least {
            Role::Owner => "this is for owners of the room",
            _ => "this is for owners and administrators of the room",
        };
        return Err(ApiError::because(ErrorKind::Forbidden, message));
    }
    Ok((room, role, (**account).clone()))
}

/// A room in which somebody has a role; others are none to them, and are looked for as long.
async fn with_role(
    app: &App,
    account: &Account,
    code: &RoomCode,
) -> Result<(Room, Role), ApiError> {
    let room = app.store.room(code).await?;
    let roles = app.store.roles(code).await?;
    let role = roles.map_or(Role::Guest, |roles| roles.role(&account.id));
    let room = room.filter(|_| role != Role::Guest);
    Ok((room.ok_or(ErrorKind::NotFound)?, role))
}
