use lettre::{
    Address, Message,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType},
    },
};
use parvis_meeting::ErrorKind;
use parvis_store::NewMail;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::ApiError;

/// E-mail as the outbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mail {
    pub(crate) to: String,
    /// Who gets answers, if not the service.
    pub(crate) reply_to: Option<String>,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) calendar: Option<Calendar>,
}

/// An invitation to a calendar. RFC 6047.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calendar {
    /// REQUEST or CANCEL.
    pub(crate) method: String,
    pub(crate) body: String,
}

impl Mail {
    /// Ready for the outbox; `key` makes it the same mail however often it is asked for.
    pub(crate) fn under(&self, key: String) -> NewMail {
        NewMail {
            key,
            message: serde_json::to_string(self).expect("texts are JSON"),
        }
    }

    /// The message with its headers. Its id follows from the key, so that a receiver can tell what it got
    /// twice.
    pub(crate) fn message(&self, from: &Mailbox, key: &str) -> Result<Message, MailError> {
        let hash = digest(&SHA256, key.as_bytes());
        let half = hash.as_ref()[..16].iter();
        let id = half.fold(0, |id: u128, byte| id << 8 | u128::from(*byte));
        let mut builder = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, self.to.parse()?))
            .subject(self.subject.as_str())
            .message_id(Some(format!("<{id:032x}@{}>", from.email.domain())));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(Mailbox::new(None, reply_to.parse()?));
        }
        let text = SinglePart::plain(self.text.clone());
        let Some(calendar) = &self.calendar else {
            return Ok(builder.singlepart(text)?);
        };
        let content_type = format!("text/calendar; method={}; charset=UTF-8", calendar.method);
        let shown = SinglePart::builder()
            .header(ContentType::parse(&content_type)?)
            .header(ContentTransferEncoding::Base64)
            .body(calendar.body.clone());
        let attached = Attachment::new("invite.ics".to_owned()).body(
            calendar.body.clone(),
            ContentType::parse("application/ics")?,
        );
        let alternatives = MultiPart::alternative().singlepart(text).singlepart(shown);
        let mixed = MultiPart::mixed()
            .multipart(alternatives)
            .singlepart(attached);
        Ok(builder.multipart(mixed)?)
    }
}

/// Why something is no mail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    #[error("not an address: {0}")]
    Address(#[from] lettre::address::AddressError),
    #[error("not a message: {0}")]
    Message(#[from] lettre::error::Error),
    #[error("not a type of content: {0}")]
    ContentType(#[from] lettre::message::header::ContentTypeErr),
}

/// The most bytes of an e-mail address. RFC 5321.
const MAX_ADDRESS: usize = 254;

/// An e-mail address in lower case, or a refusal that says what was expected.
pub(crate) fn address(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    let parsed = text.parse::<Address>().ok();
    // Without a dot it is a name of this machine or network.
    let known = |address: &Address| text.len() <= MAX_ADDRESS && address.domain().contains('.');
    parsed
        .filter(known)
        .map(|address| address.to_string().to_lowercase())
        .ok_or_else(|| {
            let message = format!(
                "an e-mail address is as in name@example.org, 254 bytes at most, got {:?}",
                text.chars().take(64).collect::<String>()
            );
            ApiError::because(ErrorKind::Malformed, message)
        })
}
