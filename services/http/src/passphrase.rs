use std::sync::Arc;

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{SaltString, rand_core::OsRng},
};
use parvis_meeting::ErrorKind;
use tokio::sync::Semaphore;

use crate::ApiError;

/// A hash takes 19 MiB and a core for some tens of milliseconds: so many at a time.
const CONCURRENT: usize = 2;
/// A longer one is no better.
const MAX_BYTES: usize = 1024;

/// 10 characters with lower, upper, digit and another one, or 20 of anything.
pub(crate) fn check(passphrase: &str) -> Result<(), ApiError> {
    let count = passphrase.chars().count();
    let has = |kind: fn(char) -> bool| passphrase.chars().any(kind);
    let mixed = has(char::is_lowercase)
        && has(char::is_uppercase)
        && has(char::is_numeric)
        && has(|c| !c.is_alphanumeric());
    if passphrase.len() <= MAX_BYTES && (count >= 20 || (count >= 10 && mixed)) {
        return Ok(());
    }
    Err(ApiError::because(
        ErrorKind::Malformed,
        "a passphrase has 10 characters with a lower-case and an upper-case letter, a digit and another \
         character, or 20 characters of anything; 1024 bytes at most",
    ))
}

/// Hashes passphrases (Argon2id), a few at a time and apart from what serves requests.
#[derive(Debug, Clone)]
pub(crate) struct Hasher {
    turns: Arc<Semaphore>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(CONCURRENT)),
        }
    }

    /// The hash of a passphrase, as a PHC string.
    pub(crate) async fn hash(&self, passphrase: String) -> Result<String, ApiError> {
        self.run(move || {
            let salt = SaltString::generate(&mut OsRng);
            let hash = Argon2::default().hash_password(passphrase.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).ok()
        })
        .await?
        .ok_or_else(|| ApiError::unavailable("the passphrase cannot be hashed"))
    }

    /// Whether the passphrase is that of the hash. Without a hash the answer is no, after the same time.
    pub(crate) async fn verify(
        &self,
        passphrase: String,
        hash: Option<String>,
    ) -> Result<bool, ApiError> {
        self.run(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODYS.to_owned());
            let Ok(hash) = PasswordHash::new(&hash) else {
                return false;
            };
            let verified = Argon2::default().verify_password(passphrase.as_bytes(), &hash);
            verified.is_ok() && known
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| ApiError::busy())?;
        tracing::trace!("a passphrase is hashed");
        let work = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        work.await.map_err(|_| ApiError::busy())
    }
}

/// A hash with the parameters of ours that no passphrase has.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests;
