//! An async client.
