use std::time::{Duration, Instant};

use parvis_codec::Bitrate;
use parvis_meeting::{ParticipantId, tracks};

use super::{JoinOptions, Ticket};
use crate::{
    ConnectError, Room, RoomName, RoomOptions, TokenSource,
    data::{DataOptions, DataPublisher, DataStart, DataSubscribe, GroupId, Grouping, Location},
};

/// How much a path carries, as far as it was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// To the relay; of 10 Mbit/s that were offered.
    pub up: Bitrate,
    /// From the relay; of twice what went up.
    pub down: Bitrate,
}

/// What is offered, each second.
const OFFER: u64 = 10_000_000 / 8;
const OBJECT: u64 = 4096;
/// How often something is given.
const TICK: Duration = Duration::from_millis(5);
/// Until congestion control knows the path.
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(1);
/// Sessions that receive.
const RECEIVERS: usize = 2;
/// What waits for so long is more than the path carries.
const BACKLOG: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends data to itself through the relay for a moment.
///
/// ticket: one for a test. `None`: it does not allow that, or the path broke.
pub(super) async fn measure(url: &str, ticket: &Ticket, options: &JoinOptions) -> Option<Capacity> {
    let sender = open(url, ticket, options).await.ok()?;
    let namespace = tracks::probe(&ticket.participant);
    let link = sender.data();
    link.announce(namespace);
    let keeps_nothing = DataOptions {
        keep_objects: 1,
        ..DataOptions::default()
    };
    let track = link
        .publish(name(&ticket.participant), keeps_nothing)
        .ok()?;
    let mut receivers = Vec::new();
    let measured = async {
        let mut tasks = Vec::new();
        for _ in 0..RECEIVERS {
            let receiver = open(url, ticket, options).await.ok()?;
            let wanted = DataSubscribe::from(DataStart::Next, Grouping::Sequence(1));
            let subscribing = receiver.data();
            let subscribing = subscribing.subscribe(name(&ticket.participant), wanted);
            let mut objects = tokio::time::timeout(PATIENCE, subscribing)
                .await
                .ok()?
                .ok()?;
            tasks.push(tokio::spawn(async move {
                while objects.next().await.is_some() {}
            }));
            receivers.push(receiver);
        }
        let capacity = drive(&sender, &receivers, &track).await;
        for task in tasks {
            task.abort();
        }
        capacity
    };
    let capacity = measured.await;
    drop(track);
    for room in receivers.into_iter().chain([sender]) {
        room.close().await;
    }
    capacity
}

fn name(participant: &ParticipantId) -> crate::data::FullTrackName {
    tracks::track(tracks::probe(participant), tracks::DATA)
}

async fn open(url: &str, ticket: &Ticket, options: &JoinOptions) -> Result<Room, ConnectError> {
    let room = RoomName::new("-").expect("a dash is a name");
    let options = RoomOptions {
        trust: options.trust_in(&ticket.relay),
        token: Some(TokenSource::fixed(&ticket.token)),
        drafts: options.drafts.clone(),
        connect_timeout: options.connect_timeout,
        reconnect: Duration::ZERO,
        ..RoomOptions::observer(room)
    };
    Room::open(url, options).await
}

async fn drive(sender: &Room, receivers: &[Room], track: &DataPublisher) -> Option<Capacity> {
    let payload = bytes::Bytes::from(vec![0; OBJECT as usize]);
    let began = Instant::now();
    let mut ticks = tokio::time::interval(TICK);
    let mut group = crate::clock::now().as_micros() as u64;
    let (mut given, mut start) = (0, None);
    loop {
        ticks.tick().await;
        let elapsed = began.elapsed();
        if elapsed >= WARM_UP && start.is_none() {
            start = Some((Instant::now(), Counters::of(sender, receivers).await?));
        }
        if elapsed >= WARM_UP + MEASURED {
            break;
        }
        let offered = (OFFER as f64 * elapsed.as_secs_f64()) as u64;
        if sender.engine().unsent().await? > BACKLOG {
            // What was not taken is not offered again.
            given = offered;
        }
        while given + OBJECT <= offered {
            track.send(Location::new(group, 0), payload.clone());
            track.end_group(GroupId(group));
            group += 1;
            given += OBJECT;
        }
    }
    let (since, before) = start?;
    let now = Counters::of(sender, receivers).await?;
    let rate = |bytes: u64| {
        let bits = bytes as f64 * 8.0 / since.elapsed().as_secs_f64();
        Bitrate::bps(bits as u32)
    };
    Some(Capacity {
        up: rate(now.sent.saturating_sub(before.sent)),
        down: rate(now.received.saturating_sub(before.received)),
    })
}

/// Bytes that went over the paths so far.
struct Counters {
    sent: u64,
    received: u64,
}

impl Counters {
    async fn of(sender: &Room, receivers: &[Room]) -> Option<Self> {
        let path = sender.path().await?;
        let mut received = 0;
        for receiver in receivers {
            received += receiver.path().await?.received_bytes;
        }
        Some(Self {
            sent: path.sent_bytes.saturating_sub(path.lost_bytes),
            received,
        })
    }
}
