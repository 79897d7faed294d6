//! Everything that meetings need, on one machine: a relay, the authority of its rooms, the HTTP service.

mod args;
mod certificate;
mod configs;
mod folder;
mod readiness;
#[cfg(test)]
mod tests;

use std::{
    fs,
    net::TcpListener,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, bail};
use parvis::{Trust, TrustSource};
use parvis_authority::{Authority, AuthorityOptions, RelayControl};
use parvis_http::{FirstAdministrator, Operator, RelayAddress, Service};
use parvis_relay::{CertificateReload, Relay, RelayError, Stopper};
use parvis_store::Store;
use serde_json::json;
use tokio::task::JoinHandle;

pub use self::args::ServeArgs;
use self::{
    certificate::KeptCertificate,
    configs::{here, http_config, relay_config},
    folder::DataFolder,
};
use crate::{
    logs,
    output::Output,
    stop::{Hangups, caught, stop},
};

/// How long requests that are being answered may take when the service is stopped.
const GRACE: Duration = Duration::from_secs(2);
/// How often it is looked whether a certificate of its own is about to expire.
const LOOK: Duration = Duration::from_hours(1);

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
    /// Its own; `None`: the operator gave one.
    kept: Option<KeptCertificate>,
    stopper: Stopper,
    relay: JoinHandle<Result<(), RelayError>>,
    http: parvis_http::Running,
    authority: Authority,
    store: Store,
    drain: Duration,
    /// Nobody else has it as long as this lives.
    folder: DataFolder,
}

/// Serves meetings until it is told to stop.
pub async fn run(args: ServeArgs, output: &Output) -> anyhow::Result<()> {
    let mut hangups = Hangups::new()?;
    let mut serving = Serving::start(&args, logs::operator(args.log_format)).await?;
    let stopped = caught();
    announce(&serving, output);
    let cut_off = serving.authority.closed();
    tokio::pin!(cut_off);
    tokio::pin!(stopped);
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            _ = look.tick() => serving.renew_certificate(SystemTime::now()),
            () = hangups.next() => serving.reload_certificate(),
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
        configs::check(args)?;
        let folder = DataFolder::open(&args.data)?;
        let signer = Arc::new(folder.signer()?);
        let store = match &args.database {
            Some(url) => Store::open(url).await,
            None => Store::sqlite(&folder.database()?).await,
        };
        let store = store.context("cannot open the database")?;
        let secret = folder.control_secret()?;
        let kept = match args.cert {
            Some(_) => None,
            None => Some(KeptCertificate::open(&folder, args.relay_listen.ip())?),
        };
        let reset_key = folder.reset_key()?;
        let relay = relay_config(args, &folder, kept.as_ref(), secret.clone(), reset_key);
        let relay = Relay::start(relay).context("cannot start the relay")?;
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
        let certificate = relay.certificate_reload();
        let options = AuthorityOptions {
            trust: Trust::Asked(TrustSource::new(move || {
                Trust::Fingerprint(certificate.fingerprint().to_string())
            })),
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
            kept,
            stopper: relay.stopper(),
            relay: tokio::task::spawn_blocking(move || relay.join()),
            http,
            authority,
            store,
            drain: args.drain,
            folder,
        })
    }

    /// Makes another certificate in place of its own that is about to expire.
    fn renew_certificate(&mut self, now: SystemTime) {
        let Some(kept) = self.kept.as_mut().filter(|kept| kept.is_due(now)) else {
            return;
        };
        if let Err(error) = kept.renew(&self.folder) {
            tracing::error!(%error, "the relay's certificate is about to expire");
            return;
        }
        self.reload_certificate();
    }

    /// Has the relay read its certificate again; tickets tell of its own one.
    fn reload_certificate(&self) {
        self.certificate.reload_or_warn();
        if self.kept.is_some() {
            self.http.set_relay(RelayAddress {
                url: self.relay_url.clone(),
                fingerprint: Some(self.certificate.fingerprint().to_string()),
            });
        }
    }

    /// Asks sessions to move away, and serves those who stay until the time for that is over; then rooms
    /// are stored. Returns when nothing of it runs.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stopper.stop(self.drain);
        let mut ended = None;
        let left = async {
            tokio::select! {
                () = self.authority.deserted() => {}
                result = &mut self.relay => ended = Some(result),
                _ = stop(None) => self.stopper.stop(Duration::ZERO),
            }
        };
        tokio::join!(left, self.http.stop(GRACE));
        // Sessions of rooms go on in the store: who moves to a successor finds them there.
        self.authority.close().await;
        let result = if let Some(result) = ended {
            result
        } else {
            tokio::select! {
                result = &mut self.relay => result,
                _ = stop(None) => {
                    self.stopper.stop(Duration::ZERO);
                    self.relay.await
                }
            }
        };
        self.store.close().await;
        result??;
        Ok(())
    }
}
