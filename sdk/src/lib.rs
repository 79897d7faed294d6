//! Meetings on Media over QUIC: the SDK that apps embed.
