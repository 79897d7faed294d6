//! The authority of a relay's meetings: the one MoQ client of it that reads what participants say,
//! runs a [`Room`](parvis_meeting::Room) for each meeting, and publishes what comes of it.
//!
//! What an input causes is in the [`Store`](parvis_store::Store) before anybody hears of it. Each room is
//! a task with a queue of its own, so that a slow one keeps nobody else waiting; an authority that is
//! started again goes on where the store says that the last one was.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use parvis::Trust;
//! use parvis_authority::{Authority, AuthorityOptions, RelayControl};
//! use parvis_store::Store;
//! use parvis_token::Signer;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::sqlite("parvis.db".as_ref()).await?;
//! let signer = Arc::new(Signer::from_private_jwk(&std::fs::read_to_string("issuer.key")?)?);
//! let control = RelayControl::new("127.0.0.1:9465".parse()?, "the relay's control secret");
//! let options = AuthorityOptions {
//!     trust: Trust::Fingerprint("9f86d081…".to_owned()),
//!     ..AuthorityOptions::new("moqt://127.0.0.1:4433", control, signer, store)
//! };
//! let authority = Authority::start(options).await?;
//! authority.close().await;
//! # Ok(())
//! # }
//! ```

mod attendance;
mod authority;
mod clock;
mod connection;
mod discovery;
mod docket;
mod error;
mod options;
mod outlets;
mod passes;
mod record;
mod registry;
mod relay_orders;
mod replies;
mod room_task;
mod sitting;

pub use authority::Authority;
pub use connection::Connection;
pub use error::StartError;
pub use options::{AuthorityOptions, Limits, RelayControl};
