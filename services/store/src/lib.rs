//! What a meeting service keeps: accounts and sign-ins, rooms and roles, sessions with their chat, the audit
//! log, e-mail to be sent. In SQLite, one file and nothing to install, or in PostgreSQL; by the same
//! migrations and the same statements.
//!
//! What is acknowledged is on disk: SQLite runs with a write-ahead log and `synchronous = FULL`, PostgreSQL
//! with `synchronous_commit = on`. Whatever an input of a meeting causes is one [`Unit`], written whole or
//! not at all; units of many meetings that come at the same time share one transaction, and so one wait for
//! the disk.
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use parvis_meeting::UnixMillis;
//! use parvis_store::{NewAccount, Store};
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::sqlite(&folder.path().join("parvis.db")).await?;
//! let now = UnixMillis(1_800_000_000_000);
//! let zoe = store.create_account(&NewAccount::local("zoe@example.org", "Zoé"), now).await?;
//! assert_eq!(store.account(&zoe).await?.expect("it was made").name, "Zoé");
//! store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod application;
mod audit;
mod chat;
mod commit;
mod committer;
mod error;
mod id;
mod join;
mod local;
mod login;
mod organisation;
mod outbox;
mod purge;
mod role;
mod room;
mod secret;
mod session;
mod sign_in;
mod store;

pub use account::{Account, NewAccount};
pub use application::{Application, NewApplication, Scope};
pub use audit::{AuditEntry, AuditLine};
pub use chat::ChatLine;
pub use commit::{CHAT_AFTER_END, RoleChange, Unit};
pub use error::{CommitError, StoreError};
pub use id::{ApplicationId, Epoch, SessionKey};
pub use join::{Join, NewJoin};
pub use local::{NewProof, Proof};
pub use organisation::Organisation;
pub use outbox::{DueMail, NewMail};
pub use purge::Purged;
pub use room::{NewRoom, Room, RoomChange, Schedule};
pub use secret::Secret;
pub use session::OpenSession;
pub use sign_in::SignIn;
pub use store::{Backend, Store};
