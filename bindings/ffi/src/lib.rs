//! The SDK over the foreign-function boundary: what Kotlin and Swift call.
//!
//! Thin conversions over [`parvis::meeting`], by uniffi. Generated code is for the hand-written layers
//! `bindings/kotlin` and `bindings/swift`, not for apps.
//!
//! - Numbers are signed, as Kotlin's are; times are milliseconds or microseconds, as the name says.
//! - No pixel and no sample crosses by value: inwards it is a borrowed slice in a synchronous call,
//!   outwards a handle with addresses that hold while the handle lives.
//! - Every failure is a [`ParvisError`] with a stable [`ErrorKind`]. Every foreign method returns a
//!   `Result`, so that an exception in it is a failure too.
//! - One runtime serves all meetings; its threads stay attached to the JVM.
//!
//! README.md beside this crate lists the surface.
#![allow(
    clippy::needless_pass_by_value,
    reason = "what crosses the boundary is owned by the callee"
)]

uniffi::setup_scaffolding!();

mod audio_frame;
#[cfg(feature = "bench")]
mod bench;
mod capture;
mod chat;
mod code;
mod codec_state;
mod codecs;
mod commands;
mod connection_test;
mod data;
mod encoded_frame;
mod encoded_source;
mod error;
mod error_kind;
mod event;
mod events;
mod foreign_decoder;
mod foreign_encoder;
mod jvm;
mod level_meter;
mod meeting;
mod microphone;
mod mirror;
mod mixer;
mod moderation;
mod numbers;
mod options;
mod own;
mod participant;
mod pending;
mod picture;
mod policy;
mod pull;
mod recording;
mod remote_encoded_picture;
mod remote_picture;
mod remote_voice;
mod runtime;
mod screen_sound;
mod sinks;
mod sound;
mod state;
mod stats;
mod tickets;
mod video_frame;
mod video_source;

pub use audio_frame::{AudioFrame, AudioLayout};
#[cfg(feature = "bench")]
pub use bench::{BenchSink, bench_bytes, bench_call, bench_callback};
pub use capture::{AudioCapture, CameraCapture, ScreenCapture};
pub use chat::{ChatMessage, Done, HistoryGap, HistoryPage, PrivateMessage};
pub use code::{clock_now_us, emoji_sign, is_auth, is_retryable, room_code, version};
pub use codec_state::{CodecFallback, CodecInUse, CodecState};
pub use codecs::{
    Codecs, Content, VideoDecoder, VideoDecoderCaps, VideoDecoderFactory, VideoEncoder,
    VideoEncoderCaps, VideoEncoderConfig, VideoEncoderFactory, VideoParams, av1_params,
};
pub use connection_test::{
    Capacity, ConnectionReport, PathReport, Transport, TransportReport, test_connection,
};
pub use data::{DataTarget, MeetingData, RemoteData};
pub use encoded_frame::{EncodedFrame, EncodedLayout};
pub use encoded_source::{EncodedDemand, EncodedSource};
pub use error::ParvisError;
pub use error_kind::ErrorKind;
pub use event::{MeetingEvent, ReactionCount};
pub use events::{MeetingEvents, MeetingStates};
pub use level_meter::LevelMeter;
pub use meeting::Meeting;
pub use microphone::Microphone;
pub use mixer::Mixer;
pub use options::{
    AudioOptions, Draft, JoinOptions, Receive, Trust, VideoEncoderChoice, VideoLayer, VideoOptions,
    VideoTarget,
};
pub use participant::{
    Emoji, LeaveReason, MediaState, MediaStates, Participant, Quality, Role, Service, Source,
    Target, Waiter,
};
pub use pending::{Pending, PendingState};
pub use policy::{AccessLevel, ForbiddenSources, HistoryPolicy, Policy};
pub use recording::{Capture, CaptureFailure, CaptureKind, CaptureStatus, Language};
pub use remote_encoded_picture::{EncodedPicture, RemoteEncodedPicture};
pub use remote_picture::{RemotePicture, RemoteStats};
pub use remote_voice::RemoteVoice;
pub use sinks::{EncodedSink, PictureSink};
pub use state::{DisconnectReason, Lobby, MeetingState, Phase, RoomView};
pub use stats::{MeetingStats, PathStats, Rates, ReceivedStats, StepDown};
pub use tickets::{RelayAddress, Ticket, TicketRequest, TicketSource, Tickets};
pub use video_frame::{VideoFrame, VideoLayout};
pub use video_source::{Camera, LocalStats, Screen};
