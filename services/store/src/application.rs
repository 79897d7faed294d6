use parvis_meeting::{AccountId, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::{
    ApplicationId, AuditEntry, Secret, Store, StoreError,
    account::account_id,
    audit,
    id::new_id,
    store::{signed, unsigned},
};

/// What an application may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Make rooms on behalf of users.
    #[serde(rename = "rooms:create")]
    RoomsCreate,
    /// List the rooms of users.
    #[serde(rename = "rooms:list")]
    RoomsList,
    /// Read a room.
    #[serde(rename = "rooms:read")]
    RoomsRead,
}

/// An application that acts on behalf of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Which.
    pub id: ApplicationId,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The domains of the users' addresses, in lower case; none: it may act for nobody.
    pub domains: Vec<String>,
    /// Who made it.
    pub created_by: AccountId,
    /// When.
    pub created_at: UnixMillis,
}

/// An application to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApplication {
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The domains of the users' addresses.
    pub domains: Vec<String>,
    /// Who makes it.
    pub created_by: AccountId,
}

type Row = (String, String, String, String, String, i64);

impl Store {
    /// Makes an application; who shows the secret is the application.
    ///
    /// audit: the entry for an application of that id.
    pub async fn create_application(
        &self,
        application: &NewApplication,
        now: UnixMillis,
        audit: impl FnOnce(&ApplicationId) -> AuditEntry + Send,
    ) -> Result<(ApplicationId, Secret), StoreError> {
        let id = ApplicationId(new_id(now)?);
        let secret = Secret::random("pva_")?;
        let domains: Vec<String> = application
            .domains
            .iter()
            .map(|d| d.to_lowercase())
            .collect();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO applications (id, name, secret, scopes, domains, created_by, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.as_str())
        .bind(application.name.as_str())
        .bind(secret.hash())
        .bind(json(&application.scopes)?)
        .bind(json(&domains)?)
        .bind(application.created_by.as_str())
        .bind(signed(now.0))
        .execute(&mut *transaction)
        .await?;
        audit::write(&mut transaction, &audit(&id), None, None).await?;
        transaction.commit().await?;
        Ok((id, secret))
    }

    /// Which application shows that secret.
    pub async fn application(&self, secret: &Secret) -> Result<Option<Application>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, name, scopes, domains, created_by, created_at FROM applications \
             WHERE secret = $1",
        )
        .bind(secret.hash())
        .fetch_optional(self.reads())
        .await?;
        row.map(read).transpose()
    }

    /// All applications, the oldest first; 1000 at most.
    pub async fn applications(&self) -> Result<Vec<Application>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, scopes, domains, created_by, created_at FROM applications \
             ORDER BY created_at, id LIMIT 1000",
        )
        .fetch_all(self.reads())
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// Takes an application's token away; whether there was one.
    pub async fn delete_application(
        &self,
        id: &ApplicationId,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = sqlx::query("DELETE FROM applications WHERE id = $1")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        audit::write(&mut transaction, audit, None, None).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn read(
    (id, name, scopes, domains, created_by, created_at): Row,
) -> Result<Application, StoreError> {
    Ok(Application {
        id: ApplicationId(id),
        name,
        scopes: parse(&scopes)?,
        domains: parse(&domains)?,
        created_by: account_id(&created_by)?,
        created_at: UnixMillis(unsigned(created_at)),
    })
}

pub(crate) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}
