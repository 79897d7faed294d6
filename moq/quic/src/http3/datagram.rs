use bytes::{Buf, BufMut, Bytes, BytesMut};
use web_transport_proto::VarInt;

/// What the datagrams of a session begin with: the number of its stream, quartered; RFC 9297,
/// "HTTP/3 Datagrams".
#[derive(Debug, Clone, Copy)]
pub(crate) struct DatagramPrefix {
    quarter: VarInt,
}

/// Larger ones name no stream.
const MAX_QUARTER: u64 = (1 << 60) - 1;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MalformedDatagram;

impl DatagramPrefix {
    pub(crate) fn new(session: VarInt) -> Self {
        let quarter = VarInt::try_from(session.into_inner() / 4).unwrap_or_default();
        Self { quarter }
    }

    pub(crate) fn len(self) -> usize {
        self.quarter.size()
    }

    pub(crate) fn add(self, datagram: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(self.len() + datagram.len());
        self.quarter.encode(&mut out);
        out.put_slice(datagram);
        out.freeze()
    }

    /// The session's part of a datagram; `None`: it is another session's.
    pub(crate) fn strip(self, mut datagram: Bytes) -> Result<Option<Bytes>, MalformedDatagram> {
        let mut rest = &datagram[..];
        let quarter = VarInt::decode(&mut rest).map_err(|_| MalformedDatagram)?;
        if quarter.into_inner() > MAX_QUARTER {
            return Err(MalformedDatagram);
        }
        let prefix = datagram.len() - rest.len();
        datagram.advance(prefix);
        Ok((quarter == self.quarter).then_some(datagram))
    }
}
