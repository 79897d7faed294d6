use parvis_meeting::{AccountId, UnixMillis};

use crate::{
    Account, AuditEntry, Secret, Store, StoreError, account::account_id, audit, store::signed,
};

impl Store {
    /// Signs an account in until that time; who shows the secret is the account.
    ///
    /// audit: what is to be remembered of it, unless it was written with what led here.
    pub async fn create_login(
        &self,
        account: &AccountId,
        now: UnixMillis,
        expires_at: UnixMillis,
        audit: Option<&AuditEntry>,
    ) -> Result<Secret, StoreError> {
        let secret = Secret::random("pvs_")?;
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO logins (secret, account, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(secret.hash())
        .bind(account.as_str())
        .bind(signed(now.0))
        .bind(signed(expires_at.0))
        .execute(&mut *transaction)
        .await?;
        if let Some(entry) = audit {
            audit::write(&mut transaction, entry, None, None).await?;
        }
        transaction.commit().await?;
        Ok(secret)
    }

    /// Who is signed in by that secret.
    pub async fn login(
        &self,
        secret: &Secret,
        now: UnixMillis,
    ) -> Result<Option<Account>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT account FROM logins WHERE secret = $1 AND expires_at > $2")
                .bind(secret.hash())
                .bind(signed(now.0))
                .fetch_optional(self.reads())
                .await?;
        match row {
            Some((account,)) => self.account(&account_id(&account)?).await,
            None => Ok(None),
        }
    }

    /// Signs out.
    pub async fn delete_login(&self, secret: &Secret) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM logins WHERE secret = $1")
            .bind(secret.hash())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}
