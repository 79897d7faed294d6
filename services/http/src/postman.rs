use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor, message::Mailbox, transport::smtp,
};
use parvis_store::{DueMail, StoreError};
use thiserror::Error;
use tokio::sync::watch;

use crate::{MailServer, app::App, mail::Mail};

/// Mail is given up after so many tries: with the usual pauses after three days.
const TRIES: u64 = 8;
/// How long one mail may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a mail is ours alone: longer than a batch takes.
const LEASE: Duration = Duration::from_mins(10);
/// How many mails are taken at once.
const BATCH: u32 = 16;
/// How often the outbox is looked at though nothing rang: others put mail into it, too.
const LOOK: Duration = Duration::from_secs(5);

/// Why no mail can be sent with such a configuration.
#[derive(Debug, Error)]
pub enum MailServerError {
    /// The URL is none of a mail server.
    #[error("the mail server is smtps://USER:PASSWORD@HOST or smtp://HOST:PORT: {0}")]
    Url(smtp::Error),
    /// The sender is no address.
    #[error("mail is from an address, as in `Parvis <parvis@meet.example>`: {0}")]
    From(lettre::address::AddressError),
}

/// Sends what is in the outbox.
#[derive(Debug)]
pub(crate) struct Postman {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    retry: Duration,
}

impl Postman {
    pub(crate) fn new(server: &MailServer) -> Result<Self, MailServerError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&server.url)
            .map_err(MailServerError::Url)?
            .timeout(Some(PATIENCE))
            .build();
        Ok(Self {
            transport,
            from: server.from.parse().map_err(MailServerError::From)?,
            retry: server.retry,
        })
    }

    /// Sends mail until it is told to stop.
    pub(crate) async fn run(self, app: App, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.send_due(&app, &stop).await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::error!(%error, "the outbox cannot be read"),
            }
            let next = app.store.next_mail_at().await.ok().flatten();
            let wait = next.map_or(LOOK, |next| next.since(app.now()).min(LOOK));
            // A moment at least: whatever is due by then was taken above.
            let wait = wait.max(Duration::from_millis(10));
            tokio::select! {
                () = app.mail.notified() => {}
                () = tokio::time::sleep(wait) => {}
                // Gone is stopped, too.
                _ = stop.changed() => {}
            }
        }
    }

    async fn send_due(&self, app: &App, stop: &watch::Receiver<bool>) -> Result<usize, StoreError> {
        let now = app.now();
        let due = app.store.due_mail(BATCH, now, now.plus(LEASE)).await?;
        let count = due.len();
        for mail in due {
            if *stop.borrow() {
                // The next process need not wait for the lease.
                app.store
                    .mail_failed(&mail.id, "stopped", Some(now), now)
                    .await?;
            } else {
                self.send(app, mail).await?;
            }
        }
        Ok(count)
    }

    async fn send(&self, app: &App, due: DueMail) -> Result<(), StoreError> {
        let store = &app.store;
        let mail: Result<Mail, _> = serde_json::from_str(&due.message);
        let message = mail.map_err(|error| error.to_string()).and_then(|mail| {
            mail.message(&self.from, &due.key)
                .map_err(|e| e.to_string())
        });
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(key = due.key, error, "mail cannot be written");
                return store.mail_failed(&due.id, &error, None, app.now()).await;
            }
        };
        match self.transport.send(message).await {
            Ok(_) => {
                tracing::debug!(key = due.key, tries = due.tries, "mail sent");
                store.mail_sent(&due.id, app.now()).await
            }
            Err(error) => {
                let for_ever = error.is_permanent() || due.tries >= TRIES;
                let again = (!for_ever).then(|| app.now().plus(self.pause(due.tries)));
                tracing::warn!(key = due.key, tries = due.tries, for_ever, %error, "mail not sent");
                let error = error.to_string();
                store.mail_failed(&due.id, &error, again, app.now()).await
            }
        }
    }

    fn pause(&self, tries: u64) -> Duration {
        let exponent = u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX);
        self.retry
            .saturating_mul(4_u32.saturating_pow(exponent.min(12)))
    }
}
