//! MoQ Transport wire format for drafts 22 and 18: names, control messages and data headers.
//!
//! Both drafts share one set of types; what differs between them is decided by [`Draft`] inside
//! the codec and nowhere else. Parsing is bounded and never panics; a parse error says which
//! session error code it deserves.

mod draft;
mod error;
mod filter;
mod ids;
mod message;
mod name;
mod object;
mod parameters;
mod properties;
mod properties_codec;
mod setup;

pub use draft::Draft;
pub use error::{DecodeError, PublishDoneCode, RequestErrorCode, ResetCode, SessionErrorCode};
pub use filter::LocationFilter;
pub use ids::{
    GroupId, GroupOrder, Location, ObjectId, Priority, RequestId, SubgroupId, TrackAlias,
};
pub use message::{
    Fetch, FetchOk, FetchRange, GoAway, Message, Namespace, NamespaceDone, Publish, PublishDone,
    PublishNamespace, PublishSkipped, PublishStateNotify, Redirect, RequestError, RequestOk,
    RequestUpdate, Subscribe, SubscribeNamespace, SubscribeOk, SubscribeTracks, TrackStatus,
};
pub use name::{FullTrackName, NameError, TrackName, TrackNamespace};
pub use object::{
    Datagram, FetchHeader, FetchObject, ObjectHeader, ObjectStatus, StreamHeader, SubgroupHeader,
    SubgroupIdMode,
};
pub use parameters::{AuthToken, Parameters};
pub use properties::{Properties, Property, PropertyValue};
pub use setup::Setup;
