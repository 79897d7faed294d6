use std::{
    error::Error,
    fmt, fs,
    future::{self, Future},
    path::PathBuf,
    pin::Pin,
    sync::Arc,
};

type Asked = Pin<Box<dyn Future<Output = Result<String, Box<dyn Error + Send + Sync>>> + Send>>;

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
pub struct TokenSource(Arc<dyn Fn() -> Asked + Send + Sync>);

impl TokenSource {
    /// Asks this for a token.
    pub fn new<F, Asked>(ask: F) -> Self
    where
        F: Fn() -> Asked + Send + Sync + 'static,
        Asked: Future<Output = Result<String, Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(ask())))
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

    /// A token, without blanks around it.
    pub(crate) async fn token(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        let token = (self.0)().await?;
        let token = token.trim();
        if token.is_empty() {
            return Err("the token is empty".into());
        }
        Ok(token.to_owned())
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}
