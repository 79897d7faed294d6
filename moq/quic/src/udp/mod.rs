//! A UDP socket that receives and sends in batches, for a thread that polls.

mod handover;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod mmsg;
mod outbox;
#[cfg(target_os = "linux")]
mod steer;
#[cfg(unix)]
mod wait;

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr, UdpSocket},
    time::Instant,
};

use bytes::BytesMut;
use quinn_udp::{RecvMeta, UdpSocketState};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use self::{handover::PeerSocket, outbox::Outbox};
use crate::{Ecn, Endpoint, Transmit};

/// Batches that one [`BatchSocket::receive`] reads, so that a flood leaves time for the rest.
const MAX_BATCHES: usize = 16;
/// Messages of one batch: each has a buffer that stays, and costs something also where it is not used.
const BATCH: usize = 16;
/// How much of a GRO batch fits a buffer.
const RECEIVE_BUFFER: usize = 64 * 1024;

/// How a [`BatchSocket`] is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketOptions {
    /// Bytes that the kernel keeps until they are read; the system may allow less.
    pub receive_buffer: usize,
    /// Bytes that the kernel keeps until they are sent; the system may allow less.
    pub send_buffer: usize,
    /// Whether several sockets share the port; the kernel spreads clients over them.
    pub share_port: bool,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            receive_buffer: 4 << 20,
            send_buffer: 4 << 20,
            share_port: false,
        }
    }
}

/// A datagram that came.
#[derive(Debug)]
pub struct Received {
    /// Who sent it.
    pub from: SocketAddr,
    /// Which of our addresses it came to; `None` where the socket has one only.
    pub local_ip: Option<IpAddr>,
    /// Its congestion mark.
    pub ecn: Option<Ecn>,
    /// Its bytes.
    pub data: BytesMut,
}

/// A nonblocking UDP socket that reads many datagrams per system call and sends a whole sweep of
/// an [`Endpoint`] by one.
#[derive(Debug)]
pub struct BatchSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    /// After a handover: where its peers' packets come.
    peers: Vec<PeerSocket>,
    one_address: bool,
    buffers: Vec<u8>,
    outbox: Outbox,
    scratch: Vec<u8>,
    blocked: bool,
}

impl BatchSocket {
    /// Binds a socket. `[::]` takes IPv4 too, where the system has both.
    pub fn bind(addr: SocketAddr, options: &SocketOptions) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if addr.is_ipv6() && addr.ip().is_unspecified() {
            // Some systems have IPv6 only: better that than no socket.
            let _ = socket.set_only_v6(false);
        }
        if options.share_port {
            share_port(&SockRef::from(&socket))?;
        }
        // The system's maximum bounds these; a smaller buffer works, only worse.
        let _ = socket.set_recv_buffer_size(options.receive_buffer);
        let _ = socket.set_send_buffer_size(options.send_buffer);
        socket.bind(&addr.into())?;
        Self::from_std(socket.into())
    }

    /// Takes over a socket that is bound already.
    pub fn from_std(socket: UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            one_address: !socket.local_addr()?.ip().is_unspecified(),
            outbox: Outbox::new(state.max_gso_segments()),
            socket,
            state,
            peers: Vec::new(),
            buffers: vec![0; RECEIVE_BUFFER * BATCH],
            scratch: Vec::new(),
            blocked: false,
        })
    }

    /// Lets sockets that are bound from now on with [`SocketOptions::share_port`] have this one's
    /// port too: it was free until here, which sharing from the beginning would not show.
    pub fn share_port(&self) -> io::Result<()> {
        share_port(&SockRef::from(&self.socket))
    }

    /// The address that the socket is bound to.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Whether packets may be cut in pieces on their way: then turn MTU discovery off.
    pub fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }

    /// Hands over every datagram that has come; returns how many.
    pub fn receive(&mut self, mut take: impl FnMut(Received)) -> io::Result<usize> {
        let mut source = Source {
            buffers: &mut self.buffers,
            one_address: self.one_address,
        };
        let mut count = source.receive(&self.socket, &self.state, &mut take)?;
        for peer in &self.peers {
            count += source.receive(&peer.socket, &peer.state, &mut take)?;
        }
        Ok(count)
    }

    /// Sends everything that the endpoint has; returns whether all of it went out. If not, the
    /// rest is kept: call again once the socket is writable.
    pub fn send_all(&mut self, endpoint: &mut Endpoint, now: Instant) -> io::Result<bool> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut sent = self.flush();
        while matches!(sent, Ok(true)) {
            let segments = self.max_segments();
            let Some(transmit) = endpoint.poll_transmit(now, &mut scratch, segments) else {
                break;
            };
            self.queue(&transmit, &scratch);
            if self.outbox.is_full() {
                sent = self.flush();
            }
        }
        self.scratch = scratch;
        if matches!(sent, Ok(true)) {
            self.flush()
        } else {
            sent
        }
    }

    /// How many datagrams a train may have.
    pub fn max_segments(&self) -> usize {
        self.outbox.max_segments()
    }

    /// Queues what [`Endpoint::poll_transmit`] gave, for [`flush`](Self::flush).
    pub fn queue(&mut self, transmit: &Transmit, bytes: &[u8]) {
        self.outbox.push(transmit, &bytes[..transmit.size]);
    }

    /// Sends what is queued; returns whether all of it went out.
    pub fn flush(&mut self) -> io::Result<bool> {
        self.blocked = !self.outbox.flush(&self.socket, &self.state)?;
        Ok(!self.blocked)
    }

    /// Whether the kernel's buffer was full at the last send.
    pub const fn is_blocked(&self) -> bool {
        self.blocked
    }
}

/// What receiving takes beside a socket.
struct Source<'a> {
    buffers: &'a mut [u8],
    one_address: bool,
}

impl Source<'_> {
    fn receive(
        &mut self,
        socket: &UdpSocket,
        state: &UdpSocketState,
        take: &mut impl FnMut(Received),
    ) -> io::Result<usize> {
        let mut count = 0;
        for _ in 0..MAX_BATCHES {
            let mut meta = [RecvMeta::default(); BATCH];
            let mut buffers: Vec<IoSliceMut<'_>> = self
                .buffers
                .chunks_exact_mut(RECEIVE_BUFFER)
                .map(IoSliceMut::new)
                .collect();
            let received = match state.recv(socket.into(), &mut buffers, &mut meta) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if is_about_a_peer(&error) => continue,
                Err(error) => return Err(error),
            };
            for (buffer, meta) in buffers.iter().zip(&meta).take(received) {
                for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    count += 1;
                    take(Received {
                        from: meta.addr,
                        local_ip: meta.dst_ip.filter(|_| !self.one_address),
                        ecn: meta.ecn.map(Ecn::from_udp),
                        data: BytesMut::from(datagram),
                    });
                }
            }
            if received < BATCH {
                break;
            }
        }
        Ok(count)
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for BatchSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg_attr(
    not(unix),
    expect(clippy::unnecessary_wraps, reason = "elsewhere ports are not shared")
)]
fn share_port(socket: &SockRef<'_>) -> io::Result<()> {
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    Ok(())
}

/// Errors that an earlier datagram to some peer caused, not this socket.
fn is_about_a_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::Interrupted
    )
}
