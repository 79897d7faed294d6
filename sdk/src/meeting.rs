//! A meeting, as an app sees it: joined by a link, with a lobby, people, chat, hands and moderation.
//!
//! ```no_run
//! use parvis::meeting::{JoinOptions, Meeting, MeetingEvent, Phase};
//! use parvis::AudioOptions;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let options = JoinOptions::new("Zoé", "a-random-id-of-this-device");
//! let meeting = Meeting::join("https://meet.example/abc-defg-hij", options).await?;
//! let mut events = meeting.events();
//! while let Some(event) = events.next().await {
//!     match event {
//!         MeetingEvent::Phase(Phase::InLobby(lobby)) => println!("wait: {lobby:?}"),
//!         MeetingEvent::Phase(Phase::Connected) => {
//!             let microphone = meeting.microphone(AudioOptions::default()).await?;
//!             meeting.chat("Bonjour !").await?;
//!             meeting.raise_hand().await?;
//!         }
//!         MeetingEvent::Chat(message) => println!("{}: {}", message.name, message.text),
//!         MeetingEvent::Phase(Phase::Disconnected(reason)) => println!("over: {reason:?}"),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A command is an async call that returns when the meeting has acknowledged it, which is after it
//! was stored; why it is refused is an [`ErrorKind`], in the same words everywhere. Where the
//! connection is replaced meanwhile, the command is said again, and done once.

mod asking_again;
mod capacity;
mod commands;
mod connection_test;
mod data;
mod driver;
mod error;
mod event;
mod held_ticket;
mod history;
mod layers;
mod level_meter;
mod local;
mod mixer;
mod options;
mod pending;
mod picture;
mod quality;
mod requests;
mod shared;
mod speakers;
mod state;
mod stats;
mod step_down;
mod switch;
mod targets;
mod ticket;
mod voice;
mod volumes;
mod wishes;

use std::{convert::Infallible, sync::Arc};

use parvis_meeting::{Quality, display_name, tracks};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use self::{
    driver::{Ask, Driver, renewal},
    event::EVENTS,
    held_ticket::HeldTicket,
    shared::{Heard, Shared},
};
use crate::{
    ConnectError, ParticipantName, PublishError, RebindError, Room, RoomName, RoomOptions,
    data::DataOptions,
};

pub use self::{
    capacity::Capacity,
    connection_test::{ConnectionReport, PathReport, Transport, TransportReport},
    data::{DataTarget, MAX_DATA, MeetingData, RemoteData},
    error::{CommandError, JoinError},
    event::{HistoryPage, MeetingEvent, MeetingEvents},
    layers::{Receive, VideoTarget},
    level_meter::LevelMeter,
    local::{Camera, EncodedSource, Microphone, Screen},
    mixer::Mixer,
    options::JoinOptions,
    pending::{Pending, PendingState},
    picture::{EncodedPicture, RemoteEncodedPicture, RemotePicture},
    state::{DisconnectReason, Lobby, MeetingState, Phase},
    stats::{MeetingStats, Rates, ReceivedStats},
    step_down::StepDown,
    ticket::{RelayAddress, Ticket, TicketError, TicketRequest, TicketSource},
    voice::RemoteVoice,
};
pub use parvis_meeting::{
    AccessLevel, BadId, Capture, CaptureFailure, CaptureId, CaptureKind, CaptureStatus,
    ChatMessage, ChatSeq, Done, Emoji, ErrorKind, HandSeq, HistoryGap, HistoryPolicy, Language,
    LeaveReason, MediaState, OrganisationId, Participant, ParticipantId, PerSource, Policy,
    PrivateMessage, Quality as ConnectionQuality, Role, RoomCode, Service, SessionId, Source,
    Target, UnixMillis, View, Waiter,
};

/// A meeting that was joined, or is about to be.
///
/// Dropping it leaves in the background, whatever of it is still held; [`Meeting::leave`] waits until it is left.
#[derive(Debug)]
pub struct Meeting {
    shared: Arc<Shared>,
    asks: mpsc::Sender<Ask>,
    heard: mpsc::Sender<Heard>,
    state: watch::Receiver<Arc<MeetingState>>,
    events: broadcast::WeakSender<MeetingEvent>,
    /// The driver learns by it that this was dropped: what one captures has `asks` too.
    _here: oneshot::Sender<Infallible>,
}

/// Commands that wait to be said.
const ASKS: usize = 64;
/// Levels that wait to be looked at; further ones are dropped.
const LEVELS: usize = 256;

