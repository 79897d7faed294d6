//! Who issues tokens for a relay in this process.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parvis_relay::Config;
use parvis_token::{Action, Claims, Grant, Signer, UnixTime};
use parvis_wire::{AuthToken, TrackNamespace};
use tempfile::TempDir;

use super::{config, namespace};

/// A signer, and its keys in a file for the relay.
#[derive(Debug)]
pub struct Issuer {
    pub signer: Signer,
    folder: TempDir,
}

impl Issuer {
    pub fn new() -> Self {
        let issuer = Self {
            signer: Signer::from_seed(&[3; 32]),
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(issuer.keys(), issuer.signer.key_set()).unwrap();
        issuer
    }

    /// The file with the public keys.
    pub fn keys(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    /// A relay that takes this issuer's tokens, to the second.
    pub fn config(&self, threads: usize) -> Config {
        Config {
            auth_keys: Some(self.keys().display().to_string()),
            auth_leeway: Duration::ZERO,
            ..config(threads)
        }
    }

    /// A token of these claims.
    pub fn sign(&self, claims: &Claims) -> AuthToken {
        token(&self.signer.sign(claims).unwrap())
    }

    /// A token for an hour.
    pub fn token(&self, subject: &str, grants: Vec<Grant>) -> AuthToken {
        self.sign(&claims(subject, 3600, grants))
    }

    /// The token of Alice, who publishes and sees everything in the room.
    pub fn alice(&self) -> AuthToken {
        self.token("alice", vec![publish(namespace()), watch()])
    }

    /// The token of Bob, who sees everything in the room.
    pub fn bob(&self) -> AuthToken {
        self.token("bob", vec![watch()])
    }
}

pub fn token(text: &str) -> AuthToken {
    AuthToken::UseValue {
        kind: 0,
        value: text.to_owned().into(),
    }
}

pub fn claims(subject: &str, seconds: u64, grants: Vec<Grant>) -> Claims {
    Claims {
        issued_at: Some(now()),
        id: Some(format!("token of {subject}")),
        grants,
        ..Claims::new(subject, now().plus(seconds))
    }
}

pub fn now() -> UnixTime {
    UnixTime(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
}

pub fn publish(namespace: TrackNamespace) -> Grant {
    Grant::exact([Action::Publish], namespace).unwrap()
}

/// Everything in the room may be seen.
pub fn watch() -> Grant {
    let room = TrackNamespace::new(["parvis", "room"]).unwrap();
    Grant::prefix([Action::Subscribe, Action::Discover], room).unwrap()
}
