//! Local accounts, and who is signed in.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use parvis_meeting::{AccountId, ErrorKind, OrganisationId, display_name};
use parvis_store::{Account, AuditEntry, NewProof, Proof, Secret};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ApiError, Language, SignUp,
    app::{App, audit},
    caller::{Agent, COOKIE, Peer, shown},
    error::Refusal,
    extract::Body,
    limiter::Who,
    mail::{self, Mail},
    passphrase,
    time::rfc3339,
};

/// How long a code is valid.
const CODE: std::time::Duration = std::time::Duration::from_mins(15);

/// Somebody wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// The address, which a code is sent to
    #[schema(format = Email, max_length = 254)]
    email: String,
    /// How others see the person: 1 to 50 characters
    #[schema(min_length = 1, max_length = 50)]
    name: String,
}

/// Where the code went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeSent {
    /// To be shown together with the code
    proof: String,
    /// Where to find the code: in the mail to that address, or on the operator's terminal
    #[schema(example = "mail")]
    code: &'static str,
    /// How many minutes it is valid
    minutes: u64,
}

/// Somebody shows a code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProofOfAddress {
    /// What the answer to the request for this code said
    #[schema(max_length = 64)]
    proof: String,
    /// The address that the code was sent to
    #[schema(format = Email, max_length = 254)]
    email: String,
    /// The ten digits
    #[schema(pattern = "^[0-9]{10}$")]
    code: String,
    /// What the account's passphrase is from now on: 10 characters with lower, upper, digit and another
    /// one, or 20 of anything
    #[schema(min_length = 10, max_length = 1024)]
    passphrase: String,
}

/// Somebody signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The account's address
    #[schema(format = Email, max_length = 254)]
    email: String,
    /// Its passphrase
    #[schema(max_length = 1024)]
    passphrase: String,
}

/// A sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Login {
    /// Shown as `Authorization: Bearer` in requests
    token: String,
    /// When it ceases to be valid
    #[schema(format = DateTime)]
    expires: String,
    /// Who is signed in
    account: Me,
}

/// An account as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// Names the account for ever
    #[schema(value_type = String)]
    id: AccountId,
    /// A proven address
    email: Option<String>,
    /// How others see the person
    name: String,
    /// Whether the person manages this service
    administrator: bool,
    /// The organisations that the person belongs to
    #[schema(value_type = Vec<String>)]
    organisations: Vec<OrganisationId>,
}

impl From<Account> for Me {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            email: account.email,
            name: account.name,
            administrator: account.administrator,
            organisations: account.organisations,
        }
    }
}

/// Asks for a local account, or for another passphrase of one; a code is sent to the address
#[utoipa::path(
    post, path = "/api/v1/accounts", tag = "accounts", request_body = NewAccount,
    responses(
        (status = 202, description = "A code was sent, whether there is such an account or not; where not everybody can make one, only to those who can or have one", body = CodeSent),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 403, description = "There are no local accounts", body = Refusal),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    Peer(from): Peer,
    Body(new): Body<NewAccount>,
) -> Result<Response, ApiError> {
    local_accounts(&app)?;
    let email = mail::address(&new.email)?;
    let name = display_name(&new.name)?;
    let is_wanted = is_wanted(&app, &email).await?;
    app.limiters.mails.take(from)?;
    app.limiters.mails.take(Who::text(&email))?;
    let now = app.now();
    let code = code()?;
    let proof = NewProof {
        email: email.clone(),
        code: code.clone(),
        name,
        expires_at: now.plus(CODE),
    };
    let by_mail = app.config.mail.is_some();
    // Where it is not wanted nobody has the code; asking takes as long, and is answered so, all the same.
    let mail = (by_mail && is_wanted).then(|| {
        let key = format!("code:{email}:{}", now.0);
        code_mail(app.config.language, &email, &code).under(key)
    });
    let shown = app.store.begin_proof(&proof, mail.as_ref(), now).await?;
    let sent_to = if by_mail {
        app.mail.notify_one();
        "mail"
    } else {
        if is_wanted {
            let message = format!("The code that proves {email}: {code} (valid 15 minutes)");
            app.config.operator.tell(&message);
        }
        "operator"
    };
    let body = CodeSent {
        proof: shown.reveal().to_owned(),
        code: sent_to,
        minutes: CODE.as_secs() / 60,
    };
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

/// Proves an address by its code: makes the account, or changes its passphrase, and signs in
#[utoipa::path(
    post, path = "/api/v1/accounts/proof", tag = "accounts", request_body = ProofOfAddress,
    responses(
        (status = 200, description = "Signed in", body = Login),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "The code is not, or no longer, right", body = Refusal),
        (status = 403, description = "There are no local accounts", body = Refusal),
    )
)]
pub(crate) async fn prove(
    State(app): State<App>,
    Peer(from): Peer,
    Body(shown): Body<ProofOfAddress>,
) -> Result<Response, ApiError> {
    local_accounts(&app)?;
    let email = mail::address(&shown.email)?;
    // Asked for here: anybody may have asked for a code for this address, and only its owner has it.
    passphrase::check(&shown.passphrase)?;
    app.limiters.sign_ins.take(from)?;
    let hash = app.hasher.hash(shown.passphrase).await?;
    let now = app.now();
    let id = Secret::shown(shown.proof);
    let entry = |account: &AccountId| {
        let details = serde_json::json!({ "email": email });
        audit(now, account, "prove_address", &details)
    };
    let proof = app
        .store
        .finish_proof(&id, &email, &shown.code, &hash, now, entry);
    match proof.await? {
        Proof::Account(account) => sign_in(&app, &account, None).await,
        Proof::Wrong => Err(ApiError::not_signed_in(
            "the code is the ten digits that were sent to this address in the last 15 minutes, by the request \
             whose proof is shown",
        )),
        Proof::Spent => Err(ApiError::not_signed_in(
            "the code was guessed too often; ask for another one",
        )),
    }
}

