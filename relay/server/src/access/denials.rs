use std::collections::BTreeMap;

use parvis_token::{Access, UnixTime};
use serde::{Deserialize, Serialize};

/// Whom a denial concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Whom {
    /// A participant, by the `sub` of its tokens.
    #[serde(rename = "sub")]
    Subject(String),
    /// A token, by its `jti`.
    #[serde(rename = "jti")]
    Token(String),
}

/// How far a denial goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Denial {
    /// Concerns only tokens that were issued up to then; `None`: all.
    pub(crate) issued_until: Option<UnixTime>,
    /// Ends then; `None`: when it is lifted.
    pub(crate) until: Option<UnixTime>,
}

/// Whose tokens are refused, however well they are signed.
#[derive(Debug, Default)]
pub(crate) struct Denials(BTreeMap<Whom, Denial>);

/// There are [`Denials::MAX`] already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyDenials;

impl Whom {
    fn concerns(&self, access: &Access) -> bool {
        match self {
            Self::Subject(subject) => access.subject() == subject,
            Self::Token(id) => access.id() == Some(id),
        }
    }
}

impl Denial {
    /// Whether the denial of `whom` refuses this token now.
    pub(crate) fn refuses(&self, whom: &Whom, access: &Access, now: UnixTime) -> bool {
        // A token that does not say when it was issued counts as old.
        let issued = access.issued_at().unwrap_or_default();
        whom.concerns(access)
            && self.until.is_none_or(|until| now < until)
            && self.issued_until.is_none_or(|limit| issued <= limit)
    }
}

impl Denials {
    /// The most there may be.
    pub(crate) const MAX: usize = 100_000;

    /// Adds a denial, in place of an earlier one of the same.
    pub(crate) fn insert(
        &mut self,
        whom: Whom,
        denial: Denial,
        now: UnixTime,
    ) -> Result<(), TooManyDenials> {
        if self.0.len() >= Self::MAX && !self.0.contains_key(&whom) {
            self.0
                .retain(|_, denial| denial.until.is_none_or(|until| now < until));
            if self.0.len() >= Self::MAX {
                return Err(TooManyDenials);
            }
        }
        self.0.insert(whom, denial);
        Ok(())
    }

    /// Lifts a denial; says whether there was one.
    pub(crate) fn remove(&mut self, whom: &Whom) -> bool {
        self.0.remove(whom).is_some()
    }

    /// Whether this token is refused now.
    pub(crate) fn refuse(&self, access: &Access, now: UnixTime) -> bool {
        let denied = |whom: Whom| {
            self.0
                .get(&whom)
                .is_some_and(|denial| denial.refuses(&whom, access, now))
        };
        if self.0.is_empty() {
            return false;
        }
        denied(Whom::Subject(access.subject().to_owned()))
            || access
                .id()
                .is_some_and(|id| denied(Whom::Token(id.to_owned())))
    }
}
