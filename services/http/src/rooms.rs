//! Rooms.
#![allow(
    unused_qualifications,
    reason = "utoipa writes the parameters of a question so"
)]

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use parvis_meeting::{ErrorKind, Role, RoomCode, UnixMillis};
use parvis_store::{NewRoom, RoomChange, Schedule, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ApiError, Language,
    app::{App, audit},
    caller::SignedIn,
    error::Refusal,
    extract::{Body, Code, CodePath, Question},
    invitation::{Invitation, Method},
    limiter::Who,
    on_behalf,
    room_access::{actor, moderated, readable},
    room_body::{ChangeBody, NewRoomBody, RoomBody, invitees, title},
    time::{duration, parse_duration, rfc3339},
};

/// Which rooms are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuestion {
    /// Those after that only: `next` of the list before
    #[param(pattern = "^[0-9]{1,15}-[a-z0-9]{10}$")]
    before: Option<String>,
    /// So many at most
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The address of the user whose rooms they are; for applications only
    on_behalf_of: Option<String>,
}

/// A list of rooms, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoomList {
    rooms: Vec<RoomBody>,
    /// Where the list goes on
    next: Option<String>,
}

/// What invites people to a room.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationBody {
    /// The block that a calendar's add-on pastes into an entry
    text: String,
    /// The entry for a calendar (RFC 5545), if the room has a time
    calendar: Option<String>,
}

