//! What an app of a participant does, by the meeting's JSON.

use std::{collections::VecDeque, time::Duration};

use parvis::data::{
    Client, DataLink, DataObject, DataOptions, DataPublisher, DataSubscribe, DataTrack, Grouping,
    Location,
};
use parvis_meeting::{
    Body, ChatMessage, ChatSeq, Command, CommandId, Done, ErrorKind, Identity, LobbyStatus,
    Message, Notice, Outcome, ParticipantId, Request, RoomCode, SessionId, StateMessage, View,
    from_json, tracks,
};

use crate::scene::{PATIENCE, Scene, agent, soon};

pub struct App {
    /// Keeps the connection.
    _client: Client,
    pub link: DataLink,
    pub who: ParticipantId,
    pub code: RoomCode,
    commands: DataPublisher,
    replies: DataTrack,
    heard: VecDeque<Message>,
    /// Every message that came, in order.
    pub numbers: Vec<u64>,
    next_command: u64,
    next_id: u64,
}

/// The state, from its track.
pub struct Watched {
    track: DataTrack,
    pub view: Option<View>,
}

impl App {
    /// Takes a ticket, connects, and publishes commands.
    pub async fn new(scene: &Scene, identity: Identity) -> Self {
        Self::to(scene, scene.code, identity).await
    }

    pub async fn to(scene: &Scene, code: RoomCode, identity: Identity) -> Self {
        let (who, token) = scene.join(code, identity).await;
        Self::with(scene, code, who, &token).await
    }

    pub async fn with(scene: &Scene, code: RoomCode, who: ParticipantId, token: &str) -> Self {
        let client = scene.connect(token).await;
        let link = client.data();
        link.announce(tracks::inbox(&code, &who));
        let name = tracks::track(tracks::inbox(&code, &who), tracks::COMMANDS);
        let commands = link.publish(name, DataOptions::default());
        let name = tracks::track(tracks::outbox(&code, &who), tracks::REPLIES);
        let wanted = DataSubscribe::current_group(Grouping::Sequence(1));
        let replies = soon("replies", link.subscribe(name, wanted)).await;
        Self {
            commands: commands.expect("it is new"),
            replies: replies.expect("they may be read"),
            _client: client,
            link,
            who,
            code,
            heard: VecDeque::new(),
            numbers: Vec::new(),
            next_command: 1,
            next_id: 0,
        }
    }

    /// Zoé, who is in.
    pub async fn host(scene: &Scene) -> Self {
        let mut zoe = Self::new(scene, agent(&scene.zoe, "Zoé")).await;
        zoe.knock().await.expect("she is let in");
        zoe.admitted().await;
        zoe
    }

    pub async fn knock(&mut self) -> Result<Done, ErrorKind> {
        self.ask(Command::Knock { name: None }).await
    }

    pub fn next_id(&mut self) -> CommandId {
        self.next_id += 1;
        CommandId::new(&format!("c{}", self.next_id)).expect("an id")
    }

    /// Asks until it is answered.
    pub async fn ask(&mut self, command: Command) -> Result<Done, ErrorKind> {
        let id = self.next_id();
        self.ask_as(id, command).await
    }

    pub async fn ask_as(&mut self, id: CommandId, command: Command) -> Result<Done, ErrorKind> {
        let request = Request { id, command };
        let bytes = request.to_json();
        let answered = async {
            loop {
                self.send(bytes.clone());
                let answer = self.wait(|message| match &message.body {
                    Body::Reply { re, outcome } if *re == request.id => Some(outcome.clone()),
                    _ => None,
                });
                // As the protocol asks clients to.
                if let Ok(answer) = tokio::time::timeout(Duration::from_secs(1), answer).await {
                    return answer;
                }
            }
        };
        match soon("answer", answered).await {
            Outcome::Done(done) => Ok(done),
            Outcome::Refused(refusal) => Err(refusal.error),
        }
    }

