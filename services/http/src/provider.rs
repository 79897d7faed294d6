use std::{
    net::IpAddr,
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

use openidconnect::{
    AccessToken, AdditionalClaims, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, HttpRequest, HttpResponse, IssuerUrl, LocalizedClaim, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, SubjectIdentifier, TokenResponse,
    UserInfoClaims,
    core::{CoreClient, CoreGenderClaim, CoreProviderMetadata, CoreResponseType},
};
use parvis_meeting::ErrorKind;
use parvis_store::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::{Host, Url};

use crate::{ApiError, Config};

/// An OpenID Connect provider, by which people sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its issuer URL, from which everything else is found out.
    pub issuer: String,
    /// What it calls this service.
    pub client_id: String,
    /// The secret between it and this service, unless this is a public client.
    pub client_secret: Option<String>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that names the organisations of a person: a text, or a list of texts.
    pub organisation_claim: Option<String>,
    /// The subjects of those who manage this service.
    pub administrators: Vec<String>,
    /// Whether an address is good though the provider does not say that it was verified.
    pub trust_email: bool,
}

impl Provider {
    /// A provider that is asked for address and name.
    pub fn new(issuer: &str, client_id: &str, client_secret: Option<&str>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.map(str::to_owned),
            scopes: vec!["email".to_owned(), "profile".to_owned()],
            organisation_claim: None,
            administrators: Vec::new(),
            trust_email: false,
        }
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Somebody as the provider knows them.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) subject: String,
    /// Verified.
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) organisations: Vec<String>,
}

/// Where a browser is sent to, and what is kept meanwhile.
pub(crate) struct WayThere {
    pub(crate) url: Url,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

/// Talks to the provider.
#[derive(Debug)]
pub(crate) struct ProviderClient {
    provider: Provider,
    agent: ureq::Agent,
    /// What was found out, and when.
    known: Mutex<Option<(Arc<CoreProviderMetadata>, Instant)>>,
}

/// Claims beyond those of the standard.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Others {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for Others {}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer.
const MAX_ANSWER: u64 = 1024 * 1024;
/// How long what was found out is believed; keys change.
const KNOWN: Duration = Duration::from_mins(10);

impl ProviderClient {
    pub(crate) fn new(provider: Provider) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            // A provider that sends us elsewhere is none.
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .into();
        Self {
            provider,
            agent,
            known: Mutex::new(None),
        }
    }

    /// What is wrong with the provider at present.
    pub(crate) async fn problem(&self) -> Option<String> {
        let found = self.metadata().await;
        found.err().map(|error| error.message().to_owned())
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.provider.issuer
    }

    pub(crate) fn is_administrator(&self, subject: &str) -> bool {
        self.provider.administrators.iter().any(|a| a == subject)
    }

    /// RFC 9207: a provider that says who it is says the truth.
    pub(crate) fn is_issuer(&self, said: Option<&str>) -> Result<(), ApiError> {
        match said {
            Some(said) if said != self.provider.issuer => Err(ApiError::not_signed_in(
                "the answer is from another provider than the one that was asked",
            )),
            _ => Ok(()),
        }
    }