/// Makes a room
#[utoipa::path(
    post, path = "/api/v1/rooms", tag = "rooms", request_body = NewRoomBody,
    security(("login" = []), ("application" = [])),
    responses(
        (status = 201, description = "The room", body = RoomBody),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "Not allowed", body = Refusal),
        (status = 409, description = "Nobody has the address `on_behalf_of`", body = Refusal),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    SignedIn(caller): SignedIn,
    Body(body): Body<NewRoomBody>,
) -> Result<Response, ApiError> {
    let actor = actor(&caller)?;
    app.limiters.rooms.take(Who::text(&actor))?;
    let creator = on_behalf::creator(&app, caller, body.on_behalf_of.as_deref()).await?;
    let now = app.now();
    let usual = match app.config.language {
        Language::English => "Meeting",
        Language::French => "Réunion",
    };
    let mut room = NewRoom {
        code: Store::new_code()?,
        title: title(body.title.as_deref().unwrap_or(usual))?,
        creator: creator.id.clone(),
        policy: body.policy(&creator)?,
        retention: body.retention.as_deref().map(parse_duration).transpose()?,
        schedule: body.schedule()?,
        invitees: invitees(&body.invite)?,
    };
    if !room.invitees.is_empty() {
        app.limiters.mails.take(Who::text(creator.id.as_str()))?;
    }
    // Twice the same code of 26^10 is an accident that the next one mends.
    for _ in 0..3 {
        let invitation = Invitation {
            config: &app.config,
            code: &room.code,
            title: &room.title,
            schedule: room.schedule,
            organizer: &creator,
            invitees: &room.invitees,
            sequence: 0,
            now,
        };
        let mails = invitation.mails(Method::Request, &room.invitees);
        let entry = audit(now, &actor, "create", &json!({ "creator": creator.id }));
        match app.store.create_room(&room, &entry, &mails, now).await {
            Ok(()) => {}
            Err(StoreError::Taken(_)) => {
                room.code = Store::new_code()?;
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        app.mail.notify_one();
        let body = body_of(&app, &room.code, Role::Owner).await?;
        let location = format!("/api/v1/rooms/{}", room.code);
        let headers = [(header::LOCATION, location)];
        return Ok((StatusCode::CREATED, headers, Json(body)).into_response());
    }
    Err(ApiError::busy())
}

/// Lists the rooms that one moderates
#[utoipa::path(
    get, path = "/api/v1/rooms", tag = "rooms", params(ListQuestion),
    security(("login" = []), ("application" = [])),
    responses(
        (status = 200, description = "The rooms", body = RoomList),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "Not allowed", body = Refusal),
        (status = 409, description = "Nobody has the address `on_behalf_of`", body = Refusal),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    SignedIn(caller): SignedIn,
    Question(question): Question<ListQuestion>,
) -> Result<Json<RoomList>, ApiError> {
    actor(&caller)?;
    let account = on_behalf::lister(&app, caller, question.on_behalf_of.as_deref()).await?;
    let most = question.limit.unwrap_or(50);
    if !(1..=100).contains(&most) {
        return Err(ApiError::because(ErrorKind::Malformed, "limit is 1 to 100"));
    }
    let after = question.before.as_deref().map(place).transpose()?;
    let found = app.store.rooms_of(&account.id, after, most).await?;
    let full = found.len() == most as usize;
    let next = found.last().filter(|_| full);
    let next = next.map(|room| format!("{}-{}", room.created_at.0, room.code.compact()));
    let mut rooms = Vec::with_capacity(found.len());
    for room in found {
        let roles = app.store.roles(&room.code).await?;
        let role = roles.map_or(Role::Guest, |roles| roles.role(&account.id));
        let invited = app.store.invitees(&room.code).await?;
        rooms.push(RoomBody::new(&app.config, room, role, invited));
    }
    Ok(Json(RoomList { rooms, next }))
}

/// Where a list goes on, as it was told.
fn place(text: &str) -> Result<(UnixMillis, RoomCode), ApiError> {
    let is_code = |code: &str| {
        let mut bytes = code.bytes();
        code.len() == RoomCode::LEN
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let read = || {
        let (at, code) = text.split_once('-').filter(|(_, code)| is_code(code))?;
        let is_time = (1..=15).contains(&at.len()) && at.bytes().all(|b| b.is_ascii_digit());
        let at = at.parse().ok().filter(|_| is_time)?;
        Some((UnixMillis(at), RoomCode::parse(code).ok()?))
    };
    read().ok_or_else(|| {
        ApiError::because(ErrorKind::Malformed, "before is the `next` of another list")
    })
}

/// Shows a room
#[utoipa::path(
    get, path = "/api/v1/rooms/{code}", tag = "rooms", params(CodePath),
    security(("login" = []), ("application" = [])),
    responses(
        (status = 200, description = "The room", body = RoomBody),
        (status = 400, description = "This is no room code", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "The application lacks the scope", body = Refusal),
        (status = 404, description = "There is no such room, or you have no role in it", body = Refusal),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    SignedIn(caller): SignedIn,
    Code(code): Code,
) -> Result<Json<RoomBody>, ApiError> {
    let (_, role) = readable(&app, &caller, &code).await?;
    Ok(Json(body_of(&app, &code, role).await?))
}

/// Changes a room; those who are invited hear of another time or title
#[utoipa::path(
    patch, path = "/api/v1/rooms/{code}", tag = "rooms", params(CodePath),
    request_body = ChangeBody, security(("login" = [])),
    responses(
        (status = 200, description = "The room", body = RoomBody),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "You do not moderate it", body = Refusal),
        (status = 404, description = "There is no such room, or you have no role in it", body = Refusal),
    )
)]
pub(crate) async fn change(
    State(app): State<App>,
    SignedIn(caller): SignedIn,
    Code(code): Code,
    Body(body): Body<ChangeBody>,
) -> Result<Json<RoomBody>, ApiError> {
    let (room, role, account) = moderated(&app, &caller, &code, Role::Administrator).await?;
    let now = app.now();
    let invited = app.store.invitees(&code).await?;
    let retention = body.retention.as_ref();
    let retention = retention.map(|kept| kept.as_deref().map(parse_duration).transpose());
    let change = RoomChange {
        title: body.title.as_deref().map(title).transpose()?,
        policy: body.policy(&room, &account)?,
        policy_was: Some(room.policy.clone()),
        retention: retention.transpose()?,
        schedule: body.schedule(&room)?,
        invitees: body.invite.as_deref().map(invitees).transpose()?,
        invites: false,
    };
    let invitees = change.invitees.as_ref().unwrap_or(&invited);
    // Its entry goes from the calendars of all who had it.
    let unscheduled = change.schedule == Some(None);
    let moved =
        change.schedule.is_some() || change.title.as_ref().is_some_and(|t| *t != room.title);
    let is_new = |invitee: &&String| (moved && !unscheduled) || !invited.contains(invitee);
    let hear: Vec<String> = invitees.iter().filter(is_new).cloned().collect();
    let left = invited.iter();
    let left = left.filter(|invitee| unscheduled || !invitees.contains(invitee));
    let left: Vec<String> = left.cloned().collect();
    if !hear.is_empty() || !left.is_empty() {
        app.limiters.mails.take(Who::text(account.id.as_str()))?;
    }
    let invitation = Invitation {
        config: &app.config,
        code: &code,
        title: change.title.as_ref().unwrap_or(&room.title),
        schedule: change.schedule.unwrap_or(room.schedule),
        organizer: &account,
        invitees,
        sequence: room.invitation,
        now,
    };
    let mut mails = invitation.mails(Method::Request, &hear);
    let cancelled = Invitation {
        title: &room.title,
        schedule: room.schedule,
        invitees: &left,
        ..invitation
    };
    mails.extend(cancelled.mails(Method::Cancel, &left));
    let change = RoomChange {
        invites: !mails.is_empty(),
        ..change.clone()
    };
    let entry = audit(now, &account.id, "change", &details(&change));
    match app
        .store
        .change_room(&code, &change, &entry, &mails, now)
        .await
    {
        Ok(()) => {}
        Err(StoreError::Missing(_)) => return Err(ErrorKind::NotFound.into()),
        Err(error) => return Err(error.into()),
    }
    app.mail.notify_one();
    Ok(Json(body_of(&app, &code, role).await?))
}

