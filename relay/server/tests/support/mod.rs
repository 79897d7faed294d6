//! Clients of a relay in this process.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod call;
pub mod http;
pub mod issuer;

use std::{collections::VecDeque, num::NonZeroUsize, time::Duration};

use bytes::Bytes;
use parvis_quic::{
    CloseReason, Limits,
    client::{ConnectOptions, Connection},
    tls::{ClientTls, Fingerprint},
};
use parvis_relay::{Config, Relay, Running};
use parvis_session::{
    Answer, EndReason, Event, IncomingRequest, Object, ObjectAssembler, RequestKey, Session,
    StreamEnd, StreamId, SubgroupOptions,
};
use parvis_wire::{
    AuthToken, Draft, FetchRange, FullTrackName, GroupId, Location, ObjectHeader, ObjectId,
    ObjectStatus, Parameters, Properties, RequestError, SubgroupIdMode, TrackName, TrackNamespace,
};
use tokio::time::timeout;

/// Nothing here takes nearly as long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn config(threads: usize) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        threads: NonZeroUsize::new(threads).unwrap(),
        // Clients on every thread are the harder case.
        fill: 0,
        ..Config::default()
    }
}

pub fn relay(threads: usize) -> Running {
    Relay::start(config(threads)).unwrap()
}

pub fn namespace() -> TrackNamespace {
    TrackNamespace::new(["parvis", "room", "alice"]).unwrap()
}

pub fn track(name: &'static str) -> FullTrackName {
    FullTrackName::new(namespace(), TrackName(Bytes::from_static(name.as_bytes()))).unwrap()
}

/// A connection, and what it said that nobody has asked for yet.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    unseen: VecDeque<Event>,
}

impl Client {
    pub async fn connect(relay: &Running, draft: Draft) -> Self {
        Self::connect_to(relay, &format!("moqt://{}/", relay.local_addr()), draft).await
    }

    /// Connects by a URL that is another way to the relay.
    pub async fn connect_to(relay: &Running, url: &str, draft: Draft) -> Self {
        Self::try_connect_by(relay, url, draft).await.unwrap()
    }

    /// Says why it could not.
    pub async fn try_connect(relay: &Running, draft: Draft) -> Result<Self, String> {
        Self::try_connect_by(relay, &format!("moqt://{}/", relay.local_addr()), draft).await
    }

    /// Connects as one who lets the relay send a few kilobytes, and no more until they are read.
    pub async fn connect_narrow(relay: &Running, draft: Draft) -> Self {
        Self::connect_with(relay, draft, |options| {
            options.limits.connection_window = 8 << 10;
            options.limits.stream_window = 4 << 10;
            options.events = 1;
        })
        .await
    }

    /// Connects and shows tokens, which the relay accepts.
    pub async fn connect_showing(relay: &Running, draft: Draft, tokens: Vec<AuthToken>) -> Self {
        Self::connect_with(relay, draft, |options| {
            options.session.auth_tokens = tokens;
        })
        .await
    }

    /// Connects and shows tokens; the SETUP of the relay has not been waited for.
    pub async fn open(relay: &Running, draft: Draft, tokens: Vec<AuthToken>) -> Self {
        let mut options = options(relay, draft);
        options.session.auth_tokens = tokens;
        let url = format!("moqt://{}/", relay.local_addr());
        Self::open_as(&url, options).await.unwrap()
    }

    pub async fn connect_with(
        relay: &Running,
        draft: Draft,
        change: impl FnOnce(&mut ConnectOptions),
    ) -> Self {
        let mut options = options(relay, draft);
        change(&mut options);
        let url = format!("moqt://{}/", relay.local_addr());
        Self::connect_as(&url, options).await.unwrap()
    }

    pub async fn try_connect_by(relay: &Running, url: &str, draft: Draft) -> Result<Self, String> {
        Self::connect_as(url, options(relay, draft)).await
    }

    async fn connect_as(url: &str, options: ConnectOptions) -> Result<Self, String> {
        let mut client = Self::open_as(url, options).await?;
        client.established().await;
        Ok(client)
    }

