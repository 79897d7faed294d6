//! The routes and the document that describes them, from the same list.

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::{Method, StatusCode},
    middleware,
    routing::get,
};
use parvis_meeting::ErrorKind;
use utoipa::{
    OpenApi,
    openapi::{
        ContentBuilder, OpenApi as Document, Ref, RefOr, Required, ResponseBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ApiError, accounts, app::App, applications, guard, health, link, organisations, roles, rooms,
    sign_in, tickets,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Parvis",
        description = "Meetings: accounts, rooms, invitations, tickets. Errors are `{error, message}`: a word, \
                       and a sentence that says what was expected.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    tags(
        (name = "rooms", description = "Rooms, roles, tickets"),
        (name = "accounts", description = "Accounts and sign-in"),
        (name = "administration", description = "For administrators of the service"),
        (name = "health", description = "For whoever watches the service"),
    )
)]
struct Head;

/// All routes.
pub(crate) fn router(app: App) -> Router {
    let (router, document) = routes_and_document();
    let limit = DefaultBodyLimit::max(app.config.limits.body);
    router
        .route(
            "/api/v1/openapi.json",
            get(move || std::future::ready(Json(document.clone()))),
        )
        .route("/{code}", get(link::page))
        .fallback(nothing_there)
        .method_not_allowed_fallback(not_that_method)
        .layer(limit)
        .layer(middleware::from_fn_with_state(app.clone(), guard::guard))
        .with_state(app)
}

/// The document that describes the API.
pub fn document() -> Document {
    routes_and_document().1
}

fn routes_and_document() -> (Router<App>, Document) {
    let (router, mut document) = OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(rooms::create, rooms::list))
        .routes(routes!(rooms::show, rooms::change, rooms::delete))
        .routes(routes!(rooms::invitation))
        .routes(routes!(roles::list, roles::set))
        .routes(routes!(tickets::join))
        .routes(routes!(accounts::create))
        .routes(routes!(accounts::prove))
        .routes(routes!(accounts::login))
        .routes(routes!(accounts::logout))
        .routes(routes!(accounts::me))
        .routes(routes!(sign_in::begin))
        .routes(routes!(sign_in::callback))
        .routes(routes!(applications::create, applications::list))
        .routes(routes!(applications::delete))
        .routes(routes!(organisations::list))
        .routes(routes!(organisations::put, organisations::delete))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .split_for_parts();
    let components = document.components.get_or_insert_default();
    for (name, what) in [
        ("login", "The token of somebody who is signed in"),
        ("application", "The token of an application"),
    ] {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(what))
            .build();
        let schemes = &mut components.security_schemes;
        schemes.insert(name.to_owned(), SecurityScheme::Http(bearer));
    }
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.patch,
        ];
        for operation in operations.into_iter().flatten() {
            with_common_answers(operation);
        }
    }
    (router, document)
}

/// What every request may be answered.
fn with_common_answers(operation: &mut Operation) {
    let mut common = vec![
        ("408", "The request took too long"),
        ("429", "Too many in a short time"),
        ("503", "The service has too much to do"),
    ];
    if let Some(body) = &mut operation.request_body {
        body.required = Some(Required::True);
        common.push(("413", "The body is too large"));
        common.push(("415", "The body is not declared as application/json"));
    }
    for (status, description) in common {
        let body = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Refusal")))
            .build();
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/json", body)
            .build();
        let responses = &mut operation.responses.responses;
        let slot = responses.entry(status.to_owned());
        slot.or_insert(RefOr::T(response));
    }
}

pub(crate) async fn nothing_there() -> ApiError {
    ApiError::because(
        ErrorKind::NotFound,
        "there is nothing at this path; GET /api/v1/openapi.json says what there is",
    )
}

async fn not_that_method(method: Method) -> ApiError {
    let message = format!("{method} is not for this path; GET /api/v1/openapi.json says what is");
    ApiError::because(ErrorKind::Malformed, message).with_status(StatusCode::METHOD_NOT_ALLOWED)
}
