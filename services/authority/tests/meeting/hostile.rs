//! Clients that want what they are not given, and such as send what nobody understands.

use std::time::Duration;

use crate::house::{House, admit, connected, in_lobby, now, soon, ticket_token};
use parvis::{
    TokenSource, clock,
    codec::{AudioFrame, Channels, SAMPLES_PER_FRAME},
    data::{
        Client, DataOptions, DataSubscribe, FullTrackName, Grouping, LinkOptions, Location,
        TrackNamespace,
    },
    meeting::Meeting,
};
use parvis_meeting::{
    Body, Command, DeviceId, Identity, Message, ParticipantId, Policy, Request, RoomCode,
    from_json, tracks,
};
use parvis_quic::{
    client::{ConnectOptions, Connection},
    tls::ClientTls,
};
use parvis_session::{ApiMisuse, Event, RequestKey};
use parvis_store::NewJoin;
use parvis_wire::{
    AuthToken, Draft, FetchRange, GroupId, MessageType, Parameters, Properties, RequestErrorCode,
};

const UNAUTHORIZED: RequestErrorCode = RequestErrorCode::Unauthorized;

/// A ticket of a guest, as the HTTP service gives them.
async fn ticket(house: &House, code: &RoomCode) -> (ParticipantId, String) {
    let device = DeviceId::new("mallory").expect("an id");
    let join = NewJoin {
        room: *code,
        identity: Identity::Guest {
            device,
            name: "Mallory".to_owned(),
        },
        expires_at: now().plus(Duration::from_hours(1)),
    };
    let (participant, _) = house.store.create_join(&join, now()).await.expect("a join");
    let (token, _) = ticket_token(&house.signer, code, &participant);
    (participant, token)
}

#[derive(Debug, Clone)]
enum Try {
    Subscribe(FullTrackName),
    Fetch(FullTrackName),
    Range(FullTrackName),
    /// A SUBSCRIBE and, before it is answered, a FETCH that joins it.
    JoinFrom(FullTrackName),
    JoinBack(FullTrackName),
    Status(FullTrackName),
    Publish(FullTrackName),
    Announce(TrackNamespace),
    Discover(TrackNamespace),
    Tracks(TrackNamespace),
}

impl Try {
    /// Asks; draft 22 has no FETCH that joins.
    async fn ask(self, client: &Connection) -> Vec<RequestKey> {
        let asked = client.with(move |session, now| {
            let parameters = Parameters::default();
            let range = |track| FetchRange::Standalone {
                track,
                start: Location::new(0, 0),
                end: (GroupId(u64::MAX >> 3), None),
            };
            let draft = session.draft();
            let one = match self.clone() {
                Self::Subscribe(track) => session.subscribe(track, parameters, now),
                Self::Fetch(track) if draft == Draft::D22 => {
                    session.fetch(FetchRange::Filtered { track }, parameters, now)
                }
                Self::Fetch(track) | Self::Range(track) => {
                    session.fetch(range(track), parameters, now)
                }
                Self::JoinFrom(track) | Self::JoinBack(track) => {
                    session.subscribe(track, parameters, now)
                }
                Self::Status(track) => session.track_status(track, parameters, now),
                Self::Publish(track) => session.publish(track, parameters, Properties::EMPTY, now),
                Self::Announce(namespace) => session.publish_namespace(namespace, parameters, now),
                Self::Discover(prefix) => session.subscribe_namespace(prefix, parameters, now),
                Self::Tracks(prefix) => session.subscribe_tracks(prefix, parameters, now),
            }?;
            let range = session
                .request_id(one)
                .filter(|_| draft == Draft::D18)
                .and_then(|request_id| match self {
                    Self::JoinFrom(_) => Some(FetchRange::AbsoluteJoining {
                        request_id,
                        group: GroupId(0),
                    }),
                    Self::JoinBack(_) => Some(FetchRange::RelativeJoining {
                        request_id,
                        groups: 9,
                    }),
                    _ => None,
                });
            let joined = range.map(|range| session.fetch(range, Parameters::default(), now));
            let all = [Some(one), joined.transpose()?];
            Ok::<_, ApiMisuse>(all.into_iter().flatten().collect())
        });
        let asked = asked.await.expect("the session lasts");
        asked.expect("it may ask")
    }

