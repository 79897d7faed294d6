//! Calls over simulated bad networks, in virtual time.
//!
//! A publisher sends 50 frames of sound a second and 600 kbit/s of less important video through a
//! relay to a subscriber. Endpoints, sessions, the relay's turn and the order of frames are those
//! of the SDK and of `parvis relay`; only sockets, clocks and codecs are not there. Minutes pass in
//! seconds, and a seed decides what is lost.
//!
//! ```no_run
//! use std::time::Duration;
//! use parvis_network::{Call, Hop, Score};
//! use parvis_simnet::LinkOptions;
//!
//! let good = LinkOptions { delay: Duration::from_millis(40), ..LinkOptions::default() };
//! let mut call = Call::connected(1, [good, good])?;
//! let bad = LinkOptions { loss: 0.1, ..good };
//! call.set_links(Hop::Subscriber, bad, bad);
//! call.run_for(Duration::from_secs(60));
//! let score = Score::of_sound(&call, Duration::ZERO..Duration::from_secs(60));
//! println!("{:.2} % in time", score.in_time * 100.0);
//! # Ok::<(), anyhow::Error>(())
//! ```

mod call;
mod publisher;
mod rows;
mod score;
mod subscriber;

pub use call::{Call, Hop};
pub use rows::{Better, Figure, Row, rows};
pub use score::{IN_TIME, Score};
