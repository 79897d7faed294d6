//! Measures what a watcher notices when its relay is replaced, again and again.
//!
//! A publisher sends fifty frames of sound a second through a relay. The relay is drained while a
//! successor takes its port; both participants move. The gap is the longest time between two frames
//! that follow each other, from the drain on until the old relay has ended.
//!
//! ```text
//! cargo run --release -p parvis --example drain -- 30
//! ```

use std::{
    error::Error,
    net::SocketAddr,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use parvis::{
    Connectivity, LocalEncoded, ParticipantName, RemoteTrack, Room, RoomName, RoomOptions,
    TrackKind, Trust, clock,
    format::{AudioParams, EncodedFrame},
};
use parvis_relay::{Config, Relay, Running};
use tokio::{sync::mpsc, time::interval};

/// What a frame's absence may grow to.
const TARGET: Duration = Duration::from_millis(100);
/// The time that sessions have, in which all of them move.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
struct Arrival {
    number: u64,
    at: Instant,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let drains: usize = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 30,
    };
    let mut relay = start("127.0.0.1:0".parse()?)?;
    let addr = relay.local_addr();
    let publisher = enter(addr, "publisher").await?;
    let watcher = enter(addr, "watcher").await?;
    let kind = TrackKind::Audio(AudioParams::opus(1));
    let track = publisher.publish_encoded("microphone", kind).await?;
    let sending = tokio::spawn(send(track));
    let who = watcher
        .wait_for(Some(publisher_name()?).as_ref(), DRAIN)
        .await?;
    let heard = watcher.subscribe(&who.name, "microphone").await?;
    let (arrivals, mut arrived) = mpsc::unbounded_channel();
    let receiving = tokio::spawn(receive(heard, arrivals));

    let mut last = next(&mut arrived).await?;
    let (mut gaps, mut lost, mut doubled) = (Vec::new(), 0, 0);
    for _ in 0..drains {
        while let Ok(arrival) = arrived.try_recv() {
            last = arrival;
        }
        relay.stopper().stop(DRAIN);
        let mut over = tokio::task::spawn_blocking(move || relay.join());
        // The relay asks to move when each client has a socket of its own and the port is free.
        while watcher.state().connectivity == Connectivity::Connected {
            tokio::task::yield_now().await;
        }
        relay = start(addr)?;
        let mut gap = Duration::ZERO;
        let mut take = |arrival: Arrival| {
            gap = gap.max(arrival.at - last.at);
            match arrival.number.checked_sub(last.number + 1) {
                Some(missing) => lost += missing,
                None => doubled += 1,
            }
            last = arrival;
        };
        loop {
            tokio::select! {
                arrival = next(&mut arrived) => take(arrival?),
                result = &mut over => break result??,
            }
        }
        take(next(&mut arrived).await?);
        gaps.push(gap);
    }
    sending.abort();
    watcher.close().await;
    publisher.close().await;
    receiving.await?;
    relay.shutdown(Duration::ZERO)?;

    gaps.sort();
    let at = |share: f64| gaps[((gaps.len() - 1) as f64 * share).round() as usize];
    row("drain-gap-p50", at(0.5), TARGET);
    row("drain-gap-p99", at(0.99), TARGET);
    count("drain-frames-lost", lost);
    count("drain-frames-doubled", doubled);
    Ok(())
}

fn row(name: &str, figure: Duration, target: Duration) {
    let verdict = if figure <= target { "ok" } else { "short" };
    println!(
        "{verdict} {name} {}ms {}ms",
        figure.as_millis(),
        target.as_millis()
    );
}

fn count(name: &str, figure: u64) {
    let verdict = if figure == 0 { "ok" } else { "short" };
    println!("{verdict} {name} {figure} 0");
}

fn start(listen: SocketAddr) -> Result<Running, Box<dyn Error>> {
    Ok(Relay::start(Config {
        listen,
        hand_over: true,
        threads: NonZeroUsize::MIN,
        ..Config::default()
    })?)
}

fn publisher_name() -> Result<ParticipantName, parvis::NameError> {
    ParticipantName::new("publisher")
}

async fn enter(addr: SocketAddr, who: &str) -> Result<Room, Box<dyn Error>> {
    let options = RoomOptions::new(RoomName::new("drain")?, ParticipantName::new(who)?)
        .with_trust(Trust::Anyone);
    Ok(Room::connect(&format!("moqt://{addr}/"), options).await?)
}

/// Sends numbered frames for as long as it runs.
async fn send(track: LocalEncoded) {
    let mut ticks = interval(Duration::from_millis(20));
    for number in 0_u64.. {
        ticks.tick().await;
        // As much as a frame of speech.
        let mut payload = number.to_be_bytes().to_vec();
        payload.resize(120, 0);
        track.push(EncodedFrame::audio(clock::now(), None, payload.into()));
    }
}

async fn receive(mut track: RemoteTrack, arrivals: mpsc::UnboundedSender<Arrival>) {
    while let Some(frame) = track.next().await {
        let head = frame.frame.payload.first_chunk();
        let number = u64::from_be_bytes(head.copied().unwrap_or_default());
        let at = Instant::now();
        if arrivals.send(Arrival { number, at }).is_err() {
            return;
        }
    }
}

async fn next(arrived: &mut mpsc::UnboundedReceiver<Arrival>) -> Result<Arrival, &'static str> {
    arrived.recv().await.ok_or("the track has ended")
}
