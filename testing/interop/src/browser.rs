//! @moq/net in a real browser, over WebTransport.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use parvis_quic::{
    client::{ConnectOptions, Connection},
    tls::{ClientTls, Fingerprint},
};
use parvis_session::{
    Event, IncomingRequest, ObjectAssembler, RequestKey, Session, StreamEnd, StreamId,
    SubgroupOptions,
};
use parvis_wire::{
    Draft, FullTrackName, GroupId, ObjectHeader, ObjectId, ObjectStatus, Parameters, Properties,
    SessionErrorCode, SubgroupIdMode, TrackName, TrackNamespace,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::report::{Case, Difference};

const PEER: &str = "@moq/net 0.3.4";
const SETTING: &str = "Draft 18 over WebTransport, unmodified in Chromium through our relay; the session is ours, on draft 22 over raw QUIC";
/// What it does otherwise than draft 18 says.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        peer: PEER,
        bytes: "0b 000e 02 00 0b 747261636b20656e646564",
        meaning: "PUBLISH_DONE, \"track ended\", with Stream Count 0 although it opened streams; the draft \
                  wants their number, or 2^62 - 1. A session of ours that has seen a stream by then does not \
                  believe it and waits for those on their way; one that has not loses them.",
    },
    Difference {
        peer: PEER,
        bytes: "20 0031 03 c0000000ff0dad02 c0000000ff0dad01 c0000000ff00000e 03 02 8000a455 8004 0b5a 01 07 0b \
                6d6f712d6c6974652d6a73",
        meaning: "In a browser without WT-Available-Protocols (Firefox) it speaks draft 14, CLIENT_SETUP on a \
                  bidirectional stream, whatever the server's default is. We speak 18 and 22 and close the \
                  session; no case here runs in such a browser.",
    },
];
const LIMIT: Duration = Duration::from_mins(1);
const GROUPS: u64 = 5;
const OBJECTS: u64 = 20;
const TRACK: &str = "numbers";
/// The cases, in the order they are run in.
const CASES: [&str; 4] = [
    "browser-connects",
    "browser-to-browser",
    "browser-to-session",
    "session-to-browser",
];

/// Groups of a track: number and objects.
type Groups = BTreeMap<u64, Vec<Bytes>>;

/// Groups of objects go from page to page, from a page to a session of ours and the other way,
/// every byte equal.
///
/// peer: the folder that `scripts/browser-peer.sh` filled.
pub async fn run(peer: &Path, relay: &str, fingerprint: Fingerprint, only: &str) -> Vec<Case> {
    let wanted: Vec<&str> = CASES
        .into_iter()
        .filter(|name| name.contains(only))
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut browser = Browser::start(peer).await;
    let mut cases = Vec::new();
    for name in wanted {
        let outcome = match &mut browser {
            Ok(browser) => {
                let peers = Peers {
                    browser,
                    relay,
                    fingerprint,
                };
                match timeout(LIMIT, peers.run(name)).await {
                    Ok(result) => result.map_err(|error| format!("{error:#}")),
                    Err(_) => Err(format!("no result within {} s", LIMIT.as_secs())),
                }
            }
            Err(error) => Err(format!("{error:#}")),
        };
        cases.push(Case {
            peer: PEER,
            setting: SETTING,
            name: name.to_owned(),
            outcome,
        });
    }
    cases
}

struct Peers<'a> {
    browser: &'a mut Browser,
    /// Address and port of the relay.
    relay: &'a str,
    fingerprint: Fingerprint,
}

