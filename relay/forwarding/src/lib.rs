//! Sans-IO relay logic: who gets which object; cache, aggregation, discovery.
//!
//! A [`Forwarder`] serves the peers of one relay thread. Its driver feeds it what sessions say
//! ([`Input`]) and does what it answers ([`Output`]), draining `poll` after each input:
//!
//! ```
//! use std::time::Instant;
//! use parvis_forwarding::{Config, Forwarder, Input, PeerId, PeerKind};
//!
//! let mut forwarder = Forwarder::new(Config::default());
//! let peer = PeerId(1);
//! forwarder.handle(Input::PeerConnected { peer, kind: PeerKind::Session }, Instant::now());
//! while let Some(output) = forwarder.poll() {
//!     println!("{output:?}");
//! }
//! assert_eq!(forwarder.stats().peers, 1);
//! ```
//!
//! Objects are forwarded as the bytes that came, chunk by chunk: only the header of a stream is
//! made for each subscriber, and the header of the first object for one that joins in the middle
//! of a subgroup. The threads of a relay are peers of each other; see [`Output::for_shard`].

mod advertising;
mod ask;
mod ask_entries;
mod cache;
mod config;
mod demand;
mod discovery;
mod dispatch;
mod fan_out;
mod fetch;
mod fetch_answer;
mod fetch_plan;
mod fetch_run;
mod filling;
mod filtering;
mod forwarder;
mod ids;
mod input;
mod joining;
mod keys;
mod location_set;
mod moving;
mod output;
mod past;
mod peer;
mod progress;
mod publishing;
mod routing;
mod seeking;
mod signal;
mod source;
mod spared_groups;
mod stats;
mod status;
mod stopping;
mod streams;
mod subgroup;
mod subscribing;
mod subscription;
mod track;
mod updating;
mod window;

pub use config::Config;
pub use forwarder::Forwarder;
pub use ids::{PeerId, PeerKind, RequestRef, StreamKey, UpstreamStream};
pub use input::{Input, SubgroupEnd};
pub use output::{Output, Receiver, Target, Targets, Timeouts};
pub use peer::Quota;
pub use signal::Signal;
pub use stats::{DropReason, Stats};