    const fn kind(&self) -> MessageType {
        match self {
            Self::Subscribe(_) => MessageType::Subscribe,
            Self::Fetch(_) | Self::Range(_) | Self::JoinFrom(_) | Self::JoinBack(_) => {
                MessageType::Fetch
            }
            Self::Status(_) => MessageType::TrackStatus,
            Self::Publish(_) => MessageType::Publish,
            Self::Announce(_) => MessageType::PublishNamespace,
            Self::Discover(_) => MessageType::SubscribeNamespace,
            Self::Tracks(_) => MessageType::SubscribeTracks,
        }
    }
}

/// Whether a message asks for something by itself; the others answer, or change and end what was asked.
const fn is_request(kind: MessageType) -> bool {
    match kind {
        MessageType::Subscribe
        | MessageType::Fetch
        | MessageType::TrackStatus
        | MessageType::Publish
        | MessageType::PublishNamespace
        | MessageType::SubscribeNamespace
        | MessageType::SubscribeTracks => true,
        MessageType::RequestUpdate
        | MessageType::SubscribeOk
        | MessageType::RequestError
        | MessageType::RequestOk
        | MessageType::Namespace
        | MessageType::PublishDone
        | MessageType::NamespaceDone
        | MessageType::PublishSkipped
        | MessageType::GoAway
        | MessageType::FetchOk
        | MessageType::PublishStateNotify
        | MessageType::Setup => false,
    }
}

