//! The relay and the authority, each a process.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use parvis::Trust;
use parvis_authority::{Authority, AuthorityOptions, RelayControl};
use parvis_relay::{Config, Relay};
use parvis_store::Store;
use parvis_token::Signer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, stdin};

const SECRET: &str = "the secret of this relay's control";

/// The key of all tokens.
pub fn signer() -> Signer {
    Signer::from_seed(&[5; 32])
}

/// Runs until the standard input ends.
pub async fn relay(folder: &Path) -> anyhow::Result<()> {
    let keys = folder.join("keys.json");
    fs::write(&keys, signer().key_set())?;
    let secret = folder.join("secret");
    fs::write(&secret, SECRET)?;
    let any: SocketAddr = "127.0.0.1:0".parse()?;
    let relay = Relay::start(Config {
        listen: any,
        auth_keys: Some(keys.display().to_string()),
        auth_publish_under: vec!["parvis.control/out".to_owned()],
        control: Some(any),
        control_secret: Some(secret),
        max_attempts: 10_000,
        max_half_open: 10_000,
        log: "warn".to_owned(),
        ..Config::default()
    })?;
    let about = json!({
        "url": format!("moqt://{}", relay.local_addr()),
        "fingerprint": relay.fingerprint().to_string(),
        "control": relay.control_addr().map(|address| address.to_string()),
    });
    println!("{about}");
    until_end().await
}

/// Runs until the standard input ends.
pub async fn authority(folder: &Path, relay: &str) -> anyhow::Result<()> {
    let about: Value = serde_json::from_str(relay)?;
    let text = |field: &str| about[field].as_str().unwrap_or_default().to_owned();
    let store = Store::sqlite(&folder.join("parvis.db")).await?;
    let control = RelayControl::new(text("control").parse()?, SECRET);
    let authority = Authority::start(AuthorityOptions {
        trust: Trust::Fingerprint(text("fingerprint")),
        ..AuthorityOptions::new(text("url"), control, Arc::new(signer()), store)
    })
    .await?;
    println!("{}", json!({}));
    until_end().await?;
    authority.close().await;
    Ok(())
}

async fn until_end() -> anyhow::Result<()> {
    let mut nothing = Vec::new();
    stdin().read_to_end(&mut nothing).await?;
    Ok(())
}