    async fn open_as(url: &str, options: ConnectOptions) -> Result<Self, String> {
        let connection = Connection::connect(url, options)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Self {
            connection,
            unseen: VecDeque::new(),
        })
    }

    async fn established(&mut self) {
        self.wait("SETUP", |event| {
            matches!(event, Event::Established { .. }).then_some(())
        })
        .await;
    }

    /// Connects as somebody who trusts one certificate only; says why it could not.
    pub async fn connect_trusting(relay: &Running, trusted: Fingerprint) -> Result<(), String> {
        let options = ConnectOptions {
            tls: ClientTls::pinned([trusted]),
            ..ConnectOptions::default()
        };
        let url = format!("moqt://{}/", relay.local_addr());
        let connected = Connection::connect(&url, options).await;
        connected.map(drop).map_err(|error| error.to_string())
    }

    pub async fn cancel(&self, request: RequestKey) {
        self.with(move |session, now| session.cancel(request, now))
            .await
            .unwrap();
    }

    pub async fn rejected(&mut self, request: RequestKey) -> RequestError {
        self.wait("rejection", |event| match event {
            Event::Rejected { key, error } if *key == request => Some(error.clone()),
            Event::Accepted { key, answer } if *key == request => panic!("accepted: {answer:?}"),
            _ => None,
        })
        .await
    }

    pub async fn close(self) {
        let code = parvis_wire::SessionErrorCode::NoError;
        self.connection.close(code, "bye").await;
    }

    pub async fn with<R: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Session, std::time::Instant) -> R + Send + 'static,
    ) -> R {
        self.connection.with(command).await.unwrap()
    }

    /// The first event, seen before or to come, of which `choose` makes something.
    pub async fn wait<R>(&mut self, what: &str, choose: impl Fn(&Event) -> Option<R>) -> R {
        for index in 0..self.unseen.len() {
            if let Some(found) = choose(&self.unseen[index]) {
                self.unseen.remove(index);
                return found;
            }
        }
        loop {
            let event = match timeout(PATIENCE, self.connection.next_event()).await {
                Ok(Ok(event)) => event,
                Ok(Err(reason)) => panic!("closed while waiting for {what}: {reason}"),
                Err(late) => panic!("no {what}, {late}; unseen: {:#?}", self.unseen),
            };
            if let Some(found) = choose(&event) {
                return found;
            }
            self.unseen.push_back(event);
        }
    }

    /// Waits until a request is accepted, or the session is closed.
    pub async fn answer_or_close(&mut self, request: RequestKey) -> Result<(), CloseReason> {
        loop {
            let event = timeout(PATIENCE, self.connection.next_event()).await;
            match event.expect("an answer or an end")? {
                Event::Accepted { key, .. } if key == request => return Ok(()),
                _ => {}
            }
        }
    }

    pub async fn closed(&mut self) -> CloseReason {
        loop {
            let event = timeout(PATIENCE, self.connection.next_event()).await;
            if let Err(reason) = event.expect("the connection closes") {
                return reason;
            }
        }
    }

    pub async fn publish_namespace(&mut self) {
        self.publish_namespace_of(namespace()).await;
    }

    pub async fn publish_namespace_of(&mut self, namespace: TrackNamespace) {
        let key = self
            .with(move |session, now| {
                session.publish_namespace(namespace, Parameters::default(), now)
            })
            .await
            .unwrap();
        self.accepted(key).await;
    }

    pub async fn accepted(&mut self, request: RequestKey) -> Answer {
        self.wait("answer", |event| match event {
            Event::Accepted { key, answer } if *key == request => Some(answer.clone()),
            Event::Rejected { key, error } if *key == request => panic!("rejected: {error:?}"),
            _ => None,
        })
        .await
    }

    pub async fn subscribe(&mut self, name: &'static str) -> RequestKey {
        let key = self.ask_for(name, Parameters::default()).await;
        self.accepted(key).await;
        key
    }

    pub async fn ask_for(&mut self, name: &'static str, parameters: Parameters) -> RequestKey {
        self.with(move |session, now| session.subscribe(track(name), parameters, now))
            .await
            .unwrap()
    }

    /// Asks for a group of the past.
    pub async fn fetch(&self, track: FullTrackName, group: u64) -> RequestKey {
        let range = FetchRange::Standalone {
            track,
            start: Location::new(group, 0),
            end: (GroupId(group), None),
        };
        self.with(move |session, now| session.fetch(range, Parameters::default(), now))
            .await
            .unwrap()
    }

    /// Waits for a FETCH of the relay's.
    pub async fn fetch_of_the_relay(&mut self) -> RequestKey {
        self.wait("FETCH", |event| match event {
            Event::Request {
                key,
                request: IncomingRequest::Fetch { .. },
            } => Some(*key),
            _ => None,
        })
        .await
    }

    /// Waits until the stream of an answer to FETCH ends.
    pub async fn fetch_end(&mut self, request: RequestKey) -> StreamEnd {
        self.wait("the end of the answer", |event| match event {
            Event::FetchEnd { key, end, .. } if *key == request => Some(*end),
            _ => None,
        })
        .await
    }

    /// Asks for every track of a room.
    pub async fn wants_all(&mut self) -> RequestKey {
        let prefix = TrackNamespace::new(["parvis", "room"]).unwrap();
        let key = self
            .with(move |session, now| session.subscribe_tracks(prefix, Parameters::default(), now))
            .await
            .unwrap();
        self.accepted(key).await;
        key
    }

    /// Waits for the offer of a track and accepts it.
    pub async fn takes_offer(&mut self, name: &'static str) -> RequestKey {
        let offered = self
            .wait("PUBLISH", |event| match event {
                Event::Request {
                    key,
                    request: IncomingRequest::Publish { track: offered, .. },
                } => (*offered == track(name)).then_some(*key),
                _ => None,
            })
            .await;
        self.with(move |session, now| session.accept_publish(offered, Parameters::default(), now))
            .await
            .unwrap();
        offered
    }

    /// Offers a track by PUBLISH.
    pub async fn offer(&mut self, name: &'static str) -> RequestKey {
        self.with(move |session, now| {
            session.publish(track(name), Parameters::default(), Properties::EMPTY, now)
        })
        .await
        .unwrap()
    }

    /// Waits until somebody wants the objects of a track that was offered by PUBLISH, draft 18.
    pub async fn wanted(&mut self, request: RequestKey) {
        let Answer::Ok { parameters, .. } = self.accepted(request).await else {
            panic!("not the answer to a PUBLISH");
        };
        if parameters.forward != Some(false) {
            return;
        }
        self.wait("forward state 1", |event| match event {
            Event::Updated {
                key, parameters, ..
            } => (*key == request && parameters.forward == Some(true)).then_some(()),
            _ => None,
        })
        .await;
        self.with(move |session, now| session.accept_update(request, Parameters::default(), now))
            .await
            .unwrap();
    }

    /// Whether an event has come that nobody has asked for.
    pub fn has_seen(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.unseen.iter().any(what)
    }

    pub async fn ended(&mut self, request: RequestKey) -> EndReason {
        self.wait("end", |event| match event {
            Event::Ended { key, reason } if *key == request => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    /// Waits for the relay's SUBSCRIBE and accepts it.
    pub async fn serve(&mut self) -> RequestKey {
        self.serve_after(None).await
    }

    /// The same for a track of which there are objects up to that one.
    pub async fn serve_after(&mut self, largest: Option<Location>) -> RequestKey {
        let key = self
            .wait("SUBSCRIBE", |event| match event {
                Event::Request {
                    key,
                    request: IncomingRequest::Subscribe { .. },
                } => Some(*key),
                _ => None,
            })
            .await;
        let parameters = Parameters {
            largest,
            ..Parameters::default()
        };
        self.with(move |session, now| {
            session.accept_subscribe(key, parameters, Properties::EMPTY, now)
        })
        .await
        .unwrap();
        key
    }

    /// Sends a group of these objects and leaves it open.
    pub async fn send(
        &self,
        request: RequestKey,
        group: u64,
        payloads: &'static [&'static [u8]],
    ) -> StreamId {
        self.with(move |session, now| {
            let options = SubgroupOptions {
                group: GroupId(group),
                subgroup: SubgroupIdMode::Zero,
                priority: None,
                has_properties: false,
                end_of_group: false,
                first_object: true,
            };
            let stream = session.open_subgroup(request, &options, now).unwrap();
            for (id, payload) in payloads.iter().enumerate() {
                write(session, stream, id as u64, Bytes::from_static(payload), now);
            }
            stream
        })
        .await
    }

    /// Adds an object to a group.
    pub async fn send_more(&self, stream: StreamId, id: u64, payload: Bytes) {
        self.with(move |session, now| write(session, stream, id, payload, now))
            .await;
    }

    /// Adds an object to a group, if anybody takes it still.
    pub async fn try_send_more(&self, stream: StreamId, id: u64, payload: Bytes) {
        // Refused: nobody wants it, or the session is over.
        let _ = self
            .connection
            .with(move |session, now| {
                let header = object_header(id, &payload);
                let _ = session.write_object(stream, &header, payload, now);
            })
            .await;
    }

    /// The next event, seen before or to come; `None`: none in this time.
    pub async fn next_or_idle(&mut self, time: Duration) -> Option<Result<Event, CloseReason>> {
        match self.unseen.pop_front() {
            Some(event) => Some(Ok(event)),
            None => timeout(time, self.connection.next_event()).await.ok(),
        }
    }

    pub async fn finish(&self, stream: StreamId) {
        self.with(move |session, now| session.finish_subgroup(stream, now).unwrap())
            .await;
    }

    /// The next `count` objects of a subscription, on its next stream.
    pub async fn objects(&mut self, request: RequestKey, count: usize) -> Vec<Object> {
        let mut reader = self.stream(request).await;
        let mut objects = Vec::new();
        while objects.len() < count {
            objects.push(self.object(&mut reader).await);
        }
        objects
    }

    /// The next stream of a subscription.
    pub async fn stream(&mut self, request: RequestKey) -> Reader {
        self.wait("stream", |event| match event {
            Event::Subgroup {
                stream,
                key,
                header,
            } if *key == request => Some(Reader {
                stream: *stream,
                assembler: ObjectAssembler::new(header, 1 << 20),
            }),
            _ => None,
        })
        .await
    }

    /// The next object of a stream.
    pub async fn object(&mut self, reader: &mut Reader) -> Object {
        loop {
            let piece = self
                .wait("object", |event| match event {
                    Event::Object { stream, .. } | Event::ObjectData { stream, .. }
                        if *stream == reader.stream =>
                    {
                        Some(event.clone())
                    }
                    _ => None,
                })
                .await;
            let whole = match piece {
                Event::Object {
                    header,
                    raw,
                    header_len,
                    ..
                } => reader.assembler.object(header, &raw, header_len).unwrap(),
                Event::ObjectData { data, .. } => reader.assembler.data(&data),
                _ => None,
            };
            if let Some(whole) = whole {
                return whole;
            }
        }
    }
}

fn options(relay: &Running, draft: Draft) -> ConnectOptions {
    ConnectOptions {
        tls: ClientTls::pinned([relay.fingerprint()]),
        drafts: vec![draft],
        limits: Limits {
            keep_alive: Duration::from_millis(50),
            ..Limits::default()
        },
        ..ConnectOptions::default()
    }
}

/// Waits until something has become true, which it soon does.
pub async fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    let looking = async {
        while !is_true() {
            looks.tick().await;
        }
    };
    timeout(PATIENCE, looking).await.expect(what);
}

/// A stream that is read object by object.
pub struct Reader {
    stream: StreamId,
    assembler: ObjectAssembler,
}

fn write(
    session: &mut Session,
    stream: StreamId,
    id: u64,
    payload: Bytes,
    now: std::time::Instant,
) {
    let header = object_header(id, &payload);
    session.write_object(stream, &header, payload, now).unwrap();
}

fn object_header(id: u64, payload: &Bytes) -> ObjectHeader {
    ObjectHeader {
        id: ObjectId(id),
        properties: Properties::EMPTY,
        status: ObjectStatus::Normal,
        payload_len: payload.len() as u64,
    }
}

/// What objects carry, for comparing.
pub fn payloads(objects: &[Object]) -> Vec<&[u8]> {
    objects.iter().map(|object| &object.payload[..]).collect()
}
