use std::time::{Duration, Instant};

use parvis_meeting::{
    Body, Command, CommandId, Message, ParticipantId, Request, RoomCode, display_name, from_json,
    tracks,
};

use super::{
    Capacity, JoinError, JoinOptions, Meeting, Ticket, TicketRequest, capacity::measure, ticket,
};
use crate::{
    ConnectError, Draft, Room, RoomName, RoomOptions, TokenSource,
    data::{DataOptions, DataStart, DataSubscribe, GroupId, Grouping, Location},
};

/// What a connection test found, before anybody is joined.
#[derive(Debug)]
pub struct ConnectionReport {
    /// How long the meeting service took to give a ticket.
    pub service: Duration,
    /// Each transport to the relay, the one that a meeting takes first.
    pub transports: Vec<TransportReport>,
}

/// What one transport is like.
#[derive(Debug)]
pub struct TransportReport {
    /// Which.
    pub transport: Transport,
    /// The relay, as it was tried.
    pub url: String,
    /// What it is like, or why there is no connection.
    pub found: Result<PathReport, ConnectError>,
}

/// How MoQ comes to a relay. Both need UDP; there is no fallback to TCP so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// QUIC, as apps use it.
    Quic,
    /// WebTransport over HTTP/3, as browsers use it.
    WebTransport,
}

/// What a path is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathReport {
    /// The draft that was agreed on.
    pub draft: Draft,
    /// How long connecting took: the handshakes of QUIC and of MoQ.
    pub handshake: Duration,
    /// The round-trip time to the relay.
    pub rtt: Duration,
    /// The share of packets sent that were lost, 0 to 1.
    pub loss: f64,
    /// How long the meeting took to answer a command, the median; `None`: it did not.
    pub answer: Option<Duration>,
    /// Commands that were not answered within two seconds, of ten.
    pub unanswered: u32,
    /// How much it carries; `None`: nothing came, or the source of tickets has none for a test.
    pub capacity: Option<Capacity>,
}

/// Commands that are said by each transport.
const COMMANDS: u32 = 10;
/// The pause between them.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

impl Meeting {
    /// Tries how well the meeting that a link or a code names is reached, without knocking: nobody
    /// there sees it. Takes some seconds. An error is that of the meeting service; what is wrong with
    /// the relay is in the report.
    pub async fn test_connection(
        link_or_code: &str,
        options: JoinOptions,
    ) -> Result<ConnectionReport, JoinError> {
        let code = RoomCode::parse(link_or_code)?;
        let request = TicketRequest {
            site: ticket::site_of(link_or_code).or_else(|| options.site.clone()),
            code,
            name: display_name(&options.name).map_err(JoinError::BadName)?,
            device: options.device.clone(),
            resume: None,
            authority: options.authority.clone(),
            is_test: false,
        };
        let probe = TicketRequest {
            is_test: true,
            ..request.clone()
        };
        let began = Instant::now();
        let ticket = options.tickets.ticket(request).await?;
        let service = began.elapsed();
        let probe = options.tickets.ticket(probe).await.ok();
        let mut transports = Vec::new();
        for transport in transports_of(&ticket.relay.url) {
            let url = transport.url(&ticket.relay.url);
            let mut found = go(transport, &url, &ticket, &options).await;
            if let (Ok(path), Some(probe)) = (&mut found, &probe) {
                path.capacity = measure(&url, probe, &options).await;
            }
            transports.push(TransportReport {
                transport,
                url,
                found,
            });
        }
        Ok(ConnectionReport {
            service,
            transports,
        })
    }
}

impl ConnectionReport {
    /// Whether a meeting can be joined.
    pub fn is_reachable(&self) -> bool {
        self.transports
            .first()
            .is_some_and(|first| first.found.is_ok())
    }
}

impl Transport {
    /// The same relay by this transport: it has both on one port.
    fn url(self, url: &str) -> String {
        let address = url.split_once("://").map_or(url, |(_, address)| address);
        match self {
            Self::Quic => format!("moqt://{address}"),
            Self::WebTransport => format!("https://{address}"),
        }
    }
}

