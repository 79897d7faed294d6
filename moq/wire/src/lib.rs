//! MoQ Transport wire format for drafts 22 and 18: names, control messages and data headers.
//!
//! Both drafts share one set of types; what differs between them is decided by [`Draft`] inside
//! the codec and nowhere else. Parsing is bounded and never panics; a parse error says which
//! session error code it deserves.
//!
//! ```
//! use bytes::Bytes;
//! use parvis_wire::{Draft, Message, PublishNamespace, RequestId, TrackNamespace};
//!
//! let message = Message::PublishNamespace(PublishNamespace {
//!     request_id: RequestId(2),
//!     namespace: TrackNamespace::new(["parvis", "room"])?,
//!     parameters: Default::default(),
//! });
//! let mut encoded = Vec::new();
//! message.encode(Draft::D22, &mut encoded)?;
//!
//! let encoded = Bytes::from(encoded);
//! assert_eq!(Message::decode(Draft::D22, &encoded)?, Some((message, encoded.len())));
//! assert_eq!(Message::decode(Draft::D22, &encoded.slice(..5))?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod auth_token;
mod datagram;
mod draft;
mod error;
mod fetch_object;
mod filter;
mod hop_path;
mod ids;
mod message;
mod message_codec;
mod message_type;
mod name;
mod name_codec;
mod object;
mod outcome_codec;
mod parameters;
mod parameters_codec;
mod properties;
mod range_filter;
mod setup;
mod stream_header;
mod track_message_codec;
/// Variable-length integers, and a reader of fields.
pub mod varint;

pub use auth_token::AuthToken;
pub use datagram::Datagram;
pub use draft::Draft;
pub use error::{
    DecodeError, EncodeError, PublishDoneCode, RequestErrorCode, ResetCode, SessionErrorCode,
};
pub use fetch_object::{FetchCursor, FetchObject};
pub use filter::LocationFilter;
pub use hop_path::HopPath;
pub use ids::{
    GroupId, GroupOrder, HopId, Location, ObjectId, Priority, RequestId, SubgroupId, TrackAlias,
};
pub use message::{
    Fetch, FetchOk, FetchRange, GoAway, Message, Namespace, NamespaceDone, Publish, PublishDone,
    PublishNamespace, PublishSkipped, PublishStateNotify, Redirect, RequestError, RequestOk,
    RequestUpdate, Subscribe, SubscribeNamespace, SubscribeOk, SubscribeTracks, TrackStatus,
};
pub use message_type::MessageType;
pub use name::{FullTrackName, NameError, TrackName, TrackNamespace};
pub use object::{ObjectHeader, ObjectStatus};
pub use parameters::Parameters;
pub use properties::{Properties, Property, PropertyValue};
pub use range_filter::{FilterSubject, FilteredObject, InvalidFilter, RangeFilter, RangeFilters};
pub use setup::Setup;
pub use stream_header::{FetchHeader, StreamHeader, SubgroupHeader, SubgroupIdMode};
pub use varint::{Reader, encode_varint, varint_len};
