mod coming;
mod freshness;
mod hearing;
mod shortage;
mod telling;
mod watching;

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use parvis_meeting::{
    Body, Command, CommandId, Message, ParticipantId, RoomCode, UnixMillis, View, from_json, tracks,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::sleep_until,
};

use self::{
    coming::{Arrived, Coming},
    freshness::Freshness,
    shortage::Shortage,
};
use super::{
    DisconnectReason, JoinOptions, MeetingEvent, MeetingState, Phase,
    requests::{Answer, Reply, Requests},
    shared::{Heard, Shared},
    speakers::Speakers,
};
use crate::{
    CloseReason, Room, RoomEvent, RoomEvents, SubscribeError,
    codecs::CodecReport,
    data::{
        DataLink, DataObject, DataPublisher, DataStart, DataSubscribe, DataTrack, FullTrackName,
        GroupId, Grouping, Location,
    },
};

/// What the application asks the driver.
#[derive(Debug)]
pub(super) enum Ask {
    Command {
        command: Command,
        reply: Reply,
    },
    Chat {
        client_id: CommandId,
        text: String,
        to: Option<ParticipantId>,
        reply: oneshot::Sender<Answer>,
    },
    Leave(oneshot::Sender<()>),
}

/// Keeps a meeting: reads what the authority says, says what is asked, until it is over.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) room: Arc<Room>,
    pub(super) link: DataLink,
    pub(super) code: RoomCode,
    pub(super) me: ParticipantId,
    asks: Asks,
    pub(super) heard: mpsc::Receiver<Heard>,
    pub(super) state: watch::Sender<Arc<MeetingState>>,
    pub(super) events: broadcast::Sender<MeetingEvent>,
    codecs: broadcast::Receiver<CodecReport>,
    commands: DataPublisher,
    next_command: u64,
    requests: Requests,
    command_timeout: Duration,
    speakers: Speakers,
    view: Option<View>,
    freshness: Freshness,
    inside: Option<Inside>,
    /// What is subscribed to at the moment; nothing else waits for it.
    coming: Option<Coming>,
    /// When the token is renewed.
    renew: Option<Instant>,
    spoke_since: Option<Instant>,
    suggested: bool,
    /// `None`: nothing is given up.
    shortage: Option<Shortage>,
}

/// What is asked of the driver, until the meeting is dropped.
struct Asks {
    asked: mpsc::Receiver<Ask>,
    dropped: oneshot::Receiver<Infallible>,
}

/// What is read once one is in.
struct Inside {
    /// `None`: it is read anew.
    state: Option<DataTrack>,
    chat: DataTrack,
    reactions: DataTrack,
}

/// What [`Driver::next`] found.
enum Next {
    Reply(Option<DataObject>),
    State(Option<DataObject>),
    Chat(Option<DataObject>),
    Reactions(Option<DataObject>),
    Room(Option<RoomEvent>),
    Arrived(Result<Arrived, DisconnectReason>),
    Ask(Option<Ask>),
    Heard(Heard),
    Codec(CodecReport),
    Timer,
}

/// How often speakers and the path are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// After so much speech with the hand up, lowering it is suggested.
const SPEECH: Duration = Duration::from_secs(3);
/// How long this side's own requests are said, a knock among them.
const OWN: Duration = Duration::from_secs(30);
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

impl Driver {
    #[expect(clippy::too_many_arguments, reason = "made in one place")]
    pub(super) fn new(
        shared: Arc<Shared>,
        room: Arc<Room>,
        code: RoomCode,
        me: ParticipantId,
        asked: mpsc::Receiver<Ask>,
        dropped: oneshot::Receiver<Infallible>,
        heard: mpsc::Receiver<Heard>,
        state: watch::Sender<Arc<MeetingState>>,
        events: broadcast::Sender<MeetingEvent>,
        commands: DataPublisher,
        renew: Option<Instant>,
        options: &JoinOptions,
    ) -> Self {
        // Groups and ids of a participant that comes back never repeat.
        let first = u64::try_from(crate::clock::now().as_micros() / 1000).unwrap_or_default();
        Self {
            link: room.data(),
            codecs: room.engine().codecs().reports(),
            shared,
            room,
            code,
            me,
            asks: Asks { asked, dropped },
            heard,
            state,
            events,
            commands,
            next_command: first,
            requests: Requests::new(first << 16),
            command_timeout: options.command_timeout,
            speakers: Speakers::default(),
            view: None,
            freshness: Freshness::default(),
            inside: None,
            coming: None,
            renew,
            spoke_since: None,
            suggested: false,
            shortage: options.step_down.then(Shortage::default),
        }
    }

