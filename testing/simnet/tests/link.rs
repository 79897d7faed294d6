//! What a link does to packets.

use std::time::{Duration, Instant};

use bytes::Bytes;
use parvis_simnet::{Bursts, Fate, Link, LinkOptions, LinkStats};

const MS: Duration = Duration::from_millis(1);

fn packet(number: usize, size: usize) -> Bytes {
    let mut bytes = vec![0; size];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes.into()
}

fn number(packet: &Bytes) -> usize {
    usize::from_be_bytes(
        packet[..8]
            .try_into()
            .expect("a packet has at least 8 bytes"),
    )
}

fn drain(link: &mut Link, until: Instant) -> Vec<(Instant, usize)> {
    let mut arrived = Vec::new();
    while let Some(at) = link.poll_timeout().filter(|at| *at <= until) {
        let packet = link
            .poll(at)
            .expect("a packet arrives when the link says so");
        arrived.push((at, number(&packet)));
    }
    arrived
}

#[test]
fn a_packet_arrives_after_the_delay() {
    let start = Instant::now();
    let mut link = Link::new(
        LinkOptions {
            delay: 20 * MS,
            ..LinkOptions::default()
        },
        1,
        start,
    );
    assert_eq!(link.handle(packet(7, 100), start), Fate::Carried);
    assert_eq!(link.poll(start + 19 * MS), None);
    assert_eq!(drain(&mut link, start + 20 * MS), [(start + 20 * MS, 7)]);
    assert_eq!(link.poll_timeout(), None);
}

#[test]
fn a_bottleneck_spaces_packets_and_refuses_what_does_not_fit() {
    let start = Instant::now();
    // 1000 bytes take 10 ms.
    let options = LinkOptions {
        delay: 5 * MS,
        rate: Some(800_000),
        queue: 2500,
        ..LinkOptions::default()
    };
    let mut link = Link::new(options, 1, start);
    let fates: Vec<Fate> = (0..3)
        .map(|n| link.handle(packet(n, 1000), start))
        .collect();
    assert_eq!(fates, [Fate::Carried, Fate::Carried, Fate::QueueFull]);
    assert_eq!(link.queued(start), 2000);
    assert_eq!(link.handle(packet(3, 1000), start + 6 * MS), Fate::Carried);
    let arrived = drain(&mut link, start + 100 * MS);
    assert_eq!(
        arrived,
        [
            (start + 15 * MS, 0),
            (start + 25 * MS, 1),
            (start + 35 * MS, 3)
        ]
    );
}

#[test]
fn loss_is_as_often_as_said_and_the_same_for_a_seed() {
    let run = |seed| {
        let start = Instant::now();
        let mut link = Link::new(
            LinkOptions {
                loss: 0.1,
                ..LinkOptions::default()
            },
            seed,
            start,
        );
        let fates: Vec<Fate> = (0..10_000)
            .map(|n| link.handle(packet(n, 8), start))
            .collect();
        (fates, link.stats())
    };
    let (fates, stats) = run(42);
    assert!((900..1100).contains(&stats.lost), "{stats:?}");
    assert_eq!(stats.carried + stats.lost, 10_000);
    assert_eq!(run(42).0, fates);
    assert_ne!(run(43).0, fates);
}

#[test]
fn jitter_keeps_order_unless_asked_not_to() {
    let order = |reorder| {
        let start = Instant::now();
        let options = LinkOptions {
            delay: 10 * MS,
            jitter: 30 * MS,
            reorder,
            ..LinkOptions::default()
        };
        let mut link = Link::new(options, 5, start);
        for n in 0..50 {
            link.handle(packet(n, 8), start + n as u32 * MS);
        }
        let arrived = drain(&mut link, start + Duration::from_secs(1));
        for (at, n) in &arrived {
            let sent = start + *n as u32 * MS;
            assert!(*at >= sent + 10 * MS, "packet {n} is early");
        }
        arrived.into_iter().map(|(_, n)| n).collect::<Vec<_>>()
    };
    assert!(order(false).is_sorted());
    let reordered = order(true);
    assert!(!reordered.is_sorted());
    assert_eq!(reordered.len(), 50);
}

#[test]
fn bursts_lose_spans_of_time() {
    let start = Instant::now();
    let bursts = Some(Bursts {
        every: 1000 * MS,
        length: 100 * MS,
    });
    let mut link = Link::new(
        LinkOptions {
            bursts,
            ..LinkOptions::default()
        },
        9,
        start,
    );
    let mut spans = Vec::new();
    let mut lost_since = None;
    for n in 0..60_000_u32 {
        let now = start + n * MS;
        match (link.handle(packet(n as usize, 8), now), lost_since) {
            (Fate::Burst, None) => lost_since = Some(n),
            (Fate::Carried, Some(since)) => {
                spans.push(n - since);
                lost_since = None;
            }
            _ => {}
        }
    }
    assert!((40..80).contains(&spans.len()), "{} bursts", spans.len());
    assert!(
        spans.iter().all(|span| (99..=101).contains(span)),
        "{spans:?}"
    );
}

#[test]
fn options_change_in_mid_run() {
    let start = Instant::now();
    let mut link: Link = Link::new(LinkOptions::default(), 1, start);
    link.handle(packet(0, 8), start);
    link.set_options(
        LinkOptions {
            loss: 1.0,
            ..LinkOptions::default()
        },
        start,
    );
    assert_eq!(link.handle(packet(1, 8), start), Fate::Lost);
    assert_eq!(drain(&mut link, start), [(start, 0)]);
    assert_eq!(
        link.stats(),
        LinkStats {
            carried: 1,
            lost: 1,
            ..LinkStats::default()
        }
    );
}
