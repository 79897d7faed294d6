//! A test runs on a new database of each kind.

use std::{
    fmt::Display,
    fs,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use parvis_meeting::{AccountId, Policy, RoomCode, UnixMillis};
use parvis_postgres::Cluster;
use parvis_store::{AuditEntry, NewAccount, NewRoom, Store};
use sqlx::{AnyConnection, ConnectOptions, Connection, sqlite::SqliteConnectOptions};

pub const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

/// The server that tests which run at the same time share; it ends with the last of them.
pub fn cluster() -> Arc<Cluster> {
    static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cluster) = shared.upgrade() {
        return cluster;
    }
    let cluster = Arc::new(Cluster::start());
    *shared = Arc::downgrade(&cluster);
    cluster
}

/// Runs it with SQLite, then with PostgreSQL.
pub async fn both<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    both_behind(|store, _| test(store)).await;
}

/// As [`both`], with a connection that knows nothing of the store.
pub async fn both_behind<F: Future<Output = ()>>(test: impl Fn(Store, AnyConnection) -> F) {
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a store?%20.db");
    let store = Store::sqlite(&file).await.unwrap();
    let url = SqliteConnectOptions::new()
        .filename(file.to_string_lossy().replace('%', "%25"))
        .to_url_lossy();
    let behind = AnyConnection::connect(url.as_str()).await.unwrap();
    test(store.clone(), behind).await;
    store.close().await;
    assert!(fs::metadata(&file).unwrap().is_file());

    let cluster = cluster();
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let url = cluster.database(&format!("test{number}"));
    let store = Store::open(&url).await.unwrap();
    let behind = AnyConnection::connect(&url).await.unwrap();
    test(store.clone(), behind).await;
    store.close().await;
}

/// Somebody with an account.
pub async fn account(store: &Store, name: &str) -> AccountId {
    let email = format!("{}@example.org", name.to_lowercase());
    let new = NewAccount::local(&email, name);
    store.create_account(&new, NOW).await.unwrap()
}

/// A room of that account.
pub async fn room(store: &Store, creator: &AccountId) -> RoomCode {
    let code = Store::new_code().unwrap();
    let room = NewRoom::new(code, "Stand-up", creator, Policy::default());
    store
        .create_room(&room, &audit("create", creator), &[], NOW)
        .await
        .unwrap();
    code
}

/// An entry of the audit log.
pub fn audit(action: &str, actor: &(impl Display + ?Sized)) -> AuditEntry {
    AuditEntry {
        at: NOW,
        actor: actor.to_string(),
        action: action.to_owned(),
        details: "{}".to_owned(),
    }
}
