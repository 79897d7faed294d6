use std::time::Duration;

use thiserror::Error;

/// Why the store did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database does not do what it should: {0}")]
    Database(#[from] sqlx::Error),
    /// It cannot be opened.
    #[error("cannot use {place}: {source}")]
    Unusable {
        /// Where it is: the file, or the server and the name.
        place: String,
        /// Why.
        source: sqlx::Error,
    },
    /// It does not answer.
    #[error("{place} does not answer within {} s", within.as_secs())]
    Silent {
        /// Where it is.
        place: String,
        /// How long it had.
        within: Duration,
    },
    /// Its tables could not be brought up to date.
    #[error("the database cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A database of that kind is not known.
    #[error("a database is sqlite:FILE or postgres://…, got {0:?}")]
    UnknownKind(String),
    /// A row holds what nobody of us wrote.
    #[error("the database holds something else than was written: {0}")]
    Corrupt(String),
    /// It is there already.
    #[error("there is one already: {0}")]
    Taken(&'static str),
    /// It is not there.
    #[error("there is none: {0}")]
    Missing(&'static str),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl StoreError {
    /// Tells a row that is there already from other failures.
    pub(crate) fn taken(error: sqlx::Error, what: &'static str) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => Self::Taken(what),
            _ => Self::Database(error),
        }
    }
}

/// Why a unit was not written; nothing of it was.
#[derive(Debug, Error)]
pub enum CommitError {
    /// The session has ended, or another authority runs it since.
    #[error("the session is over, or somebody else runs it")]
    Superseded,
    /// An entry does not follow the last one that was written.
    #[error("the next entry of the session is {expected}, got {got}")]
    EntryOutOfOrder {
        /// The number that comes next.
        expected: u64,
        /// The number it had.
        got: u64,
    },
    /// A chat message does not follow the last one that was written.
    #[error("the next message of the session is {expected}, got {got}")]
    ChatOutOfOrder {
        /// The number that comes next.
        expected: u64,
        /// The number it had.
        got: u64,
    },
    /// The participant has sent a message with that id before.
    #[error("the message {0:?} of that participant was written before")]
    DuplicateMessage(String),
    /// Something else went wrong.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
