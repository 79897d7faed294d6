//! Sign-in by an OpenID Connect provider: authorization code with PKCE, `state` and `nonce`.
#![allow(
    unused_qualifications,
    reason = "utoipa writes the parameters of a question so"
)]

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use parvis_meeting::{AccountId, ErrorKind, OrganisationId, display_name};
use parvis_store::{NewAccount, Secret, SignIn};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    ApiError,
    accounts::login_cookie,
    app::{App, audit},
    caller::{Peer, cookie},
    error::Refusal,
    extract::Question,
    provider::Person,
};

pub(crate) use crate::provider::ProviderClient;

/// The cookie of a browser that is on its way through the provider.
const COOKIE: &str = "parvis_sign_in";
/// How long that may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(10);
/// The longest way back.
const MAX_RETURN: usize = 512;

/// Where a browser goes after it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BeginQuestion {
    /// A path of this site; otherwise `/`
    return_to: Option<String>,
}

/// What the provider sends along with the browser.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ComeBack {
    /// What we gave the browser on its way
    state: Option<String>,
    /// What the account is had for
    code: Option<String>,
    /// Why there is no code
    error: Option<String>,
    /// Who the provider says it is (RFC 9207)
    iss: Option<String>,
}

/// Sends a browser to the provider
#[utoipa::path(
    get, path = "/api/v1/sign-in", tag = "accounts", params(BeginQuestion),
    responses(
        (status = 303, description = "To the provider"),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 403, description = "There is no provider; accounts are local", body = Refusal),
    )
)]
pub(crate) async fn begin(
    State(app): State<App>,
    Peer(from): Peer,
    Question(question): Question<BeginQuestion>,
) -> Result<Response, ApiError> {
    let provider = provider(&app)?;
    app.limiters.sign_ins.take(from)?;
    let return_to = question.return_to.unwrap_or_else(|| "/".to_owned());
    if !is_path(&return_to) {
        return Err(ApiError::because(
            ErrorKind::Malformed,
            "return_to is a path of this site, as in /abc-defg-hij",
        ));
    }
    let state = Secret::random("")?;
    let browser = Secret::random("")?;
    let way = provider.way_there(&app.config, &state).await?;
    let sign_in = SignIn {
        state,
        browser: browser.clone(),
        nonce: way.nonce,
        verifier: way.verifier,
        return_to,
        expires_at: app.now().plus(PATIENCE),
    };
    app.store.begin_sign_in(&sign_in).await?;
    let secure = if app.config.site.scheme() == "https" {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "{COOKIE}={}; Path=/api/v1/sign-in; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        browser.reveal(),
        PATIENCE.as_secs()
    );
    go_to(way.url.as_str(), &[value(&cookie)?])
}

/// Where a browser comes back to from the provider
#[utoipa::path(
    get, path = "/api/v1/sign-in/callback", tag = "accounts", params(ComeBack),
    responses(
        (status = 303, description = "Signed in; to where the browser wanted to go"),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "This is no sign-in that began here, in this browser", body = Refusal),
        (status = 403, description = "The provider, or we, do not let this person in", body = Refusal),
    )
)]
pub(crate) async fn callback(
    State(app): State<App>,
    Peer(from): Peer,
    headers: HeaderMap,
    Question(back): Question<ComeBack>,
) -> Result<Response, ApiError> {
    let provider = provider(&app)?;
    app.limiters.sign_ins.take(from)?;
    let none_of_ours = || {
        ApiError::not_signed_in(
            "this sign-in did not begin in this browser in the last ten minutes; begin again",
        )
    };
    let state = back.state.ok_or_else(none_of_ours)?;
    let browser = cookie(&headers, COOKIE).ok_or_else(none_of_ours)?;
    let (state, browser) = (Secret::shown(state), Secret::shown(browser));
    let taken = app.store.take_sign_in(&state, &browser, app.now()).await?;
    let (nonce, verifier, return_to) = taken.ok_or_else(none_of_ours)?;
    provider.is_issuer(back.iss.as_deref())?;
    if let Some(error) = back.error {
        let error: String = error
            .chars()
            .filter(|c| !c.is_control())
            .take(100)
            .collect();
        let message = format!("the provider says {error:?}");
        return Err(ApiError::because(ErrorKind::Denied, message));
    }
    let code = back.code.ok_or_else(none_of_ours)?;
    let person = provider.person(&app.config, code, nonce, verifier).await?;
    let login = sign_in(&app, provider, person).await?;
    let gone = format!("{COOKIE}=; Path=/api/v1/sign-in; Max-Age=0; HttpOnly; SameSite=Lax");
    go_to(&return_to, &[login_cookie(&app, &login)?, value(&gone)?])
}

async fn sign_in(app: &App, provider: &ProviderClient, person: Person) -> Result<Secret, ApiError> {
    let now = app.now();
    let organisations = person.organisations.iter();
    let organisations = organisations.filter_map(|text| OrganisationId::new(text).ok());
    let organisations: Vec<OrganisationId> = organisations.take(100).collect();
    let email = person
        .email
        .as_deref()
        .map(crate::mail::address)
        .transpose()?;
    let fallback = email.as_deref().and_then(|email| email.split('@').next());
    let name = person.name.as_deref().or(fallback).unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(50).collect();
    let account = NewAccount {
        name: display_name(&name).unwrap_or_else(|_| "?".to_owned()),
        email,
        administrator: provider.is_administrator(&person.subject),
        subject: Some((provider.issuer().to_owned(), person.subject)),
    };
    let entry = |id: &AccountId| {
        let details = serde_json::json!({ "issuer": provider.issuer() });
        audit(now, id, "sign_in", &details)
    };
    let signed_in = app
        .store
        .sign_in_account(&account, &organisations, now, entry);
    let id = signed_in.await?;
    Ok(app
        .store
        .create_login(&id, now, now.plus(app.config.login), None)
        .await?)
}

fn provider(app: &App) -> Result<&ProviderClient, ApiError> {
    app.provider.as_ref().ok_or_else(|| {
        ApiError::because(
            ErrorKind::Forbidden,
            "people sign in with local accounts here: POST /api/v1/login",
        )
    })
}

/// Whether it leads to this site, whatever a browser makes of it.
fn is_path(text: &str) -> bool {
    let mut chars = text.chars();
    text.len() <= MAX_RETURN
        && chars.next() == Some('/')
        && chars.next().is_none_or(|second| second != '/')
        && text.chars().all(|c| c.is_ascii_graphic() && c != '\\')
}

fn go_to(place: &str, cookies: &[HeaderValue]) -> Result<Response, ApiError> {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, value(place)?);
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie.clone());
    }
    Ok(response)
}

fn value(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(text).map_err(|_| ApiError::busy())
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn the_way_back_stays_on_this_site() {
        for good in ["/", "/abc-defg-hij", "/a?b=c#d", "/a//b"] {
            assert!(is_path(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\n",
            "/é",
        ] {
            assert!(!is_path(bad), "{bad}");
        }
    }
}
