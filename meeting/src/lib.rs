//! The meeting, pure: a [`Room`] orders what participants say to it and decides who may what.
//!
//! Inputs are arrivals and requests, outputs are what an authority publishes, stores and orders the
//! relay to do. Time is an argument and randomness comes from outside, so that a room does the same
//! whenever the same happens to it. A [`View`] is what everybody knows of a room, kept from the
//! objects of its state track.
//!
//! ```
//! use parvis_meeting::{
//!     AccountId, Command, Identity, Input, Output, ParticipantId, Policy, Request, Roles, Room,
//!     Settings, UnixMillis, View,
//! };
//!
//! let account = AccountId::new("zoe@example")?;
//! let now = UnixMillis(1_800_000_000_000);
//! let mut room = Room::new(Policy::default(), Roles::new(account.clone()), Settings::default(), now);
//!
//! let zoe = ParticipantId::new("pzoe")?;
//! let (name, organisations) = ("Zoé".to_owned(), Vec::new());
//! let identity = Identity::Agent { account, organisations, name, verified: true };
//! room.handle(Input::Arrived { participant: zoe.clone(), identity }, now);
//! let request = Request { id: "1".parse()?, command: Command::Knock { name: None } };
//! room.handle(Input::Request { participant: zoe.clone(), request }, now);
//!
//! let mut view = None;
//! while let Some(output) = room.poll() {
//!     if let Output::State { message, .. } = output {
//!         view.get_or_insert_with(|| room.view().clone()).apply(message)?;
//!     }
//! }
//! assert_eq!(view.unwrap().participant(&zoe).unwrap().name, "Zoé");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod audit;
mod capture;
mod chat;
mod codec;
mod command;
mod data_message;
mod emoji;
mod error_kind;
mod identity;
mod ids;
mod input;
mod media;
mod message;
mod output;
mod policy;
mod role;
mod room;
mod room_code;
mod settings;
mod state;
/// Names of tracks and where things lie on them.
pub mod tracks;
mod view;

pub use audit::{Act, AuditEntry};
pub use capture::{Capture, CaptureFailure, CaptureKind, CaptureStatus, Language, Progress};
pub use chat::{ChatMessage, HistoryGap, PrivateMessage, chat_text};
pub use codec::{
    BadRequest, MAX_COMMAND_BYTES, MAX_DEPTH, MAX_MESSAGE_BYTES, MessageError, from_json, to_json,
};
pub use command::{Command, Request, Target};
pub use data_message::DataMessage;
pub use emoji::{Emoji, Reactions};
pub use error_kind::ErrorKind;
pub use identity::{Identity, MAX_NAME_CHARS, Service, display_name};
pub use ids::{
    AccountId, BadId, CaptureId, ChatSeq, CommandId, DeviceId, HandSeq, OrganisationId,
    ParticipantId, Revision, SessionId, Topic, UnixMillis,
};
pub use input::Input;
pub use media::{MediaState, PerSource, Quality, Source};
pub use message::{Body, Done, LobbyStatus, Message, Notice, Outcome, Refusal, Waiter};
pub use output::{CaptureOrder, Order, Output};
pub use policy::{AccessLevel, HistoryPolicy, Policy};
pub use role::{Role, Roles};
pub use room::{Room, Saved};
pub use room_code::{BadCode, RoomCode};
pub use settings::Settings;
pub use state::{Change, Delta, EndReason, LeaveReason, Participant, Snapshot, StateMessage};
pub use view::{Applied, RevisionGap, View};
