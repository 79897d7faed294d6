//! The cache of tokens that the peer registers under an alias.

use bytes::Bytes;
use parvis_session::{Config, Event, IncomingRequest, Limits, Role};
use parvis_simnet::LinkOptions;
use parvis_wire::{AuthToken, Draft, Parameters, RequestErrorCode, RequestId, SessionErrorCode};

use crate::{
    pair::Pair,
    support::{MS, namespace, request},
};

/// Room for two tokens of four bytes.
const CACHE: u64 = 40;

fn register(alias: u64, value: &'static str) -> AuthToken {
    AuthToken::Register {
        alias,
        kind: 0,
        value: Bytes::from_static(value.as_bytes()),
    }
}

fn value(value: &'static str) -> AuthToken {
    AuthToken::UseValue {
        kind: 0,
        value: Bytes::from_static(value.as_bytes()),
    }
}

const fn alias(alias: u64) -> AuthToken {
    AuthToken::UseAlias { alias }
}

const fn delete(alias: u64) -> AuthToken {
    AuthToken::Delete { alias }
}

fn with(tokens: Vec<AuthToken>) -> Parameters {
    Parameters {
        auth_tokens: tokens,
        ..Parameters::default()
    }
}

/// A pair whose server takes tokens; the client begins with these.
fn pair(draft: Draft, tokens: Vec<AuthToken>) -> Pair {
    let client = Config {
        draft,
        auth_tokens: tokens,
        ..Config::default()
    };
    let server = Config {
        role: Role::Server,
        draft,
        limits: Limits {
            token_cache: CACHE,
            ..Limits::default()
        },
        ..Config::default()
    };
    let mut pair = Pair::with(client, server, LinkOptions::default(), 1);
    pair.run(MS);
    pair
}

/// What the server is told of the tokens of a PUBLISH_NAMESPACE.
fn told(pair: &mut Pair, tokens: Vec<AuthToken>) -> Vec<AuthToken> {
    ask(pair, tokens);
    match request(&pair.server.events()).1 {
        IncomingRequest::PublishNamespace { parameters, .. } => parameters.auth_tokens,
        other => panic!("{other:?}"),
    }
}

fn ask(pair: &mut Pair, tokens: Vec<AuthToken>) {
    let now = pair.now;
    pair.client
        .session
        .publish_namespace(namespace(&["room"]), with(tokens), now)
        .expect("it asks");
    pair.run(MS);
}

fn closed_with(pair: &Pair) -> Option<SessionErrorCode> {
    pair.server.closed.as_ref().map(|(code, _)| *code)
}

#[test]
fn an_alias_stands_for_its_token() {
    for draft in Draft::ALL {
        let mut pair = pair(draft, vec![register(7, "four"), value("once")]);
        let events = pair.server.events();
        let [Event::Established { peer }] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!(peer.auth_tokens, [value("four"), value("once")]);
        assert_eq!(
            told(&mut pair, vec![alias(7), value("also")]),
            [value("four"), value("also")]
        );
        assert_eq!(told(&mut pair, vec![register(8, "more")]), [value("more")]);
        assert_eq!(told(&mut pair, vec![alias(8)]), [value("more")]);
    }
}

#[test]
fn the_client_is_told_how_much_it_may_register() {
    let mut pair = pair(Draft::D22, Vec::new());
    let events = pair.client.events();
    let [Event::Established { peer }] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(peer.max_auth_token_cache_size, Some(CACHE));
}

#[test]
fn a_deleted_alias_makes_room_and_is_free_again() {
    for draft in Draft::ALL {
        let mut pair = pair(draft, vec![register(1, "four"), register(2, "more")]);
        pair.server.events();
        assert_eq!(
            told(&mut pair, vec![delete(1), register(1, "next")]),
            [value("next")]
        );
        assert_eq!(
            told(&mut pair, vec![alias(1), alias(2), delete(2)]),
            [value("next"), value("more")]
        );
        ask(&mut pair, vec![alias(2)]);
        assert_eq!(
            closed_with(&pair),
            Some(SessionErrorCode::UnknownAuthTokenAlias)
        );
    }
}

#[test]
fn what_does_not_fit_in_setup_is_used_once() {
    let tokens = vec![
        register(1, "four"),
        register(2, "more"),
        register(3, "much"),
    ];
    let mut pair = pair(Draft::D22, tokens);
    let events = pair.server.events();
    let [Event::Established { peer }] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(
        peer.auth_tokens,
        [value("four"), value("more"), value("much")]
    );
    assert_eq!(told(&mut pair, vec![alias(2)]), [value("more")]);
    ask(&mut pair, vec![alias(3)]);
    assert_eq!(
        closed_with(&pair),
        Some(SessionErrorCode::UnknownAuthTokenAlias)
    );
}

#[test]
fn misuse_of_aliases_closes_the_session() {
    let cases = [
        (
            vec![register(1, "four"), register(1, "more")],
            SessionErrorCode::DuplicateAuthTokenAlias,
        ),
        (
            vec![register(1, "four"), register(2, "larger")],
            SessionErrorCode::AuthTokenCacheOverflow,
        ),
        (vec![delete(1)], SessionErrorCode::UnknownAuthTokenAlias),
        (vec![alias(1)], SessionErrorCode::UnknownAuthTokenAlias),
    ];
    for draft in Draft::ALL {
        for (tokens, code) in &cases {
            let mut pair = pair(draft, Vec::new());
            ask(&mut pair, tokens.clone());
            assert_eq!(closed_with(&pair), Some(*code), "{tokens:?}");
        }
        for tokens in [vec![delete(1)], vec![alias(1)]] {
            let pair = pair(draft, tokens);
            assert_eq!(
                closed_with(&pair),
                Some(SessionErrorCode::ProtocolViolation)
            );
        }
    }
}

#[test]
fn many_registrations_do_not_grow_the_cache() {
    let mut pair = pair(Draft::D22, Vec::new());
    for round in 0..50 {
        let tokens = vec![register(round, "four"), delete(round)];
        assert_eq!(told(&mut pair, tokens), [value("four")]);
    }
    assert_eq!(closed_with(&pair), None);
}

#[test]
fn a_token_that_is_there_twice_rejects_the_message_only() {
    for draft in Draft::ALL {
        let mut pair = pair(draft, Vec::new());
        pair.server.events();
        pair.client.events();
        ask(&mut pair, vec![register(1, "four"), value("four")]);
        let refused = Event::Refused(RequestErrorCode::MalformedAuthToken);
        assert_eq!(pair.server.events(), [refused]);
        let events = pair.client.events();
        let [Event::Rejected { error, .. }] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!(error.code, RequestErrorCode::MalformedAuthToken);
        // It is registered all the same.
        assert_eq!(told(&mut pair, vec![alias(1)]), [value("four")]);
    }
}

#[test]
fn an_update_brings_tokens() {
    for draft in Draft::ALL {
        let mut pair = pair(draft, vec![register(1, "four")]);
        pair.server.events();
        ask(&mut pair, Vec::new());
        let (key, _) = request(&pair.server.events());
        let now = pair.now;
        let server = &mut pair.server.session;
        server.accept(key, Parameters::default(), now).unwrap();
        pair.run(MS);
        let now = pair.now;
        let tokens = with(vec![alias(1)]);
        pair.client.session.update(key, tokens, now).unwrap();
        pair.run(MS);
        let parameters = with(vec![value("four")]);
        let id = RequestId(2);
        let expected = Event::Updated {
            key,
            id,
            parameters,
        };
        assert_eq!(pair.server.events(), [expected]);
    }
}