/// Signs in with a local account
#[utoipa::path(
    post, path = "/api/v1/login", tag = "accounts", request_body = Credentials,
    responses(
        (status = 200, description = "Signed in", body = Login),
        (status = 400, description = "Something is wrong with the request", body = Refusal),
        (status = 401, description = "The address or the passphrase is wrong", body = Refusal),
        (status = 403, description = "There are no local accounts", body = Refusal),
    )
)]
pub(crate) async fn login(
    State(app): State<App>,
    Peer(from): Peer,
    Body(credentials): Body<Credentials>,
) -> Result<Response, ApiError> {
    local_accounts(&app)?;
    let email = mail::address(&credentials.email)?;
    if credentials.passphrase.len() > 1024 {
        return Err(ErrorKind::TooLong.into());
    }
    app.limiters.sign_ins.take(from)?;
    app.limiters.sign_ins.take(Who::text(&email))?;
    let id = app.store.local_account_id(&email).await?;
    // Whoever is not there is looked for as long.
    let nobody = AccountId::new("nobody").expect("it is an id");
    let hash = app.store.passphrase(id.as_ref().unwrap_or(&nobody)).await?;
    let right = app.hasher.verify(credentials.passphrase, hash).await?;
    match id {
        Some(id) if right => {
            let how = serde_json::json!({ "local": true });
            let entry = audit(app.now(), &id, "sign_in", &how);
            sign_in(&app, &id, Some(&entry)).await
        }
        _ => Err(ApiError::not_signed_in(
            "the address or the passphrase is wrong",
        )),
    }
}

/// Signs out
#[utoipa::path(
    post, path = "/api/v1/logout", tag = "accounts", security(("login" = [])),
    responses(
        (status = 204, description = "Signed out"),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "This is for people", body = Refusal),
    )
)]
pub(crate) async fn logout(
    State(app): State<App>,
    Agent(_): Agent,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if let Some(secret) = shown(&headers)? {
        app.store.delete_login(&Secret::shown(secret)).await?;
    }
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    let gone = HeaderValue::from_str(&gone).map_err(|_| ApiError::busy())?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// Who is signed in
#[utoipa::path(
    get, path = "/api/v1/me", tag = "accounts", security(("login" = [])),
    responses(
        (status = 200, description = "The account", body = Me),
        (status = 401, description = "Not signed in", body = Refusal),
        (status = 403, description = "This is for people", body = Refusal),
    )
)]
pub(crate) async fn me(Agent(account): Agent) -> Json<Me> {
    Json(account.into())
}

/// Signs an account in: the token in the body for programs, and in a cookie for browsers.
///
/// audit: what is to be remembered of it, unless it was written already.
async fn sign_in(
    app: &App,
    id: &AccountId,
    audit: Option<&AuditEntry>,
) -> Result<Response, ApiError> {
    let now = app.now();
    let expires = now.plus(app.config.login);
    let account = app.store.account(id).await?;
    let account = account.ok_or_else(|| ApiError::not_signed_in("the account is gone"))?;
    let secret = app.store.create_login(id, now, expires, audit).await?;
    let cookie = login_cookie(app, &secret)?;
    let body = Login {
        token: secret.reveal().to_owned(),
        expires: rfc3339(expires),
        account: account.into(),
    };
    Ok(([(header::SET_COOKIE, cookie)], Json(body)).into_response())
}

pub(crate) fn login_cookie(app: &App, secret: &Secret) -> Result<HeaderValue, ApiError> {
    let secure = if app.config.site.scheme() == "https" {
        "; Secure"
    } else {
        ""
    };
    let age = app.config.login.as_secs();
    let cookie = format!(
        "{COOKIE}={}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}",
        secret.reveal()
    );
    HeaderValue::from_str(&cookie).map_err(|_| ApiError::busy())
}

fn local_accounts(app: &App) -> Result<(), ApiError> {
    if app.provider.is_none() {
        return Ok(());
    }
    Err(ApiError::because(
        ErrorKind::Forbidden,
        "people sign in by the provider here: GET /api/v1/sign-in",
    ))
}

/// Whether a code is sent: to whoever may have an account, or has one and wants another passphrase. Who has
/// one takes no longer than others.
async fn is_wanted(app: &App, email: &str) -> Result<bool, ApiError> {
    let has_account = app.store.local_account_id(email).await?.is_some();
    match app.config.sign_up {
        SignUp::Open => Ok(true),
        SignUp::Domains => {
            let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
            let organisation = app.store.organisation_of_domain(domain).await?;
            Ok(organisation.is_some() || has_account)
        }
        SignUp::Closed => Ok(has_account),
    }
}

/// Ten digits.
fn code() -> Result<String, ApiError> {
    let mut random = [0; 16];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| ApiError::busy())?;
    Ok(format!(
        "{:010}",
        u128::from_le_bytes(random) % 10_000_000_000
    ))
}

fn code_mail(language: Language, email: &str, code: &str) -> Mail {
    let (subject, text) = match language {
        Language::English => (
            format!("Your code: {code}"),
            format!(
                "Your code is {code}. It is valid for 15 minutes.\n\nIf you did not ask for it, ignore this message.\n"
            ),
        ),
        Language::French => (
            format!("Votre code : {code}"),
            format!(
                "Votre code est {code}. Il est valable 15 minutes.\n\nSi vous ne l’avez pas demandé, ignorez ce message.\n"
            ),
        ),
    };
    Mail {
        to: email.to_owned(),
        reply_to: None,
        subject,
        text,
        calendar: None,
    }
}
