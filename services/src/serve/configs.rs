//! What the relay and the HTTP service are told.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use parvis_http::{Config, MailServer, Operator, Provider, RelayAddress};
use parvis_meeting::tracks;
use parvis_token::Signer;
use ureq::http::Uri;

use super::{ServeArgs, certificate::KeptCertificate, folder::DataFolder};

/// How long mail is kept back after it could not be sent.
const MAIL_RETRY: Duration = Duration::from_secs(30);

/// What one participant subscribes to in a full room of 1000: a catalog, a voice and a picture of everybody, and
/// control tracks.
const SUBSCRIPTIONS: usize = 4096;
/// Requests of a session a second: who comes into a full room asks for all of that.
const REQUESTS: u32 = 400;

/// A ticket has to last until it is shown, on a slow path too.
const LEAST_TICKET: Duration = Duration::from_mins(1);

/// kept: the relay's certificate, where the operator gives none.
pub(super) fn relay_config(
    args: &ServeArgs,
    folder: &DataFolder,
    kept: Option<&KeptCertificate>,
    secret: PathBuf,
    reset_key: PathBuf,
) -> parvis_relay::Config {
    let kept = kept.map(KeptCertificate::file);
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    parvis_relay::Config {
        listen: args.relay_listen,
        cert: args.cert.clone().or_else(|| kept.clone()),
        key: args.private_key.clone().or(kept),
        reset_key: Some(reset_key),
        auth_keys: Some(folder.keys().display().to_string()),
        auth_publish_under: vec![publish_under()],
        control: Some(own),
        control_secret: Some(secret),
        // Whether it is ready is asked there.
        http: args.metrics.or(Some(own)),
        max_subscriptions: SUBSCRIPTIONS,
        max_requests: REQUESTS,
        drain: args.drain,
        ..parvis_relay::Config::default()
    }
}

/// Whether a URL names a host, by one of these schemes.
fn leads(url: &str, schemes: &[&str]) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    uri.is_some_and(|uri| {
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        has_host
            && uri
                .scheme_str()
                .is_some_and(|scheme| schemes.contains(&scheme))
    })
}

/// Refuses what leads clients to no relay.
fn check_relay_url(url: &str) -> anyhow::Result<()> {
    if leads(url, &["moqt", "https"]) {
        return Ok(());
    }
    bail!(
        "--relay-url is where clients reach the relay, as in moqt://meet.example, or https:// for WebTransport, got {url:?}"
    )
}

/// Refuses what no link to a room begins with.
fn check_site(site: &str) -> anyhow::Result<()> {
    if leads(site, &["http", "https"]) && !site.contains(['?', '#']) {
        return Ok(());
    }
    bail!(
        "--site is where people reach the service, as in https://meet.example, without a question or a fragment, got {site:?}"
    )
}

/// Refuses, before anything is started, what nobody could meet by.
pub(super) fn check(args: &ServeArgs) -> anyhow::Result<()> {
    if let Some(url) = &args.relay_url {
        check_relay_url(url)?;
    }
    if let Some(site) = &args.site {
        check_site(site)?;
        if args.relay_url.is_none() && args.relay_listen.ip().is_unspecified() && !is_here(site) {
            bail!(
                "--relay-url says where clients reach the relay, as in moqt://meet.example: --relay-listen {} is every address of this machine",
                args.relay_listen
            );
        }
    }
    if args.ticket < LEAST_TICKET {
        let least = humantime::format_duration(LEAST_TICKET);
        let got = humantime::format_duration(args.ticket);
        bail!("--ticket is {least} at least, got {got}");
    }
    Ok(())
}

/// Whether a site is this machine.
fn is_here(site: &str) -> bool {
    let uri: Option<Uri> = site.parse().ok();
    uri.as_ref().and_then(Uri::host).is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// Where the authority speaks to everybody, as the relay's option has it.
fn publish_under() -> String {
    let namespace = tracks::outboxes();
    let fields = namespace.fields().iter();
    let fields: Vec<_> = fields.map(|field| String::from_utf8_lossy(field)).collect();
    fields.join("/")
}

pub(super) fn http_config(
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

pub(super) fn provider(args: &ServeArgs, issuer: &str) -> anyhow::Result<Provider> {
    let secret = args.oidc_client_secret_file.as_ref().map(|file| {
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
    });
    let secret = secret.transpose()?;
    let id = args.oidc_client_id.clone().unwrap_or_default();
    let mut provider = Provider {
        organisation_claim: args.oidc_organisation_claim.clone(),
        administrators: args.oidc_administrators.clone(),
        trust_email: args.oidc_trust_email,
        ..Provider::new(issuer, &id, secret.as_deref().map(str::trim))
    };
    if !args.oidc_scopes.is_empty() {
        provider.scopes.clone_from(&args.oidc_scopes);
    }
    Ok(provider)
}

/// An address by which this machine reaches a socket of its own.
pub(super) fn here(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}