    /// Runs until the meeting is over for this participant.
    pub(super) async fn run(mut self) {
        let (Ok(reason) | Err(reason)) = self.drive().await;
        self.requests.end();
        self.inside = None;
        self.coming = None;
        self.set_phase(Phase::Disconnected(reason));
        self.shared.close_room();
        // The last one that holds it closes it; a call that is under way ends by itself.
        if let Some(room) = Arc::into_inner(self.room) {
            room.close().await;
        }
    }

    async fn drive(&mut self) -> Result<DisconnectReason, DisconnectReason> {
        let name = tracks::track(tracks::outbox(&self.code, &self.me), tracks::REPLIES);
        let from_all = DataStart::At(Location::new(0, 0));
        let wanted = DataSubscribe::from(from_all, Grouping::Sequence(1));
        let mut events = self.room.events();
        self.ask(Command::Knock { name: None });
        let subscribing = subscribe(self.link.clone(), name, wanted);
        tokio::pin!(subscribing);
        let mut replies = loop {
            tokio::select! {
                replies = &mut subscribing => break replies?,
                ask = self.asks.next() => match ask {
                    Some(Ask::Leave(done)) => {
                        let _ = done.send(());
                        return Ok(DisconnectReason::Left);
                    }
                    Some(ask) => self.handle_ask(ask),
                    None => return Ok(DisconnectReason::Left),
                },
            }
        };
        let mut look = tokio::time::interval(LOOK);
        let mut looks = 0_u32;
        loop {
            let next = self.next(&mut replies, &mut events, &mut look).await;
            match next {
                Next::Reply(Some(object)) => {
                    if object.gap {
                        self.ask(Command::Resync);
                    }
                    if let Some(reason) = self.handle_reply(&object) {
                        // Who asked for that has yet to be answered.
                        self.read_answers(&mut replies).await;
                        return Ok(reason);
                    }
                }
                Next::State(Some(object)) => self.handle_state(&object),
                Next::Chat(Some(object)) => self.handle_chat(&object),
                Next::Reactions(Some(object)) => self.handle_reactions(&object),
                Next::Room(Some(event)) => {
                    if let Some(reason) = self.handle_room(event) {
                        return Err(reason);
                    }
                }
                Next::Reply(None)
                | Next::State(None)
                | Next::Chat(None)
                | Next::Reactions(None)
                | Next::Room(None) => return Err(DisconnectReason::lost(&self.room)),
                Next::Arrived(arrived) => {
                    self.coming = None;
                    self.take_arrived(arrived?);
                }
                Next::Ask(Some(Ask::Leave(done))) => {
                    self.say_goodbye(&mut replies).await;
                    let _ = done.send(());
                    return Ok(DisconnectReason::Left);
                }
                Next::Ask(Some(ask)) => self.handle_ask(ask),
                Next::Ask(None) => {
                    self.say_goodbye(&mut replies).await;
                    return Ok(DisconnectReason::Left);
                }
                Next::Heard(Heard { who, level }) => {
                    self.speakers.heard(&who, level, Instant::now());
                }
                Next::Codec(report) => self.tell_codec(report),
                Next::Timer => {
                    looks = looks.wrapping_add(1);
                    if looks.is_multiple_of(5) {
                        self.look_for_shortage().await;
                    }
                    self.handle_timeout(looks.is_multiple_of(20)).await;
                }
            }
        }
    }

