use parvis_meeting::{OrganisationId, UnixMillis};
use sqlx::{Any, Transaction};

use crate::{AuditEntry, Store, StoreError, account::organisation_id, audit, store::signed};

/// An organisation, and the e-mail domains whose accounts belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Which.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// In lower case.
    pub domains: Vec<String>,
}

impl Store {
    /// Makes an organisation with that id, or gives the one that is there the name and the domains; a domain
    /// belongs to one organisation, the last one that it was bound to.
    pub async fn put_organisation(
        &self,
        organisation: &Organisation,
        now: UnixMillis,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO organisations (id, name, created_at) VALUES ($1, $2, $3) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        )
        .bind(organisation.id.as_str())
        .bind(organisation.name.as_str())
        .bind(signed(now.0))
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM domains WHERE organisation = $1")
            .bind(organisation.id.as_str())
            .execute(&mut *transaction)
            .await?;
        for domain in &organisation.domains {
            sqlx::query(
                "INSERT INTO domains (domain, organisation) VALUES ($1, $2) \
                 ON CONFLICT (domain) DO UPDATE SET organisation = excluded.organisation",
            )
            .bind(domain.to_lowercase())
            .bind(organisation.id.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        audit::write(&mut transaction, audit, None, None).await?;
        Ok(transaction.commit().await?)
    }

    /// All organisations, by name; 1000 at most.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT id, name FROM organisations ORDER BY name, id LIMIT 1000")
                .fetch_all(self.reads())
                .await?;
        let domains: Vec<(String, String)> =
            sqlx::query_as("SELECT domain, organisation FROM domains ORDER BY domain")
                .fetch_all(self.reads())
                .await?;
        let organisation = |(id, name): (String, String)| {
            let its = domains.iter().filter(|(_, of)| *of == id);
            Ok(Organisation {
                domains: its.map(|(domain, _)| domain.clone()).collect(),
                id: organisation_id(&id)?,
                name,
            })
        };
        rows.into_iter().map(organisation).collect()
    }

    /// Takes an organisation away; its accounts stay.
    pub async fn delete_organisation(
        &self,
        id: &OrganisationId,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = sqlx::query("DELETE FROM organisations WHERE id = $1")
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

    /// The organisation that an e-mail domain is bound to.
    pub async fn organisation_of_domain(
        &self,
        domain: &str,
    ) -> Result<Option<OrganisationId>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT organisation FROM domains WHERE domain = $1")
                .bind(domain.to_lowercase())
                .fetch_optional(self.reads())
                .await?;
        row.map(|(id,)| organisation_id(&id)).transpose()
    }
}

/// Makes an organisation that a provider's claims name, unless it is there.
pub(crate) async fn name(
    transaction: &mut Transaction<'static, Any>,
    id: &OrganisationId,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO organisations (id, name, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT DO NOTHING",
    )
    .bind(id.as_str())
    .bind(id.as_str())
    .bind(signed(now.0))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