impl Meeting {
    /// Joins the meeting that a link or a code names. Returns once the relay lets one connect, in
    /// [`Phase::Connecting`] or beyond; the events tell how it goes on.
    pub async fn join(link_or_code: &str, options: JoinOptions) -> Result<Self, JoinError> {
        let code = RoomCode::parse(link_or_code)?;
        let name = display_name(&options.name).map_err(JoinError::BadName)?;
        let request = TicketRequest {
            site: ticket::site_of(link_or_code).or_else(|| options.site.clone()),
            code,
            name,
            device: options.device.clone(),
            resume: None,
            authority: options.authority.clone(),
            is_test: false,
        };
        let ticket = options.tickets.ticket(request.clone()).await?;
        let participant = ticket.participant.clone();
        let held = HeldTicket::new(&ticket);
        let bad_name = |error: crate::NameError| ConnectError::BadUrl {
            url: ticket.relay.url.clone(),
            reason: error.to_string(),
        };
        let room_options = RoomOptions {
            room: RoomName::new(code.compact()).map_err(bad_name)?,
            participant: Some(ParticipantName::new(participant.as_str()).map_err(bad_name)?),
            trust: held.trust(&options),
            token: Some(held.token_source(&options.tickets, request)),
            drafts: options.drafts.clone(),
            connect_timeout: options.connect_timeout,
            reconnect: options.reconnect,
            codecs: options.codecs.clone(),
        };
        let room = Arc::new(Room::open(&ticket.relay.url, room_options).await?);
        let link = room.data();
        link.announce(tracks::inbox(&code, &participant));
        let commands = tracks::track(tracks::inbox(&code, &participant), tracks::COMMANDS);
        let commands =
            link.publish(commands, DataOptions::default())
                .map_err(|error| match error {
                    PublishError::Closed(reason) => ConnectError::closed(reason),
                    error => ConnectError::Refused {
                        what: "take commands",
                        reason: error.to_string(),
                    },
                })?;
        let (asks, asked) = mpsc::channel(ASKS);
        let (here, dropped) = oneshot::channel();
        let (heard, levels) = mpsc::channel(LEVELS);
        let (events, _) = broadcast::channel(EVENTS);
        let initial = MeetingState {
            phase: Phase::Connecting,
            code,
            me: participant.clone(),
            view: None,
            lobby: Vec::new(),
            speakers: Vec::new(),
            quality: Quality::Good,
            step_down: StepDown::default(),
        };
        let (state, known) = watch::channel(Arc::new(initial));
        let shared = Arc::new(Shared::new(Arc::clone(&room)));
        let let_in = room.let_in();
        let weak = events.downgrade();
        let driver = Driver::new(
            Arc::clone(&shared),
            room,
            code,
            participant,
            asked,
            dropped,
            levels,
            state,
            events,
            commands,
            ticket.expires.map(renewal),
            &options,
        );
        tokio::spawn(driver.run());
        let meeting = Self {
            shared,
            asks,
            heard,
            state: known,
            events: weak,
            _here: here,
        };
        // A relay says a moment after the handshake that it does not accept a token.
        let_in.await?;
        Ok(meeting)
    }

    /// What is known now.
    pub fn state(&self) -> Arc<MeetingState> {
        Arc::clone(&self.state.borrow())
    }

    /// Waits until what is known is so, or the meeting is over for this participant; returns what is
    /// known then.
    pub async fn wait_for(&self, holds: impl Fn(&MeetingState) -> bool) -> Arc<MeetingState> {
        let mut state = self.state.clone();
        let over = |state: &MeetingState| matches!(state.phase, Phase::Disconnected(_));
        let known = state.wait_for(|state| holds(state) || over(state)).await;
        match known {
            Ok(state) => Arc::clone(&state),
            // The driver is over, and this is the last that it knew.
            Err(_) => self.state(),
        }
    }

    /// What happens from here on; [`Meeting::state`] is what happened before.
    pub fn events(&self) -> MeetingEvents {
        let receiver = self.events.upgrade().map(|events| events.subscribe());
        MeetingEvents(receiver.unwrap_or_else(|| broadcast::channel(1).1))
    }

    /// Goes over to a new UDP socket, as an app asks for when the phone has changed networks: media and
    /// commands go on, without a new handshake and without [`Phase::Reconnecting`]. Where the relay is not
    /// reached from there, the meeting reconnects by itself.
    pub async fn rebind(&self) -> Result<(), RebindError> {
        let room = self.shared.room().ok_or(RebindError::NotConnected)?;
        room.rebind().await
    }

    /// Leaves: the others see it at once. Returns when nothing of the meeting runs here.
    ///
    /// What is asked of it afterwards is [`CommandError::Disconnected`].
    pub async fn leave(&self) {
        let (done, left) = oneshot::channel();
        if self.asks.send(Ask::Leave(done)).await.is_ok() {
            let _ = left.await;
        }
        // Whoever tells of it is gone when it is over.
        let mut state = self.state.clone();
        while state.changed().await.is_ok() {}
    }
}
