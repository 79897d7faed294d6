//! Signed grants: a JSON Web Token says who a participant is and what it may do under which
//! namespace, until when.
//!
//! A [`Verifier`] holds the public keys that are trusted. It reads no clock: the time is an argument.
//! The algorithm is the key's, EdDSA (Ed25519) or ES256 (P-256), whatever a token says of itself.
//!
//! ```
//! use parvis_token::{Action, Claims, Grant, KeySet, Rules, Signer, UnixTime, Verifier};
//! use parvis_wire::TrackNamespace;
//!
//! let room = TrackNamespace::new(["parvis", "stand-up"])?;
//! let mine = TrackNamespace::new(["parvis", "stand-up", "zoe"])?;
//! let now = UnixTime(1_800_000_000);
//!
//! let signer = Signer::from_seed(&[7; 32]);
//! let token = signer.sign(&Claims {
//!     grants: vec![
//!         Grant::exact([Action::Publish], mine.clone())?,
//!         Grant::prefix([Action::Subscribe, Action::Discover], room.clone())?,
//!     ],
//!     ..Claims::new("zoe", UnixTime(now.0 + 3600))
//! })?;
//!
//! let keys = KeySet::parse(&signer.key_set())?;
//! let access = Verifier::new(keys, Rules::default()).verify(token.as_bytes(), now)?;
//! assert!(access.allows(Action::Publish, &mine));
//! assert!(!access.allows(Action::Publish, &room));
//! assert!(access.allows_under(Action::Discover, &room));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod claims;
mod grant;
mod key_set;
mod refusal;
mod ring_provider;
mod signer;
mod unix_time;
mod verifier;

pub use access::Access;
pub use claims::Claims;
pub use grant::{Action, Grant, GrantError, Scope};
pub use key_set::{KeySet, KeySetError};
pub use refusal::Refusal;
pub use signer::{SignError, Signer, SignerError};
pub use unix_time::UnixTime;
pub use verifier::{Rules, Verifier};
