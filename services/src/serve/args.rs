use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use parvis_relay::LogFormat;

/// What `parvis serve` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// The folder of its keys, secrets and database; made at the first start
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "parvis-data",
        env = "PARVIS_DATA"
    )]
    pub data: PathBuf,
    /// The TCP address of the HTTP service
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:8080",
        env = "PARVIS_LISTEN"
    )]
    pub listen: SocketAddr,
    /// Where people reach it, as links to rooms begin [default: http(s)://LISTEN]
    #[arg(long, value_name = "URL", env = "PARVIS_SITE")]
    pub site: Option<String>,
    /// The UDP address of the relay
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:4433",
        env = "PARVIS_RELAY_LISTEN"
    )]
    pub relay_listen: SocketAddr,
    /// Where clients reach the relay [default: moqt://RELAY-LISTEN]
    #[arg(long, value_name = "URL", env = "PARVIS_RELAY_URL")]
    pub relay_url: Option<String>,
    /// The certificate chain of both, PEM; without one the HTTP service is for this machine only, and
    /// the relay shows one of its own, which is kept in the folder
    #[arg(
        long,
        value_name = "FILE",
        requires = "private_key",
        env = "PARVIS_CERT"
    )]
    pub cert: Option<PathBuf>,
    /// The private key of the certificate, PEM
    #[arg(
        long = "key",
        value_name = "FILE",
        requires = "cert",
        env = "PARVIS_KEY"
    )]
    pub private_key: Option<PathBuf>,
    /// A proxy with a certificate stands before the HTTP service
    #[arg(long)]
    pub behind_proxy: bool,
    /// The database [default: sqlite:DATA/parvis.db]
    #[arg(
        long,
        value_name = "URL",
        env = "PARVIS_DATABASE",
        hide_env_values = true
    )]
    pub database: Option<String>,
    /// The address of the account that manages the service, made at the first start
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "admin@localhost.localdomain",
        env = "PARVIS_ADMIN_EMAIL"
    )]
    pub admin_email: String,
    /// How others see that account
    #[arg(long, value_name = "NAME", default_value = "Administrator")]
    pub admin_name: String,
    /// Who may make an account
    #[arg(long, value_enum, default_value_t = SignUpArg::Open)]
    pub sign_up: SignUpArg,
    /// The language of e-mail
    #[arg(long, value_enum, default_value_t = LanguageArg::Fr)]
    pub language: LanguageArg,
    /// The mail server, as in smtps://USER:PASSWORD@HOST; without one codes are shown here
    #[arg(
        long,
        value_name = "URL",
        env = "PARVIS_MAIL",
        hide_env_values = true,
        requires = "mail_from"
    )]
    pub mail: Option<String>,
    /// Who mail is from, as in `Parvis <parvis@meet.example>`
    #[arg(
        long,
        value_name = "MAILBOX",
        env = "PARVIS_MAIL_FROM",
        requires = "mail"
    )]
    pub mail_from: Option<String>,
    /// The issuer of an OpenID Connect provider; there are no local accounts then
    #[arg(
        long,
        value_name = "URL",
        env = "PARVIS_OIDC_ISSUER",
        requires = "oidc_client_id"
    )]
    pub oidc_issuer: Option<String>,
    /// What the provider calls this service
    #[arg(long, value_name = "ID", env = "PARVIS_OIDC_CLIENT_ID")]
    pub oidc_client_id: Option<String>,
    /// A file with the secret between the provider and this service
    #[arg(long, value_name = "FILE", env = "PARVIS_OIDC_CLIENT_SECRET_FILE")]
    pub oidc_client_secret_file: Option<PathBuf>,
    /// What the provider is asked for beside `openid`; several times for several [default: email, profile]
    #[arg(
        long = "oidc-scope",
        value_name = "SCOPE",
        env = "PARVIS_OIDC_SCOPES",
        value_delimiter = ','
    )]
    pub oidc_scopes: Vec<String>,
    /// Take an address though the provider does not say that it was verified; for a provider that does not say so of
    /// any, and hands out none that is not
    #[arg(long, env = "PARVIS_OIDC_TRUST_EMAIL")]
    pub oidc_trust_email: bool,
    /// The claim that names the organisations of a person
    #[arg(long, value_name = "CLAIM", env = "PARVIS_OIDC_ORGANISATION_CLAIM")]
    pub oidc_organisation_claim: Option<String>,
    /// A subject of the provider who manages this service; several times for several
    #[arg(
        long = "oidc-administrator",
        value_name = "SUB",
        env = "PARVIS_OIDC_ADMINISTRATORS",
        value_delimiter = ','
    )]
    pub oidc_administrators: Vec<String>,
    /// How long a ticket is good for coming back as the same participant
    #[arg(long, value_name = "TIME", default_value = "12h", value_parser = humantime::parse_duration)]
    pub ticket: Duration,
    /// How long sessions have to move away when it is stopped
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub drain: Duration,
    /// The TCP address of the relay's metrics and health pages [default: none]
    #[arg(long, value_name = "ADDR", env = "PARVIS_RELAY_HTTP")]
    pub metrics: Option<SocketAddr>,
    /// How standard error is written: `--trace` says what of it
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        env = "PARVIS_LOG_FORMAT"
    )]
    pub log_format: LogFormat,
}

impl ServeArgs {
    /// A service for this machine only, whatever the environment says.
    pub fn local(data: PathBuf, listen: SocketAddr, relay_listen: SocketAddr) -> Self {
        Self {
            data,
            listen,
            site: None,
            relay_listen,
            relay_url: None,
            cert: None,
            private_key: None,
            behind_proxy: false,
            database: None,
            admin_email: "admin@localhost.localdomain".to_owned(),
            admin_name: "Administrator".to_owned(),
            sign_up: SignUpArg::Open,
            language: LanguageArg::Fr,
            mail: None,
            mail_from: None,
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret_file: None,
            oidc_scopes: Vec::new(),
            oidc_trust_email: false,
            oidc_organisation_claim: None,
            oidc_administrators: Vec::new(),
            ticket: Duration::from_hours(12),
            drain: Duration::from_secs(10),
            metrics: None,
            log_format: LogFormat::Text,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  parvis serve
      Meetings on this machine: prints where, and the first administrator's passphrase.
  parvis serve --listen '[::]:443' --relay-listen '[::]:443' --site https://meet.example \\
      --relay-url moqt://meet.example --cert fullchain.pem --key privkey.pem --data /var/lib/parvis
Then:
  parvis login --site http://127.0.0.1:8080 --email admin@localhost.localdomain
  parvis room create
  parvis join LINK --name Zoé";

/// Who may make an account, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SignUpArg {
    /// Whoever has an address
    Open,
    /// Whoever has one of a domain that is bound to an organisation
    Domains,
    /// Nobody; whoever has one can change its passphrase
    Closed,
}

/// A language on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LanguageArg {
    /// English
    En,
    /// French
    Fr,
}

impl From<SignUpArg> for parvis_http::SignUp {
    fn from(arg: SignUpArg) -> Self {
        match arg {
            SignUpArg::Open => Self::Open,
            SignUpArg::Domains => Self::Domains,
            SignUpArg::Closed => Self::Closed,
        }
    }
}

impl From<LanguageArg> for parvis_http::Language {
    fn from(arg: LanguageArg) -> Self {
        match arg {
            LanguageArg::En => Self::English,
            LanguageArg::Fr => Self::French,
        }
    }
}
