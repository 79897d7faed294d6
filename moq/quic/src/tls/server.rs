use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use quinn_proto::{TransportConfig, crypto::rustls::QuicServerConfig};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    InconsistentKeys,
    pki_types::{
        CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer,
        pem::{self, PemObject},
    },
    sign::{CertifiedKey, SingleCertAndKey},
};

use super::{Fingerprint, TlsError, alpn, provider};

/// How long browsers accept a self-signed certificate.
const VALIDITY: Duration = Duration::from_hours(13 * 24);
/// How far the clocks of clients may be behind.
const CLOCK_SKEW: Duration = Duration::from_hours(1);
/// Packets of a client that come before its attempt is decided on: decided at once, so few.
const INCOMING_BUFFER: u64 = 16 * 1024;

/// The certificate and key that a server shows.
#[derive(Clone)]
pub struct ServerTls {
    key: Arc<CertifiedKey>,
    configure: Configure,
}

/// By a pointer, so that only programs that make a `ServerTls` have the server's half of TLS in them.
type Configure = fn(&ServerTls, &[&[u8]], Arc<TransportConfig>) -> Arc<quinn_proto::ServerConfig>;

impl ServerTls {
    /// Reads a certificate chain, the server's own certificate first, and its private key
    /// (PKCS #8, PKCS #1 or SEC 1).
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| TlsError::MalformedPem(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError::NoPrivateKey,
            error => TlsError::MalformedPem(error.to_string()),
        })?;
        Self::new(chain, &key)
    }

    /// Makes a key and a certificate for it, and returns the fingerprint by which clients can
    /// trust it: ours for ever, browsers (`serverCertificateHashes`, which wants ECDSA on P-256
    /// and two weeks at most) for 13 days.
    ///
    /// names: host names or IP addresses.
    pub fn self_signed(names: &[&str]) -> Result<(Self, Fingerprint), TlsError> {
        let invalid = || TlsError::InvalidName(names.join(", "));
        let names = names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>();
        if names.is_empty() {
            return Err(invalid());
        }
        let made = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256);
        let key = made.map_err(|error| TlsError::UnusableKey(error.to_string()))?;
        let mut certificate = CertificateParams::new(names).map_err(|_| invalid())?;
        let now = SystemTime::now();
        certificate.not_before = (now - CLOCK_SKEW).into();
        certificate.not_after = (now + VALIDITY).into();
        let certificate = certificate.self_signed(&key).map_err(|_| invalid())?;
        let certificate = certificate.der().clone();
        let fingerprint = Fingerprint::of(&certificate);
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((Self::new(vec![certificate], &key.into())?, fingerprint))
    }

    /// The fingerprint of the server's own certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.key.cert[0])
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'_>) -> Result<Self, TlsError> {
        if chain.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        let key = rustls::crypto::ring::sign::any_supported_type(key)
            .map_err(|error| TlsError::UnusableKey(error.to_string()))?;
        let key = CertifiedKey::new(chain, key);
        match key.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => return Err(TlsError::KeyMismatch),
            Err(error) => return Err(TlsError::UnusableCertificate(error.to_string())),
        }
        Ok(Self {
            key: Arc::new(key),
            configure: Self::configure,
        })
    }

    pub(crate) fn quic(
        &self,
        protocols: &[&[u8]],
        transport: Arc<TransportConfig>,
    ) -> Arc<quinn_proto::ServerConfig> {
        (self.configure)(self, protocols, transport)
    }

    fn configure(
        &self,
        protocols: &[&[u8]],
        transport: Arc<TransportConfig>,
    ) -> Arc<quinn_proto::ServerConfig> {
        let mut tls = rustls::ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("ring has TLS 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(self.key.clone())));
        tls.alpn_protocols = alpn(protocols);
        // The clients of a relay stay for hours: nothing is gained by tickets.
        tls.send_tls13_tickets = 0;
        let quic = QuicServerConfig::try_from(tls).expect("ring has the cipher of Initial packets");
        let mut config = quinn_proto::ServerConfig::with_crypto(Arc::new(quic));
        config
            .transport_config(transport)
            .max_incoming(1024)
            .incoming_buffer_size(INCOMING_BUFFER)
            .incoming_buffer_size_total(64 * INCOMING_BUFFER);
        Arc::new(config)
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerTls")
            .field(&self.fingerprint().to_string())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `serverCertificateHashes` of the WebTransport API wants.
    #[test]
    fn a_self_signed_certificate_is_one_that_browsers_accept_by_its_hash() {
        const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let (tls, _) = ServerTls::self_signed(&["localhost", "127.0.0.1"]).unwrap();
        let der = &tls.key.cert[0];
        assert!(der.windows(10).any(|bytes| bytes == P256), "{der:x?}");
        // UTCTime, as in 261126134500Z.
        let times: Vec<u64> = der
            .windows(15)
            .filter(|bytes| bytes[..2] == [0x17, 13] && bytes[14] == b'Z')
            .map(|bytes| minutes(std::str::from_utf8(&bytes[2..14]).unwrap()))
            .collect();
        let [from, until] = times[..] else {
            panic!("{times:?}")
        };
        assert_eq!(until - from, (13 * 24 + 1) * 60);
    }

    /// Minutes since the beginning of the century.
    fn minutes(time: &str) -> u64 {
        let number = |at: usize| time[at..at + 2].parse::<u64>().unwrap();
        let [year, month, day] = [number(0), number(2), number(4)];
        // Days of the civil calendar, counted from March on, so that leap days come last.
        let (year, month) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let days = year * 365 + year / 4 + (month * 153 + 2) / 5 + day;
        (days * 24 + number(6)) * 60 + number(8)
    }
}