impl Peers<'_> {
    async fn run(self, name: &str) -> anyhow::Result<()> {
        match name {
            "browser-connects" => self.connects().await,
            "browser-to-browser" => self.between_pages().await,
            "browser-to-session" => self.page_to_session().await,
            "session-to-browser" => self.session_to_page().await,
            other => bail!("there is no case {other}"),
        }
    }

    async fn connects(mut self) -> anyhow::Result<()> {
        self.connect("alone").await?;
        self.browser.call("close", "alone", json!({})).await?;
        Ok(())
    }

    async fn between_pages(mut self) -> anyhow::Result<()> {
        let target = json!({ "path": "interop/pages", "track": TRACK });
        self.connect("speaker").await?;
        self.browser
            .call("publish", "speaker", target.clone())
            .await?;
        self.connect("listener").await?;
        self.browser.call("subscribe", "listener", target).await?;
        ensure!(
            self.read("listener", 1).await? == hello(),
            "the first group differs"
        );
        let groups = json!({ "groups": encoded() });
        self.browser.call("write", "speaker", groups).await?;
        ensure!(
            self.read("listener", GROUPS).await? == groups_from(1),
            "the groups differ"
        );
        self.browser.call("finish", "speaker", json!({})).await?;
        for page in ["speaker", "listener"] {
            self.browser.call("close", page, json!({})).await?;
        }
        Ok(())
    }

    async fn page_to_session(mut self) -> anyhow::Result<()> {
        let target = json!({ "path": "interop/speaker", "track": TRACK });
        self.connect("speaker").await?;
        self.browser.call("publish", "speaker", target).await?;
        let mut session = Peer::connect(self.relay, self.fingerprint).await?;
        let track = track("speaker")?;
        let key = session.subscribe(&track).await?;
        ensure!(
            session.groups(key, 1).await? == hello(),
            "the first group differs"
        );
        let groups = json!({ "groups": encoded() });
        self.browser.call("write", "speaker", groups).await?;
        let got = session.groups(key, GROUPS).await?;
        ensure!(got == groups_from(1), "the groups differ");
        self.browser.call("finish", "speaker", json!({})).await?;
        session.close().await;
        self.browser.call("close", "speaker", json!({})).await?;
        Ok(())
    }

    async fn session_to_page(mut self) -> anyhow::Result<()> {
        let track = track("session")?;
        let mut session = Peer::connect(self.relay, self.fingerprint).await?;
        session.publish_namespace(track.namespace().clone()).await?;
        self.connect("listener").await?;
        let target = json!({ "path": "interop/session", "track": TRACK });
        self.browser.call("subscribe", "listener", target).await?;
        let key = session.serve().await?;
        session.send(key, hello()).await?;
        ensure!(
            self.read("listener", 1).await? == hello(),
            "the first group differs"
        );
        session.send(key, groups_from(1)).await?;
        ensure!(
            self.read("listener", GROUPS).await? == groups_from(1),
            "the groups differ"
        );
        self.browser.call("close", "listener", json!({})).await?;
        session.close().await;
        Ok(())
    }

    async fn connect(&mut self, page: &str) -> anyhow::Result<()> {
        let url = format!("https://{}/", self.relay);
        let target = json!({ "url": url, "hash": self.fingerprint.to_string() });
        let version = self.browser.call("connect", page, target).await?;
        ensure!(version == "moq-transport-18", "the page speaks {version}");
        Ok(())
    }

    async fn read(&mut self, page: &str, count: u64) -> anyhow::Result<Groups> {
        let value = self
            .browser
            .call("read", page, json!({ "count": count }))
            .await?;
        let read: Vec<(u64, Vec<String>)> = serde_json::from_value(value)?;
        let mut groups = Groups::new();
        for (group, frames) in read {
            let frames = frames
                .into_iter()
                .map(|frame| BASE64_STANDARD.decode(frame));
            let frames = frames.map(|frame| frame.map(Bytes::from));
            groups.insert(group, frames.collect::<Result<_, _>>()?);
        }
        Ok(groups)
    }
}

/// What says that a subscription stands: a group of one empty object.
fn hello() -> Groups {
    Groups::from([(0, vec![Bytes::new()])])
}

fn groups_from(first: u64) -> Groups {
    let objects = |group| (0..OBJECTS).map(|object| content(group, object)).collect();
    (first..first + GROUPS)
        .map(|group| (group, objects(group)))
        .collect()
}

/// What a page is to write.
fn encoded() -> Vec<Vec<String>> {
    groups_from(1)
        .into_values()
        .map(|objects| {
            objects
                .iter()
                .map(|object| BASE64_STANDARD.encode(object))
                .collect()
        })
        .collect()
}

fn content(group: u64, object: u64) -> Bytes {
    let seed = (group * OBJECTS + object) as usize;
    (0..seed * seed)
        .map(|index| (seed * 7 + index * 31) as u8)
        .collect()
}

fn track(name: &'static str) -> anyhow::Result<FullTrackName> {
    let namespace = TrackNamespace::new(["interop", name])?;
    Ok(FullTrackName::new(namespace, TrackName::from(TRACK))?)
}

/// A headless browser that is told by lines what to do.
struct Browser {
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    calls: u64,
    /// Ended when this is dropped.
    _process: Child,
}

impl Browser {
    async fn start(peer: &Path) -> anyhow::Result<Self> {
        let mut process = Command::new("node")
            .arg(peer.join("drive.mjs"))
            .arg(peer.join("page.bundle.js"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("node does not start; run `make browser-peer`")?;
        let stdin = process.stdin.take().context("a pipe")?;
        let stdout = process.stdout.take().context("a pipe")?;
        let mut browser = Self {
            stdin,
            answers: BufReader::new(stdout).lines(),
            calls: 0,
            _process: process,
        };
        browser.answer().await.context("Chromium does not start")?;
        Ok(browser)
    }

    /// Calls a function of a page, which is opened if there is none of that name.
    async fn call(&mut self, call: &str, page: &str, mut target: Value) -> anyhow::Result<Value> {
        self.calls += 1;
        target["id"] = self.calls.into();
        target["call"] = call.into();
        target["page"] = page.into();
        self.stdin
            .write_all(format!("{target}\n").as_bytes())
            .await?;
        self.answer()
            .await
            .with_context(|| format!("{call} in the page {page}"))
    }

    /// The answer to the last call; one to a call that was given up before is passed over.
    async fn answer(&mut self) -> anyhow::Result<Value> {
        loop {
            let line = self
                .answers
                .next_line()
                .await?
                .context("the browser is gone")?;
            let mut answer: Value = serde_json::from_str(&line)?;
            if answer["id"] != self.calls {
                continue;
            }
            if let Some(error) = answer["error"].as_str() {
                bail!("{error}");
            }
            return Ok(answer["value"].take());
        }
    }
}

/// A session of ours.
struct Peer {
    connection: Connection,
    streams: HashMap<StreamId, (u64, ObjectAssembler, Vec<Bytes>)>,
}

impl Peer {
    async fn connect(relay: &str, fingerprint: Fingerprint) -> anyhow::Result<Self> {
        let options = ConnectOptions {
            tls: ClientTls::pinned([fingerprint]),
            drafts: vec![Draft::D22],
            ..ConnectOptions::default()
        };
        let connection = Connection::connect(&format!("moqt://{relay}"), options).await?;
        Ok(Self {
            connection,
            streams: HashMap::new(),
        })
    }

    async fn with<R: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Session, Instant) -> R + Send + 'static,
    ) -> anyhow::Result<R> {
        Ok(self.connection.with(command).await?)
    }

