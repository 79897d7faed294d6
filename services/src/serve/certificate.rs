use std::{
    fs,
    net::IpAddr,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};

use super::folder::DataFolder;

/// The certificate that a service makes for its relay and keeps: those who trust it by its fingerprint
/// come back after a restart.
#[derive(Debug)]
pub struct KeptCertificate {
    file: PathBuf,
    names: Vec<String>,
    /// When it ceases to be valid.
    expires: SystemTime,
}

/// Certificate and key in one file: both are replaced in one moment.
const FILE: &str = "relay.pem";
/// The line of the file that says when; certificates are read by nobody here.
const EXPIRES: &str = "Expires: ";
/// How long browsers accept a certificate by its hash is 14 days.
const VALIDITY: Duration = Duration::from_hours(13 * 24);
/// How far the clocks of clients may be behind.
const CLOCK_SKEW: Duration = Duration::from_hours(1);
/// One that is valid for less is replaced; longer than a ticket is good.
const LEAST_LEFT: Duration = Duration::from_hours(2 * 24);

impl KeptCertificate {
    /// The one in the folder; a new one where there is none, or one that is about to expire.
    ///
    /// listen: the relay's address, which it is for beside this machine.
    pub fn open(folder: &DataFolder, listen: IpAddr) -> anyhow::Result<Self> {
        let mut names = ["localhost", "127.0.0.1", "::1"]
            .map(str::to_owned)
            .to_vec();
        let listen_name = listen.to_string();
        if !listen.is_unspecified() && !names.contains(&listen_name) {
            names.push(listen_name);
        }
        let file = folder.file(FILE);
        let mut kept = Self {
            expires: expiry(&fs::read_to_string(&file).unwrap_or_default()),
            file,
            names,
        };
        if kept.is_due(SystemTime::now()) {
            kept.renew(folder)?;
        }
        Ok(kept)
    }

    /// The file with the certificate and its key, PEM.
    pub fn file(&self) -> PathBuf {
        self.file.clone()
    }

    /// Whether it is time for another one.
    pub fn is_due(&self, now: SystemTime) -> bool {
        self.expires < now + LEAST_LEFT
    }

    /// Makes another one.
    pub fn renew(&mut self, folder: &DataFolder) -> anyhow::Result<()> {
        let now = SystemTime::now();
        let expires = now + VALIDITY;
        let made = make(&self.names, now - CLOCK_SKEW, expires);
        let (certificate, key) = made.context("cannot make a certificate")?;
        let until = humantime::format_rfc3339_seconds(expires);
        folder.write(FILE, &format!("{EXPIRES}{until}\n{certificate}{key}"))?;
        self.expires = expires;
        Ok(())
    }
}

/// Certificate and key, PEM.
fn make(
    names: &[String],
    from: SystemTime,
    until: SystemTime,
) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut certificate = CertificateParams::new(names)?;
    certificate.not_before = from.into();
    certificate.not_after = until.into();
    let certificate = certificate.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// When the certificate in a file of ours expires; of what is none, it has.
fn expiry(text: &str) -> SystemTime {
    let line = text.lines().find_map(|line| line.strip_prefix(EXPIRES));
    let time = line.and_then(|time| humantime::parse_rfc3339(time.trim()).ok());
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_certificate_is_kept_until_it_is_about_to_expire() {
        let folder = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(folder.path()).unwrap();
        let open = || KeptCertificate::open(&folder, Ipv4Addr::LOCALHOST.into()).unwrap();
        let read = |kept: &KeptCertificate| fs::read_to_string(kept.file()).unwrap();
        let first = open();
        let pem = read(&first);
        assert!(pem.contains("BEGIN CERTIFICATE"), "{pem}");
        assert!(pem.contains("PRIVATE KEY"), "{pem}");
        let mode = fs::metadata(first.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(read(&open()), pem, "a restart changes nothing");

        let soon = SystemTime::now() + VALIDITY - LEAST_LEFT;
        assert!(!first.is_due(soon - Duration::from_mins(1)));
        assert!(first.is_due(soon + Duration::from_mins(1)));
        let old = humantime::format_rfc3339_seconds(SystemTime::now() + LEAST_LEFT / 2);
        let rest = pem.split_once('\n').unwrap().1;
        folder
            .write(FILE, &format!("{EXPIRES}{old}\n{rest}"))
            .unwrap();
        let second = read(&open());
        assert_ne!(second, pem);
        assert!(!second.contains(rest));
    }

    #[test]
    fn a_file_that_is_no_certificate_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(folder.path()).unwrap();
        folder.write(FILE, "half of a").unwrap();
        let kept = KeptCertificate::open(&folder, Ipv4Addr::UNSPECIFIED.into()).unwrap();
        assert!(fs::read_to_string(kept.file()).unwrap().contains("BEGIN"));
    }
}
