use std::time::Duration;

use parvis_quic::client::Connection;
use parvis_wire::AuthToken;

use crate::{ConnectError, RoomOptions, connect, token::Wanted};

/// A connection that was made.
pub(super) struct Made {
    pub(super) connection: Connection,
    /// Where the relay is.
    pub(super) url: String,
}

/// Why none was made.
pub(super) struct Failure {
    pub(super) error: ConnectError,
    /// Whether the next attempt ends the same way, and all others.
    pub(super) is_final: bool,
}

/// The first attempt's time; later ones have twice as much each, up to the option's.
const FIRST_ATTEMPT: Duration = Duration::from_secs(1);
/// Attempts of which each asks for another token where the one before was refused.
const EAGER: u32 = 5;
/// Later, and where nobody answers, so many attempts pass before another one is asked for.
const EVERY: u32 = 4;

/// Tries to connect, with what is shown to the relay by now, to where it is by now.
pub(super) async fn attempt(
    target: String,
    options: RoomOptions,
    wanted: Wanted,
    number: u32,
    more_tokens: Vec<AuthToken>,
) -> Result<Made, Failure> {
    let timeout = (FIRST_ATTEMPT * (1 << number.min(8))).min(options.connect_timeout);
    let pass = options.pass(wanted).await.map_err(|none| Failure {
        is_final: none.is_final,
        error: none.into(),
    })?;
    let (token, relay) = match pass {
        Some(pass) => (Some(pass.token), pass.relay),
        None => (None, None),
    };
    // One that was fetched just because it was about to expire does not lead back from elsewhere.
    let relay = relay.filter(|_| wanted != Wanted::Any);
    let url = relay.unwrap_or(target);
    let options = RoomOptions {
        connect_timeout: timeout,
        ..options
    };
    match connect::connect(&url, &options, token, more_tokens).await {
        Ok((connection, _)) => Ok(Made { connection, url }),
        Err(error) => Err(Failure {
            error,
            is_final: false,
        }),
    }
}

impl Failure {
    /// Whether the same relay will not be reached by waiting.
    pub(super) const fn is_hopeless(&self) -> bool {
        !matches!(
            self.error,
            ConnectError::Unreachable { .. }
                | ConnectError::UnknownHost { .. }
                | ConnectError::Closed(_)
                | ConnectError::Socket(_)
                | ConnectError::NoToken(_)
        )
    }

    /// What the attempt of that number asks its token source for.
    pub(super) const fn next(&self, number: u32) -> Wanted {
        let due = number % EVERY == EVERY - 1;
        match self.error {
            ConnectError::NotLetIn(_) if number < EAGER || due => Wanted::Another,
            ConnectError::CertificateRejected { .. } if number < EAGER || due => Wanted::Elsewhere,
            ConnectError::Unreachable { .. } | ConnectError::UnknownHost { .. } if due => {
                Wanted::Elsewhere
            }
            _ => Wanted::Any,
        }
    }
}