    async fn next(
        &mut self,
        replies: &mut DataTrack,
        events: &mut RoomEvents,
        look: &mut tokio::time::Interval,
    ) -> Next {
        let due = [self.requests.poll_timeout(), self.freshness.poll_timeout()];
        let due = due.into_iter().flatten().min();
        let timer = async {
            match due {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let inside = async {
            match &mut self.inside {
                Some(inside) => tokio::select! {
                    object = next_of(&mut inside.state) => Next::State(object),
                    object = inside.chat.next() => Next::Chat(object),
                    object = inside.reactions.next() => Next::Reactions(object),
                },
                None => std::future::pending().await,
            }
        };
        let coming = async {
            match &mut self.coming {
                Some(coming) => coming.arrives().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            object = replies.next() => Next::Reply(object),
            next = inside => next,
            arrived = coming => Next::Arrived(arrived),
            event = events.next() => Next::Room(event),
            ask = self.asks.next() => Next::Ask(ask),
            Some(heard) = self.heard.recv() => Next::Heard(heard),
            Ok(report) = self.codecs.recv() => Next::Codec(report),
            () = timer => Next::Timer,
            _ = look.tick() => Next::Timer,
        }
    }

    /// Says a request of this driver's own, whose answer changes nothing.
    fn ask(&mut self, command: Command) {
        let (reply, _) = oneshot::channel();
        let id = self.requests.new_id();
        self.say_new(id, command, reply.into(), OWN);
    }

    fn say_new(&mut self, id: CommandId, command: Command, reply: Reply, patience: Duration) {
        let now = Instant::now();
        self.requests.ask(id, command, reply, patience, now);
        self.say_due(now);
    }

    /// Says what is to be said now.
    fn say_due(&mut self, now: Instant) {
        for request in self.requests.say(now) {
            self.say(&request);
        }
    }

    fn say(&mut self, request: &parvis_meeting::Request) {
        let group = self.next_command;
        self.next_command += 1;
        self.commands
            .send(Location::new(group, 0), request.to_json());
        self.commands.end_group(GroupId(group));
    }

    fn handle_ask(&mut self, ask: Ask) {
        match ask {
            Ask::Command { command, reply } => {
                let id = self.requests.new_id();
                self.say_new(id, command, reply, self.command_timeout);
            }
            Ask::Chat {
                client_id,
                text,
                to,
                reply,
            } => {
                let command = Command::Chat {
                    client_id: client_id.clone(),
                    text,
                    to,
                };
                self.say_new(client_id, command, reply.into(), self.command_timeout);
            }
            Ask::Leave(_) => {}
        }
    }

    async fn say_goodbye(&mut self, replies: &mut DataTrack) {
        for request in self.requests.say_all(Instant::now()) {
            self.say(&request);
        }
        self.ask(Command::Leave);
        self.read_answers(replies).await;
    }

    /// Reads what answers there are to what was asked, for a moment: whoever is gone without is
    /// noticed to be gone all the same.
    async fn read_answers(&mut self, replies: &mut DataTrack) {
        let requests = &mut self.requests;
        let answered = async {
            while !requests.is_empty() {
                let Some(object) = replies.next().await else {
                    return;
                };
                if let Ok(message) = from_json::<Message>(&object.payload)
                    && let Body::Reply { re, outcome } = message.body
                {
                    requests.answered(&re, outcome);
                }
            }
        };
        let _ = tokio::time::timeout(GOODBYE, answered).await;
    }
}

impl Asks {
    /// `None`: the meeting was dropped, and all that was asked before was given out.
    async fn next(&mut self) -> Option<Ask> {
        tokio::select! {
            biased;
            ask = self.asked.recv() => ask,
            _ = &mut self.dropped => None,
        }
    }
}

async fn next_of(track: &mut Option<DataTrack>) -> Option<DataObject> {
    match track {
        Some(track) => track.next().await,
        None => std::future::pending().await,
    }
}

async fn subscribe(
    link: DataLink,
    name: FullTrackName,
    wanted: DataSubscribe,
) -> Result<DataTrack, DisconnectReason> {
    link.subscribe(name, wanted)
        .await
        .map_err(|error| match error {
            SubscribeError::Closed(reason) => DisconnectReason::Lost(reason),
            error => DisconnectReason::Lost(CloseReason::Protocol(error.to_string())),
        })
}

impl DisconnectReason {
    /// Why a room that says nothing more is over.
    fn lost(room: &Room) -> Self {
        let closed = room.state().closed.clone();
        Self::Lost(closed.unwrap_or(CloseReason::Local))
    }
}

/// When a token is renewed: after two thirds of its life.
pub(super) fn renewal(expires: UnixMillis) -> Instant {
    let now = u64::try_from(crate::clock::now().as_micros() / 1000).unwrap_or_default();
    let left = expires.since(UnixMillis(now));
    Instant::now() + left * 2 / 3
}
