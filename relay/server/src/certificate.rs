use std::{fs, path::Path};

use parvis_quic::tls::{Fingerprint, ServerTls};

use crate::{Config, StartError};

/// The certificate that the configuration names, or one that is made up.
pub(crate) fn load(config: &Config) -> Result<(ServerTls, Fingerprint), StartError> {
    let (Some(cert), Some(key)) = (&config.cert, &config.key) else {
        return self_signed(config);
    };
    let chain = read("certificate", cert)?;
    let secret = read("key", key)?;
    let tls = ServerTls::from_pem(&chain, &secret).map_err(|source| StartError::Unusable {
        cert: cert.clone(),
        key: key.clone(),
        source,
    })?;
    let fingerprint = tls.fingerprint();
    Ok((tls, fingerprint))
}

fn self_signed(config: &Config) -> Result<(ServerTls, Fingerprint), StartError> {
    let ip = config.listen.ip().to_string();
    let mut names = vec!["localhost", "127.0.0.1", "::1"];
    if !config.listen.ip().is_unspecified() && !names.contains(&ip.as_str()) {
        names.push(&ip);
    }
    ServerTls::self_signed(&names).map_err(StartError::SelfSigned)
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, StartError> {
    fs::read(path).map_err(|source| StartError::Unreadable {
        what,
        path: path.to_owned(),
        source,
    })
}
