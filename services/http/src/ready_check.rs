use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// Something besides the store without which no meeting is served.
#[derive(Clone)]
pub struct ReadyCheck(Arc<dyn Fn() -> Checking + Send + Sync>);

type Checking = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

impl ReadyCheck {
    /// Asked at each request of `/readyz`; an error is a sentence that says what is wrong.
    pub fn new<F, Checked>(check: F) -> Self
    where
        F: Fn() -> Checked + Send + Sync + 'static,
        Checked: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(check())))
    }

    pub(crate) async fn check(&self) -> Result<(), String> {
        (self.0)().await
    }
}

impl fmt::Debug for ReadyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadyCheck")
    }
}
