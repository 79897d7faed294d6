//! An async client for apps and services: one tokio task per connection.
//!
//! ```no_run
//! use parvis_quic::client::{Connection, ConnectOptions};
//! use parvis_wire::SessionErrorCode;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut connection = Connection::connect("moqt://relay.example/", ConnectOptions::default()).await?;
//! connection.with(|session, now| println!("{:?}, {:?}", session.draft(), now)).await?;
//! while let Ok(event) = connection.next_event().await {
//!     println!("{event:?}");
//! }
//! connection.close(SessionErrorCode::NoError, "bye").await;
//! # Ok(())
//! # }
//! ```

mod connect;
mod connection;
mod driver;
mod options;
mod task;

pub use crate::server_url::{InvalidUrl, ServerUrl};
pub use connect::ConnectError;
pub use connection::{Connection, Gone, NotNow, SessionHandle};
pub use options::ConnectOptions;

/// What an own socket, for instance one in memory, implements; from quinn.
pub mod socket {
    pub use quinn::{AsyncTimer, AsyncUdpSocket, Runtime, TokioRuntime, UdpPoller};
    pub use quinn_udp::{EcnCodepoint, RecvMeta, Transmit};
}
