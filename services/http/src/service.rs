use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use axum::Router;
use axum_server::{
    Handle,
    accept::{Accept, DefaultAcceptor},
    tls_rustls::RustlsAcceptor,
};
use hyper_util::rt::TokioTimer;
use parvis_meeting::AccountId;
use parvis_store::{NewAccount, Secret, Store, StoreError};
use thiserror::Error;
use tokio::{sync::watch, task::JoinSet};

use crate::{
    ApiError, Config, MailServerError, Provider, ReadyCheck, RelayAddress,
    app::{App, audit},
    certificate::Certificate,
    connections::Bounded,
    mail, openapi,
    postman::Postman,
    provider::check_issuer,
};

/// How often what is kept no longer is taken away.
const PURGE: Duration = Duration::from_secs(10);

/// The HTTP service of meetings.
#[derive(Debug)]
pub struct Service {
    app: App,
    postman: Option<Postman>,
    tls: Option<Certificate>,
}

/// Why the service does not start: one line that says what to change.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// Whoever is on the way could read passphrases.
    #[error("{0} is not on loopback: give a certificate, or let a proxy with one stand before it")]
    Exposed(SocketAddr),
    /// A file of the certificate cannot be used.
    #[error("cannot use {}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The provider cannot be used.
    #[error("the provider {issuer} cannot be used: {reason}")]
    Provider {
        /// Its issuer.
        issuer: String,
        /// Why.
        reason: &'static str,
    },
    /// The mail server cannot be used.
    #[error(transparent)]
    Mail(#[from] MailServerError),
    /// The socket cannot be used.
    #[error("cannot serve HTTP: {0}")]
    Socket(#[from] io::Error),
}

/// Why there is no first administrator.
#[derive(Debug, Error)]
pub enum AdministratorError {
    /// The address or the name is none.
    #[error("the first administrator has an e-mail address and a name of 1 to 50 characters")]
    Malformed,
    /// The passphrase cannot be hashed.
    #[error("the passphrase cannot be hashed")]
    NoHash,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The account that manages a new service.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstAdministrator {
    /// The account.
    pub id: AccountId,
    /// Its address.
    pub email: String,
    /// Its passphrase, to be shown to the operator once.
    pub passphrase: String,
}

impl std::fmt::Debug for FirstAdministrator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstAdministrator")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

impl Service {
    /// A service over that store; it does nothing before it is [started](Self::start).
    pub fn new(store: Store, config: Config) -> Result<Self, ServiceError> {
        let postman = config.mail.as_ref().map(Postman::new).transpose()?;
        if let Some(Provider { issuer, .. }) = &config.provider {
            check_issuer(issuer).map_err(|reason| ServiceError::Provider {
                issuer: issuer.clone(),
                reason,
            })?;
        }
        let tls = match &config.certificate {
            Some((chain, key)) => Some(Certificate::read(chain, key)?),
            None => None,
        };
        Ok(Self {
            app: App::new(store, config),
            postman,
            tls,
        })
    }

    /// With what it needs besides the store, for `/readyz`; the first call counts.
    pub fn with_needs(self, needs: Vec<ReadyCheck>) -> Self {
        self.app.needs.get_or_init(|| needs);
        self
    }

    /// The routes, for whoever serves them otherwise. Mail is sent and old rows are taken away only by a
    /// service that is [started](Self::start).
    pub fn router(&self) -> Router {
        openapi::router(self.app.clone())
    }

    /// Refuses an address at which others could read along, for want of a certificate.
    pub fn may_listen(&self, addr: SocketAddr) -> Result<(), ServiceError> {
        if self.tls.is_none() && !self.app.config.behind_proxy && !addr.ip().is_loopback() {
            return Err(ServiceError::Exposed(addr));
        }
        Ok(())
    }

    /// Asks the provider, and returns what is wrong with it; nobody signs in before it is right.
    pub async fn provider_problem(&self) -> Option<String> {
        self.app.provider.as_ref()?.problem().await
    }

    /// Makes an account that manages the service, with a passphrase of its own, unless there is one, or
    /// people sign in by a provider, which says who manages.
    pub async fn first_administrator(
        &self,
        email: &str,
        name: &str,
    ) -> Result<Option<FirstAdministrator>, AdministratorError> {
        let app = &self.app;
        if app.provider.is_some() || app.store.has_administrator().await? {
            return Ok(None);
        }
        let malformed = |_: ApiError| AdministratorError::Malformed;
        let email = mail::address(email).map_err(malformed)?;
        let name = parvis_meeting::display_name(name).map_err(|_| AdministratorError::Malformed)?;
        let passphrase = Secret::random("")?.reveal()[..24].to_owned();
        let hash = app.hasher.hash(passphrase.clone()).await;
        let hash = hash.map_err(|_| AdministratorError::NoHash)?;
        let now = app.now();
        let new = NewAccount {
            administrator: true,
            ..NewAccount::local(&email, &name)
        };
        let entry = |id: &AccountId| {
            let details = serde_json::json!({ "account": id });
            audit(now, "operator", "create_administrator", &details)
        };
        // At once: an administrator without a passphrase would be one that nobody can be.
        let made = app
            .store
            .create_local_account(&new, Some(&hash), now, entry);
        let id = made.await?;
        Ok(Some(FirstAdministrator {
            id,
            email,
            passphrase,
        }))
    }

    /// Serves on that socket, sends mail, takes away what is kept no longer; until it is stopped.
    pub fn start(self, listener: TcpListener) -> Result<Running, ServiceError> {
        let addr = listener.local_addr()?;
        self.may_listen(addr)?;
        let config = &self.app.config;
        listener.set_nonblocking(true)?;
        let router = self.router();
        let handle = Handle::new();
        let mut tasks = JoinSet::new();
        let stop = watch::Sender::new(false);
        let (most, head) = (config.limits.connections, config.limits.head);
        if let Some(tls) = &self.tls {
            let acceptor = RustlsAcceptor::new(tls.config()).handshake_timeout(head);
            let acceptor = Bounded::new(acceptor, most);
            tasks.spawn(serve(listener, router, handle.clone(), acceptor, head));
        } else {
            let acceptor = Bounded::new(DefaultAcceptor::new(), most);
            tasks.spawn(serve(listener, router, handle.clone(), acceptor, head));
        }
        if let Some(tls) = self.tls {
            tasks.spawn(tls.watch(stop.subscribe()));
        }
        if let Some(postman) = self.postman {
            tasks.spawn(postman.run(self.app.clone(), stop.subscribe()));
        }
        tasks.spawn(purge(self.app.clone(), stop.subscribe()));
        tracing::info!(%addr, site = %self.app.config.site, "the meeting service listens");
        Ok(Running {
            app: self.app,
            addr,
            handle,
            tasks,
            stop,
        })
    }
}

/// A service that serves. Dropping it ends it at once.
#[derive(Debug)]
pub struct Running {
    app: App,
    addr: SocketAddr,
    handle: Handle<SocketAddr>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Has tickets lead there from now on, such as to a relay with another certificate.
    pub fn set_relay(&self, relay: RelayAddress) {
        self.app.set_relay(relay);
    }

    /// Takes no new connections, lets requests and the mail that is being sent end for that time, then ends.
    pub async fn stop(mut self, grace: Duration) {
        self.stop.send_replace(true);
        self.handle.graceful_shutdown(Some(grace));
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // Whatever has not ended by then is cut off.
        let _ = tokio::time::timeout(grace, ended).await;
        self.tasks.shutdown().await;
    }
}

async fn serve<A>(
    listener: TcpListener,
    router: Router,
    handle: Handle<SocketAddr>,
    acceptor: A,
    head: Duration,
) where
    A: Accept<
            tokio::net::TcpStream,
            axum::middleware::AddExtension<Router, axum::extract::ConnectInfo<SocketAddr>>,
        > + Clone
        + Send
        + Sync
        + 'static,
    A::Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
    A::Service: axum_server::service::SendService<http::Request<hyper::body::Incoming>> + Send,
    A::Future: Send,
{
    let server = match axum_server::from_tcp(listener) {
        Ok(server) => server,
        Err(error) => {
            tracing::error!(%error, "no HTTP");
            return;
        }
    };
    // HTTP/1 only: who says nothing is held to the same time as who says too little.
    let mut server = server.acceptor(acceptor).handle(handle).http1_only();
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Some(head));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = server.serve(service).await {
        tracing::error!(%error, "HTTP ended");
    }
}

async fn purge(app: App, mut stop: watch::Receiver<bool>) {
    let mut clock = tokio::time::interval(PURGE);
    while !*stop.borrow() {
        tokio::select! {
            _ = clock.tick() => {}
            // Gone is stopped, too.
            _ = stop.changed() => break,
        }
        if let Err(error) = app.store.purge(app.now()).await {
            tracing::error!(%error, "what is kept no longer cannot be taken away");
        }
    }
}
