use std::{
    fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path, str::FromStr, sync::Arc,
    time::Duration,
};

use parvis_meeting::RoomCode;
use sqlx::{
    Any, AnyConnection, AnyPool, ConnectOptions, Connection, Executor, SqlSafeStr, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::{Migration, MigrationType, Migrator},
    postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use tokio::sync::broadcast;

use crate::{StoreError, committer::Committer};

/// What brings tables up to date, in order; one that was released is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "house", include_str!("../migrations/0001_house.sql")),
    (2, "proofs", include_str!("../migrations/0002_proofs.sql")),
    (
        3,
        "proof_ids",
        include_str!("../migrations/0003_proof_ids.sql"),
    ),
    (
        4,
        "sent_mail",
        include_str!("../migrations/0004_sent_mail.sql"),
    ),
];

/// Where PostgreSQL keeps the connections that read and write.
const POSTGRES_CONNECTIONS: u32 = 8;
/// SQLite reads beside its writer.
const SQLITE_READERS: u32 = 4;

/// What each connection is told first.
const SQLITE_SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; PRAGMA secure_delete = ON;";
const POSTGRES_SETUP: &str = "SET synchronous_commit TO on";
/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Changes that a slow watcher may lag behind.
const CHANGES: usize = 256;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// The database of a meeting service. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Arc<Pools>,
    committer: Committer,
    changes: broadcast::Sender<RoomCode>,
}

#[derive(Debug)]
pub(crate) struct Pools {
    backend: Backend,
    reads: AnyPool,
    /// One connection with SQLite, which has one writer at a time anyhow.
    writes: AnyPool,
}

impl Store {
    /// Opens `sqlite:FILE` or `postgres://…` and brings its tables up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if let Some(file) = url.strip_prefix("sqlite:") {
            Self::sqlite(Path::new(file)).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::postgres(url).await
        } else {
            let kind = url.split(':').next().unwrap_or_default();
            Err(StoreError::UnknownKind(kind.to_owned()))
        }
    }

    /// Opens a file, which is made, for its owner's eyes only, if it is not there.
    pub async fn sqlite(file: &Path) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let place = format!("the database {}", file.display());
        // The URL leaves this one character as it is.
        let name = file.to_string_lossy().replace('%', "%25");
        let url = SqliteConnectOptions::new()
            .filename(name)
            .create_if_missing(true)
            .to_url_lossy();
        let options = AnyConnectOptions::from_str(url.as_str())?;
        // For its owner's eyes only, and so are its log and index. If it cannot be made SQLite says why.
        let _ = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(file);
        try_once(&options, SQLITE_SETUP, place).await?;
        let pool = |connections| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .after_connect(|connection, _| {
                    Box::pin(async move {
                        connection.execute(SQLITE_SETUP).await?;
                        Ok(())
                    })
                })
        };
        let writes = pool(1).connect_with(options.clone()).await?;
        migrations().run(&writes).await?;
        let reads = pool(SQLITE_READERS).connect_with(options).await?;
        Ok(Self::new(Backend::Sqlite, reads, writes))
    }

    async fn postgres(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let unusable = |source| StoreError::Unusable {
            place: "the URL of the database".to_owned(),
            source,
        };
        let place = place(&PgConnectOptions::from_str(url).map_err(unusable)?);
        let options = AnyConnectOptions::from_str(url).map_err(unusable)?;
        try_once(&options, POSTGRES_SETUP, place).await?;
        let pool = AnyPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(POSTGRES_SETUP).await?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        migrations().run(&pool).await?;
        Ok(Self::new(Backend::Postgres, pool.clone(), pool))
    }

    fn new(backend: Backend, reads: AnyPool, writes: AnyPool) -> Self {
        let pools = Arc::new(Pools {
            backend,
            reads,
            writes,
        });
        Self {
            committer: Committer::start(Arc::clone(&pools)),
            pools,
            changes: broadcast::Sender::new(CHANGES),
        }
    }

    /// Which database it is.
    pub fn backend(&self) -> Backend {
        self.pools.backend
    }

    /// The rooms whose title, policy, schedule or roles are changed by others than their authority, or that
    /// are taken away, by this store and its clones. Who lags behind looks at all its rooms.
    pub fn changes(&self) -> broadcast::Receiver<RoomCode> {
        self.changes.subscribe()
    }

    pub(crate) fn room_changed(&self, code: &RoomCode) {
        // Nobody may be watching.
        let _ = self.changes.send(*code);
    }

    /// Whether it answers.
    pub async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(self.reads()).await?;
        Ok(())
    }

    /// Writes what has been handed over, and closes all connections.
    pub async fn close(&self) {
        self.committer.stop().await;
        self.pools.reads.close().await;
        self.pools.writes.close().await;
    }

    pub(crate) fn committer(&self) -> &Committer {
        &self.committer
    }

    pub(crate) fn reads(&self) -> &AnyPool {
        &self.pools.reads
    }

    /// Has nobody find in the files what was deleted: writes the log into the database, and empties it.
    pub(crate) async fn forget(&self) -> Result<(), StoreError> {
        match self.pools.backend {
            // Whether a reader kept it from that is in the row: then it is the next one's turn.
            Backend::Sqlite => {
                sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                    .execute(&self.pools.writes)
                    .await?;
            }
            // Its own vacuum does.
            Backend::Postgres => {}
        }
        Ok(())
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        self.pools.begin().await
    }
}

impl Pools {
    /// A transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.backend {
            // A reader that becomes a writer could be refused, if another process has written meanwhile.
            Backend::Sqlite => self.writes.begin_with("BEGIN IMMEDIATE").await?,
            Backend::Postgres => self.writes.begin().await?,
        })
    }
}

/// Opens one connection and closes it: a pool tries again and again, and does not say why.
async fn try_once(
    options: &AnyConnectOptions,
    setup: &'static str,
    place: String,
) -> Result<(), StoreError> {
    let attempt = async {
        let mut connection = AnyConnection::connect_with(options).await?;
        connection.execute(setup).await?;
        connection.close().await
    };
    match tokio::time::timeout(PATIENCE, attempt).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(source)) => Err(StoreError::Unusable { place, source }),
        Err(_) => Err(StoreError::Silent {
            place,
            within: PATIENCE,
        }),
    }
}

/// Where a server is, without what nobody shall read.
fn place(options: &PgConnectOptions) -> String {
    let name = options.get_database().unwrap_or_default();
    match options.get_socket() {
        Some(socket) => format!("the database {name:?} at {}", socket.display()),
        None => format!(
            "the database {name:?} at {}:{}",
            options.get_host(),
            options.get_port()
        ),
    }
}

fn migrations() -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(
            *version,
            (*name).into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}

/// Numbers of the database are signed, ours are not.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
