use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use parvis_quic::tls::TlsError;
use thiserror::Error;

use crate::{ConfigError, KeySourceError};

/// Why a relay did not start: one line that says what to change.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificate or the key cannot be read.
    #[error("cannot read the {what} {}: {source}", path.display())]
    Unreadable {
        /// Which of the two.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate and the key cannot be used.
    #[error("cannot use the certificate {} with the key {}: {source}", cert.display(), key.display())]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: TlsError,
    },
    /// The authority of the upstream relay's certificate cannot be used.
    #[error("cannot use `upstream-ca`: {source}")]
    UpstreamTrust {
        /// Why.
        source: TlsError,
    },
    /// No certificate could be made.
    #[error("cannot make a self-signed certificate: {0}")]
    SelfSigned(#[source] TlsError),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {}", advice(*addr, source))]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address for HTTP cannot be listened on.
    #[error("cannot listen on {addr} for HTTP: {source}; set another address with `http`")]
    Http {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address for control cannot be listened on.
    #[error("cannot listen on {addr} for control: {source}; set another address with `control`")]
    Control {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The secret for control cannot be had.
    #[error("cannot use the secret for control {}: {source}", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key of resets cannot be had.
    #[error("cannot use `reset-key` {}: {reason}", path.display())]
    ResetKey {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The keys that tokens are signed with cannot be had.
    #[error(transparent)]
    Keys(#[from] KeySourceError),
    /// The system gives no more threads or files.
    #[error("cannot start a thread: {0}; lower `threads`")]
    Thread(#[source] io::Error),
}

fn advice(addr: SocketAddr, source: &io::Error) -> String {
    let port = addr.port();
    match source.kind() {
        io::ErrorKind::AddrInUse => format!(
            "UDP port {port} is in use; stop the program that has it, or set another with `listen`"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "port {port} needs more rights; set one above 1023 with `listen`, or run with \
             CAP_NET_BIND_SERVICE"
        ),
        io::ErrorKind::AddrNotAvailable => {
            let ip = addr.ip();
            let any = if ip.is_ipv4() { "0.0.0.0" } else { "[::]" };
            format!("{ip} is no address of this machine; `{any}:{port}` listens on all of them")
        }
        _ if addr.ip() == IpAddr::from([0u16; 8]) => {
            format!("{source}; without IPv6, set `listen` to 0.0.0.0:{port}")
        }
        _ => source.to_string(),
    }
}

/// Why a relay stopped by itself.
#[derive(Debug, Error)]
pub enum RelayError {
    /// A thread panicked: a fault of the relay's; the others were stopped.
    #[error("the thread {0} failed; the log says why")]
    ThreadFailed(String),
    /// A socket failed; the threads were stopped.
    #[error("the socket failed: {0}")]
    Socket(#[source] io::Error),
}