    async fn event(&mut self) -> anyhow::Result<Event> {
        Ok(self.connection.next_event().await?)
    }

    async fn accepted(&mut self, request: RequestKey) -> anyhow::Result<bool> {
        loop {
            match self.event().await? {
                Event::Accepted { key, .. } if key == request => return Ok(true),
                Event::Rejected { key, .. } if key == request => return Ok(false),
                _ => {}
            }
        }
    }

    /// Subscribes as soon as the relay knows the track.
    async fn subscribe(&mut self, track: &FullTrackName) -> anyhow::Result<RequestKey> {
        loop {
            let track = track.clone();
            let key = self
                .with(|session, now| session.subscribe(track, Parameters::default(), now))
                .await??;
            if self.accepted(key).await? {
                return Ok(key);
            }
        }
    }

    async fn publish_namespace(&mut self, namespace: TrackNamespace) -> anyhow::Result<()> {
        let key = self
            .with(|session, now| session.publish_namespace(namespace, Parameters::default(), now))
            .await??;
        ensure!(self.accepted(key).await?, "the relay refuses the namespace");
        Ok(())
    }

    /// Waits for the relay's subscription and accepts it.
    async fn serve(&mut self) -> anyhow::Result<RequestKey> {
        loop {
            if let Event::Request {
                key,
                request: IncomingRequest::Subscribe { .. },
            } = self.event().await?
            {
                self.with(move |session, now| {
                    session.accept_subscribe(key, Parameters::default(), Properties::EMPTY, now)
                })
                .await??;
                return Ok(key);
            }
        }
    }

    async fn send(&self, key: RequestKey, groups: Groups) -> anyhow::Result<()> {
        self.with(move |session, now| {
            for (group, objects) in groups {
                let options = SubgroupOptions {
                    group: GroupId(group),
                    subgroup: SubgroupIdMode::Zero,
                    priority: None,
                    has_properties: false,
                    end_of_group: true,
                    first_object: true,
                };
                let stream = session.open_subgroup(key, &options, now)?;
                for (id, payload) in (0..).zip(objects) {
                    let header = ObjectHeader {
                        id: ObjectId(id),
                        properties: Properties::EMPTY,
                        status: ObjectStatus::Normal,
                        payload_len: payload.len() as u64,
                    };
                    session.write_object(stream, &header, payload, now)?;
                }
                session.finish_subgroup(stream, now)?;
            }
            anyhow::Ok(())
        })
        .await?
    }

    /// The next `count` groups of a subscription that have come to their end.
    async fn groups(&mut self, request: RequestKey, count: u64) -> anyhow::Result<Groups> {
        let mut groups = Groups::new();
        while (groups.len() as u64) < count {
            match self.event().await? {
                Event::Subgroup {
                    stream,
                    key,
                    header,
                } if key == request => {
                    let assembler = ObjectAssembler::new(&header, 1 << 24);
                    let state = (header.group.0, assembler, Vec::new());
                    self.streams.insert(stream, state);
                }
                Event::Object {
                    stream,
                    header,
                    raw,
                    header_len,
                } => {
                    if let Some((_, assembler, objects)) = self.streams.get_mut(&stream) {
                        let object = assembler.object(header, &raw, header_len)?;
                        objects.extend(object.map(|object| object.payload));
                    }
                }
                Event::ObjectData { stream, data } => {
                    if let Some((_, assembler, objects)) = self.streams.get_mut(&stream) {
                        objects.extend(assembler.data(&data).map(|object| object.payload));
                    }
                }
                Event::SubgroupEnd { stream, end, .. } => {
                    if let Some((group, _, objects)) = self.streams.remove(&stream) {
                        ensure!(end == StreamEnd::Finished, "group {group}: {end:?}");
                        groups.insert(group, objects);
                    }
                }
                Event::Ended { key, reason } if key == request => {
                    bail!(
                        "the subscription ended after {} groups: {reason:?}",
                        groups.len()
                    );
                }
                _ => {}
            }
        }
        Ok(groups)
    }

    async fn close(self) {
        self.connection
            .close(SessionErrorCode::NoError, "done")
            .await;
    }
}
