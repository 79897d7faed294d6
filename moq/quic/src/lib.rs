//! Drives MoQ sessions over QUIC: a sans-IO endpoint and thin drivers.