/// All that somebody in the lobby has no right to.
fn attempts(code: &RoomCode, victim: &ParticipantId, me: &ParticipantId) -> Vec<Try> {
    let track = |namespace: &TrackNamespace, name: &'static str| {
        FullTrackName::new(namespace.clone(), name.into()).expect("a name")
    };
    let theirs = tracks::media_of(code, victim);
    let secrets = [
        track(&theirs, "catalog"),
        track(&theirs, "microphone"),
        track(&theirs, "camera/180p"),
        tracks::track(tracks::control(code), tracks::STATE),
        tracks::track(tracks::control(code), tracks::CHAT),
        tracks::track(tracks::control(code), tracks::REACTIONS),
        tracks::track(tracks::outbox(code, victim), tracks::REPLIES),
        tracks::track(tracks::inbox(code, victim), tracks::COMMANDS),
        tracks::track(tracks::inbox(code, me), tracks::COMMANDS),
    ];
    let namespaces = [
        TrackNamespace::default(),
        TrackNamespace::new(["parvis"]).expect("a namespace"),
        tracks::media(code),
        theirs.clone(),
        tracks::media_of(code, me),
        tracks::inboxes(),
        tracks::outboxes(),
        tracks::control(code),
        tracks::outbox(code, victim),
        tracks::outbox(code, me),
    ];
    let mut all = Vec::new();
    for secret in secrets {
        all.extend([
            Try::Subscribe(secret.clone()),
            Try::Fetch(secret.clone()),
            Try::Range(secret.clone()),
            Try::JoinFrom(secret.clone()),
            Try::JoinBack(secret.clone()),
            Try::Status(secret.clone()),
        ]);
    }
    for namespace in namespaces {
        all.extend([
            Try::Discover(namespace.clone()),
            Try::Tracks(namespace.clone()),
        ]);
        if !namespace.fields().is_empty() {
            all.push(Try::Announce(namespace.clone()));
            all.push(Try::Publish(track(&namespace, "state")));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_the_lobby_gets_nothing_whatever_it_asks_for() {
    let house = House::new().await;
    let zoe = house.account("Zoe").await;
    let code = house.room(&zoe, Policy::default()).await;
    let host = house.agent(&code, &zoe, "Zoe").await;
    connected(&host).await;
    let microphone = host
        .microphone(parvis::AudioOptions::default())
        .await
        .expect("it is on");
    let talking = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let sound = AudioFrame::new(clock::now(), Channels::Mono, vec![0.5; SAMPLES_PER_FRAME]);
            microphone.push(&sound.expect("a frame"));
        }
    });
    // Who is in hears it, before and after.
    let ada = house.guest(&code, "Ada").await;
    admit(&host, &ada).await;
    let mut voice = ada.voice(&host.state().me);
    soon("sound", voice.next()).await.expect("it is on");
    host.chat("a secret").await.expect("it is sent");
    let victim = host.state().me.clone();
    for draft in Draft::ALL {
        let (me, token) = ticket(&house, &code).await;
        let mut options = ConnectOptions {
            tls: ClientTls::pinned([house.relay().fingerprint()]),
            drafts: vec![draft],
            ..ConnectOptions::default()
        };
        options.session.auth_tokens = vec![AuthToken::UseValue {
            kind: 0,
            value: token.into(),
        }];
        let mut client = Connection::connect(&house.url(), options)
            .await
            .expect("it connects");
        let attempts = attempts(&code, &victim, &me);
        for kind in MessageType::ALL
            .into_iter()
            .filter(|kind| is_request(*kind))
        {
            let is_tried = attempts.iter().any(|attempt| attempt.kind() == kind);
            assert!(is_tried, "{kind:?}");
        }
        for attempt in attempts {
            let mut left = attempt.clone().ask(&client).await;
            let first = left[0];
            while !left.is_empty() {
                let event = soon("an answer", client.next_event())
                    .await
                    .expect("it stays");
                match event {
                    Event::Rejected { key, error } if left.contains(&key) => {
                        // A FETCH that joins what is refused is refused for that.
                        assert!(
                            error.code == UNAUTHORIZED || key != first,
                            "{draft:?} {attempt:?}: {error:?}"
                        );
                        left.retain(|of| *of != key);
                    }
                    Event::Accepted { key, .. } if left.contains(&key) => {
                        panic!("{draft:?} {attempt:?} is accepted")
                    }
                    Event::Subgroup { .. }
                    | Event::Object { .. }
                    | Event::Datagram { .. }
                    | Event::Fetch { .. }
                    | Event::FetchObject { .. } => panic!("{draft:?} {attempt:?}: {event:?}"),
                    _ => {}
                }
            }
        }
        // The relay's own counters.
        let sessions = house.sessions().await;
        let mine: Vec<_> = sessions
            .iter()
            .filter(|s| s["sub"] == me.as_str())
            .collect();
        assert_eq!(mine.len(), 1, "{sessions:?}");
        assert_eq!(mine[0]["objects_out"], 0, "{:?}", mine[0]);
        assert_eq!(mine[0]["bytes_out"], 0, "{:?}", mine[0]);
        stretches_what_is_its_own(&mut client, &code, &me).await;
        soon("sound", voice.next()).await.expect("it is on");
        client
            .close(parvis_wire::SessionErrorCode::NoError, "")
            .await;
    }
    talking.abort();
}

/// What it may ask for is its own replies; no change of that request, and no FETCH that joins it, gives more.
async fn stretches_what_is_its_own(client: &mut Connection, code: &RoomCode, me: &ParticipantId) {
    let replies = tracks::track(tracks::outbox(code, me), tracks::REPLIES);
    let media = tracks::media(code);
    let mut left = client
        .with(move |session, now| {
            let mine = session.subscribe(replies, Parameters::default(), now)?;
            let wider = Parameters {
                namespace_prefix: Some(media),
                forward: Some(true),
                ..Parameters::default()
            };
            // Refused by our own session where the draft has no such update; a peer's would be by the relay.
            let _ = session.update(mine, wider, now);
            let mut all = vec![mine];
            if session.draft() == Draft::D18
                && let Some(request_id) = session.request_id(mine)
            {
                let group = GroupId(0);
                for range in [
                    FetchRange::AbsoluteJoining { request_id, group },
                    FetchRange::RelativeJoining {
                        request_id,
                        groups: 9,
                    },
                ] {
                    all.push(session.fetch(range, Parameters::default(), now)?);
                }
            }
            Ok::<_, ApiMisuse>(all)
        })
        .await
        .expect("the session lasts")
        .expect("it may ask");
    let mine = left[0];
    let mut client_events = Vec::new();
    while !left.is_empty() {
        let event = soon("an answer", client.next_event())
            .await
            .expect("it stays");
        match &event {
            Event::Rejected { key, .. } | Event::Accepted { key, .. } => {
                left.retain(|of| of != key);
            }
            _ => {}
        }
        client_events.push(event);
    }
    let of_others = client_events.iter().any(|event| match event {
        Event::Subgroup { key, .. } => *key != mine,
        Event::Request { .. } => true,
        _ => false,
    });
    assert!(!of_others, "{client_events:?}");
}

