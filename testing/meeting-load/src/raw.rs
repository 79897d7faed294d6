use std::time::Duration;

use anyhow::{Context, bail};
use parvis::{
    LocalEncoded, ParticipantName, RemoteTrack, Room, RoomName, RoomOptions, TokenSource,
    TrackKind, Trust, clock,
    data::{
        DataLink, DataOptions, DataPublisher, DataStart, DataSubscribe, DataTrack, GroupId,
        Grouping, Location,
    },
    format::{AudioParams, EncodedFrame},
};
use parvis_meeting::{
    Body, Command, LobbyStatus, MediaState, Message, Notice, ParticipantId, Request, RoomCode,
    from_json, tracks,
};
use tokio::{
    task::JoinHandle,
    time::{interval, timeout},
};

use crate::clients::PATIENCE;

/// Somebody who takes part without the SDK's meeting: one that does not obey.
pub struct Raw {
    /// Who.
    pub me: ParticipantId,
    room: Room,
    commands: DataPublisher,
    next: u64,
    replies: DataTrack,
}

/// How often a frame is sent: what is measured is this precise.
const FRAME: Duration = Duration::from_millis(5);

impl Raw {
    /// Comes into a room that lets everybody in.
    pub async fn join(
        url: &str,
        fingerprint: &str,
        code: &RoomCode,
        me: ParticipantId,
        token: String,
    ) -> anyhow::Result<Self> {
        let name = RoomName::new(code.compact())?;
        let options = RoomOptions::new(name, ParticipantName::new(me.as_str())?)
            .with_trust(Trust::Fingerprint(fingerprint.to_owned()))
            .with_token(TokenSource::fixed(token));
        let room = Room::open(url, options).await?;
        let link: DataLink = room.data();
        link.announce(tracks::inbox(code, &me));
        let commands = tracks::track(tracks::inbox(code, &me), tracks::COMMANDS);
        let commands = link.publish(commands, DataOptions::default())?;
        let replies = tracks::track(tracks::outbox(code, &me), tracks::REPLIES);
        let all = DataStart::At(Location::new(0, 0));
        let wanted = DataSubscribe::from(all, Grouping::Sequence(1));
        let mut raw = Self {
            replies: link.subscribe(replies, wanted).await?,
            me,
            room,
            commands,
            next: 1,
        };
        raw.say(Command::Knock { name: None })?;
        let token = timeout(PATIENCE, raw.admission()).await??;
        link.add_token(&token);
        raw.room.enter().await?;
        Ok(raw)
    }

    async fn admission(&mut self) -> anyhow::Result<String> {
        while let Some(object) = self.replies.next().await {
            let message: Message = from_json(&object.payload)?;
            if let Body::Notice {
                notice: Notice::Lobby(LobbyStatus::Admitted { token, .. }),
            } = message.body
            {
                return Ok(token);
            }
        }
        bail!("the connection is over")
    }

    fn say(&mut self, command: Command) -> anyhow::Result<()> {
        let request = Request {
            id: format!("r{}", self.next).parse()?,
            command,
        };
        self.commands
            .send(Location::new(self.next, 0), request.to_json());
        self.commands.end_group(GroupId(self.next));
        self.next += 1;
        Ok(())
    }

    /// Says that the microphone is on, which lets it through again.
    pub fn unmute(&mut self) -> anyhow::Result<()> {
        self.say(Command::SetMedia {
            microphone: Some(MediaState::On),
            camera: None,
            screen: None,
        })
    }

    /// Sends sound until the task is ended, whatever it is told.
    pub async fn talk(&self) -> anyhow::Result<JoinHandle<()>> {
        let kind = TrackKind::Audio(AudioParams::opus(1));
        let track: LocalEncoded = self.room.publish_encoded("microphone", kind).await?;
        Ok(tokio::spawn(async move {
            let mut ticks = interval(FRAME);
            loop {
                ticks.tick().await;
                track.push(EncodedFrame::audio(clock::now(), None, vec![0; 80].into()));
            }
        }))
    }

    /// Hears somebody, as soon as the relay lets anything through.
    pub async fn hear(&self, who: &ParticipantId) -> anyhow::Result<RemoteTrack> {
        let who = ParticipantName::new(who.as_str())?;
        let hearing = async {
            loop {
                if let Ok(mut track) = self.room.subscribe(&who, "microphone").await
                    && track.next().await.is_some()
                {
                    return track;
                }
                tokio::time::sleep(FRAME).await;
            }
        };
        timeout(PATIENCE, hearing).await.context("nothing is heard")
    }
}
