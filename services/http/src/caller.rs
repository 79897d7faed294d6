use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use parvis_meeting::ErrorKind;
use parvis_store::{Account, Application, Secret};

use crate::{ApiError, app::App, limiter::Who};

/// The cookie of those who signed in with a browser.
pub(crate) const COOKIE: &str = "parvis_login";

/// Who makes a request.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// Somebody who is signed in.
    Agent(Box<Account>),
    /// An application with a token.
    Application(Box<Application>),
    /// Anybody.
    Guest,
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Some(secret) = shown(&parts.headers)? else {
            return Ok(Self::Guest);
        };
        if secret.starts_with("pva_") {
            let application = app.store.application(&Secret::shown(secret)).await?;
            let application = application.ok_or_else(unknown)?;
            return Ok(Self::Application(Box::new(application)));
        }
        let account = app.store.login(&Secret::shown(secret), app.now()).await?;
        Ok(Self::Agent(Box::new(account.ok_or_else(unknown)?)))
    }
}

fn unknown() -> ApiError {
    ApiError::not_signed_in("the token is none of ours, or its time is over; sign in again")
}

/// What the caller shows: a bearer token, or the cookie.
pub(crate) fn shown(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.len() > 128 {
            return Err(ApiError::not_signed_in(
                "the Authorization header is `Bearer` and the token of a login or an application",
            ));
        }
        return Ok(Some(token.to_owned()));
    }
    Ok(cookie(headers, COOKIE))
}

/// A cookie by its name.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE);
    let mut pairs = pairs.iter().filter_map(|value| value.to_str().ok());
    pairs.find_map(|pairs| {
        let mut pairs = pairs
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(key, _)| *key == name)?;
        (value.len() <= 128).then(|| value.to_owned())
    })
}

/// Somebody who is signed in, or an application.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn(pub(crate) Caller);

impl FromRequestParts<App> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Guest => Err(ApiError::not_for_guests()),
            caller => Ok(Self(caller)),
        }
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Agent(pub(crate) Account);

impl FromRequestParts<App> for Agent {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Agent(account) => Ok(Self(*account)),
            Caller::Application(_) => Err(ApiError::because(
                ErrorKind::Forbidden,
                "this is for people who are signed in, not for applications",
            )),
            Caller::Guest => Err(ApiError::not_signed_in(
                "this is for people who are signed in; show the token of a login",
            )),
        }
    }
}

/// Somebody who manages the service.
#[derive(Debug, Clone)]
pub(crate) struct Administrator(pub(crate) Account);

impl FromRequestParts<App> for Administrator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Agent(account) = Agent::from_request_parts(parts, app).await?;
        if !account.administrator {
            return Err(ApiError::because(
                ErrorKind::Forbidden,
                "this is for administrators of the service",
            ));
        }
        Ok(Self(account))
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) Who);

impl FromRequestParts<App> for Peer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Ok(Self(Who::address(address(parts, app.config.behind_proxy))))
    }
}

fn address(parts: &Parts, behind_proxy: bool) -> IpAddr {
    if behind_proxy {
        // The last one was written by our own proxy, the others by whoever asks.
        let last = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let last =
            last.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        if let Some(address) = last {
            return address;
        }
    }
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip())
}
