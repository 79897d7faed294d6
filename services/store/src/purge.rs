use parvis_meeting::UnixMillis;

use crate::{Store, StoreError, store::signed};

/// How many rows were taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Chat messages of sessions that are over.
    pub chat: u64,
    /// Tickets, sign-ins, codes and logins whose time is over.
    pub expired: u64,
    /// Mails that were sent, or given up, a month ago.
    pub mail: u64,
}

/// How long it is remembered which mail was sent: a key that comes again meanwhile sends nothing.
const MAIL_KEPT: u64 = 30 * 24 * 3600 * 1000;

/// Longer than from one purge to the next.
const JUST_ENDED: u64 = 30 * 1000;

impl Store {
    /// Takes away what is kept no longer, and, with SQLite, what is left in the files of it and of sessions that have
    /// just ended. PostgreSQL overwrites it in its own time.
    pub async fn purge(&self, now: UnixMillis) -> Result<Purged, StoreError> {
        let mut purged = Purged::default();
        let mut transaction = self.begin().await?;
        let deleted = sqlx::query(
            "DELETE FROM chat WHERE session IN (SELECT id FROM sessions WHERE purge_at <= $1)",
        )
        .bind(signed(now.0))
        .execute(&mut *transaction)
        .await?;
        purged.chat = deleted.rows_affected();
        sqlx::query(
            "DELETE FROM journal WHERE session IN (SELECT id FROM sessions WHERE purge_at <= $1)",
        )
        .bind(signed(now.0))
        .execute(&mut *transaction)
        .await?;
        let over =
            sqlx::query("UPDATE sessions SET saved = NULL, purge_at = NULL WHERE purge_at <= $1")
                .bind(signed(now.0))
                .execute(&mut *transaction)
                .await?;
        let ended: Option<(String,)> =
            sqlx::query_as("SELECT id FROM sessions WHERE ended_at > $1 LIMIT 1")
                .bind(signed(now.0.saturating_sub(JUST_ENDED)))
                .fetch_optional(&mut *transaction)
                .await?;
        for table in [
            "DELETE FROM joins WHERE expires_at <= $1",
            "DELETE FROM proofs WHERE expires_at <= $1",
            "DELETE FROM logins WHERE expires_at <= $1",
            "DELETE FROM sign_ins WHERE expires_at <= $1",
        ] {
            let deleted = sqlx::query(table)
                .bind(signed(now.0))
                .execute(&mut *transaction)
                .await?;
            purged.expired += deleted.rows_affected();
        }
        let deleted = sqlx::query("DELETE FROM outbox WHERE sent_at <= $1 OR failed_at <= $1")
            .bind(signed(now.0.saturating_sub(MAIL_KEPT)))
            .execute(&mut *transaction)
            .await?;
        purged.mail = deleted.rows_affected();
        transaction.commit().await?;
        if purged != Purged::default() || over.rows_affected() > 0 || ended.is_some() {
            self.forget().await?;
        }
        Ok(purged)
    }
}
