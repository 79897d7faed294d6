//! What applications do for users.

use parvis_meeting::{AccountId, ErrorKind};
use parvis_store::{Account, Application, NewAccount, Scope};

use crate::{
    ApiError,
    app::{App, audit},
    caller::Caller,
    mail,
};

/// Whose room a new one is.
pub(crate) async fn creator(
    app: &App,
    caller: Caller,
    on_behalf_of: Option<&str>,
) -> Result<Account, ApiError> {
    let application = match caller {
        Caller::Agent(account) => return own(*account, on_behalf_of),
        Caller::Application(application) => application,
        Caller::Guest => return Err(ErrorKind::NotSignedIn.into()),
    };
    has_scope(&application, Scope::RoomsCreate)?;
    let email = user(&application, on_behalf_of)?;
    if let Some(account) = find(app, &email).await? {
        return Ok(account);
    }
    if app.provider.is_some() {
        return Err(nobody(&email));
    }
    // The application vouches for the address; whoever proves it has the account.
    let name = email.split('@').next().unwrap_or(&email);
    let new = NewAccount::local(&email, name);
    let now = app.now();
    let entry = |id: &AccountId| {
        let actor = format!("application {}", application.id);
        let details = serde_json::json!({ "account": id, "email": email });
        audit(now, &actor, "create_account", &details)
    };
    let made = app.store.create_local_account(&new, None, now, entry);
    let id = made.await?;
    app.store.account(&id).await?.ok_or_else(|| nobody(&email))
}

/// Whose rooms are listed.
pub(crate) async fn lister(
    app: &App,
    caller: Caller,
    on_behalf_of: Option<&str>,
) -> Result<Account, ApiError> {
    let application = match caller {
        Caller::Agent(account) => return own(*account, on_behalf_of),
        Caller::Application(application) => application,
        Caller::Guest => return Err(ErrorKind::NotSignedIn.into()),
    };
    has_scope(&application, Scope::RoomsList)?;
    let email = user(&application, on_behalf_of)?;
    find(app, &email).await?.ok_or_else(|| nobody(&email))
}

/// Refuses an application without that scope.
pub(crate) fn has_scope(application: &Application, scope: Scope) -> Result<(), ApiError> {
    if application.scopes.contains(&scope) {
        return Ok(());
    }
    let name = serde_json::to_string(&scope).unwrap_or_default();
    let message = format!("the application's token lacks the scope {name}");
    Err(ApiError::because(ErrorKind::Forbidden, message))
}

/// Whether an application may act for users with such an address.
pub(crate) fn has_domain(application: &Application, email: &str) -> bool {
    email
        .rsplit_once('@')
        .is_some_and(|(_, domain)| application.domains.iter().any(|d| d == domain))
}

fn own(account: Account, on_behalf_of: Option<&str>) -> Result<Account, ApiError> {
    if on_behalf_of.is_some() {
        return Err(ApiError::because(
            ErrorKind::Forbidden,
            "on_behalf_of is for applications; you act for yourself",
        ));
    }
    Ok(account)
}

fn user(application: &Application, on_behalf_of: Option<&str>) -> Result<String, ApiError> {
    let Some(email) = on_behalf_of else {
        return Err(ApiError::because(
            ErrorKind::Malformed,
            "an application says whom it acts for: give on_behalf_of, an e-mail address",
        ));
    };
    let email = mail::address(email)?;
    if !has_domain(application, &email) {
        return Err(ApiError::because(
            ErrorKind::Forbidden,
            format!(
                "the application acts for addresses of {} only",
                application.domains.join(", ")
            ),
        ));
    }
    Ok(email)
}

pub(crate) async fn find(app: &App, email: &str) -> Result<Option<Account>, ApiError> {
    let accounts = app.store.accounts_with_email(email).await?;
    match accounts.as_slice() {
        [] => Ok(None),
        [one] => Ok(app.store.account(one).await?),
        _ => Err(ApiError::because(
            ErrorKind::NotPresent,
            format!("several people have the address {email:?}"),
        )),
    }
}

pub(crate) fn nobody(email: &str) -> ApiError {
    ApiError::because(
        ErrorKind::NotPresent,
        format!("nobody with the address {email:?} has signed in so far"),
    )
}
