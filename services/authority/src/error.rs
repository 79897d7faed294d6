use parvis::ConnectError;
use parvis_store::StoreError;
use thiserror::Error;

/// Why an authority does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The relay cannot be reached or does not let it in.
    #[error("the authority cannot connect to its relay: {0}")]
    Connect(#[from] ConnectError),
    /// The store does not say which meetings run.
    #[error("the authority cannot read the store: {0}")]
    Store(#[from] StoreError),
    /// It cannot sign a token.
    #[error("the authority cannot sign tokens: {0}")]
    Sign(String),
}
