//! The service over real HTTP, with a real store.

mod accounts;
mod administration;
mod limits;
mod mail;
mod rooms;
mod schema;
mod server;
mod sign_in;
mod tickets;
mod tools;