/// A client that speaks for itself.
async fn impostor(house: &House, token: String) -> Client {
    let options = LinkOptions::default()
        .with_trust(house.trust())
        .with_token(TokenSource::fixed(token));
    let connected = soon("connecting", Client::connect(&house.url(), options)).await;
    connected.expect("it connects")
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_malformed_commands_harm_nobody() {
    let house = House::new().await;
    let zoe = house.account("Zoe").await;
    let code = house.room(&zoe, Policy::default()).await;
    let host: Meeting = house.agent(&code, &zoe, "Zoe").await;
    connected(&host).await;
    let (me, token) = ticket(&house, &code).await;
    let client = impostor(&house, token).await;
    let link = client.data();
    link.announce(tracks::inbox(&code, &me));
    let commands = tracks::track(tracks::inbox(&code, &me), tracks::COMMANDS);
    let commands = link
        .publish(commands, DataOptions::default())
        .expect("it is new");
    let replies = tracks::track(tracks::outbox(&code, &me), tracks::REPLIES);
    let wanted = DataSubscribe::current_group(Grouping::Sequence(1));
    let mut replies = soon("the replies", link.subscribe(replies, wanted))
        .await
        .expect("they are its own");
    let good = Request {
        id: "good".parse().expect("an id"),
        command: Command::Knock { name: None },
    };
    let good = good.to_json();
    let mut group = 0;
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    println!("seed {random:#x}");
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for n in 0..400_u64 {
        let mut bytes = match n % 5 {
            0 => good.clone(),
            1 => br#"{"id":"x","command":{"type":"admit","who":"all"}}"#.to_vec(),
            2 => "[".repeat(1000).into_bytes(),
            3 => (0..next() % 64).map(|_| next() as u8).collect(),
            _ => vec![b' '; 17 << 10],
        };
        if n % 5 == 0 && !bytes.is_empty() {
            let at = next() as usize % bytes.len();
            bytes[at] ^= 1 << (next() % 8);
        }
        commands.send(Location::new(group, 0), bytes);
        commands.end_group(GroupId(group));
        group += 1;
        if n % 16 == 0 {
            tokio::task::yield_now().await;
        }
    }
    // It is understood still, and so are others.
    let answered = async {
        let mut again = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                _ = again.tick() => {
                    commands.send(Location::new(group, 0), good.clone());
                    group += 1;
                }
                object = replies.next() => {
                    let object = object.expect("the authority lasts");
                    let message: Message = from_json(&object.payload).expect("a message");
                    if let Body::Reply { re, .. } = &message.body
                        && re.as_str() == "good"
                    {
                        return;
                    }
                }
            }
        }
    };
    soon("an answer", answered).await;
    host.raise_hand().await.expect("it goes up");
    let state = host.state();
    let view = state.view.as_ref().expect("it is in");
    assert_eq!(view.len(), 1, "{view:?}");
    let phases = host.state().phase.clone();
    assert_eq!(phases, parvis::meeting::Phase::Connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knocks_where_nothing_is_waits_for_a_host_for_ever() {
    let house = House::new().await;
    let nowhere = RoomCode::from_random([7; 16]);
    let zoe = house.account("Zoe").await;
    let there = house.room(&zoe, Policy::default()).await;
    let mut seen = Vec::new();
    for code in [nowhere, there] {
        let guest = house.guest(&code, "Anna").await;
        let mut events = guest.events();
        in_lobby(&guest, |lobby| {
            *lobby == parvis::meeting::Lobby::WaitingForHost
        })
        .await;
        let refused = guest.raise_hand().await;
        let status = guest.state().phase.clone();
        seen.push((refused, status));
        guest.leave().await;
        while events.next().await.is_some() {}
    }
    assert_eq!(seen[0], seen[1]);
}
