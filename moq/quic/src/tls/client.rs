use std::{fmt, sync::Arc};

use quinn_proto::{TransportConfig, crypto::rustls::QuicClientConfig};
use rustls::{
    CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use super::{Fingerprint, TlsError, alpn, provider};

/// Which server certificates a client trusts.
#[derive(Clone)]
pub struct ClientTls {
    trust: Trust,
}

#[derive(Clone)]
enum Trust {
    Roots(Arc<RootCertStore>),
    Pinned(Vec<Fingerprint>),
    Anything,
}

impl Default for ClientTls {
    fn default() -> Self {
        Self::public_roots()
    }
}

impl ClientTls {
    /// Trusts what the browsers' certificate authorities vouch for.
    pub fn public_roots() -> Self {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        Self {
            trust: Trust::Roots(Arc::new(roots)),
        }
    }

    /// Trusts what the certificate authorities in a PEM text vouch for, and the public ones.
    pub fn with_roots_pem(pem: &[u8]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate =
                certificate.map_err(|error| TlsError::MalformedPem(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| TlsError::UnusableCertificate(error.to_string()))?;
            found = true;
        }
        if !found {
            return Err(TlsError::NoCertificate);
        }
        Ok(Self {
            trust: Trust::Roots(Arc::new(roots)),
        })
    }

    /// Trusts exactly the certificates with these fingerprints, whatever name or date they bear.
    pub fn pinned(fingerprints: impl IntoIterator<Item = Fingerprint>) -> Self {
        Self {
            trust: Trust::Pinned(fingerprints.into_iter().collect()),
        }
    }

    /// Trusts everybody, an attacker in the middle too. For tests on one machine only.
    pub const fn insecure() -> Self {
        Self {
            trust: Trust::Anything,
        }
    }

    pub(crate) fn quic(
        &self,
        protocols: &[&[u8]],
        transport: Arc<TransportConfig>,
    ) -> quinn_proto::ClientConfig {
        let builder = rustls::ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("ring has TLS 1.3");
        let mut tls = match &self.trust {
            Trust::Roots(roots) => builder.with_root_certificates(roots.clone()),
            trust => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Verifier::new(trust.clone()))),
        }
        .with_no_client_auth();
        tls.alpn_protocols = alpn(protocols);
        let quic = QuicClientConfig::try_from(tls).expect("ring has the cipher of Initial packets");
        let mut config = quinn_proto::ClientConfig::new(Arc::new(quic));
        config.transport_config(transport);
        config
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.trust {
            Trust::Roots(roots) => f.debug_tuple("Roots").field(&roots.len()).finish(),
            Trust::Pinned(pinned) => f.debug_tuple("Pinned").field(pinned).finish(),
            Trust::Anything => f.write_str("Insecure"),
        }
    }
}

#[derive(thiserror::Error)]
#[error("its fingerprint is {0}, not a pinned one")]
struct NotPinned(Fingerprint);

/// rustls shows people the debug form.
impl fmt::Debug for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Checks a certificate by its fingerprint, or not at all, and the handshake's signature always.
#[derive(Debug)]
struct Verifier {
    pinned: Option<Vec<Fingerprint>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(trust: Trust) -> Self {
        let pinned = match trust {
            Trust::Pinned(pinned) => Some(pinned),
            Trust::Roots(_) | Trust::Anything => None,
        };
        Self {
            pinned,
            provider: provider(),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let fingerprint = Fingerprint::of(end_entity);
        if self
            .pinned
            .as_ref()
            .is_none_or(|pinned| pinned.contains(&fingerprint))
        {
            Ok(ServerCertVerified::assertion())
        } else {
            let error = OtherError(Arc::new(NotPinned(fingerprint)));
            Err(CertificateError::Other(error).into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
