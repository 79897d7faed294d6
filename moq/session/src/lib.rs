//! A sans-IO MoQ Transport peer: requests, streams, send scheduling.
//!
//! A [`Session`] is one side of one connection. It touches no socket and reads no clock: a driver
//! tells it what happened with [`Session::handle`] and does what [`Session::poll_transmit`] says;
//! its user calls it and drains [`Session::poll`].
//!
//! ```
//! use std::time::Instant;
//!
//! use parvis_session::{Config, Event, Input, Role, Session, Transmit};
//!
//! let now = Instant::now();
//! let mut client = Session::new(Config::default(), now);
//! let mut server = Session::new(Config { role: Role::Server, ..Config::default() }, now);
//! for session in [&mut client, &mut server] {
//!     session.handle(Input::StreamCredit { bidi: 10, uni: 10 }, now)?;
//! }
//! // A driver would write to QUIC; here the other side gets the bytes at once.
//! while let Some(transmit) = client.poll_transmit(now) {
//!     if let Transmit::Write { id, data } = transmit {
//!         server.handle(Input::StreamData { id, data, fin: false }, now)?;
//!     }
//! }
//! assert!(matches!(server.poll(), Some(Event::Established { .. })));
//! # Ok::<(), parvis_session::SessionError>(())
//! ```

mod accumulator;
mod aliases;
mod answers;
mod assembler;
mod bucket;
mod config;
mod control;
mod datagram_in;
mod drop_reason;
mod endings;
mod error;
mod event;
mod fetch_reader;
mod fills;
mod goaway;
mod held;
mod id_set;
mod inbound;
mod input;
mod message_reader;
mod notices;
mod opening;
mod own_requests;
mod peer_limit;
mod publishing;
mod repair;
mod replies;
mod request;
mod request_in;
mod scheduler;
mod session;
mod stream_id;
mod subgroup_reader;
mod token_cache;
mod transmit;
mod updates;
mod wishes;

pub use assembler::{Object, ObjectAssembler, ObjectTooLarge};
pub use bucket::Bucket;
pub use config::{Config, Limits, Rate, SendLimits};
pub use drop_reason::{DropCounts, DropReason, Dropped};
pub use error::{ApiMisuse, SendRefused, SessionError};
pub use event::{Answer, EndReason, Event, IncomingRequest, StreamEnd};
pub use input::{Input, PathState};
pub use peer_limit::PeerLimit;
pub use publishing::{DatagramOptions, SubgroupOptions};
pub use scheduler::SubgroupTimeouts;
pub use session::Session;
pub use stream_id::{RequestKey, Role, StreamId};
pub use transmit::Transmit;
