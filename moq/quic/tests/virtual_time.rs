//! The async client on a socket in memory, with tokio's paused clock.
#![cfg(feature = "tokio")]

use std::{
    collections::VecDeque,
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use parvis_quic::{
    CloseReason, ConnectionEvent, Endpoint, EndpointConfig,
    client::{
        ConnectOptions, Connection,
        socket::{AsyncUdpSocket, RecvMeta, Transmit, UdpPoller},
    },
    tls::{ClientTls, ServerTls},
};
use parvis_session::Event;
use parvis_wire::SessionErrorCode;

/// One direction: datagrams under way with their time of arrival, and who waits for them.
#[derive(Debug, Default)]
struct Pipe {
    datagrams: Mutex<VecDeque<(tokio::time::Instant, Vec<u8>)>>,
    reader: Mutex<Option<Waker>>,
}

const DELAY: Duration = Duration::from_millis(40);

impl Pipe {
    fn push(&self, data: &[u8]) {
        let arrival = tokio::time::Instant::now() + DELAY;
        self.datagrams
            .lock()
            .unwrap()
            .push_back((arrival, data.to_vec()));
        if let Some(waker) = self.reader.lock().unwrap().take() {
            waker.wake();
        }
    }

    fn poll(&self, cx: &mut Context<'_>, timer: &mut Timer) -> Poll<Vec<u8>> {
        let mut datagrams = self.datagrams.lock().unwrap();
        *self.reader.lock().unwrap() = Some(cx.waker().clone());
        let Some((arrival, _)) = datagrams.front() else {
            return Poll::Pending;
        };
        if timer.poll(cx, *arrival).is_pending() {
            return Poll::Pending;
        }
        datagrams
            .pop_front()
            .map_or(Poll::Pending, |(_, data)| Poll::Ready(data))
    }
}

#[derive(Debug)]
struct Timer(Pin<Box<tokio::time::Sleep>>);

impl Timer {
    fn new() -> Self {
        Self(Box::pin(tokio::time::sleep(Duration::ZERO)))
    }

    fn poll(&mut self, cx: &mut Context<'_>, at: tokio::time::Instant) -> Poll<()> {
        self.0.as_mut().reset(at);
        self.0.as_mut().poll(cx)
    }
}

#[derive(Debug)]
struct MemorySocket {
    incoming: Arc<Pipe>,
    outgoing: Arc<Pipe>,
    timer: Mutex<Timer>,
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncUdpSocket for MemorySocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.outgoing.push(transmit.contents);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let Poll::Ready(data) = self.incoming.poll(cx, &mut self.timer.lock().unwrap()) else {
            return Poll::Pending;
        };
        buffers[0][..data.len()].copy_from_slice(&data);
        meta[0] = RecvMeta {
            addr: SERVER,
            len: data.len(),
            stride: data.len(),
            ..meta[0]
        };
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(CLIENT)
    }
}

const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2);

/// Runs an endpoint on the other end until its connection is over; returns its events.
async fn serve(
    mut endpoint: Endpoint,
    incoming: Arc<Pipe>,
    outgoing: Arc<Pipe>,
) -> Vec<ConnectionEvent> {
    let (mut arrivals, mut timeouts) = (Timer::new(), Timer::new());
    let mut events = Vec::new();
    std::future::poll_fn(move |cx| {
        loop {
            let now: Instant = tokio::time::Instant::now().into_std();
            let mut progress = false;
            while let Poll::Ready(data) = incoming.poll(cx, &mut arrivals) {
                endpoint.handle_datagram(now, CLIENT, None, None, data.as_slice().into());
                progress = true;
            }
            endpoint.handle_timeout(now);
            while let Some((_, event)) = endpoint.poll() {
                let over = matches!(event, ConnectionEvent::Closed { .. });
                events.push(event);
                if over {
                    return Poll::Ready(std::mem::take(&mut events));
                }
            }
            let mut buf = Vec::new();
            while let Some(transmit) = endpoint.poll_transmit(now, &mut buf, 1) {
                outgoing.push(&buf[..transmit.size]);
            }
            let due = endpoint
                .poll_timeout()
                .is_some_and(|timeout| timeouts.poll(cx, timeout.into()).is_ready());
            if !progress && !due {
                return Poll::Pending;
            }
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn minutes_pass_in_no_time_over_a_socket_in_memory() {
    let [up, down] = [(); 2].map(|()| Arc::new(Pipe::default()));
    let (tls, fingerprint) = ServerTls::self_signed(&["localhost"]).unwrap();
    let endpoint = Endpoint::new(EndpointConfig {
        server: Some(tls),
        ..EndpointConfig::default()
    });
    let server = tokio::spawn(serve(endpoint, up.clone(), down.clone()));
    let timer = Mutex::new(Timer::new());
    let options = ConnectOptions {
        tls: ClientTls::pinned([fingerprint]),
        server_name: Some("localhost".to_owned()),
        socket: Some(Arc::new(MemorySocket {
            incoming: down,
            outgoing: up,
            timer,
        })),
        ..ConnectOptions::default()
    };
    let start = tokio::time::Instant::now();
    let mut connection = Connection::connect(&format!("moqt://{SERVER}"), options)
        .await
        .unwrap();
    assert_eq!(start.elapsed().as_millis() / 10, 8, "one round trip");
    assert!(matches!(
        connection.next_event().await,
        Ok(Event::Established { .. })
    ));

    // Nothing happens for ten minutes but keep-alives.
    let quiet = tokio::time::timeout(Duration::from_mins(10), connection.next_event()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    let stats = connection.stats().await.unwrap();
    assert!(
        stats.sent_packets > 250 && stats.min_rtt >= 2 * DELAY,
        "{stats:?}"
    );

    connection.close(SessionErrorCode::NoError, "enough").await;
    let events = server.await.unwrap();
    let (code, reason) = (SessionErrorCode::NoError, "enough".to_owned());
    let closed = ConnectionEvent::Closed {
        reason: CloseReason::PeerClosed { code, reason },
    };
    assert_eq!(events.last(), Some(&closed));
}