/// The one that a meeting takes, then the other.
fn transports_of(url: &str) -> [Transport; 2] {
    if url.starts_with("https://") {
        [Transport::WebTransport, Transport::Quic]
    } else {
        [Transport::Quic, Transport::WebTransport]
    }
}

async fn go(
    transport: Transport,
    url: &str,
    ticket: &Ticket,
    options: &JoinOptions,
) -> Result<PathReport, ConnectError> {
    let bad_name = |error: crate::NameError| ConnectError::BadUrl {
        url: url.to_owned(),
        reason: error.to_string(),
    };
    let room_options = RoomOptions {
        trust: options.trust_in(&ticket.relay),
        token: Some(TokenSource::fixed(&ticket.token)),
        drafts: options.drafts.clone(),
        connect_timeout: options.connect_timeout,
        reconnect: Duration::ZERO,
        ..RoomOptions::observer(RoomName::new(ticket.code.compact()).map_err(bad_name)?)
    };
    let began = Instant::now();
    let room = Room::open(url, room_options).await?;
    let handshake = began.elapsed();
    let mut answers = converse(transport, &room, &ticket.code, &ticket.participant).await;
    let path = room.path().await.unwrap_or_default();
    let draft = room.draft();
    room.close().await;
    answers.sort();
    let answered = answers.len() as u32;
    Ok(PathReport {
        draft,
        handshake,
        rtt: path.rtt,
        loss: path.lost_packets as f64 / path.sent_packets.max(1) as f64,
        answer: answers.get(answers.len() / 2).copied(),
        unanswered: COMMANDS - answered,
        capacity: None,
    })
}

/// Says commands that change nothing, and returns how long their answers took.
async fn converse(
    transport: Transport,
    room: &Room,
    code: &RoomCode,
    me: &ParticipantId,
) -> Vec<Duration> {
    let link = room.data();
    link.announce(tracks::inbox(code, me));
    let commands = tracks::track(tracks::inbox(code, me), tracks::COMMANDS);
    let Ok(commands) = link.publish(commands, DataOptions::default()) else {
        return Vec::new();
    };
    let replies = tracks::track(tracks::outbox(code, me), tracks::REPLIES);
    let wanted = DataSubscribe::from(DataStart::Next, Grouping::Sequence(1));
    let subscribed = tokio::time::timeout(PATIENCE, link.subscribe(replies, wanted)).await;
    let Ok(Ok(mut replies)) = subscribed else {
        return Vec::new();
    };
    // Behind those of the transport before.
    let first = crate::clock::now().as_micros() as u64;
    let mut answers = Vec::new();
    for number in 0..COMMANDS {
        let id = format!("{transport:?}-{number}");
        let id = CommandId::new(&id).expect("a short word and a number are an id");
        let group = first + u64::from(number);
        let request = Request {
            id: id.clone(),
            command: Command::Resync,
        };
        let said = Instant::now();
        commands.send(Location::new(group, 0), request.to_json());
        commands.end_group(GroupId(group));
        let answered = async {
            while let Some(object) = replies.next().await {
                if let Ok(Message {
                    body: Body::Reply { re, .. },
                    ..
                }) = from_json(&object.payload)
                    && re == id
                {
                    return Some(said.elapsed());
                }
            }
            None
        };
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Some(time)) => answers.push(time),
            Ok(None) => break,
            Err(_) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_transports_are_tried_the_one_of_the_ticket_first() {
        let raw = "moqt://relay.example:4433";
        let web = "https://relay.example:4433";
        assert_eq!(
            transports_of(raw),
            [Transport::Quic, Transport::WebTransport]
        );
        assert_eq!(
            transports_of(web),
            [Transport::WebTransport, Transport::Quic]
        );
        for url in [raw, web] {
            assert_eq!(Transport::Quic.url(url), raw);
            assert_eq!(Transport::WebTransport.url(url), web);
        }
    }
}
