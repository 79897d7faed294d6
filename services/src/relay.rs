use parvis_relay::{Args, CertificateReload, Relay, Running};
use serde_json::json;

use crate::{
    output::Output,
    stop::{Hangups, caught, stop},
};

/// Runs a relay until it is told to stop.
pub async fn run(args: Args, output: &Output) -> anyhow::Result<()> {
    let config = args.load()?;
    parvis_relay::install_logging(&config)?;
    let drain = config.drain;
    let is_open = config.auth_keys.is_none();
    let mut hangups = Hangups::new()?;
    let running = Relay::start(config)?;
    let stopped = caught();
    announce(&running, is_open, output);
    let stopper = running.stopper();
    let certificate = running.certificate_reload();
    let keys = running.keys_reload();
    let mut over = tokio::task::spawn_blocking(move || running.join());
    tokio::pin!(stopped);
    let result = loop {
        tokio::select! {
            result = &mut over => break result,
            () = hangups.next() => {
                reload(&certificate, output);
                if let Some(keys) = &keys {
                    keys.reload();
                }
            }
            _ = &mut stopped => {
                output.event(
                    "draining",
                    &format!("Sessions have {} to move away; Ctrl-C again ends them", humantime::format_duration(drain)),
                    &json!({ "drain_ms": drain.as_millis() }),
                );
                stopper.stop(drain);
                break tokio::select! {
                    result = &mut over => result,
                    _ = stop(None) => {
                        stopper.stop(std::time::Duration::ZERO);
                        over.await
                    }
                };
            }
        }
    };
    result??;
    Ok(())
}

/// Reads the certificate again. Two small files: nothing has to wait noticeably.
fn reload(certificate: &CertificateReload, output: &Output) {
    if let Some(fingerprint) = certificate.reload_or_warn() {
        output.event(
            "certificate",
            &format!("Certificate {fingerprint}"),
            &json!({ "fingerprint": fingerprint.to_string() }),
        );
    }
}

/// is_open: whether nobody needs a token.
fn announce(running: &Running, is_open: bool, output: &Output) {
    let (addr, fingerprint) = (running.local_addr(), running.fingerprint());
    output.event(
        "listening",
        &format!(
            "Relay at moqt://{addr}, certificate {fingerprint}\n\
             {}Try: parvis publish test: --url moqt://{addr} --room r --name zoe --fingerprint {fingerprint}",
            if is_open {
                "WARNING: for development only, on this machine: without --auth-keys everybody may do everything\n"
            } else {
                ""
            }
        ),
        &json!({ "url": format!("moqt://{addr}"), "addr": addr.to_string(), "fingerprint": fingerprint.to_string(), "open": is_open }),
    );
}
