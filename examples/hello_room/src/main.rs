//! Join a room, publish a generated camera, print who is there.

fn main() {}
