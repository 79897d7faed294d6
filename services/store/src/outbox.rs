use parvis_meeting::UnixMillis;
use sqlx::{Any, Transaction};

use crate::{
    Store, StoreError,
    id::new_id,
    store::{signed, unsigned},
};

/// E-mail to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    /// What makes it the same mail however often it is asked for.
    pub key: String,
    /// What is sent to whom, as its sender understands it.
    pub message: String,
}

/// E-mail whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMail {
    /// Which.
    pub id: String,
    /// What makes it the same mail; a receiver that gets it twice can tell.
    pub key: String,
    /// What is sent to whom.
    pub message: String,
    /// How often it was tried, this time too.
    pub tries: u64,
}

impl Store {
    /// Puts mail into the outbox; one with a key that is there already is left as it is.
    pub async fn send_mail(&self, mail: &[NewMail], now: UnixMillis) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for mail in mail {
            write(&mut transaction, mail, now).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Takes up to `most` mails whose time has come. If nobody says what became of them they are due again
    /// at `again_at`.
    pub async fn due_mail(
        &self,
        most: u32,
        now: UnixMillis,
        again_at: UnixMillis,
    ) -> Result<Vec<DueMail>, StoreError> {
        let mut transaction = self.begin().await?;
        // Whoever else takes mail waits here, and sees then that the time of these has not come.
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "UPDATE outbox SET tries = tries + 1, next_try_at = $3 \
             WHERE sent_at IS NULL AND failed_at IS NULL AND next_try_at <= $1 AND id IN \
             (SELECT id FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL \
              AND next_try_at <= $1 ORDER BY next_try_at, id LIMIT $2) \
             RETURNING id, idempotency_key, message, tries",
        )
        .bind(signed(now.0))
        .bind(i64::from(most))
        .bind(signed(again_at.0))
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let mail = |(id, key, message, tries)| DueMail {
            id,
            key,
            message,
            tries: unsigned(tries),
        };
        let mut mails: Vec<DueMail> = rows.into_iter().map(mail).collect();
        mails.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(mails)
    }

    /// When the next mail is due.
    pub async fn next_mail_at(&self) -> Result<Option<UnixMillis>, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as(
            "SELECT next_try_at FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL \
             ORDER BY next_try_at LIMIT 1",
        )
        .fetch_optional(self.reads())
        .await?;
        Ok(row.map(|(at,)| UnixMillis(unsigned(at))))
    }

    /// Says that a mail was sent; what it said is not kept.
    pub async fn mail_sent(&self, id: &str, now: UnixMillis) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE outbox SET sent_at = $2, last_error = NULL, message = '' WHERE id = $1",
        )
        .bind(id)
        .bind(signed(now.0))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Says that a mail was not sent, and when to try again; `None`: never, and what it said is not kept.
    pub async fn mail_failed(
        &self,
        id: &str,
        error: &str,
        again_at: Option<UnixMillis>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let failed_at = again_at.is_none().then(|| signed(now.0));
        let next_try_at = again_at.unwrap_or(now);
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE outbox SET next_try_at = $2, failed_at = $3, last_error = $4, \
             message = COALESCE($5, message) WHERE id = $1",
        )
        .bind(id)
        .bind(signed(next_try_at.0))
        .bind(failed_at)
        .bind(error)
        .bind(again_at.is_none().then_some(""))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
}

pub(crate) async fn write(
    transaction: &mut Transaction<'static, Any>,
    mail: &NewMail,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO outbox (id, idempotency_key, message, tries, next_try_at, created_at) \
         VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(new_id(now)?)
    .bind(mail.key.as_str())
    .bind(mail.message.as_str())
    .bind(signed(now.0))
    .bind(signed(now.0))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
