use std::sync::Arc;

use parvis_token::Verifier;

/// Who may do what.
#[derive(Debug, Clone)]
pub(crate) enum Gate {
    /// Everybody everything: for development, on this machine only.
    Open,
    /// Who has a token, what it grants.
    Tokens(Arc<Verifier>),
}
