//! How connections end.

mod pair;

use std::time::Duration;

use pair::{CLIENT, Options, Pair, SERVER, carriers, close_reason};
use parvis_quic::CloseReason;
use parvis_wire::SessionErrorCode;

const LIMIT: Duration = Duration::from_secs(5);

#[test]
fn the_closer_and_the_peer_know_code_and_reason() {
    let [raw, web] = carriers();
    for (side, webtransport) in [
        (CLIENT, raw.clone()),
        (SERVER, raw),
        (CLIENT, web.clone()),
        (SERVER, web),
    ] {
        let mut pair = Pair::connected(Options {
            webtransport,
            ..Options::default()
        });
        let key = pair.keys[side].unwrap();
        let now = pair.now;
        pair.endpoints[side].close(now, key, SessionErrorCode::Unauthorized, "no ticket");
        pair.run(LIMIT, |pair| close_reason(&pair.events[1 - side]).is_some());
        let (code, reason) = (SessionErrorCode::Unauthorized, "no ticket".to_owned());
        assert_eq!(
            close_reason(&pair.events[side]),
            Some(&CloseReason::Local {
                code,
                reason: reason.clone()
            })
        );
        assert_eq!(
            close_reason(&pair.events[1 - side]),
            Some(&CloseReason::PeerClosed { code, reason })
        );
        pair.run_for(Duration::from_secs(2));
        assert_eq!(pair.endpoints[CLIENT].connections(), 0);
        assert_eq!(pair.endpoints[SERVER].connections(), 0);
        assert!(pair.endpoints[side].session(key).is_none());
        assert!(pair.endpoints[side].stats(key).is_none());
    }
}

#[test]
fn a_close_reaches_the_peer_through_loss_or_it_times_out() {
    for seed in 1..20 {
        println!("seed {seed}");
        let mut options = Options {
            seed,
            ..Options::default()
        };
        options.link.loss = 0.2;
        let mut pair = Pair::connected(options);
        let key = pair.keys[CLIENT].unwrap();
        let now = pair.now;
        pair.endpoints[CLIENT].close(now, key, SessionErrorCode::NoError, "bye");
        pair.run(Duration::from_secs(30), |pair| {
            close_reason(&pair.events[SERVER]).is_some()
        });
        let reason = close_reason(&pair.events[SERVER]).unwrap();
        assert!(matches!(
            reason,
            CloseReason::PeerClosed { .. } | CloseReason::TimedOut
        ));
    }
}

#[test]
fn keep_alive_holds_an_idle_connection_open() {
    let mut pair = Pair::connected(Options::default());
    pair.run_for(Duration::from_mins(1));
    assert_eq!(close_reason(&pair.events[CLIENT]), None);
    assert_eq!(close_reason(&pair.events[SERVER]), None);
}

#[test]
fn a_silent_peer_is_given_up_after_the_idle_timeout() {
    let mut pair = Pair::connected(Options::default());
    let start = pair.now;
    pair.reachable = [false; 2];
    pair.run(Duration::from_secs(20), |pair| {
        (0..2).all(|side| close_reason(&pair.events[side]).is_some())
    });
    assert_eq!(
        close_reason(&pair.events[CLIENT]),
        Some(&CloseReason::TimedOut)
    );
    assert_eq!(
        close_reason(&pair.events[SERVER]),
        Some(&CloseReason::TimedOut)
    );
    let waited = pair.now.duration_since(start);
    assert!((14..=19).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(pair.endpoints[CLIENT].connections(), 0);
    assert_eq!(pair.endpoints[SERVER].connections(), 0);
}

#[test]
fn a_server_without_certificate_lets_nobody_in_any_more() {
    let mut pair = Pair::new(Options::default());
    pair.endpoints[SERVER].set_server_tls(None);
    pair.run(Duration::from_secs(20), |pair| {
        close_reason(&pair.events[CLIENT]).is_some()
    });
    assert_eq!(pair.endpoints[SERVER].connections(), 0);
}

#[test]
fn closing_a_connection_in_its_handshake_ends_it() {
    let mut pair = Pair::new(Options::default());
    let key = pair.keys[CLIENT].unwrap();
    let now = pair.now;
    pair.endpoints[CLIENT].close(now, key, SessionErrorCode::NoError, "changed my mind");
    pair.run(LIMIT, |pair| close_reason(&pair.events[CLIENT]).is_some());
    pair.run_for(LIMIT);
    assert!(matches!(
        close_reason(&pair.events[CLIENT]),
        Some(CloseReason::Local { .. })
    ));
    assert_eq!(pair.endpoints[CLIENT].connections(), 0);
}
