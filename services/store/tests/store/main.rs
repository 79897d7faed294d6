//! The store on both databases: each test of `both` runs on SQLite and on a real PostgreSQL.

mod accounts;
mod both;
mod commits;
mod kill;
mod opening;
mod outbox;
mod remembered;
mod rooms;