    /// Sends whatever as a command.
    pub fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        let group = self.next_command;
        self.next_command += 1;
        self.commands.send(Location::new(group, 0), bytes.into());
    }

    /// The first message, heard before or to come, of which `choose` makes something.
    pub async fn wait<R>(&mut self, choose: impl Fn(&Message) -> Option<R>) -> R {
        for index in 0..self.heard.len() {
            if let Some(found) = choose(&self.heard[index]) {
                self.heard.remove(index);
                return found;
            }
        }
        loop {
            let object = self.replies.next().await.expect("the connection is kept");
            let message: Message = from_json(&object.payload).expect("a message");
            assert_eq!(object.location, Location::new(message.n, 0));
            self.numbers.push(message.n);
            if let Some(found) = choose(&message) {
                return found;
            }
            self.heard.push_back(message);
        }
    }

    /// What was heard so far is waited for by nobody.
    pub fn forget(&mut self) {
        self.heard.clear();
    }

    pub async fn notice<R>(&mut self, what: &str, choose: impl Fn(&Notice) -> Option<R>) -> R {
        let found = self.wait(|message| match &message.body {
            Body::Notice { notice } => choose(notice),
            _ => None,
        });
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(late) => panic!("no {what}, {late}, among {:?}", self.heard),
        }
    }

    /// Where it is on the way in, as it hears next.
    pub async fn status(&mut self) -> LobbyStatus {
        self.notice("status", |notice| match notice {
            Notice::Lobby(status) => Some(status.clone()),
            _ => None,
        })
        .await
    }

    /// Waits until it is in, and shows the token from then on.
    pub async fn admitted(&mut self) -> String {
        let token = self
            .notice("token", |notice| match notice {
                Notice::Lobby(LobbyStatus::Admitted { token, .. }) => Some(token.clone()),
                _ => None,
            })
            .await;
        self.link.add_token(&token);
        token
    }

    pub async fn state(&self) -> Watched {
        let track = self.control(tracks::STATE, Grouping::Replacing).await;
        Watched { track, view: None }
    }

    /// A track that all members read.
    pub async fn control(&self, name: &'static str, grouping: Grouping) -> DataTrack {
        let name = tracks::track(tracks::control(&self.code), name);
        let wanted = DataSubscribe::current_group(grouping);
        let track = soon("a track", self.link.subscribe(name, wanted)).await;
        track.expect("members may read it")
    }

    pub async fn chat(&self) -> DataTrack {
        self.control(tracks::CHAT, Grouping::Sequence(tracks::CHAT_GROUP))
            .await
    }

    /// Writes to everybody, as soon as it may: five a second.
    pub async fn write(&mut self, text: &str) -> Result<Done, ErrorKind> {
        let client_id = self.next_id();
        loop {
            let (client_id, text, to) = (client_id.clone(), text.to_owned(), None);
            let written = self.ask(Command::Chat {
                client_id,
                text,
                to,
            });
            match written.await {
                Err(ErrorKind::RateLimited) => {}
                other => return other,
            }
        }
    }

    /// Messages `from..to` of the past.
    pub async fn history(&self, session: SessionId, from: u64, to: u64) -> Vec<ChatMessage> {
        let at = |seq| tracks::chat_location(session, ChatSeq(seq));
        let name = tracks::track(tracks::control(&self.code), tracks::CHAT);
        let objects = self.link.fetch(name, at(from), at(to - 1), PATIENCE).await;
        objects.expect("members may").iter().map(said).collect()
    }
}

/// The chat message in an object.
pub fn said(object: &DataObject) -> ChatMessage {
    let message: ChatMessage = from_json(&object.payload).expect("a chat message");
    message
}

pub async fn next_said(track: &mut DataTrack) -> ChatMessage {
    said(
        &soon("a chat message", track.next())
            .await
            .expect("an object"),
    )
}

impl Watched {
    /// Waits until the state is so.
    pub async fn until<R>(&mut self, what: &str, choose: impl Fn(&View) -> Option<R>) -> R {
        let found = async {
            loop {
                if let Some(found) = self.view.as_ref().and_then(&choose) {
                    return found;
                }
                let object = self.track.next().await.expect("the connection is kept");
                let message: StateMessage = from_json(&object.payload).expect("a state message");
                match (&mut self.view, message) {
                    (view @ None, StateMessage::Snapshot { snapshot }) => {
                        *view = Some(View::from(*snapshot));
                    }
                    (None, StateMessage::Delta { .. }) => panic!("a group begins with a snapshot"),
                    (Some(view), message) => {
                        view.apply(message).expect("revisions follow each other");
                    }
                }
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(late) => panic!("never {what}, {late}: {:?}", self.view),
        }
    }

    pub async fn until_in(&mut self, who: &ParticipantId) {
        self.until("in", |view| view.participant(who).map(|_| ()))
            .await;
    }

    pub async fn until_out(&mut self, who: &ParticipantId) {
        let gone = |view: &View| view.participant(who).is_none().then_some(());
        self.until("out", gone).await;
    }
}
