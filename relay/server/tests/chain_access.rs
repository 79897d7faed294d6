//! Relays that are each other's upstream and ask for tokens.

mod support;

use std::fs;

use parvis_relay::{Config, Relay, Running};
use parvis_session::{Event, RequestKey};
use parvis_token::Claims;
use parvis_wire::{
    AuthToken,
    Draft::{self, D18, D22},
    Parameters, RequestErrorCode,
};

use support::{
    Client,
    issuer::{Issuer, claims},
    namespace, payloads,
};

/// Two relays that take the issuer's tokens, the second below the first.
struct Line {
    issuer: Issuer,
    above: Running,
    below: Running,
    folder: tempfile::TempDir,
}

impl Line {
    /// link: the claims of the token that the lower relay shows, if it has one.
    fn new(draft: Draft, link: Option<&Claims>) -> Self {
        let issuer = Issuer::new();
        let above = Relay::start(Config {
            accept_relays: true,
            ..issuer.config(1)
        })
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("link.token");
        if let Some(link) = link {
            fs::write(&file, issuer.signer.sign(link).unwrap() + "\n").unwrap();
        }
        let below = Relay::start(Config {
            upstream: Some(format!("moqt://{}/", above.local_addr())),
            upstream_fingerprint: Some(above.fingerprint().to_string()),
            upstream_token: link.map(|_| file),
            upstream_draft: Some(draft.number().into()),
            accept_relays: true,
            ..issuer.config(1)
        })
        .unwrap();
        Self {
            issuer,
            above,
            below,
            folder,
        }
    }
}

fn relay(subject: &str) -> Claims {
    Claims {
        relay: true,
        ..claims(subject, 3600, Vec::new())
    }
}

async fn looks(client: &mut Client) -> RequestKey {
    client
        .with(|session, now| session.subscribe_namespace(namespace(), Parameters::default(), now))
        .await
        .unwrap()
}

async fn sees_publisher(client: &mut Client) {
    let request = looks(client).await;
    client
        .wait("the namespace", |event| match event {
            Event::Namespace { key, .. } if *key == request => Some(()),
            _ => None,
        })
        .await;
}

async fn passes(from: &Running, to: &Running, draft: Draft, tokens: [AuthToken; 2]) {
    let [alice, bob] = tokens;
    let mut publisher = Client::connect_showing(from, draft, vec![alice]).await;
    let mut subscriber = Client::connect_showing(to, draft, vec![bob]).await;
    publisher.publish_namespace().await;
    sees_publisher(&mut subscriber).await;
    let wanted = subscriber.ask_for("camera", Parameters::default()).await;
    let served = publisher.serve().await;
    subscriber.accepted(wanted).await;
    let stream = publisher.send(served, 0, &[b"one"]).await;
    publisher.finish(stream).await;
    assert_eq!(payloads(&subscriber.objects(wanted, 1).await), [b"one"]);
    publisher.close().await;
}

async fn a_line(draft: Draft) {
    let line = Line::new(draft, Some(&relay("edge")));
    let tokens = || [line.issuer.alice(), line.issuer.bob()];
    passes(&line.above, &line.below, draft, tokens()).await;
    passes(&line.below, &line.above, draft, tokens()).await;
    // Each relay looks after its own clients.
    let mut stranger = Client::connect(&line.below, draft).await;
    let asked = looks(&mut stranger).await;
    let error = stranger.rejected(asked).await;
    assert_eq!(error.code, RequestErrorCode::Unauthorized);
    drop(line.folder);
}

#[tokio::test]
async fn relays_that_ask_for_tokens_are_chained_by_one_in_draft_22() {
    a_line(D22).await;
}

#[tokio::test]
async fn relays_that_ask_for_tokens_are_chained_by_one_in_draft_18() {
    a_line(D18).await;
}

/// What is published above is not to be had below.
async fn stays_above(link: Option<&Claims>) {
    let line = Line::new(D22, link);
    let mut publisher = Client::connect_showing(&line.above, D22, vec![line.issuer.alice()]).await;
    publisher.publish_namespace().await;
    let mut above = Client::connect_showing(&line.above, D22, vec![line.issuer.bob()]).await;
    sees_publisher(&mut above).await;
    let mut below = Client::connect_showing(&line.below, D22, vec![line.issuer.bob()]).await;
    let asked = below.ask_for("camera", Parameters::default()).await;
    let error = below.rejected(asked).await;
    assert_eq!(error.code, RequestErrorCode::DoesNotExist);
    assert!(!publisher.has_seen(|event| matches!(event, Event::Request { .. })));
}

#[tokio::test]
async fn a_relay_without_a_token_is_told_nothing() {
    stays_above(None).await;
}

#[tokio::test]
async fn a_participants_token_makes_no_relay() {
    stays_above(Some(&claims("mallory", 3600, Vec::new()))).await;
}
