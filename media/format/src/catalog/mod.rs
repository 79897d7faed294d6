//! The catalog: a JSON document that names and describes a publisher's tracks.
//!
//! draft-ietf-moq-msf-01. Reads draft-00's form as well (numeric version, inline `initData`),
//! writes draft-01's. Members that are not known are ignored.
//!
//! ```
//! use parvis_format::{VideoParams, catalog::{Catalog, Track}};
//!
//! let mut catalog = Catalog::default();
//! catalog.tracks.push(Track::video("camera/360p", &VideoParams::av1(640, 360)));
//! let json = catalog.to_json();
//! assert_eq!(Catalog::from_json(json.as_bytes())?, catalog);
//! # Ok::<(), parvis_format::catalog::CatalogError>(())
//! ```

mod document;
mod names;
mod track;

pub use document::{Catalog, CatalogError};
pub use names::{Packaging, Role};
pub use track::Track;

/// The name of the track that carries the catalog.
pub const TRACK_NAME: &str = "catalog";

#[cfg(test)]
mod tests;
