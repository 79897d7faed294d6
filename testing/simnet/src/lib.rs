//! A seeded network link in virtual time, for tests.
