use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use parvis_quic::tls::ServerTls;

use crate::{Config, StartError};

/// The PEM files of a certificate and its key.
#[derive(Debug)]
pub(super) struct Files {
    cert: PathBuf,
    key: PathBuf,
}

/// What tells one version of the files from the next; `None`: a file is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version([Option<(SystemTime, u64)>; 2]);

impl Files {
    pub(super) fn of(config: &Config) -> Option<Self> {
        Some(Self {
            cert: config.cert.clone()?,
            key: config.key.clone()?,
        })
    }

    pub(super) fn read(&self) -> Result<ServerTls, StartError> {
        let chain = read("certificate", &self.cert)?;
        let secret = read("key", &self.key)?;
        ServerTls::from_pem(&chain, &secret).map_err(|source| StartError::Unusable {
            cert: self.cert.clone(),
            key: self.key.clone(),
            source,
        })
    }

    pub(super) fn version(&self) -> Version {
        Version([&self.cert, &self.key].map(|path| stamp(path).ok()))
    }
}

fn stamp(path: &Path) -> io::Result<(SystemTime, u64)> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.modified()?, metadata.len()))
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, StartError> {
    fs::read(path).map_err(|source| StartError::Unreadable {
        what,
        path: path.to_owned(),
        source,
    })
}
