use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use parvis_token::Signer;
use url::Url;

use crate::Provider;

/// What the HTTP service is told.
#[derive(Clone)]
pub struct Config {
    /// Where people reach it, as in `https://meet.example`: links to rooms begin so.
    pub site: Url,
    /// Where tickets lead at first.
    pub relay: RelayAddress,
    /// What signs the tokens of tickets; the relay has its public half.
    pub signer: Arc<Signer>,
    /// Who the tokens say that issued them, if the relay asks.
    pub issuer: Option<String>,
    /// For whom the tokens say that they are, if the relay asks.
    pub audience: Option<String>,
    /// How long a ticket is good for connecting and for coming back as the same participant.
    pub ticket: Duration,
    /// How long a sign-in lasts.
    pub login: Duration,
    /// Who may make a local account.
    pub sign_up: SignUp,
    /// The OpenID Connect provider; with one there are no local accounts.
    pub provider: Option<Provider>,
    /// The mail server; without one nothing is sent, and codes go to the operator.
    pub mail: Option<MailServer>,
    /// Where codes go without a mail server.
    pub operator: Operator,
    /// The language of e-mail for rooms that name none.
    pub language: Language,
    /// The limits of what somebody who is not trusted can ask for.
    pub limits: Limits,
    /// Whether the address of a client is the last one in `X-Forwarded-For`, as a reverse proxy writes it.
    pub behind_proxy: bool,
    /// Certificate chain and key, PEM; without them the service listens on loopback only.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// The relay that tickets lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayAddress {
    /// As in `moqt://relay.example:443`.
    pub url: String,
    /// The SHA-256 of its certificate, if no public authority signed it.
    pub fingerprint: Option<String>,
}

/// Who may make a local account, with an address that they prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignUp {
    /// Whoever has an address.
    #[default]
    Open,
    /// Whoever has one of a domain that is bound to an organisation.
    Domains,
    /// Nobody; whoever has one can change its passphrase.
    Closed,
}

/// A mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct MailServer {
    /// `smtps://USER:PASSWORD@HOST`, `smtp://HOST:PORT?tls=required`, or `smtp://localhost` without TLS.
    pub url: String,
    /// Who the mail is from, as in `Parvis <parvis@meet.example>`.
    pub from: String,
    /// How long after a first failure it is tried again; then it is four times longer each time.
    pub retry: Duration,
}

/// A language of e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    English,
    /// French.
    #[default]
    French,
}

/// Tells the operator something, as on the terminal.
#[derive(Clone)]
pub struct Operator(Arc<dyn Fn(&str) + Send + Sync>);

/// What somebody who is not trusted can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one address: at once after a pause, and each minute.
    pub requests: Rate,
    /// Tickets of one address.
    pub joins: Rate,
    /// Attempts to sign in, to one account, and from one address.
    pub sign_ins: Rate,
    /// Codes: to one e-mail address, and from one address; requests that send invitations, of one account.
    pub mails: Rate,
    /// Rooms that an account or an application makes.
    pub rooms: Rate,
    /// Requests that are being answered.
    pub concurrent: usize,
    /// Connections.
    pub connections: usize,
    /// How long the head of a request may take.
    pub head: Duration,
    /// How long a request may take in all.
    pub request: Duration,
    /// How many bytes a request's body has.
    pub body: usize,
}

/// So many at once after a pause, and so many each minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// Each minute.
    pub per_minute: u32,
}

impl Config {
    /// The defaults, for a site and a relay.
    pub fn new(site: Url, relay: RelayAddress, signer: Arc<Signer>) -> Self {
        Self {
            site,
            relay,
            signer,
            issuer: None,
            audience: None,
            ticket: Duration::from_hours(12),
            login: Duration::from_hours(12),
            sign_up: SignUp::default(),
            provider: None,
            mail: None,
            operator: Operator::stderr(),
            language: Language::default(),
            limits: Limits::default(),
            behind_proxy: false,
            certificate: None,
        }
    }

    /// The link to a path of the site.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}/{path}", self.site.as_str().trim_end_matches('/'))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: Rate::new(200, 600),
            joins: Rate::new(60, 120),
            sign_ins: Rate::new(10, 5),
            mails: Rate::new(20, 10),
            rooms: Rate::new(60, 60),
            concurrent: 512,
            connections: 4096,
            head: Duration::from_secs(10),
            request: Duration::from_secs(30),
            body: 64 * 1024,
        }
    }
}

impl Rate {
    /// So many at once after a pause, and so many each minute.
    pub const fn new(burst: u32, per_minute: u32) -> Self {
        Self { burst, per_minute }
    }
}

impl Operator {
    /// Whatever is told goes there.
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Standard error.
    pub fn stderr() -> Self {
        Self::new(|text| eprintln!("{text}"))
    }

    /// Tells it.
    pub fn tell(&self, text: &str) {
        (self.0)(text);
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Operator")
    }
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL has a password.
        f.debug_struct("MailServer")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("site", &self.site.as_str())
            .field("relay", &self.relay)
            .field("mail", &self.mail)
            .finish_non_exhaustive()
    }
}
