use std::{sync::Arc, time::Duration};

use parvis_session::Config;
use parvis_wire::Draft;
use quinn::{AsyncUdpSocket, Runtime, TokioRuntime};

use crate::{Limits, tls::ClientTls};

/// How a client connects.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Which certificates are trusted.
    pub tls: ClientTls,
    /// The name that the server's certificate must bear; `None`: the URL's host.
    pub server_name: Option<String>,
    /// Drafts offered, preferred first.
    pub drafts: Vec<Draft>,
    /// What the session starts with; role, draft, path and authority are filled in.
    pub session: Config,
    /// Bounds of QUIC.
    pub limits: Limits,
    /// How long connecting may take, names and all addresses included.
    pub timeout: Duration,
    /// How long [`close`](super::Connection::close) waits for what was sent to arrive.
    pub close_timeout: Duration,
    /// Events that wait to be taken; beyond, streams are not read and the server has to wait.
    pub events: usize,
    /// Commands that wait to be carried out; beyond, their senders wait.
    pub commands: usize,
    /// Clock and sockets.
    pub runtime: Arc<dyn Runtime>,
    /// The socket to use; `None`: a new one for each attempt.
    pub socket: Option<Arc<dyn AsyncUdpSocket>>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            tls: ClientTls::default(),
            server_name: None,
            drafts: Draft::ALL.to_vec(),
            session: Config::default(),
            limits: Limits::default(),
            timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(1),
            events: 256,
            commands: 64,
            runtime: Arc::new(TokioRuntime),
            socket: None,
        }
    }
}
