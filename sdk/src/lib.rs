//! Meetings on Media over QUIC: the SDK that apps embed.
//!
//! A participant enters a [`Room`] at a relay, publishes its camera and microphone, sees who else
//! is there and receives their pictures and sound:
//!
//! ```no_run
//! use parvis::{ParticipantName, Room, RoomEvent, RoomName, RoomOptions, Trust, VideoOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let options = RoomOptions::new(RoomName::new("stand-up")?, ParticipantName::new("Zoé")?)
//!     .with_trust(Trust::Fingerprint("9f86d081…".to_owned()));
//! let room = Room::connect("moqt://relay.example:4433", options).await?;
//!
//! let camera = room.publish_video(VideoOptions::camera(640, 360)).await?;
//! # let picture: parvis::codec::VideoFrame = parvis::codec::TestPattern::new(640, 360).frame(0, parvis::clock::now());
//! camera.push(&picture); // as often as the camera gives one
//!
//! let mut events = room.events();
//! while let Some(event) = events.next().await {
//!     let RoomEvent::Joined(who) = event else { continue };
//!     for (track, _) in who.video_tracks().into_iter().take(1) {
//!         let mut video = room.subscribe_video(&who.name, track).await?;
//!         let picture = video.next().await; // decoded, with the time it was captured
//!     }
//! }
//! room.close().await; // no task or thread is left
//! # Ok(())
//! # }
//! ```
//!
//! Encoders and decoders run in threads of their own; a layer that nobody watches is not encoded.
//! Each queue is bounded and drops what is worth least: the oldest picture before an encoder, the
//! groups before the newest key frame after a late network, pictures that an app does not take.

pub mod clock;
mod codecs;
mod connect;
pub mod data;
#[doc(hidden)]
pub mod delivery;
mod demand;
mod engine;
mod error;
mod local;
pub mod meeting;
mod name;
mod options;
mod order;
mod remote;
mod room;
pub mod source;
mod state;
mod temporal_subset;
mod thinning;
mod threads;
mod token;

pub use codecs::{CodecFallback, CodecInUse, CodecState, Codecs};
pub use connect::PathStats;
use data::{DataLink, DataOptions, DataStart, DataSubscribe, FetchError, FetchQuery};
pub use engine::RemoteFrame;
pub use error::{
    CloseReason, ConnectError, PublishError, RebindError, SourceError, SubscribeError, WaitError,
};
pub use local::{
    AudioOptions, EncodedDemand, LocalAudio, LocalEncoded, LocalEncodedVideo, LocalStats,
    LocalVideo, VideoLayer, VideoOptions,
};
pub use name::{NameError, ParticipantName, RoomName};
pub use options::{RoomOptions, Trust, TrustSource};
pub use parvis_codec as codec;
pub use parvis_format as format;
pub use parvis_wire::Draft;
pub use remote::{DecodedAudio, DecodedVideo, RemoteAudio, RemoteStats, RemoteTrack, RemoteVideo};
pub use room::Room;
pub use state::{
    Connectivity, Participant, RoomEvent, RoomEvents, RoomState, TrackInfo, TrackKind,
};
pub use token::TokenSource;

/// The pages for app developers, whose examples are compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sdk.md")]
struct Pages;
