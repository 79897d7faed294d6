use std::{
    collections::BTreeSet,
    io,
    net::{SocketAddr, UdpSocket},
};

use quinn_udp::UdpSocketState;
use socket2::{Domain, Protocol, Socket, Type};

use super::BatchSocket;

/// Bytes that the kernel keeps for one peer.
const BUFFER: usize = 512 << 10;

/// A socket that receives from one peer alone.
#[derive(Debug)]
pub(super) struct PeerSocket {
    pub(super) socket: UdpSocket,
    pub(super) state: UdpSocketState,
}

impl BatchSocket {
    /// Leaves the port to another process: from now on this socket receives from these peers
    /// only, and the other one everything else. The port must be a shared one
    /// ([`SocketOptions::share_port`](super::SocketOptions::share_port)), and the other process
    /// may bind it only afterwards.
    ///
    /// Returns for how many peers there was no socket, which are the other's then. Linux only.
    pub fn hand_over(&mut self, peers: &BTreeSet<SocketAddr>) -> io::Result<usize> {
        let Some(first) = peers.first() else {
            return Ok(0);
        };
        let local = self.local_addr()?;
        raise_file_limit();
        let mut failed = 0;
        for peer in peers {
            match PeerSocket::open(local, *peer) {
                Ok(socket) => self.peers.push(socket),
                Err(error) => {
                    tracing::warn!(%peer, %error, "no socket for a peer");
                    failed += 1;
                }
            }
        }
        // The kernel prefers a connected socket and gives it nothing of others. This one goes
        // on to send, for which the peer it is connected to does not matter.
        self.socket.connect(first)?;
        Ok(failed)
    }
}

impl PeerSocket {
    fn open(local: SocketAddr, peer: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
        if local.is_ipv6() && local.ip().is_unspecified() {
            let _ = socket.set_only_v6(false);
        }
        #[cfg(unix)]
        socket.set_reuse_port(true)?;
        let _ = socket.set_recv_buffer_size(BUFFER);
        socket.bind(&local.into())?;
        socket.connect(&peer.into())?;
        socket.set_nonblocking(true)?;
        let socket: UdpSocket = socket.into();
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self { socket, state })
    }
}

/// Each peer takes a file: as many as the system allows at all.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
            && soft < hard
        {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
        }
    }
}
