//! The crate moq-transport as publisher and as subscriber of our relay.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use moq_native_ietf::{quic, tls};
use moq_transport::{
    coding::TrackNamespace,
    serve::{self, TrackReaderMode},
    session::{Publisher, Subscriber},
};
use tokio::time::timeout;
use url::Url;

use crate::report::Case;

const PEER: &str = "moq-transport 0.17";
const SETTING: &str = "Draft 18 over raw QUIC, the crate on both sides of our relay";
const LIMIT: Duration = Duration::from_secs(20);
const GROUPS: u64 = 5;
const OBJECTS: u64 = 20;
const TRACK: &str = "numbers";

/// Objects of several groups go from the crate's publisher to its subscriber, every byte equal.
pub async fn run(url: &str) -> Vec<Case> {
    let outcome = match timeout(LIMIT, every_object_arrives(url)).await {
        Ok(result) => result.map_err(|error| format!("{error:#}")),
        Err(_) => Err(format!("no result within {} s", LIMIT.as_secs())),
    };
    vec![Case {
        peer: PEER,
        setting: SETTING,
        name: "reference-subgroups".to_owned(),
        outcome,
    }]
}

async fn every_object_arrives(url: &str) -> anyhow::Result<()> {
    let url: Url = url.parse()?;
    let namespace = TrackNamespace::from_utf8_path("reference/room");

    let (session, _, transport) = client()?.connect(&url, None).await.context("publisher")?;
    let (session, mut publisher) = Publisher::connect(session, transport).await?;
    let publisher_session = tokio::spawn(session.run());
    let (mut tracks, _requests, reader) = serve::Tracks::new(namespace.clone()).produce();
    let mut numbers = tracks
        .create(TRACK)
        .context("creating the track")?
        .subgroups()?;
    let announced = tokio::spawn(async move { publisher.publish_namespace(reader).await });

    let (session, _, transport) = client()?.connect(&url, None).await.context("subscriber")?;
    let (session, mut subscriber) = Subscriber::connect(session, transport).await?;
    let subscriber_session = tokio::spawn(session.run());
    // The announcement and the subscription race: ask until the relay knows the track.
    let reader = loop {
        let (writer, reader) = serve::Track::new(namespace.clone(), TRACK.to_owned()).produce();
        match subscriber.subscribe_open(writer).await {
            Ok(subscription) => {
                tokio::spawn(async move { subscription.closed().await });
                break reader;
            }
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let writing = tokio::spawn(async move {
        for group in 0..GROUPS {
            let mut subgroup = numbers.append(127)?;
            for object in 0..OBJECTS {
                subgroup.write(content(group, object))?;
            }
        }
        anyhow::Ok(numbers)
    });
    let TrackReaderMode::Subgroups(mut groups) = reader.mode().await? else {
        bail!("the track did not come as subgroups");
    };
    let mut received = 0;
    while received < GROUPS {
        let Some(mut group) = groups.next().await? else {
            bail!("the track ended early")
        };
        for object in 0..OBJECTS {
            let Some(payload) = group.read_next().await? else {
                bail!("group {} ended before object {object}", group.group_id);
            };
            let expected = content(group.group_id, object);
            ensure!(
                payload == expected,
                "object {object} of group {} differs",
                group.group_id
            );
        }
        received += 1;
    }
    writing.await??;
    announced.abort();
    publisher_session.abort();
    subscriber_session.abort();
    Ok(())
}

fn content(group: u64, object: u64) -> Bytes {
    let byte = (group * OBJECTS + object) as u8;
    Bytes::from(vec![byte; 50 + usize::from(byte) * 7])
}

fn client() -> anyhow::Result<quic::Client> {
    let options = quic::Args {
        bind: "127.0.0.1:0".parse()?,
        qlog_dir: None,
        tls: tls::Args {
            disable_verify: true,
            ..Default::default()
        },
    };
    Ok(quic::Endpoint::new(options.load()?)?.client)
}
