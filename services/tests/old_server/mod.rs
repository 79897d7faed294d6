//! A server of the past.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parvis::Draft;
use parvis_quic::{
    Endpoint, EndpointConfig,
    tls::ServerTls,
    udp::{BatchSocket, SocketOptions},
};

/// A server that speaks draft 18 only.
pub struct OldServer {
    pub url: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl OldServer {
    pub fn start() -> Self {
        let (tls, _) = ServerTls::self_signed(&["localhost"]).unwrap();
        let drafts = vec![Draft::D18];
        let config = EndpointConfig {
            server: Some(tls),
            drafts,
            ..EndpointConfig::default()
        };
        let mut endpoint = Endpoint::new(config);
        let address = "127.0.0.1:0".parse().unwrap();
        let mut socket = BatchSocket::bind(address, &SocketOptions::default()).unwrap();
        let url = format!("moqt://{}", socket.local_addr().unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let now = Instant::now();
                socket
                    .receive(|got| {
                        endpoint.handle_datagram(now, got.from, got.local_ip, got.ecn, got.data);
                    })
                    .unwrap();
                endpoint.handle_timeout(now);
                while endpoint.poll().is_some() {}
                socket.send_all(&mut endpoint, now).unwrap();
                std::thread::park_timeout(Duration::from_millis(1));
            }
        });
        Self {
            url,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for OldServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
