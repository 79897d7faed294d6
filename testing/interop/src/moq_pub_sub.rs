//! moq-pub on one side of our relay and moq-sub on the other, with a real clip.

use std::{collections::BTreeMap, ops::Range, path::Path};

use anyhow::ensure;
use tempfile::TempDir;

use crate::{
    clip::{self, Clip, GROUP, GROUPS},
    program::Program,
    report::{Case, Difference},
};

const PEER: &str = "moq-pub 0.10.0 and moq-sub 0.5.0";
const SETTING: &str = "Draft 18 over raw QUIC, a peer on each side of our relay; \
     the MP4 that comes out is compared by fragments, and by ffprobe";
const FILTER: &str = "info,moq_transport::control=debug";
/// What they do otherwise than draft 18 says.
pub const DIFFERENCES: &[Difference] = &[Difference {
    peer: PEER,
    bytes: "0a 0001 00",
    meaning: "moq-sub ends a subscription by UNSUBSCRIBE (of request 0), which draft 18 has no more, and takes a \
              RESET_STREAM with 0x1 in answer, CANCELLED, for an error of its session: \"invalid \
              RESET_STREAM: 1\" (over raw QUIC its transport reads codes as HTTP/3 has them). We end the \
              stream in order then; streams of objects that are still open are reset, as the draft says.",
}];
/// moq-sub writes its MP4 by way of a line buffer of this size, and does not flush it.
const HELD_BACK: usize = 1024;

/// Runs the cases whose name contains `only` through the relay at `url`.
pub async fn run(peers: &Path, url: &str, clip: &Clip, only: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, publish, subscribe) in [
        ("moq-pub-to-moq-sub", &[][..], &[][..]),
        ("moq-pub-to-moq-sub-catalog", &[], &["--catalog"]),
        ("moq-pub-publish-to-moq-sub", &["--publish"], &[]),
    ] {
        if name.contains(only) {
            let outcome = live(peers, url, clip, name, publish, subscribe).await;
            cases.push(case(name, outcome));
        }
    }
    let name = "moq-sub-fetch-standalone";
    if name.contains(only) {
        cases.push(case(name, fetch(peers, url, clip, name).await));
    }
    let name = "moq-sub-fetch-joining";
    if name.contains(only) {
        cases.push(case(name, join(peers, url, clip, name).await));
    }
    cases
}

fn case(name: &str, outcome: anyhow::Result<()>) -> Case {
    Case {
        peer: PEER,
        setting: SETTING,
        name: name.to_owned(),
        outcome: outcome.map_err(|error| format!("{error:#}")),
    }
}

/// The clip goes in fragment by fragment, each when the one before it has come out.
async fn live(
    peers: &Path,
    url: &str,
    clip: &Clip,
    namespace: &str,
    publish: &[&str],
    subscribe: &[&str],
) -> anyhow::Result<()> {
    let (mut publisher, common) = announce(peers, url, clip, namespace, publish).await?;
    let arguments = [&common.each_ref().map(String::as_str)[..], subscribe].concat();
    let mut subscriber = Program::start(peers, "moq-sub", &arguments, FILTER)?;
    if publish.is_empty() {
        for track in clip.tracks().keys() {
            let name = format!("track_name={track}.m4s");
            let words = ["direction=\"recv\"", "\"SUBSCRIBE\"", &name];
            publisher.logged(&words, 1).await?;
        }
    } else {
        subscriber.logged(&["playing 2 tracks"], 1).await?;
    }
    follow(&mut publisher, &mut subscriber, clip, 0..0).await?;
    let output = subscriber.written(|_| true).await?;
    subscriber.stop().await?;
    publisher.stop().await?;

    let mut received = Clip::read(&output)?;
    keep_first(&mut received, clip)?;
    compare(&received, clip).await
}

/// The rest of the clip goes in behind the fragments `before`, each fragment when those from the
/// first of `before` on have come out.
async fn follow(
    publisher: &mut Program,
    subscriber: &mut Program,
    clip: &Clip,
    before: Range<usize>,
) -> anyhow::Result<()> {
    let rest = &clip.fragments[before.end..];
    let mut fed = clip.head.len();
    for fragment in &clip.fragments[before] {
        fed += fragment.bytes.len();
    }
    // The clip's beginning once more pushes its end out of the buffer.
    for fragment in rest.iter().chain(&clip.fragments[..2 * GROUP]) {
        subscriber
            .written(|output| output.len() + HELD_BACK >= fed)
            .await?;
        publisher.feed(&fragment.bytes).await?;
        fed += fragment.bytes.len();
    }
    subscriber
        .written(|output| output.len() + HELD_BACK >= fed)
        .await?;
    Ok(())
}

