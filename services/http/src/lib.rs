//! The HTTP API of a meeting service: accounts and sign-in, rooms, invitations by e-mail, and the tickets by
//! which people knock at a room. `GET /api/v1/openapi.json` describes it.
//!
//! A [`Service`] runs over a [`Store`](parvis_store::Store), alone or in the process of others:
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use std::{net::TcpListener, sync::Arc, time::Duration};
//!
//! use parvis_http::{Config, RelayAddress, Service};
//! use parvis_store::Store;
//! use parvis_token::Signer;
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::sqlite(&folder.path().join("parvis.db")).await?;
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let site = format!("http://{}", listener.local_addr()?).parse()?;
//! let relay = RelayAddress {
//!     url: "moqt://127.0.0.1:4433".to_owned(),
//!     fingerprint: None,
//! };
//! let signer = Arc::new(Signer::from_seed(&[7; 32]));
//!
//! let service = Service::new(store.clone(), Config::new(site, relay, signer))?;
//! let first = service.first_administrator("root@example.org", "Root").await?;
//! println!("passphrase: {}", first.expect("the store is new").passphrase);
//! let running = service.start(listener)?;
//! running.stop(Duration::from_secs(1)).await;
//! store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accounts;
mod app;
mod applications;
mod caller;
mod certificate;
mod config;
mod connections;
mod error;
mod extract;
mod guard;
mod health;
mod invitation;
mod limiter;
mod link;
mod mail;
mod on_behalf;
mod openapi;
mod organisations;
mod passphrase;
mod postman;
mod provider;
mod ready_check;
mod roles;
mod room_access;
mod room_body;
mod rooms;
mod service;
mod sign_in;
mod tickets;
mod time;

use self::error::ApiError;

pub use self::config::{
    Config, Language, Limits, MailServer, Operator, Rate, RelayAddress, SignUp,
};
pub use self::openapi::document;
pub use self::postman::MailServerError;
pub use self::provider::Provider;
pub use self::ready_check::ReadyCheck;
pub use self::service::{AdministratorError, FirstAdministrator, Running, Service, ServiceError};
