//! A sans-IO MoQ Transport peer: requests, streams, send scheduling.
