//! A seeded network link in virtual time, for tests.
//!
//! A [`Link`] is one direction of a path. It knows no clock: the test hands in the time, and the
//! same seed gives the same fate to the same packets.
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use bytes::Bytes;
//! use parvis_simnet::{Fate, Link, LinkOptions};
//!
//! let start = Instant::now();
//! let delay = Duration::from_millis(20);
//! let mut link = Link::new(LinkOptions { delay, ..LinkOptions::default() }, 1, start);
//! assert_eq!(link.handle(Bytes::from_static(b"hello"), start), Fate::Carried);
//! assert_eq!(link.poll_timeout(), Some(start + delay));
//! assert_eq!(link.poll(start), None);
//! assert_eq!(link.poll(start + delay), Some(Bytes::from_static(b"hello")));
//! ```

mod link;
mod options;
mod random;

pub use link::{Fate, Link, LinkStats, Packet};
pub use options::{Bursts, LinkOptions};
pub use random::Random;
