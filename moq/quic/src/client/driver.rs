use std::{
    fmt,
    io::{self, IoSliceMut},
    net::UdpSocket,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use bytes::BytesMut;
use parvis_wire::SessionErrorCode;
use quinn::{AsyncTimer, AsyncUdpSocket, Runtime, UdpPoller};
use quinn_udp::RecvMeta;

use super::connect::unspecified;
use crate::{
    ClientOptions, ConnectionEvent, ConnectionKey, Ecn, Endpoint, EndpointConfig, Limits,
    OpenError, Transmit,
};

const BUFFERS: usize = 4;
const BUFFER: usize = 64 * 1024;
/// Batches read before the other work of the task has its turn.
const MAX_BATCHES: usize = 8;
/// Trains sent before the other work of the task has its turn.
const MAX_TRAINS: usize = 64;

/// An endpoint with its one connection, on an async socket.
pub(super) struct Driver {
    pub(super) endpoint: Endpoint,
    pub(super) key: ConnectionKey,
    runtime: Arc<dyn Runtime>,
    socket: Arc<dyn AsyncUdpSocket>,
    /// What was sent to the socket before may still come there, until something comes to the new one.
    previous: Option<Arc<dyn AsyncUdpSocket>>,
    poller: Pin<Box<dyn UdpPoller>>,
    timer: Pin<Box<dyn AsyncTimer>>,
    buffers: Vec<u8>,
    packet: Vec<u8>,
    unsent: Option<Transmit>,
    over: bool,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Driver {
    pub(super) fn connect(
        runtime: Arc<dyn Runtime>,
        socket: Arc<dyn AsyncUdpSocket>,
        limits: &Limits,
        options: ClientOptions,
    ) -> Result<Self, OpenError> {
        let now = runtime.now();
        let mtu_discovery = limits.mtu_discovery && !socket.may_fragment();
        let limits = Limits {
            mtu_discovery,
            ..limits.clone()
        };
        let mut endpoint = Endpoint::new(EndpointConfig {
            limits,
            ..EndpointConfig::default()
        });
        let key = endpoint.connect(now, options)?;
        Ok(Self {
            endpoint,
            key,
            timer: runtime.new_timer(now),
            poller: socket.clone().create_io_poller(),
            runtime,
            socket,
            previous: None,
            buffers: vec![0; BUFFERS * BUFFER],
            packet: Vec::new(),
            unsent: None,
            over: false,
        })
    }

    pub(super) fn now(&self) -> Instant {
        self.runtime.now()
    }

    /// Waits for the next event. For the handshake: later the task interleaves commands.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ConnectionEvent>> {
        let now = self.now();
        self.receive(cx, now)?;
        let event = self.poll_endpoint();
        self.send(cx, now);
        if let Some(event) = event {
            return Poll::Ready(Ok(event));
        }
        self.wait(cx, true);
        Poll::Pending
    }

    pub(super) fn poll_endpoint(&mut self) -> Option<ConnectionEvent> {
        let (_, event) = self.endpoint.poll()?;
        self.over |= matches!(event, ConnectionEvent::Closed { .. });
        Some(event)
    }

    /// Takes what came and what is due.
    pub(super) fn receive(&mut self, cx: &mut Context<'_>, now: Instant) -> io::Result<()> {
        self.endpoint.handle_timeout(now);
        let socket = Arc::clone(&self.socket);
        let any = self.receive_on(&socket, cx, now)?;
        if any {
            self.previous = None;
        }
        if let Some(previous) = self.previous.clone()
            && self.receive_on(&previous, cx, now).is_err()
        {
            // Its network may be gone.
            self.previous = None;
        }
        Ok(())
    }

    /// Returns whether anything came.
    fn receive_on(
        &mut self,
        socket: &Arc<dyn AsyncUdpSocket>,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> io::Result<bool> {
        let mut any = false;
        for _ in 0..MAX_BATCHES {
            let mut meta = [RecvMeta::default(); BUFFERS];
            let mut buffers: Vec<IoSliceMut<'_>> = self
                .buffers
                .chunks_exact_mut(BUFFER)
                .map(IoSliceMut::new)
                .collect();
            let received = match socket.poll_recv(cx, &mut buffers, &mut meta) {
                Poll::Pending => return Ok(any),
                Poll::Ready(Ok(received)) => received,
                // An earlier packet reached a closed port; QUIC finds out by itself.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                    continue;
                }
                Poll::Ready(Err(error)) => return Err(error),
            };
            any = true;
            for (buffer, meta) in buffers.iter().zip(&meta).take(received) {
                let ecn = meta.ecn.map(Ecn::from_udp);
                for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    let data = BytesMut::from(datagram);
                    self.endpoint
                        .handle_datagram(now, meta.addr, meta.dst_ip, ecn, data);
                }
            }
        }
        cx.waker().wake_by_ref();
        Ok(any)
    }

    /// Goes over to a new socket of the same family, as after a change of networks.
    pub(super) fn rebind(&mut self) -> io::Result<()> {
        let any = unspecified(self.socket.local_addr()?);
        let socket = UdpSocket::bind((any, 0))?;
        let socket = self.runtime.wrap_udp_socket(socket)?;
        self.poller = socket.clone().create_io_poller();
        self.previous = Some(std::mem::replace(&mut self.socket, socket));
        self.endpoint.local_address_changed(self.key);
        Ok(())
    }

    /// Sends what the socket takes.
    pub(super) fn send(&mut self, cx: &mut Context<'_>, now: Instant) {
        for _ in 0..MAX_TRAINS {
            if !self.prepare(now) {
                return;
            }
            while !self.try_send() {
                match self.poller.as_mut().poll_writable(cx) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(())) => {}
                    // A socket that cannot even say so loses the packet.
                    Poll::Ready(Err(_)) => break,
                }
            }
            self.unsent = None;
        }
        cx.waker().wake_by_ref();
    }

    /// Arms the timer.
    ///
    /// events: whether events that wait should wake the task.
    pub(super) fn wait(&mut self, cx: &mut Context<'_>, events: bool) {
        if self.unsent.is_some() {
            // The socket wakes us. Timers that are due then are only a little late.
            return;
        }
        let deadline = if events {
            self.endpoint.poll_timeout()
        } else {
            self.endpoint.poll_timeout_without_events()
        };
        let Some(deadline) = deadline else { return };
        self.timer.as_mut().reset(deadline);
        if self.timer.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }

    fn prepare(&mut self, now: Instant) -> bool {
        if self.unsent.is_none() {
            let segments = self.socket.max_transmit_segments();
            self.unsent = self.endpoint.poll_transmit(now, &mut self.packet, segments);
        }
        self.unsent.is_some()
    }

    /// Whether the packet is dealt with: sent, or lost to an error as any packet may be.
    fn try_send(&self) -> bool {
        let Some(transmit) = &self.unsent else {
            return true;
        };
        let sent = self.socket.try_send(&quinn_udp::Transmit {
            destination: transmit.destination,
            ecn: transmit.ecn.map(Ecn::to_udp),
            contents: &self.packet[..transmit.size],
            segment_size: transmit.segment_size,
            src_ip: transmit.src_ip,
        });
        !matches!(sent, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Drop for Driver {
    /// Tells the server, if the socket takes the packet at once.
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let now = self.now();
        self.endpoint
            .close(now, self.key, SessionErrorCode::NoError, "");
        while self.prepare(now) && self.try_send() {
            self.unsent = None;
        }
    }
}
