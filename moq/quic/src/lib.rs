//! Drives MoQ sessions over QUIC.
//!
//! [`Endpoint`] is sans-IO: one [`Session`](parvis_session::Session) per connection over quinn's
//! deterministic core. Datagrams and time go in, datagrams and events come out. Two thin shells
//! give it a socket and a clock: the relay's thread with [`udp::BatchSocket`], and, with the
//! feature `tokio`, [`client::Connection`] for apps and services.
//!
//! One turn of a shell, here of a server:
//!
//! ```no_run
//! use std::time::Instant;
//! use parvis_quic::{ConnectionEvent, Endpoint, EndpointConfig, tls::ServerTls, udp::BatchSocket};
//!
//! let (tls, fingerprint) = ServerTls::self_signed(&["localhost"])?;
//! let mut endpoint = Endpoint::new(EndpointConfig { server: Some(tls), ..Default::default() });
//! let mut socket = BatchSocket::bind("[::1]:4443".parse()?, &Default::default())?;
//! let now = Instant::now();
//! socket.receive(|datagram| {
//!     endpoint.handle_datagram(now, datagram.from, datagram.local_ip, datagram.ecn, datagram.data);
//! })?;
//! endpoint.handle_timeout(now);
//! while let Some((key, event)) = endpoint.poll() {
//!     if let ConnectionEvent::Session(event) = event {
//!         println!("{key:?}: {event:?}; answer through endpoint.session(key)");
//!     }
//! }
//! socket.send_all(&mut endpoint, now)?;
//! let _wait_until = endpoint.poll_timeout();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admission;
#[cfg(feature = "tokio")]
pub mod client;
mod close_reason;
mod connection;
mod connection_ids;
mod deadlines;
mod endpoint;
pub mod http3;
mod limits;
mod packet;
mod server_url;
mod stats;
pub mod tls;
pub mod udp;

pub use admission::{Admission, AdmissionPolicy, Attempt};
pub use close_reason::CloseReason;
pub use connection_ids::id_prefix;
pub use endpoint::{
    ClientOptions, ConnectionEvent, ConnectionKey, Endpoint, EndpointConfig, OpenError, ResetKey,
};
pub use http3::RequestTarget;
pub use limits::Limits;
pub use packet::{Ecn, Transmit};
pub use server_url::{InvalidUrl, ServerUrl};
pub use stats::{Blocked, PathStats, QueueStats};
