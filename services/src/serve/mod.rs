//! Everything that meetings need, on one machine: a relay, the authority of its rooms, the HTTP service.

mod args;
mod folder;
mod readiness;
#[cfg(test)]
mod tests;

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use parvis::Trust;
use parvis_authority::{Authority, AuthorityOptions, RelayControl};
use parvis_http::{
    Config, FirstAdministrator, MailServer, Operator, Provider, RelayAddress, Service,
};
use parvis_meeting::tracks;
use parvis_relay::{CertificateReload, Relay, RelayError, Stopper};
use parvis_store::Store;
use parvis_token::Signer;
use serde_json::json;
use tokio::task::JoinHandle;
use ureq::http::Uri;

pub use self::args::ServeArgs;
use self::folder::DataFolder;
use crate::{
    output::Output,
    stop::{Hangups, stop},
};

/// How long requests that are being answered may take when the service is stopped.
const GRACE: Duration = Duration::from_secs(2);
/// How long mail is kept back after it could not be sent.
const MAIL_RETRY: Duration = Duration::from_secs(30);

/// A relay and the services of its meetings, in this process.
#[derive(Debug)]
pub struct Serving {
    /// Where people reach it.
    pub site: String,
    /// Where clients reach the relay.
    pub relay_url: String,
    /// The account that was made because there was none that manages the service.
    pub administrator: Option<FirstAdministrator>,
    /// The SHA-256 of the certificate that the relay showed at the start.
    pub fingerprint: String,
    certificate: CertificateReload,
    stopper: Stopper,
    relay: JoinHandle<Result<(), RelayError>>,
    http: parvis_http::Running,
    authority: Authority,
    store: Store,
    drain: Duration,
    /// Nobody else has the folder as long as this lives.
    _folder: DataFolder,
}

/// Serves meetings until it is told to stop.
pub async fn run(args: ServeArgs, output: &Output) -> anyhow::Result<()> {
    let mut hangups = Hangups::new()?;
    let mut serving = Serving::start(&args, Operator::stderr()).await?;
    announce(&serving, output);
    let cut_off = serving.authority.closed();
    tokio::pin!(cut_off);
    let stopped = stop(None);
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            () = hangups.next() => {
                serving.certificate.reload_or_warn();
            }
            result = &mut serving.relay => {
                result??;
                bail!("the relay has stopped");
            }
            reason = &mut cut_off => bail!("the authority of rooms is cut off from the relay: {reason}"),
        }
    }
    let drain = humantime::format_duration(serving.drain);
    output.event(
        "draining",
        &format!("Sessions have {drain} to move away; Ctrl-C again ends them"),
        &json!({ "drain_ms": serving.drain.as_millis() }),
    );
    serving.stop().await
}

fn announce(serving: &Serving, output: &Output) {
    let Serving {
        site, relay_url, ..
    } = serving;
    output.event(
        "serving",
        &format!("Meetings at {site}, relay at {relay_url}"),
        &json!({ "site": site, "relay": relay_url, "fingerprint": serving.fingerprint }),
    );
    if let Some(administrator) = &serving.administrator {
        let (email, passphrase) = (&administrator.email, &administrator.passphrase);
        output.event(
            "administrator",
            &format!(
                "First administrator: {email}, passphrase {passphrase} (shown this once)\n\
                 Try: parvis login --site {site} --email {email}; parvis room create"
            ),
            &json!({ "email": email, "passphrase": passphrase }),
        );
    }
}

impl Serving {
    /// Starts everything; an error says what to change, and nothing is left of the rest.
    pub async fn start(args: &ServeArgs, operator: Operator) -> anyhow::Result<Self> {
        if let Some(url) = &args.relay_url {
            check_relay_url(url)?;
        }
        let folder = DataFolder::open(&args.data)?;
        let signer = Arc::new(folder.signer()?);
        let store = match &args.database {
            Some(url) => Store::open(url).await,
            None => Store::sqlite(&folder.file("parvis.db")).await,
        };
        let store = store.context("cannot open the database")?;
        let secret = folder.control_secret()?;
        let relay = Relay::start(relay_config(args, &folder, secret.clone()))
            .context("cannot start the relay")?;
        let listener = TcpListener::bind(args.listen)
            .with_context(|| format!("cannot listen at {}", args.listen))?;
        let site = args.site.clone().unwrap_or_else(|| {
            let scheme = if args.cert.is_some() { "https" } else { "http" };
            format!(
                "{scheme}://{}",
                here(listener.local_addr().unwrap_or(args.listen))
            )
        });
        let fingerprint = relay.fingerprint().to_string();
        let relay_url = args
            .relay_url
            .clone()
            .unwrap_or_else(|| format!("moqt://{}", here(relay.local_addr())));
        let address = RelayAddress {
            url: relay_url.clone(),
            // A certificate of a file is trusted by its authority, and may be renewed.
            fingerprint: args.cert.is_none().then(|| fingerprint.clone()),
        };
        let service = Service::new(
            store.clone(),
            http_config(args, &site, address, &signer, operator.clone())?,
        )?;
        service.may_listen(listener.local_addr().unwrap_or(args.listen))?;
        let control = relay.control_addr().context("the relay takes no orders")?;
        let secret = fs::read_to_string(&secret)
            .with_context(|| format!("cannot read {}", secret.display()))?;
        let options = AuthorityOptions {
            trust: Trust::Fingerprint(fingerprint.clone()),
            ..AuthorityOptions::new(
                format!("moqt://{}", here(relay.local_addr())),
                RelayControl::new(control, secret.trim()),
                signer,
                store.clone(),
            )
        };
        let authority = Authority::start(options)
            .await
            .context("cannot start the authority of rooms")?;
        if let Some(problem) = service.provider_problem().await {
            // It may come back: it is asked again when somebody signs in.
            operator.tell(&format!("Nobody can sign in at present: {problem}"));
        }
        // When nothing else can fail: its passphrase is shown once.
        let administrator = service
            .first_administrator(&args.admin_email, &args.admin_name)
            .await
            .context("cannot make the first administrator")?;
        let pages = relay.http_addr().context("the relay has no pages")?;
        let needs = readiness::needs(pages, authority.connection());
        // Last: whoever gets a ticket is heard.
        let http = service.with_needs(needs).start(listener)?;
        Ok(Self {
            site,
            relay_url,
            administrator,
            fingerprint,
            certificate: relay.certificate_reload(),
            stopper: relay.stopper(),
            relay: tokio::task::spawn_blocking(move || relay.join()),
            http,
            authority,
            store,
            drain: args.drain,
            _folder: folder,
        })
    }

