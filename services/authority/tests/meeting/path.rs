//! A path to the relay, on which a test has the say: how much it carries, and who is on it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Forwards datagrams between clients and a relay, each client from an address of its own.
pub struct Path {
    address: SocketAddr,
    shared: Arc<Shared>,
    _task: JoinSet<()>,
}

struct Shared {
    relay: SocketAddr,
    /// Bits a second to clients; 0: as many as come.
    width: AtomicU64,
    clients: Mutex<Vec<SocketAddr>>,
}

/// A queue of routers: what would wait for longer is dropped.
const QUEUE: Duration = Duration::from_millis(600);

impl Path {
    pub async fn to(relay: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let address = socket.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            relay,
            width: AtomicU64::new(0),
            clients: Mutex::default(),
        });
        let mut task = JoinSet::new();
        task.spawn(forward(Arc::new(socket), Arc::clone(&shared)));
        Self {
            address,
            shared,
            _task: task,
        }
    }

    pub fn url(&self) -> String {
        format!("moqt://{}", self.address)
    }

    /// Lets so many kilobits a second through to clients; `None`: as many as come.
    pub fn set_width(&self, kilobits: Option<u64>) {
        let bits = kilobits.unwrap_or(0) * 1000;
        self.shared.width.store(bits, Ordering::Relaxed);
    }

    /// Loses nearly all that goes to clients, for so long.
    pub async fn lose_for(&self, time: Duration) {
        self.set_width(Some(1));
        tokio::time::sleep(time).await;
        self.set_width(None);
    }

    /// From which addresses clients have come.
    pub fn clients(&self) -> Vec<SocketAddr> {
        let clients = self.shared.clients.lock();
        clients.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn forward(socket: Arc<UdpSocket>, shared: Arc<Shared>) {
    let mut ways: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut buffer = vec![0; 65_536];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let way = if let Some(way) = ways.get(&client) {
            Arc::clone(way)
        } else {
            let way = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
            way.connect(shared.relay).await.expect("an address");
            let way = Arc::new(way);
            ways.insert(client, Arc::clone(&way));
            let mut clients = shared
                .clients
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            clients.push(client);
            let (send, sends) = mpsc::unbounded_channel();
            tasks.spawn(queue(Arc::clone(&way), Arc::clone(&shared), send));
            tasks.spawn(deliver(Arc::clone(&socket), client, sends));
            way
        };
        // Lost where the relay is away, as on any network.
        let _ = way.send(&buffer[..length]).await;
    }
}

/// Takes what comes for a client, and drops what there is no room for.
async fn queue(
    way: Arc<UdpSocket>,
    shared: Arc<Shared>,
    send: mpsc::UnboundedSender<(Instant, Vec<u8>)>,
) {
    let mut buffer = vec![0; 65_536];
    let mut free = Instant::now();
    while let Ok(length) = way.recv(&mut buffer).await {
        let now = Instant::now();
        let width = shared.width.load(Ordering::Relaxed);
        let bits = length as u64 * 8_000_000_000;
        let takes = bits.checked_div(width).map(Duration::from_nanos);
        free = free.max(now);
        match takes {
            Some(takes) if free + takes > now + QUEUE => continue,
            Some(takes) => free += takes,
            None => free = now,
        }
        if send.send((free, buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

async fn deliver(
    socket: Arc<UdpSocket>,
    client: SocketAddr,
    mut sends: mpsc::UnboundedReceiver<(Instant, Vec<u8>)>,
) {
    while let Some((at, datagram)) = sends.recv().await {
        sleep_until(at).await;
        let _ = socket.send_to(&datagram, client).await;
    }
}
