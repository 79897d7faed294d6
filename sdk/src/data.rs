//! Data tracks: objects that are no media, under any namespace; what meetings' control tracks are
//! made of.
//!
//! A [`DataLink`] comes from a room ([`Room::data`](crate::Room::data)), entered or not, or from a
//! [`Client`]. What is published, subscribed to and discovered through it survives a new connection
//! as media do: it is asked for again, and each object is given out once.
//!
//! ```no_run
//! use parvis::Trust;
//! use parvis::data::{
//!     Client, DataOptions, DataSubscribe, FullTrackName, Grouping, LinkOptions, Location,
//!     TrackNamespace,
//! };
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let options = LinkOptions::default().with_trust(Trust::Fingerprint("9f86d081…".to_owned()));
//! let client = Client::connect("moqt://relay.example:4433", options).await?;
//! let link = client.data();
//!
//! let news = TrackNamespace::new(["parvis.control", "out", "abcdefghij"])?;
//! link.announce(news.clone());
//! let state = FullTrackName::new(news, "state".into())?;
//! let publisher = link.publish(state.clone(), DataOptions::default())?;
//! publisher.send(Location::new(1, 0), "a snapshot");
//! publisher.send(Location::new(1, 1), "a change");
//!
//! // Somewhere else: from the start of the current group on.
//! let wanted = DataSubscribe::current_group(Grouping::Replacing);
//! let mut track = link.subscribe(state, wanted).await?;
//! while let Some(object) = track.next().await {
//!     println!("{}: {} bytes", object.location, object.payload.len());
//! }
//! # Ok(())
//! # }
//! ```

mod client;
mod fetched;
mod link;
mod namespaces;
mod options;
mod publisher;
mod track;

pub use self::{
    client::Client,
    fetched::{FetchError, FetchQuery},
    link::DataLink,
    namespaces::{NamespaceEvent, Namespaces},
    options::{DataObject, DataOptions, DataStart, DataSubscribe, Grouping, LinkOptions},
    publisher::DataPublisher,
    track::DataTrack,
};

pub(crate) use self::{
    fetched::{Answer, Wake, Waker},
    namespaces::{Changes, Presence},
};
pub use parvis_wire::{FullTrackName, GroupId, Location, ObjectId, Priority, TrackNamespace};
