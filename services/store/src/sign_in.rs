use parvis_meeting::UnixMillis;

use crate::{Secret, Store, StoreError, store::signed};

/// A sign-in that was sent to a provider.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// What comes back with the browser.
    pub state: Secret,
    /// What only that browser has.
    pub browser: Secret,
    /// What the provider puts into the token.
    pub nonce: String,
    /// What proves that the one who began is the one who ends (PKCE).
    pub verifier: String,
    /// Where the browser goes afterwards.
    pub return_to: String,
    /// Until when it may come back.
    pub expires_at: UnixMillis,
}

impl Store {
    /// Notes a sign-in that begins.
    pub async fn begin_sign_in(&self, sign_in: &SignIn) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO sign_ins (state, browser, nonce, verifier, return_to, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(sign_in.state.hash())
        .bind(sign_in.browser.hash())
        .bind(sign_in.nonce.as_str())
        .bind(sign_in.verifier.as_str())
        .bind(sign_in.return_to.as_str())
        .bind(signed(sign_in.expires_at.0))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Takes up a sign-in that comes back, once, if it is that browser's: nonce, verifier, where to go.
    pub async fn take_sign_in(
        &self,
        state: &Secret,
        browser: &Secret,
        now: UnixMillis,
    ) -> Result<Option<(String, String, String)>, StoreError> {
        let mut transaction = self.begin().await?;
        let row: Option<(String, String, String)> = sqlx::query_as(
            "DELETE FROM sign_ins WHERE state = $1 AND browser = $2 AND expires_at > $3 \
             RETURNING nonce, verifier, return_to",
        )
        .bind(state.hash())
        .bind(browser.hash())
        .bind(signed(now.0))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(row)
    }
}
