//! Tickets that a relay does not accept, at first or any more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use parvis::{
    CloseReason, ConnectError, Draft,
    meeting::{
        DisconnectReason, JoinError, JoinOptions, Meeting, RelayAddress, Ticket, TicketError,
        TicketSource,
    },
};
use parvis_meeting::{ErrorKind, ParticipantId, RoomCode, tracks};
use parvis_token::{Action, Claims, Grant, Signer, UnixTime};

use crate::house::{House, disconnected, now, soon};

/// What lets somebody knock until then.
fn token(signer: &Signer, code: &RoomCode, who: &ParticipantId, expires: UnixTime) -> String {
    let (inbox, outbox) = (tracks::inbox(code, who), tracks::outbox(code, who));
    let grants = [
        Grant::exact([Action::Publish], inbox),
        Grant::exact([Action::Subscribe], outbox),
    ];
    let claims = Claims {
        grants: grants.map(|grant| grant.expect("it has fields")).to_vec(),
        ..Claims::new(who.as_str(), expires)
    };
    signer.sign(&claims).expect("it signs")
}

fn options(draft: Draft, tickets: TicketSource) -> JoinOptions {
    JoinOptions {
        drafts: vec![draft],
        ..JoinOptions::new("Zoe", "device").with_tickets(tickets)
    }
}

/// Tickets whose tokens are valid for the time that `valid` makes of how many there were before, in seconds; `None`:
/// there is no ticket any more.
///
/// said: whether the service says when they expire, which is half a minute from now.
fn tickets(
    house: &House,
    code: RoomCode,
    said: bool,
    valid: impl Fn(u32) -> Option<i64> + Send + Sync + 'static,
) -> (TicketSource, Arc<AtomicU32>) {
    let relay = RelayAddress {
        url: house.url(),
        fingerprint: Some(house.relay().fingerprint().to_string()),
    };
    let signer = Arc::clone(&house.signer);
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let source = TicketSource::new(move |_| {
        let (signer, relay) = (Arc::clone(&signer), relay.clone());
        let valid = valid(counted.fetch_add(1, Ordering::Relaxed));
        async move {
            let who = ParticipantId::new("pexpired").expect("an id");
            let valid = valid.ok_or_else(|| TicketError::RefusedBecause {
                kind: ErrorKind::NotSignedIn,
                sentence: "sign in again".to_owned(),
            })?;
            let expires = (now().0 / 1000).saturating_add_signed(valid);
            Ok(Ticket {
                token: token(&signer, &code, &who, UnixTime(expires)),
                participant: who,
                code,
                relay,
                resume: None,
                expires: said.then(|| now().plus(Duration::from_secs(31))),
            })
        }
    });
    (source, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_ticket_is_not_let_in_whichever_side_is_faster() {
    let house = House::new().await;
    let code = RoomCode::from_random([3; 16]);
    for draft in Draft::ALL {
        for _ in 0..20 {
            let (tickets, asked) = tickets(&house, code, false, |_| Some(-60));
            let link = code.to_string();
            let joined = Meeting::join(&link, options(draft, tickets));
            match soon("an answer", joined).await {
                Err(JoinError::Connect(ConnectError::NotLetIn(_))) => {}
                other => panic!("{draft:?}: {other:?}"),
            }
            assert_eq!(asked.load(Ordering::Relaxed), 1, "it is said at once");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_in_mid_call_is_replaced() {
    let house = House::new().await;
    let code = RoomCode::from_random([4; 16]);
    for draft in Draft::ALL {
        let first = |before| Some(if before == 0 { 2 } else { 3600 });
        let (tickets, asked) = tickets(&house, code, false, first);
        let options = options(draft, tickets);
        let meeting = soon("joining", Meeting::join(&code.to_string(), options)).await;
        let meeting = meeting.expect("it joins");
        let mut events = meeting.events();
        // The relay closes the connection, and another ticket makes another one.
        soon("the way back", async {
            let mut seen = Vec::new();
            while !seen.ends_with(&["Reconnecting", "Connecting", "InLobby"]) {
                let event = events.next().await.expect("it goes on");
                if let parvis::meeting::MeetingEvent::Phase(phase) = event {
                    seen.push(match phase {
                        parvis::meeting::Phase::Reconnecting => "Reconnecting",
                        parvis::meeting::Phase::Connecting => "Connecting",
                        parvis::meeting::Phase::InLobby(_) => "InLobby",
                        other => panic!("{other:?}"),
                    });
                }
            }
        })
        .await;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        soon("leaving", meeting.leave()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gets_only_tickets_that_are_refused_is_told_in_the_end() {
    let house = House::new().await;
    let code = RoomCode::from_random([5; 16]);
    let first = |before| Some(if before == 0 { 2 } else { -60 });
    let (tickets, asked) = tickets(&house, code, false, first);
    let options = JoinOptions {
        reconnect: Duration::from_secs(5),
        ..options(Draft::D22, tickets)
    };
    let meeting = soon("joining", Meeting::join(&code.to_string(), options)).await;
    let reason = disconnected(&meeting.expect("it joins")).await;
    assert!(matches!(reason, DisconnectReason::Lost(_)), "{reason:?}");
    assert!(asked.load(Ordering::Relaxed) < 20, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_tickets_end_in_mid_call_is_told_why() {
    let house = House::new().await;
    let code = RoomCode::from_random([6; 16]);
    let (tickets, _) = tickets(&house, code, true, |before| (before == 0).then_some(2));
    let link = code.to_string();
    let joining = Meeting::join(&link, options(Draft::D22, tickets));
    let meeting = soon("joining", joining).await.expect("it joins");
    match disconnected(&meeting).await {
        DisconnectReason::Lost(CloseReason::NotLetIn(why)) => assert_eq!(why, "sign in again"),
        other => panic!("{other:?}"),
    }
}
