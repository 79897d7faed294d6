//! A sans-IO MoQ Transport peer: requests, streams, send scheduling.

mod answers;
mod assembler;
mod config;
mod drop_reason;
mod error;
mod event;
mod input;
mod own_requests;
mod publishing;
mod session;
mod stream_id;
mod transmit;

pub use assembler::{Object, ObjectAssembler, ObjectTooLarge};
pub use config::{Config, Limits, SendLimits};
pub use drop_reason::{DropCounts, DropReason, Dropped};
pub use error::{ApiMisuse, SendRefused, SessionError};
pub use event::{Answer, EndReason, Event, IncomingRequest, StreamEnd};
pub use input::{Input, PathState};
pub use publishing::{DatagramOptions, SubgroupOptions};
pub use session::Session;
pub use stream_id::{RequestKey, Role, StreamId};
pub use transmit::Transmit;