/// Takes a room away; a meeting in it ends, those who are invited get a cancellation
#[utoipa::path(
    delete, path = "/api/v1/rooms/{code}", tag = "rooms", params(CodePath),
    security(("login" = [])),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "This is no room code", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "You do not own it", body = Refusal),
        (status = 404, description = "There is no such room, or you have no role in it", body = Refusal),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    SignedIn(caller): SignedIn,
    Code(code): Code,
) -> Result<StatusCode, ApiError> {
    let (room, _, account) = moderated(&app, &caller, &code, Role::Owner).await?;
    let now = app.now();
    let invited = app.store.invitees(&code).await?;
    let invitation = Invitation {
        config: &app.config,
        code: &code,
        title: &room.title,
        schedule: room.schedule,
        organizer: &account,
        invitees: &invited,
        sequence: room.invitation,
        now,
    };
    let mails = invitation.mails(Method::Cancel, &invited);
    let entry = audit(now, &account.id, "delete", &json!({ "title": room.title }));
    if !app.store.delete_room(&code, &entry, &mails, now).await? {
        return Err(ErrorKind::NotFound.into());
    }
    app.mail.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

/// Shows what invites people to a room, for calendar add-ons
#[utoipa::path(
    get, path = "/api/v1/rooms/{code}/invitation", tag = "rooms", params(CodePath),
    security(("login" = []), ("application" = [])),
    responses(
        (status = 200, description = "The invitation", body = InvitationBody),
        (status = 400, description = "This is no room code", body = Refusal),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "The application lacks the scope", body = Refusal),
        (status = 404, description = "There is no such room, or you have no role in it", body = Refusal),
    )
)]
pub(crate) async fn invitation(
    State(app): State<App>,
    SignedIn(caller): SignedIn,
    Code(code): Code,
) -> Result<Json<InvitationBody>, ApiError> {
    let (room, _) = readable(&app, &caller, &code).await?;
    let organizer = app.store.account(&room.creator).await?;
    let organizer = organizer.ok_or(ErrorKind::NotFound)?;
    let invitation = Invitation {
        config: &app.config,
        code: &code,
        title: &room.title,
        schedule: room.schedule,
        organizer: &organizer,
        invitees: &[],
        sequence: room.invitation.saturating_sub(1),
        now: room.changed_at,
    };
    let calendar = room
        .schedule
        .map(|schedule| invitation.calendar(schedule, None));
    Ok(Json(InvitationBody {
        text: invitation.text_block(),
        calendar,
    }))
}

/// What a change changes, for the audit log.
fn details(change: &RoomChange) -> Map<String, Value> {
    let mut details = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            details.insert(name.to_owned(), value);
        }
    };
    put("title", change.title.as_ref().map(|title| json!(title)));
    put("policy", change.policy.as_ref().map(|policy| json!(policy)));
    let kept = change.retention.map(|kept| json!(kept.map(duration)));
    put("retention", kept);
    let starts_at = |schedule: Schedule| rfc3339(schedule.starts_at);
    let lasts = |schedule: Schedule| duration(schedule.lasts);
    put(
        "starts_at",
        change.schedule.map(|s| json!(s.map(starts_at))),
    );
    put("lasts", change.schedule.map(|s| json!(s.map(lasts))));
    put("invite", change.invitees.as_ref().map(|all| json!(all)));
    details
}

async fn body_of(app: &App, code: &RoomCode, role: Role) -> Result<RoomBody, ApiError> {
    let room = app.store.room(code).await?.ok_or(ErrorKind::NotFound)?;
    let invited = app.store.invitees(code).await?;
    Ok(RoomBody::new(&app.config, room, role, invited))
}
