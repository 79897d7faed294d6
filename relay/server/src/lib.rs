//! The Parvis relay: configuration, threads and sockets around the forwarder.
