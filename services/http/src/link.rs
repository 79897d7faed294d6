//! What a browser shows at a room's link: how one takes part. It says the same whether there is such a room or not.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};

use crate::{ApiError, Language, app::App, extract::Code, openapi::nothing_there};

/// A text for people, at `/CODE`.
pub(crate) async fn page(State(app): State<App>, code: Result<Code, ApiError>) -> Response {
    let Ok(Code(code)) = code else {
        return nothing_there().await.into_response();
    };
    let link = code.link(app.config.site.as_str());
    match app.config.language {
        Language::English => format!(
            "This is the link of a video meeting.\n\n\
             Open it in an app that takes part in Parvis meetings, or in a terminal:\n\n    \
             parvis join {link} --name NAME\n"
        ),
        Language::French => format!(
            "Ceci est le lien d'une visioconférence.\n\n\
             Ouvrez-le dans une application Parvis, ou dans un terminal :\n\n    \
             parvis join {link} --name NOM\n"
        ),
    }
    .into_response()
}
