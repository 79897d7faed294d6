use parvis_meeting::{AccountId, OrganisationId, UnixMillis};
use sqlx::{Any, Transaction};

use crate::{
    AuditEntry, Store, StoreError, audit,
    id::new_id,
    local::set_passphrase,
    organisation,
    store::{signed, unsigned},
};

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Which.
    pub id: AccountId,
    /// A proven address, in lower case.
    pub email: Option<String>,
    /// How others see the person.
    pub name: String,
    /// Whether the person manages this service.
    pub administrator: bool,
    /// The provider that knows the person, and what it calls it; `None`: the account is our own.
    pub subject: Option<(String, String)>,
    /// Those that the provider named, and that of the e-mail's domain.
    pub organisations: Vec<OrganisationId>,
    /// When it was made.
    pub created_at: UnixMillis,
}

/// An account to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// A proven address; it is kept in lower case.
    pub email: Option<String>,
    /// How others see the person.
    pub name: String,
    /// Whether the person manages this service.
    pub administrator: bool,
    /// What the provider calls the person: issuer and subject.
    pub subject: Option<(String, String)>,
}

impl NewAccount {
    /// One of our own.
    pub fn local(email: &str, name: &str) -> Self {
        Self {
            email: Some(email.to_owned()),
            name: name.to_owned(),
            administrator: false,
            subject: None,
        }
    }
}

type Row = (
    String,
    Option<String>,
    String,
    i64,
    Option<String>,
    Option<String>,
    i64,
);

impl Store {
    /// Makes an account.
    pub async fn create_account(
        &self,
        account: &NewAccount,
        now: UnixMillis,
    ) -> Result<AccountId, StoreError> {
        let mut transaction = self.begin().await?;
        let id = insert(&mut transaction, account, now).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Makes an account of our own with a passphrase, if one is given, and writes what is to be remembered of it.
    ///
    /// passphrase: its hash, as a PHC string. audit: the entry for an account of that id.
    pub async fn create_local_account(
        &self,
        account: &NewAccount,
        passphrase: Option<&str>,
        now: UnixMillis,
        audit: impl FnOnce(&AccountId) -> AuditEntry + Send,
    ) -> Result<AccountId, StoreError> {
        let mut transaction = self.begin().await?;
        let id = insert(&mut transaction, account, now).await?;
        if let Some(passphrase) = passphrase {
            set_passphrase(&mut transaction, &id, passphrase, now).await?;
        }
        audit::write(&mut transaction, &audit(&id), None, None).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Finds an account.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, email, name, administrator, issuer, subject, created_at \
             FROM accounts WHERE id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(self.reads())
        .await?;
        self.with_organisations(row).await
    }

    /// Finds an account of our own by its address.
    pub async fn local_account(&self, email: &str) -> Result<Option<Account>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, email, name, administrator, issuer, subject, created_at \
             FROM accounts WHERE email = $1 AND issuer IS NULL",
        )
        .bind(lower(email))
        .fetch_optional(self.reads())
        .await?;
        self.with_organisations(row).await
    }

    /// Finds accounts by their address, of whatever provider.
    pub async fn accounts_with_email(&self, email: &str) -> Result<Vec<AccountId>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT id FROM accounts WHERE email = $1 ORDER BY created_at")
                .bind(lower(email))
                .fetch_all(self.reads())
                .await?;
        rows.iter().map(|(id,)| account_id(id)).collect()
    }

    /// Whether there is an administrator.
    pub async fn has_administrator(&self) -> Result<bool, StoreError> {
        let found: Option<(String,)> =
            sqlx::query_as("SELECT id FROM accounts WHERE administrator = 1 LIMIT 1")
                .fetch_optional(self.reads())
                .await?;
        Ok(found.is_some())
    }

    /// Makes the account that a provider's subject has, or brings it up to date, and says to which
    /// organisations the provider's claims say that it belongs; those that are not there are made.
    ///
    /// audit: the entry for an account of that id.
    pub async fn sign_in_account(
        &self,
        account: &NewAccount,
        organisations: &[OrganisationId],
        now: UnixMillis,
        audit: impl FnOnce(&AccountId) -> AuditEntry + Send,
    ) -> Result<AccountId, StoreError> {
        let Some((issuer, subject)) = &account.subject else {
            return Err(StoreError::Missing("the subject of a provider's account"));
        };
        let mut transaction = self.begin().await?;
        let known: Option<(String,)> = sqlx::query_as(
            "UPDATE accounts SET email = $3, name = $4, administrator = $5 WHERE issuer = $1 AND subject = $2 \
             RETURNING id",
        )
        .bind(issuer.as_str())
        .bind(subject.as_str())
        .bind(account.email.as_deref().map(lower))
        .bind(account.name.as_str())
        .bind(i64::from(account.administrator))
        .fetch_optional(&mut *transaction)
        .await?;
        let id = match known {
            Some((id,)) => account_id(&id)?,
            None => insert(&mut transaction, account, now).await?,
        };
        sqlx::query("DELETE FROM memberships WHERE account = $1")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        for organisation in organisations {
            organisation::name(&mut transaction, organisation, now).await?;
            sqlx::query(
                "INSERT INTO memberships (account, organisation) VALUES ($1, $2) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(id.as_str())
            .bind(organisation.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        audit::write(&mut transaction, &audit(&id), None, None).await?;
        transaction.commit().await?;
        Ok(id)
    }

    async fn with_organisations(&self, row: Option<Row>) -> Result<Option<Account>, StoreError> {
        let Some((id, email, name, administrator, issuer, subject, created_at)) = row else {
            return Ok(None);
        };
        let domain = email.as_deref().and_then(|email| email.rsplit_once('@'));
        let domain = domain.map_or("", |(_, domain)| domain);
        let organisations: Vec<(String,)> = sqlx::query_as(
            "SELECT organisation FROM memberships WHERE account = $1 \
             UNION SELECT organisation FROM domains WHERE domain = $2 ORDER BY 1",
        )
        .bind(id.as_str())
        .bind(domain)
        .fetch_all(self.reads())
        .await?;
        Ok(Some(Account {
            id: account_id(&id)?,
            email,
            name,
            administrator: administrator != 0,
            subject: issuer.zip(subject),
            organisations: organisations
                .iter()
                .map(|(id,)| organisation_id(id))
                .collect::<Result<_, _>>()?,
            created_at: UnixMillis(unsigned(created_at)),
        }))
    }
}

pub(crate) async fn insert(
    transaction: &mut Transaction<'static, Any>,
    account: &NewAccount,
    now: UnixMillis,
) -> Result<AccountId, StoreError> {
    let id = account_id(&new_id(now)?)?;
    let (issuer, subject) = account.subject.clone().unzip();
    sqlx::query(
        "INSERT INTO accounts (id, email, name, administrator, issuer, subject, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id.as_str())
    .bind(account.email.as_deref().map(lower))
    .bind(account.name.as_str())
    .bind(i64::from(account.administrator))
    .bind(issuer)
    .bind(subject)
    .bind(signed(now.0))
    .execute(&mut **transaction)
    .await
    .map_err(|error| StoreError::taken(error, "an account with that address"))?;
    Ok(id)
}

/// Addresses are compared in lower case.
pub(crate) fn lower(email: &str) -> String {
    email.trim().to_lowercase()
}

pub(crate) fn account_id(text: &str) -> Result<AccountId, StoreError> {
    AccountId::new(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub(crate) fn organisation_id(text: &str) -> Result<OrganisationId, StoreError> {
    OrganisationId::new(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}