    /// The way to the provider.
    pub(crate) async fn way_there(
        &self,
        config: &Config,
        state: &Secret,
    ) -> Result<WayThere, ApiError> {
        let metadata = self.metadata().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            ClientId::new(self.provider.client_id.clone()),
            self.provider.client_secret.clone().map(ClientSecret::new),
        )
        .set_redirect_uri(redirect(config)?);
        let state = CsrfToken::new(state.reveal().to_owned());
        let mut request = client.authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            || state,
            Nonce::new_random,
        );
        for scope in &self.provider.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, _, nonce) = request.set_pkce_challenge(challenge).url();
        Ok(WayThere {
            url,
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        })
    }

    /// Who came back with that code.
    pub(crate) async fn person(
        &self,
        config: &Config,
        code: String,
        nonce: String,
        verifier: String,
    ) -> Result<Person, ApiError> {
        let metadata = self.metadata().await?;
        let has_user_info = metadata.userinfo_endpoint().is_some();
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            ClientId::new(self.provider.client_id.clone()),
            self.provider.client_secret.clone().map(ClientSecret::new),
        )
        .set_redirect_uri(redirect(config)?);
        let http = |request: HttpRequest| fetch(self.agent.clone(), request);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| refused("offers no tokens", &error))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&http)
            .await
            .map_err(|error| refused("gives no token for this code", &error))?;
        let id_token = tokens.id_token().ok_or_else(|| {
            ApiError::because(ErrorKind::Denied, "the provider gives no ID token")
        })?;
        let claims = id_token
            .claims(&client.id_token_verifier(), &Nonce::new(nonce))
            .map_err(|error| refused("gives an ID token that is not good", &error))?;
        let mut person = Person {
            subject: claims.subject().to_string(),
            email: None,
            name: said(claims.name()),
            organisations: Vec::new(),
        };
        let (mut given, mut last) = (said(claims.given_name()), said(claims.family_name()));
        let mut email = claims.email().map(|email| email.to_string());
        let mut verified = claims.email_verified();
        if has_user_info {
            let subject = claims.subject().clone();
            let info: UserInfoClaims<Others, CoreGenderClaim> = self
                .user_info(&metadata, config, tokens.access_token().clone(), subject)
                .await?;
            let others = &info.additional_claims().all;
            // The name that a person goes by, where it is told apart from that of birth.
            let usual = others.get("usual_name").and_then(Value::as_str);
            person.name = said(info.name()).or(person.name);
            given = said(info.given_name()).or(given);
            last = usual
                .map(str::to_owned)
                .or(said(info.family_name()))
                .or(last);
            if let Some(address) = info.email() {
                email = Some(address.to_string());
                verified = info.email_verified();
            }
            let claim = self.provider.organisation_claim.as_ref();
            let claim = claim.and_then(|claim| others.get(claim));
            person.organisations = claim.map(texts).unwrap_or_default();
        }
        if email.is_some() && verified != Some(true) && !self.provider.trust_email {
            return Err(ApiError::because(
                ErrorKind::Denied,
                "the provider has not verified the e-mail address; do that there, then sign in again",
            ));
        }
        person.email = email;
        person.name = person.name.or_else(|| joined(given, last));
        Ok(person)
    }

    async fn user_info(
        &self,
        metadata: &CoreProviderMetadata,
        config: &Config,
        token: AccessToken,
        subject: SubjectIdentifier,
    ) -> Result<UserInfoClaims<Others, CoreGenderClaim>, ApiError> {
        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.provider.client_id.clone()),
            self.provider.client_secret.clone().map(ClientSecret::new),
        )
        .set_redirect_uri(redirect(config)?);
        let http = |request: HttpRequest| fetch(self.agent.clone(), request);
        client
            .user_info(token, Some(subject))
            .map_err(|error| refused("offers nothing about people", &error))?
            .request_async(&http)
            .await
            .map_err(|error| refused("says nothing about this person", &error))
    }

    /// What the provider says of itself.
    async fn metadata(&self) -> Result<Arc<CoreProviderMetadata>, ApiError> {
        let mut known = self.known.lock().await;
        if let Some((metadata, at)) = &*known
            && at.elapsed() < KNOWN
        {
            return Ok(Arc::clone(metadata));
        }
        let issuer = &self.provider.issuer;
        let unusable = |why: &str| {
            tracing::error!(issuer, why, "the provider cannot be used");
            ApiError::unavailable(format!("the provider cannot be used: {why}"))
        };
        check_issuer(issuer).map_err(unusable)?;
        let issuer =
            IssuerUrl::new(issuer.clone()).map_err(|error| unusable(&error.to_string()))?;
        let http = |request: HttpRequest| fetch(self.agent.clone(), request);
        let found = CoreProviderMetadata::discover_async(issuer, &http)
            .await
            .map_err(|error| unusable(&chain(&error)))?;
        let found = Arc::new(found);
        *known = Some((Arc::clone(&found), Instant::now()));
        Ok(found)
    }
}

/// What a claim says in no language in particular, if it says something.
fn said<T: Deref<Target = String>>(claim: Option<&LocalizedClaim<T>>) -> Option<String> {
    let text = claim.and_then(|claim| claim.get(None))?;
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// A name of its parts.
fn joined(given: Option<String>, last: Option<String>) -> Option<String> {
    let parts: Vec<String> = given.into_iter().chain(last).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn redirect(config: &Config) -> Result<RedirectUrl, ApiError> {
    RedirectUrl::new(config.link("api/v1/sign-in/callback"))
        .map_err(|_| ApiError::unavailable("the site has no URL to come back to"))
}

/// Says what is wrong with an issuer before it is asked.
pub(crate) fn check_issuer(issuer: &str) -> Result<(), &'static str> {
    let url = Url::parse(issuer).map_err(|_| "its issuer is no URL")?;
    if !is_safe(&url) {
        return Err("it is to be reached over https, or on this machine");
    }
    Ok(())
}

/// Whether nobody on the way reads or changes what is said.
fn is_safe(url: &Url) -> bool {
    let on_this_machine = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && on_this_machine)
}

async fn fetch(agent: ureq::Agent, request: HttpRequest) -> Result<HttpResponse, FetchError> {
    let work = tokio::task::spawn_blocking(move || {
        let response = agent.run(request).map_err(|e| FetchError(e.to_string()))?;
        let (parts, mut body) = response.into_parts();
        let body = body.with_config().limit(MAX_ANSWER).read_to_vec();
        let body = body.map_err(|error| FetchError(error.to_string()))?;
        Ok(HttpResponse::from_parts(parts, body))
    });
    work.await.map_err(|error| FetchError(error.to_string()))?
}

/// The provider did not answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct FetchError(String);

fn refused(what: &str, error: &dyn std::error::Error) -> ApiError {
    tracing::info!(error = chain(error), "the provider {what}");
    ApiError::because(
        ErrorKind::Denied,
        format!("the provider {what}; sign in again"),
    )
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// A text, or a list of them.
fn texts(claim: &Value) -> Vec<String> {
    match claim {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list
            .iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}
