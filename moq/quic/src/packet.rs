use std::net::{IpAddr, SocketAddr};

/// What the kernel takes in one train: 64 KiB less headers.
pub(crate) const MAX_TRAIN_BYTES: usize = 65_000;

/// The congestion mark of an IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ecn {
    /// ECT(0): the sender understands marks.
    Ect0,
    /// ECT(1): the sender understands marks.
    Ect1,
    /// A router saw congestion.
    Ce,
}

impl Ecn {
    /// The two bits in the IP header.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Ect0 => 0b10,
            Self::Ect1 => 0b01,
            Self::Ce => 0b11,
        }
    }

    pub(crate) const fn from_udp(ecn: quinn_udp::EcnCodepoint) -> Self {
        match ecn {
            quinn_udp::EcnCodepoint::Ect0 => Self::Ect0,
            quinn_udp::EcnCodepoint::Ect1 => Self::Ect1,
            quinn_udp::EcnCodepoint::Ce => Self::Ce,
        }
    }

    #[cfg(any(
        feature = "tokio",
        not(any(target_os = "linux", target_os = "android"))
    ))]
    pub(crate) const fn to_udp(self) -> quinn_udp::EcnCodepoint {
        match self {
            Self::Ect0 => quinn_udp::EcnCodepoint::Ect0,
            Self::Ect1 => quinn_udp::EcnCodepoint::Ect1,
            Self::Ce => quinn_udp::EcnCodepoint::Ce,
        }
    }

    pub(crate) const fn from_quic(ecn: quinn_proto::EcnCodepoint) -> Self {
        match ecn {
            quinn_proto::EcnCodepoint::Ect0 => Self::Ect0,
            quinn_proto::EcnCodepoint::Ect1 => Self::Ect1,
            quinn_proto::EcnCodepoint::Ce => Self::Ce,
        }
    }

    pub(crate) const fn to_quic(self) -> quinn_proto::EcnCodepoint {
        match self {
            Self::Ect0 => quinn_proto::EcnCodepoint::Ect0,
            Self::Ect1 => quinn_proto::EcnCodepoint::Ect1,
            Self::Ce => quinn_proto::EcnCodepoint::Ce,
        }
    }
}

/// Bytes to send: one UDP datagram, or a train of several to one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub destination: SocketAddr,
    /// The mark to set.
    pub ecn: Option<Ecn>,
    /// How many bytes of the buffer.
    pub size: usize,
    /// The size of each datagram of a train but the last; `None`: one datagram.
    pub segment_size: Option<usize>,
    /// Which local address to send from; `None`: the kernel's choice.
    pub src_ip: Option<IpAddr>,
}

impl From<quinn_proto::Transmit> for Transmit {
    fn from(transmit: quinn_proto::Transmit) -> Self {
        Self {
            destination: transmit.destination,
            ecn: transmit.ecn.map(Ecn::from_quic),
            size: transmit.size,
            segment_size: transmit
                .segment_size
                .filter(|segment| *segment < transmit.size),
            src_ip: transmit.src_ip,
        }
    }
}
