//! Tokens, good and bad.

mod attacks;
mod fixture;
mod grants;
mod keys;
