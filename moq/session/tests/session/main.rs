//! Two sessions back to back in virtual time, and one against hand-made bytes.

mod by_hand;
mod pair;
mod support;

mod congestion;
mod fetch;
mod fills;
mod limits;
mod malformed;
mod objects;
mod publish;
mod random;
mod repairs;
mod requests;
mod setup;
mod stops;
mod tokens;
mod updates;
