//! Keys and tokens, for operators and tests.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use parvis_token::{Action, Claims, Grant, Signer, UnixTime};
use ring::rand::{self, SystemRandom};
use serde_json::json;

use crate::{
    cli::{KeyArgs, KeySetArgs, SignArgs, TokenArgs, TokenCommand},
    output::Output,
};

/// Makes a key, shows its public half, or signs a token.
pub fn run(args: &TokenArgs, output: &Output) -> anyhow::Result<()> {
    match &args.command {
        TokenCommand::Key(args) => key(args, output),
        TokenCommand::KeySet(args) => key_set(args, output),
        TokenCommand::Sign(args) => sign(args, output),
    }
}

fn key(args: &KeyArgs, output: &Output) -> anyhow::Result<()> {
    let signer = Signer::from_seed(&random()?);
    // Never over a key that is in use; for its owner's eyes only.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.out)
        .with_context(|| format!("cannot make the key file {}", args.out.display()))?;
    writeln!(file, "{}", signer.private_jwk())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    let id = signer.key_id();
    output.event(
        "key",
        &format!(
            "{}: private key {id}; keep it secret.\nIts public half, for the relay: parvis token key-set {}",
            args.out.display(),
            args.out.display()
        ),
        &json!({ "out": args.out, "kid": id }),
    );
    Ok(())
}

fn key_set(args: &KeySetArgs, output: &Output) -> anyhow::Result<()> {
    let signers = args.keys.iter().map(|path| read_key(path));
    let signers = signers.collect::<anyhow::Result<Vec<_>>>()?;
    let text = Signer::key_set_of(&signers);
    let ids: Vec<&str> = signers.iter().map(Signer::key_id).collect();
    let Some(out) = &args.out else {
        output.event("key-set", &text, &json!({ "key_set": text, "kids": ids }));
        return Ok(());
    };
    replace(out, &text).with_context(|| format!("cannot write {}", out.display()))?;
    output.event(
        "key-set",
        &format!("{}: public keys {}", out.display(), ids.join(", ")),
        &json!({ "out": out, "kids": ids }),
    );
    Ok(())
}

fn sign(args: &SignArgs, output: &Output) -> anyhow::Result<()> {
    let signer = read_key(&args.key)?;
    let mut grants = args.grants.clone();
    if let Some(room) = &args.room {
        let look = [Action::Subscribe, Action::Discover];
        grants.push(Grant::prefix(look, room.namespace())?);
        if let Some(name) = &args.name {
            let own = room.participant_namespace(name);
            grants.push(Grant::exact([Action::Publish], own)?);
        }
    }
    if grants.is_empty() && !args.relay {
        bail!("the token would grant nothing: give a --room, a --grant or --relay");
    }
    let subject = args.subject.clone();
    let subject = subject.or_else(|| args.name.as_ref().map(|name| name.as_str().to_owned()));
    let Some(subject) = subject else {
        bail!("whose token is it? Give a --name, or a --subject for an observer");
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let now = UnixTime(now.as_secs());
    let claims = Claims {
        issuer: args.issuer.clone(),
        audience: args.audience.clone(),
        issued_at: Some(now),
        id: Some(format!("{:032x}", u128::from_be_bytes(random()?))),
        grants,
        relay: args.relay,
        ..Claims::new(subject, now.plus(args.valid.as_secs()))
    };
    let token = signer.sign(&claims)?;
    if let Some(out) = &args.out {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(out)
            .with_context(|| format!("cannot make the token file {}", out.display()))?;
        writeln!(file, "{token}").with_context(|| format!("cannot write {}", out.display()))?;
        let text = format!(
            "{}: token {} of {}",
            out.display(),
            claims.id.as_deref().unwrap_or_default(),
            claims.subject
        );
        output.event("token", &text, &json!({ "out": out, "claims": claims }));
    } else {
        let fields = json!({ "token": token, "claims": claims });
        output.event("token", &token, &fields);
    }
    Ok(())
}

fn read_key(path: &Path) -> anyhow::Result<Signer> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the key {}", path.display()))?;
    Signer::from_private_jwk(&text).with_context(|| format!("cannot use {}", path.display()))
}

/// Writes a file at once: a relay that reads it meanwhile sees the old text or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

pub(crate) fn random<const N: usize>() -> anyhow::Result<[u8; N]>
where
    [u8; N]: rand::RandomlyConstructable,
{
    let bytes = rand::generate(&SystemRandom::new());
    Ok(bytes
        .map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?
        .expose())
}
