use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::fd::{AsFd, BorrowedFd},
    time::Instant,
};

use anyhow::Context;
use parvis_quic::{
    ClientOptions, ConnectionEvent, ConnectionKey, Endpoint, EndpointConfig,
    tls::ClientTls,
    udp::{BatchSocket, SocketOptions},
};
use parvis_wire::Draft;

/// A socket with the client connections on it.
pub struct Port {
    socket: BatchSocket,
    /// The connections.
    pub endpoint: Endpoint,
}

impl Port {
    /// Binds a loopback port.
    pub fn bind() -> anyhow::Result<Self> {
        let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let socket =
            BatchSocket::bind(addr, &SocketOptions::default()).context("binding a port")?;
        Ok(Self {
            socket,
            endpoint: Endpoint::new(EndpointConfig::default()),
        })
    }

    /// Opens a connection.
    pub fn connect(
        &mut self,
        addr: SocketAddr,
        draft: Draft,
        path: &str,
        now: Instant,
    ) -> anyhow::Result<ConnectionKey> {
        let session = parvis_session::Config {
            path: Some(path.to_owned()),
            authority: Some(addr.to_string()),
            ..Default::default()
        };
        let options = ClientOptions {
            addr,
            server_name: "localhost".to_owned(),
            tls: ClientTls::insecure(),
            drafts: vec![draft],
            webtransport: None,
            session,
        };
        Ok(self.endpoint.connect(now, options)?)
    }

    /// Reads what has come and does what is due; gives every event to `handle`.
    pub fn turn(
        &mut self,
        now: Instant,
        mut handle: impl FnMut(&mut Endpoint, ConnectionKey, ConnectionEvent),
    ) -> io::Result<()> {
        let endpoint = &mut self.endpoint;
        self.socket.receive(|datagram| {
            let (from, ip) = (datagram.from, datagram.local_ip);
            endpoint.handle_datagram(now, from, ip, datagram.ecn, datagram.data);
        })?;
        endpoint.handle_timeout(now);
        while let Some((key, event)) = endpoint.poll() {
            handle(endpoint, key, event);
        }
        self.socket.send_all(endpoint, now).map(|_| ())
    }

    /// When something is due.
    pub fn timeout(&mut self) -> Option<Instant> {
        self.endpoint.poll_timeout()
    }

    /// What to wait on.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
