use std::{
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use parvis_session::Config;
use parvis_wire::Draft;
use thiserror::Error;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{ConnectOptions, InvalidUrl, ServerUrl, driver::Driver};
use crate::{ClientOptions, CloseReason, ConnectionEvent, OpenError, RequestTarget};

/// How long one address has before the next one is tried beside it; RFC 8305.
const STAGGER: Duration = Duration::from_millis(250);

/// Why a connection was not made.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The URL is not understood.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    /// The host has no address.
    #[error("`{host}` has no address: {source}")]
    Resolve {
        /// The host.
        host: String,
        /// What the system says.
        source: io::Error,
    },
    /// No socket.
    #[error("the socket failed: {0}")]
    Socket(#[source] io::Error),
    /// The attempt makes no sense.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nobody answered in time.
    #[error("nobody answered within {0:?}")]
    TimedOut(Duration),
    /// The handshake ended the connection.
    #[error(transparent)]
    Closed(CloseReason),
}

/// A connection that is made, before its task runs.
pub(super) struct Connected {
    pub(super) driver: Driver,
    pub(super) draft: Draft,
    pub(super) remote: SocketAddr,
}

/// Tries all addresses of the host, each a little after the one before; the first to answer wins.
pub(super) async fn connect(
    url: &ServerUrl,
    options: &ConnectOptions,
) -> Result<Connected, ConnectError> {
    match timeout(options.timeout, race(url, options)).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::TimedOut(options.timeout)),
    }
}

async fn race(url: &ServerUrl, options: &ConnectOptions) -> Result<Connected, ConnectError> {
    let mut addresses = resolve(url).await?.into_iter();
    let mut attempts = JoinSet::new();
    let mut failure = None;
    while let Some(address) = addresses.next() {
        attempts.spawn(attempt(address, url.clone(), options.clone()));
        if addresses.len() == 0 {
            break;
        }
        tokio::select! {
            () = sleep(STAGGER) => {}
            Some(result) = attempts.join_next() => match result {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => note(&mut failure, error),
                Err(_) => {}
            }
        }
    }
    while let Some(result) = attempts.join_next().await {
        match result {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(error)) => note(&mut failure, error),
            Err(_) => {}
        }
    }
    Err(failure.unwrap_or(ConnectError::TimedOut(options.timeout)))
}

/// Keeps the failure that says most: an answer says more than silence.
fn note(failure: &mut Option<ConnectError>, error: ConnectError) {
    let silent = matches!(
        error,
        ConnectError::TimedOut(_)
            | ConnectError::Socket(_)
            | ConnectError::Closed(CloseReason::TimedOut)
    );
    if failure.is_none() || !silent {
        *failure = Some(error);
    }
}

async fn resolve(url: &ServerUrl) -> Result<Vec<SocketAddr>, ConnectError> {
    let resolve = |source| ConnectError::Resolve {
        host: url.host().to_owned(),
        source,
    };
    if let Ok(ip) = url.host().parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, url.port())]);
    }
    let found: Vec<SocketAddr> = tokio::net::lookup_host((url.host(), url.port()))
        .await
        .map_err(resolve)?
        .collect();
    if found.is_empty() {
        return Err(resolve(io::ErrorKind::NotFound.into()));
    }
    Ok(alternate(&found))
}

/// One address of each family in turn, beginning with the family that the system put first.
fn alternate(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<SocketAddr>, Vec<SocketAddr>) = addresses
        .iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let longest = first.len().max(second.len());
    (0..longest)
        .flat_map(|i| [first.get(i), second.get(i)])
        .flatten()
        .copied()
        .collect()
}

async fn attempt(
    addr: SocketAddr,
    url: ServerUrl,
    options: ConnectOptions,
) -> Result<Connected, ConnectError> {
    let socket = match options.socket {
        Some(socket) => Ok(socket),
        None => UdpSocket::bind((unspecified(addr), 0))
            .and_then(|socket| options.runtime.wrap_udp_socket(socket)),
    };
    let socket = socket.map_err(ConnectError::Socket)?;
    let webtransport = url.is_webtransport().then(|| RequestTarget {
        authority: url.authority().to_owned(),
        path: url.absolute_path(),
    });
    let session = Config {
        path: Some(url.path().to_owned()),
        authority: Some(url.authority().to_owned()),
        ..options.session
    };
    let client = ClientOptions {
        addr,
        server_name: options.server_name.unwrap_or_else(|| url.host().to_owned()),
        tls: options.tls,
        drafts: options.drafts,
        webtransport,
        session,
    };
    let mut driver = Driver::connect(options.runtime, socket, &options.limits, client)?;
    match poll_fn(|cx| driver.poll_event(cx))
        .await
        .map_err(ConnectError::Socket)?
    {
        ConnectionEvent::Connected { draft, remote, .. } => Ok(Connected {
            driver,
            draft,
            remote,
        }),
        ConnectionEvent::Closed { reason } => Err(ConnectError::Closed(reason)),
        ConnectionEvent::Session(_) => unreachable!("the connection comes before its session"),
    }
}

pub(super) fn unspecified(addr: SocketAddr) -> IpAddr {
    match addr {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_alternate_from_the_one_the_system_prefers() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let v6 = ["[::1]:1", "[::2]:1", "[::3]:1"].map(address);
        let v4 = [address("1.1.1.1:1")];
        let given = [v6[0], v6[1], v6[2], v4[0]];
        assert_eq!(alternate(&given), [v6[0], v4[0], v6[1], v6[2]]);
        assert_eq!(alternate(&v4), v4);
        assert_eq!(alternate(&[]), []);
    }
}