/// moq-sub comes in the midst of a group, and has that and the one before from its beginning on.
async fn join(peers: &Path, url: &str, clip: &Clip, namespace: &str) -> anyhow::Result<()> {
    let options = ["--fetch-groups", "16"];
    let (mut publisher, common) = announce(peers, url, clip, namespace, &options).await?;
    let start = clip.picture(GROUP)?;
    let midst = clip.picture(2 * GROUP + GROUP / 2)?;
    for fragment in &clip.fragments[..midst] {
        publisher.feed(&fragment.bytes).await?;
    }
    let groups = 3 * clip.tracks().len();
    publisher.written(|told| lines(told) >= groups).await?;
    let arguments = [
        &common.each_ref().map(String::as_str)[..],
        &["fetch", "relative", "2"],
    ]
    .concat();
    let mut subscriber = Program::start(peers, "moq-sub", &arguments, FILTER)?;
    follow(&mut publisher, &mut subscriber, clip, start..midst).await?;
    let output = subscriber.written(|_| true).await?;
    subscriber.stop().await?;
    publisher.stop().await?;

    let expected = Clip {
        head: clip.head.clone(),
        fragments: clip.fragments[start..].to_vec(),
    };
    let mut received = Clip::read(&output)?;
    keep_first(&mut received, &expected)?;
    compare(&received, &expected).await
}

/// The clip's groups stay with moq-pub, and moq-sub fetches all but the last.
async fn fetch(peers: &Path, url: &str, clip: &Clip, namespace: &str) -> anyhow::Result<()> {
    let options = ["--fetch-groups", "16"];
    let (mut publisher, common) = announce(peers, url, clip, namespace, &options).await?;
    for fragment in &clip.fragments {
        publisher.feed(&fragment.bytes).await?;
    }
    // It tells when a group of a track begins.
    let groups = GROUPS * clip.tracks().len();
    publisher.written(|told| lines(told) >= groups).await?;
    let end = format!("{}:0", GROUPS - 2);
    let arguments = [
        &common.each_ref().map(String::as_str)[..],
        &["fetch", "standalone", "0:0", &end],
    ]
    .concat();
    let subscriber = Program::start(peers, "moq-sub", &arguments, FILTER)?;
    let output = subscriber.finish().await?;
    publisher.stop().await?;

    let received = Clip::read(&output)?;
    ensure!(received.head == clip.head, "the head differs");
    let (received, expected) = (received.tracks(), clip.tracks());
    let pictures = received.values().next().map_or(0, Vec::len);
    ensure!(
        pictures == (GROUPS - 1) * GROUP,
        "{pictures} pictures of {} groups",
        GROUPS - 1
    );
    for (track, fragments) in &received {
        ensure!(
            expected[track].starts_with(fragments),
            "track {track} differs"
        );
    }
    ensure!(received.len() == expected.len(), "a track is missing");
    Ok(())
}

fn lines(told: &[u8]) -> usize {
    String::from_utf8_lossy(told).lines().count()
}

/// Starts moq-pub, gives it the clip's head, and waits until the relay knows it; returns it and
/// the options of a subscriber.
async fn announce(
    peers: &Path,
    url: &str,
    clip: &Clip,
    namespace: &str,
    options: &[&str],
) -> anyhow::Result<(Program, [String; 6])> {
    let common = [
        url,
        "--tls-disable-verify",
        "--bind",
        "127.0.0.1:0",
        "--name",
        namespace,
    ]
    .map(str::to_owned);
    let arguments = [&common.each_ref().map(String::as_str)[..], options].concat();
    let mut publisher = Program::start(peers, "moq-pub", &arguments, FILTER)?;
    publisher.feed(&clip.head).await?;
    publisher
        .logged(&["direction=\"recv\"", "REQUEST_OK"], 1)
        .await?;
    publisher.logged(&["catalog: {"], 1).await?;
    Ok((publisher, common))
}

/// Leaves only as many fragments of each track as the clip has.
fn keep_first(received: &mut Clip, clip: &Clip) -> anyhow::Result<()> {
    let mut left = clip
        .tracks()
        .into_iter()
        .map(|(track, fragments)| (track, fragments.len()))
        .collect::<BTreeMap<_, _>>();
    received.fragments.retain(|fragment| {
        let left = left.entry(fragment.track).or_default();
        let keep = *left > 0;
        *left -= usize::from(keep);
        keep
    });
    ensure!(
        left.values().all(|left| *left == 0),
        "fragments are missing, by track: {left:?}"
    );
    Ok(())
}

/// The same head, the same fragments of each track, and the same packets for ffprobe.
async fn compare(received: &Clip, clip: &Clip) -> anyhow::Result<()> {
    ensure!(received.head == clip.head, "the head differs");
    let (ours, theirs) = (clip.tracks(), received.tracks());
    for (track, fragments) in &ours {
        let differs = theirs[track]
            .iter()
            .zip(fragments)
            .position(|(received, sent)| received != sent);
        ensure!(
            differs.is_none(),
            "fragment {differs:?} of track {track} differs"
        );
    }
    let folder = TempDir::new()?;
    let sent = clip::packets(&clip.to_bytes(), folder.path()).await?;
    let came = clip::packets(&received.to_bytes(), folder.path()).await?;
    ensure!(sent.len() == 2, "ffprobe sees {} streams", sent.len());
    ensure!(sent == came, "ffprobe reads other packets");
    Ok(())
}
