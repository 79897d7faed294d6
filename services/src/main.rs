//! The parvis command: relay, publish, watch, demo.

fn main() {}
