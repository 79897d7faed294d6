use std::{
    error::Error,
    fmt, fs,
    future::{self, Future},
    path::PathBuf,
    pin::Pin,
    sync::Arc,
};

use crate::ConnectError;

type BoxError = Box<dyn Error + Send + Sync>;
type Asked = Pin<Box<dyn Future<Output = Result<Pass, NoPass>> + Send>>;

/// Where the token comes from that lets a participant into a relay. It is asked at each connect.
///
/// ```
/// use parvis::TokenSource;
///
/// let asked = TokenSource::new(|| async {
///     // Here an app asks its own server.
///     Ok("eyJhbGciOiJFZERTQSJ9…".to_owned())
/// });
/// ```
#[derive(Clone)]
pub struct TokenSource {
    ask: Arc<dyn Fn(Wanted) -> Asked + Send + Sync>,
    renews: bool,
}

/// What is asked of a [`TokenSource`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One that should be good.
    Any,
    /// Another one: the relay does not accept the last.
    Another,
    /// Where the relay is: it is not there, or not the one that was expected.
    Elsewhere,
}

/// What is shown to a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pass {
    pub token: String,
    /// Where the relay is by now; `None`: where it was.
    pub relay: Option<String>,
}

/// Why there is no [`Pass`].
#[derive(Debug)]
pub(crate) struct NoPass {
    pub reason: String,
    /// Whether there is none later either.
    pub is_final: bool,
}

impl TokenSource {
    /// Asks this for a token.
    pub fn new<F, Asked>(ask: F) -> Self
    where
        F: Fn() -> Asked + Send + Sync + 'static,
        Asked: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        let ask = move |_| -> self::Asked {
            let asking = ask();
            Box::pin(async move {
                let token = asking.await?;
                Ok(Pass { token, relay: None })
            })
        };
        Self {
            ask: Arc::new(ask),
            renews: false,
        }
    }

    /// Asks this, which knows how to get another token for one that is refused.
    pub(crate) fn renewing<F, Asked>(ask: F) -> Self
    where
        F: Fn(Wanted) -> Asked + Send + Sync + 'static,
        Asked: Future<Output = Result<Pass, NoPass>> + Send + 'static,
    {
        Self {
            ask: Arc::new(move |wanted| Box::pin(ask(wanted))),
            renews: true,
        }
    }

    /// Always the same token.
    pub fn fixed(token: impl Into<String>) -> Self {
        let token = token.into();
        Self::new(move || future::ready(Ok(token.clone())))
    }

    /// What is in this file at the time.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::new(move || {
            let read = fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}", path.display()).into());
            future::ready(read)
        })
    }

    /// Whether it matters what is wanted.
    pub(crate) const fn renews(&self) -> bool {
        self.renews
    }

    /// A token, without blanks around it.
    pub(crate) async fn pass(&self, wanted: Wanted) -> Result<Pass, NoPass> {
        let pass = (self.ask)(wanted).await?;
        let token = pass.token.trim();
        if token.is_empty() {
            return Err(NoPass::for_now("the token is empty"));
        }
        let token = token.to_owned();
        Ok(Pass { token, ..pass })
    }
}

impl NoPass {
    /// There may be one later.
    pub(crate) fn for_now(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_final: false,
        }
    }

    /// There is none any more.
    pub(crate) fn for_good(reason: impl Into<String>) -> Self {
        Self {
            is_final: true,
            ..Self::for_now(reason)
        }
    }
}

impl From<NoPass> for ConnectError {
    fn from(none: NoPass) -> Self {
        if none.is_final {
            Self::NotLetIn(none.reason)
        } else {
            Self::NoToken(none.reason)
        }
    }
}

impl From<BoxError> for NoPass {
    fn from(error: BoxError) -> Self {
        Self::for_now(error.to_string())
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}