    /// Lets requests end, and sessions move away; returns when nothing of it runs.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.http.stop(GRACE).await;
        // Sessions of rooms go on in the store: who moves to a successor finds them there.
        self.authority.close().await;
        self.stopper.stop(self.drain);
        let result = tokio::select! {
            result = &mut self.relay => result,
            _ = stop(None) => {
                self.stopper.stop(Duration::ZERO);
                self.relay.await
            }
        };
        self.store.close().await;
        result??;
        Ok(())
    }
}

fn relay_config(args: &ServeArgs, folder: &DataFolder, secret: PathBuf) -> parvis_relay::Config {
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    parvis_relay::Config {
        listen: args.relay_listen,
        cert: args.cert.clone(),
        key: args.private_key.clone(),
        auth_keys: Some(folder.keys().display().to_string()),
        auth_publish_under: vec![publish_under()],
        control: Some(own),
        control_secret: Some(secret),
        // Whether it is ready is asked there.
        http: args.metrics.or(Some(own)),
        drain: args.drain,
        ..parvis_relay::Config::default()
    }
}

/// Refuses what leads clients to no relay.
fn check_relay_url(url: &str) -> anyhow::Result<()> {
    let uri: Option<Uri> = url.parse().ok();
    let leads = |uri: Uri| {
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        has_host && matches!(uri.scheme_str(), Some("moqt" | "https"))
    };
    if uri.is_some_and(leads) {
        return Ok(());
    }
    bail!(
        "--relay-url is where clients reach the relay, as in moqt://meet.example, or https:// for WebTransport, got {url:?}"
    )
}

/// Where the authority speaks to everybody, as the relay's option has it.
fn publish_under() -> String {
    let namespace = tracks::outboxes();
    let fields = namespace.fields().iter();
    let fields: Vec<_> = fields.map(|field| String::from_utf8_lossy(field)).collect();
    fields.join("/")
}

fn http_config(
    args: &ServeArgs,
    site: &str,
    relay: RelayAddress,
    signer: &Arc<Signer>,
    operator: Operator,
) -> anyhow::Result<Config> {
    let site = site
        .parse()
        .with_context(|| format!("--site is a URL as in https://meet.example, got {site}"))?;
    let mail = args.mail.clone().zip(args.mail_from.clone());
    let provider = match &args.oidc_issuer {
        Some(issuer) => Some(provider(args, issuer)?),
        None => None,
    };
    Ok(Config {
        ticket: args.ticket,
        sign_up: args.sign_up.into(),
        language: args.language.into(),
        mail: mail.map(|(url, from)| MailServer {
            url,
            from,
            retry: MAIL_RETRY,
        }),
        provider,
        operator,
        behind_proxy: args.behind_proxy,
        certificate: args.cert.clone().zip(args.private_key.clone()),
        ..Config::new(site, relay, Arc::clone(signer))
    })
}

fn provider(args: &ServeArgs, issuer: &str) -> anyhow::Result<Provider> {
    let secret = args.oidc_client_secret_file.as_ref().map(|file| {
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
    });
    let secret = secret.transpose()?;
    let id = args.oidc_client_id.clone().unwrap_or_default();
    Ok(Provider {
        organisation_claim: args.oidc_organisation_claim.clone(),
        administrators: args.oidc_administrators.clone(),
        ..Provider::new(issuer, &id, secret.as_deref().map(str::trim))
    })
}

/// An address by which this machine reaches a socket of its own.
fn here(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}
