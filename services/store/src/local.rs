use parvis_meeting::{AccountId, UnixMillis};
use sqlx::{Any, Transaction};

use crate::{
    AuditEntry, NewAccount, NewMail, Secret, Store, StoreError,
    account::{self, account_id, lower},
    audit, outbox,
    secret::hash,
    store::signed,
};

/// Somebody says that an address is theirs, and is sent a code.
#[derive(Debug, Clone)]
pub struct NewProof {
    /// The address.
    pub email: String,
    /// The code that was sent to it.
    pub code: String,
    /// How others shall see the person.
    pub name: String,
    /// Until when the code is valid.
    pub expires_at: UnixMillis,
}

/// What became of a code that somebody shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It is right: here is the account.
    Account(AccountId),
    /// It is wrong, or none was asked for, or it is too late.
    Wrong,
    /// There were too many wrong ones; another has to be asked for.
    Spent,
}

/// How often a code may be guessed.
const TRIES: i64 = 5;

impl Store {
    /// Notes that a code is sent, with the mail that it is in; returns what whoever asked for it shows
    /// together with the code. What others ask for, for the same address, changes nothing of it.
    ///
    /// mail: `None`: none is sent, which takes as long.
    pub async fn begin_proof(
        &self,
        proof: &NewProof,
        mail: Option<&NewMail>,
        now: UnixMillis,
    ) -> Result<Secret, StoreError> {
        let id = Secret::random("pvp_")?;
        let mut transaction = self.begin().await?;
        insert(&mut transaction, &id, proof).await?;
        match mail {
            Some(mail) => outbox::write(&mut transaction, mail, now).await?,
            // One that nobody can show.
            None => insert(&mut transaction, &Secret::random("pvp_")?, proof).await?,
        }
        transaction.commit().await?;
        Ok(id)
    }

    /// Makes the account whose address is proven by the code; one that is there gets the new passphrase,
    /// and whoever was signed in to it is not any more. A wrong code spends a try of this request for one.
    ///
    /// id: what the request for the code gave. passphrase: its hash, as a PHC string. audit: the entry for an
    /// account of that id.
    pub async fn finish_proof(
        &self,
        id: &Secret,
        email: &str,
        code: &str,
        passphrase: &str,
        now: UnixMillis,
        audit: impl FnOnce(&AccountId) -> AuditEntry + Send,
    ) -> Result<Proof, StoreError> {
        let email = lower(email);
        let mut transaction = self.begin().await?;
        let proof: Option<(String, String, i64)> = sqlx::query_as(
            "UPDATE proofs SET tries = tries + 1 WHERE id = $1 AND email = $2 AND expires_at > $3 \
             RETURNING code, name, tries",
        )
        .bind(id.hash())
        .bind(email.as_str())
        .bind(signed(now.0))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some((expected, name, tries)) = proof else {
            return Ok(Proof::Wrong);
        };
        if tries > TRIES || expected != hash(code) {
            // The try counts.
            transaction.commit().await?;
            return Ok(if tries >= TRIES {
                Proof::Spent
            } else {
                Proof::Wrong
            });
        }
        let known: Option<(String,)> =
            sqlx::query_as("SELECT id FROM accounts WHERE email = $1 AND issuer IS NULL")
                .bind(email.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        let account = if let Some((id,)) = known {
            account_id(&id)?
        } else {
            let new = NewAccount::local(&email, &name);
            account::insert(&mut transaction, &new, now).await?
        };
        set_passphrase(&mut transaction, &account, passphrase, now).await?;
        sqlx::query("DELETE FROM proofs WHERE email = $1")
            .bind(email.as_str())
            .execute(&mut *transaction)
            .await?;
        audit::write(&mut transaction, &audit(&account), None, None).await?;
        transaction.commit().await?;
        Ok(Proof::Account(account))
    }

    /// The local account with that address: found in one question, whether there is one or not.
    pub async fn local_account_id(&self, email: &str) -> Result<Option<AccountId>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT id FROM accounts WHERE email = $1 AND issuer IS NULL")
                .bind(lower(email))
                .fetch_optional(self.reads())
                .await?;
        row.map(|(id,)| account_id(&id)).transpose()
    }

    /// The hash of an account's passphrase, as a PHC string.
    pub async fn passphrase(&self, account: &AccountId) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT passphrase FROM credentials WHERE account = $1")
                .bind(account.as_str())
                .fetch_optional(self.reads())
                .await?;
        Ok(row.map(|(passphrase,)| passphrase))
    }
}

async fn insert(
    transaction: &mut Transaction<'static, Any>,
    id: &Secret,
    proof: &NewProof,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO proofs (id, email, code, name, tries, expires_at) \
         VALUES ($1, $2, $3, $4, 0, $5)",
    )
    .bind(id.hash())
    .bind(lower(&proof.email))
    .bind(hash(&proof.code))
    .bind(proof.name.as_str())
    .bind(signed(proof.expires_at.0))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

pub(crate) async fn set_passphrase(
    transaction: &mut Transaction<'static, Any>,
    account: &AccountId,
    passphrase: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO credentials (account, passphrase, changed_at) VALUES ($1, $2, $3) \
         ON CONFLICT (account) DO UPDATE SET passphrase = excluded.passphrase, \
         changed_at = excluded.changed_at",
    )
    .bind(account.as_str())
    .bind(passphrase)
    .bind(signed(now.0))
    .execute(&mut **transaction)
    .await?;
    sqlx::query("DELETE FROM logins WHERE account = $1")
        .bind(account.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
