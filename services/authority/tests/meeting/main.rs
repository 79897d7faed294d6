//! Meetings of people with the SDK, at a real relay with tokens on.

mod data;
mod encoded;
mod expired;
mod hostile;
mod house;
mod mixing;
mod narrow;
mod path;
mod pending;
mod pictures;
mod returning;
mod rights;
mod staying;
mod together;
