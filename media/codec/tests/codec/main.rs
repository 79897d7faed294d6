//! Every codec of the build on real content, where `scripts/make-clips.sh` has made it, and on bad
//! input.

mod clips;

#[cfg(all(feature = "aom", feature = "dav1d"))]
mod aom;
#[cfg(all(feature = "aom", feature = "dav1d"))]
mod dav1d;
mod not_built;
#[cfg(feature = "opus")]
mod opus;
#[cfg(feature = "opus")]
mod opus_loss;
#[cfg(all(feature = "rav1e", feature = "dav1d"))]
mod rav1e;
#[cfg(feature = "dav1d")]
mod video;
