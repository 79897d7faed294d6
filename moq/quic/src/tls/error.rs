use thiserror::Error;

/// Why a certificate, a key or a fingerprint cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsError {
    /// The PEM text does not parse.
    #[error("malformed PEM: {0}")]
    MalformedPem(String),
    /// The PEM text has no CERTIFICATE section.
    #[error("no certificate in the PEM text")]
    NoCertificate,
    /// The PEM text has no PRIVATE KEY section.
    #[error("no private key in the PEM text")]
    NoPrivateKey,
    /// The private key is of a kind that is not supported, or is damaged.
    #[error("the private key cannot be used: {0}")]
    UnusableKey(String),
    /// A certificate is damaged, or no CA certificate.
    #[error("a certificate cannot be used: {0}")]
    UnusableCertificate(String),
    /// The private key belongs to another certificate.
    #[error("the private key does not belong to the first certificate")]
    KeyMismatch,
    /// A name that a certificate cannot bear.
    #[error("`{0}` is not a server name")]
    InvalidName(String),
    /// A fingerprint that is not 64 hexadecimal digits; colons are allowed.
    #[error("`{0}` is not a SHA-256 fingerprint: 64 hexadecimal digits expected")]
    InvalidFingerprint(String),
}
