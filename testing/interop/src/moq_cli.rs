//! moq-cli on both sides of our relay, with a real clip.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::{
    clip::{self, Clip, GROUP, GROUPS, Packet},
    program::Program,
    report::{Case, Difference},
};

const PEER: &str = "moq-cli 0.14.10";
const SETTING: &str = "Draft 22 over raw QUIC, the peer on both sides of our relay; \
     the packets of the MP4 that comes out are compared by ffprobe";
/// What it does otherwise than draft 22 says.
pub const DIFFERENCES: &[Difference] = &[Difference {
    peer: PEER,
    bytes: "1d 00 00",
    meaning: "CONNECTION_CLOSE with code 0 and no reason (RFC 9000 section 19.19), as the relay's line of \
              the session's end has it: at the end of its input it closes what it has not delivered yet \
              (moq-net, `Session::close`: \"moq-transport (IETF) sessions close without waiting\"), so the cases \
              do not ask for the last group.",
}];
const PROGRAM: &str = "moq";
const FILTER: &str = "info,moq_net=debug";
/// What a publisher logs of each subscription; the catalog is one too.
const SUBSCRIBED: &[&str] = &["ietf::publisher", "subscribe started"];
/// Seconds that two times may differ by: a tick of a container's clock.
const TICK: f64 = 0.0001;

/// Runs the cases whose name contains `only` through the relay at `url`.
pub async fn run(peers: &Path, url: &str, clip: &Clip, only: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for name in ["moq-cli-to-moq-cli", "moq-cli-both-ways"] {
        if !name.contains(only) {
            continue;
        }
        let outcome = match name {
            "moq-cli-to-moq-cli" => one_way(peers, url, clip).await,
            _ => both_ways(peers, url, clip).await,
        };
        cases.push(Case {
            peer: PEER,
            setting: SETTING,
            name: name.to_owned(),
            outcome: outcome.map_err(|error| format!("{error:#}")),
        });
    }
    cases
}

/// A publisher, whose input ends, and a subscriber, which then ends by itself.
async fn one_way(peers: &Path, url: &str, clip: &Clip) -> anyhow::Result<()> {
    let mut publisher = start(peers, url, &["import", "--broadcast", "one.hang", "fmp4"])?;
    let export = [
        "export",
        "--broadcast",
        "one.hang",
        "fmp4",
        "--max-age",
        "30s",
    ];
    let mut subscriber = start(peers, url, &export)?;
    publisher.feed(&clip.head).await?;
    publisher
        .logged(SUBSCRIBED, 1 + clip.tracks().len())
        .await?;
    for fragment in &clip.fragments {
        publisher.feed(&fragment.bytes).await?;
    }
    subscriber.written(|output| has_most(output)).await?;
    publisher.end_input();
    let output = subscriber.finish().await?;
    publisher.finish().await?;
    compare(clip, &output).await
}

/// Two participants: each publishes over the connection by which it hears the other.
async fn both_ways(peers: &Path, url: &str, clip: &Clip) -> anyhow::Result<()> {
    let stages = |publish, subscribe| {
        let import = ["import", "--broadcast", publish, "fmp4", "--"];
        let export = [
            "export",
            "--broadcast",
            subscribe,
            "fmp4",
            "--max-age",
            "30s",
        ];
        [&import[..], &export[..]].concat()
    };
    let mut alice = start(peers, url, &stages("alice.hang", "bruno.hang"))?;
    let mut bruno = start(peers, url, &stages("bruno.hang", "alice.hang"))?;
    for each in [&mut alice, &mut bruno] {
        each.feed(&clip.head).await?;
    }
    for each in [&mut alice, &mut bruno] {
        each.logged(SUBSCRIBED, 1 + clip.tracks().len()).await?;
    }
    for fragment in &clip.fragments {
        alice.feed(&fragment.bytes).await?;
        bruno.feed(&fragment.bytes).await?;
    }
    for each in [&mut alice, &mut bruno] {
        let output = each.written(|output| has_most(output)).await?;
        compare(clip, &output).await?;
    }
    alice.stop().await?;
    bruno.stop().await
}

/// What came is the clip without its last group at most.
async fn compare(clip: &Clip, output: &[u8]) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let sent = clip::packets(&clip.to_bytes(), folder.path()).await?;
    let came = clip::packets(output, folder.path()).await?;
    same(&sent, &came)?;
    let pictures = came.get("h264").map_or(0, Vec::len);
    ensure!(pictures >= (GROUPS - 1) * GROUP, "{pictures} pictures came");
    let sounds = came.get("aac").map_or(0, Vec::len);
    ensure!(sounds > pictures, "{sounds} packets of sound came");
    Ok(())
}

/// Whether a fragment of each track has come for all groups but the last.
fn has_most(output: &[u8]) -> bool {
    Clip::read(output).is_ok_and(|clip| {
        let tracks = clip.tracks();
        let most = |fragments: &Vec<&[u8]>| fragments.len() >= GROUPS - 1;
        tracks.len() == 2 && tracks.values().all(most)
    })
}

fn start(peers: &Path, url: &str, stages: &[&str]) -> anyhow::Result<Program> {
    let common = [
        "--connect",
        url,
        "--connect-version",
        "moq-transport-22",
        "--connect-tls-insecure",
    ];
    Program::start(peers, PROGRAM, &[&common[..], stages].concat(), FILTER)
}

/// What came is what was sent, from its beginning, with the same distances in time.
fn same(
    sent: &BTreeMap<String, Vec<Packet>>,
    came: &BTreeMap<String, Vec<Packet>>,
) -> anyhow::Result<()> {
    let beginning = |streams: &BTreeMap<String, Vec<Packet>>| {
        streams
            .values()
            .filter_map(|packets| packets.first())
            .map(|packet| packet.time)
            .reduce(f64::min)
            .context("no packet")
    };
    let shift = beginning(came)? - beginning(sent)?;
    for (codec, came) in came {
        let sent = sent.get(codec).with_context(|| format!("{codec} came"))?;
        ensure!(came.len() <= sent.len(), "too many packets of {codec}");
        for (number, (came, sent)) in came.iter().zip(sent).enumerate() {
            ensure!(
                came.hash == sent.hash && came.size == sent.size && came.key == sent.key,
                "packet {number} of {codec} differs: {came:?}, sent {sent:?}"
            );
            ensure!(
                (came.time - sent.time - shift).abs() < TICK,
                "packet {number} of {codec} at {} + {shift} came at {}",
                sent.time,
                came.time
            );
        }
    }
    Ok(())
}
