//! Who may use the relay: the keys that are trusted and who is turned away. Each thread of the relay has
//! its own copy; see `shard/guard.rs` for what it does with it.

mod clock;
mod denials;
mod gate;
mod key_source;
mod key_watch;

pub(crate) use self::{
    clock::WallClock,
    denials::{Denial, Denials, TooManyDenials, Whom},
    gate::Gate,
    key_source::KeySource,
    key_watch::{KeyWatch, Loaded},
};
pub use self::{key_source::KeySourceError, key_watch::KeysReload};
