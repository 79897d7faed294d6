//! A room by its behaviour, in virtual time.

mod capturing;
mod chat;
mod ending;
mod entering;
mod hands;
mod lobby;
mod malformed;
mod messages;
mod model;
mod moderating;
mod names;
mod random;
mod reactions;
mod resuming;
mod support;
mod viewing;
