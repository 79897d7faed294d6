//! Our SDK through other people's relays.

use std::{net::UdpSocket, path::Path, time::Duration};

use anyhow::{Context, bail, ensure};
use parvis::{
    AudioOptions, ConnectError, Draft, ParticipantName, Room, RoomName, RoomOptions, Trust,
    VideoOptions, clock,
    codec::{Channels, TestPattern, test_tone},
};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, interval, timeout},
};

use crate::report::Case;

const LIMIT: Duration = Duration::from_mins(1);
const PICTURES: u32 = 60;
const SOUNDS: u32 = 50;

/// A relay that is not ours, and how to start it.
#[derive(Clone, Copy)]
pub enum Relay {
    /// moq-dev's, on draft 22.
    Moq,
    /// Cloudflare's, on draft 18.
    MoqIetf,
}

impl Relay {
    const fn peer(self) -> &'static str {
        match self {
            Self::Moq => "moq-relay 0.17.10",
            Self::MoqIetf => "moq-relay-ietf 0.8.0",
        }
    }

    const fn setting(self) -> &'static str {
        match self {
            Self::Moq => "Draft 22 over raw QUIC, our SDK on both sides of the peer",
            Self::MoqIetf => "Draft 18 over raw QUIC, our SDK on both sides of the peer",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Moq => "sdk-through-moq-relay",
            Self::MoqIetf => "sdk-through-moq-relay-ietf",
        }
    }

    const fn draft(self) -> Draft {
        match self {
            Self::Moq => Draft::D22,
            Self::MoqIetf => Draft::D18,
        }
    }

    fn command(self, peers: &Path, port: u16, folder: &Path) -> anyhow::Result<Command> {
        let mut command;
        let listen = format!("127.0.0.1:{port}");
        match self {
            Self::Moq => {
                command = Command::new(peers.join("moq-relay"));
                command.args(["--listen", &listen, "--listen-tls-generate", "localhost"]);
                command.args([
                    "--auth-public",
                    "**",
                    "--listen-version",
                    "moq-transport-22",
                ]);
            }
            Self::MoqIetf => {
                let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
                let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
                std::fs::write(&certificate, certified.cert.pem())?;
                std::fs::write(&key, certified.signing_key.serialize_pem())?;
                command = Command::new(peers.join("moq-relay-ietf"));
                command
                    .args(["--bind", &listen, "--tls-cert"])
                    .arg(certificate);
                command.arg("--tls-key").arg(key);
                command
                    .arg("--coordinator-file")
                    .arg(folder.join("coordinator.json"));
            }
        }
        command.env("RUST_LOG", "warn").kill_on_drop(true);
        Ok(command)
    }
}

/// Two participants meet through the relay: found, seen and heard.
pub async fn run(peers: &Path, relay: Relay) -> Vec<Case> {
    let names = ["discover", "video", "audio", "leave"];
    let mut outcomes = Vec::new();
    let result = timeout(LIMIT, meet(peers, relay, &mut outcomes)).await;
    let error = match result {
        Ok(Ok(())) => String::new(),
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => format!("no result within {} s", LIMIT.as_secs()),
    };
    names
        .iter()
        .enumerate()
        .map(|(index, name)| Case {
            peer: relay.peer(),
            setting: relay.setting(),
            name: format!("{}-{name}", relay.prefix()),
            outcome: if index < outcomes.len() {
                Ok(())
            } else {
                Err(error.clone())
            },
        })
        .collect()
}

/// Leaves one entry in `passed` for each step that passed.
async fn meet(peers: &Path, relay: Relay, passed: &mut Vec<()>) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut process = relay
        .command(peers, port, folder.path())?
        .spawn()
        .with_context(|| format!("{} does not start; run `make peers`", relay.peer()))?;
    let url = format!("moqt://127.0.0.1:{port}");
    let speaker = enter(&mut process, &url, "speaker", relay.draft()).await?;
    let listener = enter(&mut process, &url, "listener", relay.draft()).await?;

    let camera = speaker
        .publish_video(VideoOptions::camera(320, 180))
        .await?;
    let microphone = speaker.publish_audio(AudioOptions::default()).await?;
    let source = tokio::spawn(async move {
        let pattern = TestPattern::new(320, 180);
        let mut ticks = interval(Duration::from_millis(20));
        for number in 0.. {
            ticks.tick().await;
            microphone.push(&test_tone(number, Channels::Mono, clock::now()));
            if number % 2 == 0 {
                camera.push(&pattern.frame((number / 2) as u32, clock::now()));
            }
        }
    });

    let name = ParticipantName::new("speaker")?;
    let mut events = listener.events();
    let mut who = listener.wait_for(Some(&name), LIMIT / 2).await?;
    // The first catalog may come before the microphone is in it.
    while who.audio_tracks().is_empty() {
        events
            .next()
            .await
            .context("the relay closed before the catalog was whole")?;
        who = listener.wait_for(Some(&name), LIMIT / 2).await?;
    }
    passed.push(());

    let (track, _) = who
        .video_tracks()
        .into_iter()
        .next()
        .context("no video track")?;
    let mut video = listener.subscribe_video(&who.name, track).await?;
    let mut last = None;
    for _ in 0..PICTURES {
        let picture = video.next().await.context("the video ended")?;
        let number = TestPattern::read_number(&picture.frame).context("an unreadable picture")?;
        ensure!(last < Some(number), "picture {number} came after {last:?}");
        last = Some(number);
    }
    passed.push(());

    let (track, _) = who
        .audio_tracks()
        .into_iter()
        .next()
        .context("no audio track")?;
    let mut audio = listener.subscribe_audio(&who.name, track).await?;
    let mut energy = 0.0;
    for _ in 0..SOUNDS {
        let sound = audio.next().await.context("the sound ended")?;
        energy += sound
            .frame
            .samples()
            .iter()
            .map(|sample| sample * sample)
            .sum::<f32>();
    }
    ensure!(energy > 1.0, "the tone came as silence");
    passed.push(());

    source.abort();
    speaker.close().await;
    while listener.state().participants.contains_key(&name) {
        if events.next().await.is_none() {
            bail!("the relay closed before the speaker was gone");
        }
    }
    listener.close().await;
    process.kill().await?;
    passed.push(());
    Ok(())
}

/// Enters the room, asking until the relay is up.
async fn enter(process: &mut Child, url: &str, name: &str, draft: Draft) -> anyhow::Result<Room> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let options = RoomOptions::new(RoomName::new("interop")?, ParticipantName::new(name)?)
            .with_trust(Trust::Anyone)
            .with_drafts(vec![draft]);
        match Room::connect(url, options).await {
            Ok(room) => return Ok(room),
            Err(ConnectError::Unreachable { .. }) if Instant::now() < deadline => {
                if let Some(status) = process.try_wait()? {
                    bail!("the relay ended: {status}");
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}
