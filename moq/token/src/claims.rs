use serde::{Deserialize, Deserializer, Serialize};

use crate::{Grant, UnixTime};

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who holds it: the participant's identity.
    #[serde(rename = "sub")]
    pub subject: String,
    /// Who issued it.
    #[serde(rename = "iss", default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// For whom it is: the relays that take it.
    #[serde(
        rename = "aud",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_many"
    )]
    pub audience: Vec<String>,
    /// When it ceases to be valid.
    #[serde(rename = "exp")]
    pub expires: UnixTime,
    /// When it begins to be valid.
    #[serde(rename = "nbf", default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<UnixTime>,
    /// When it was issued.
    #[serde(rename = "iat", default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<UnixTime>,
    /// Names the token.
    #[serde(rename = "jti", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What its holder may do.
    pub grants: Vec<Grant>,
    /// Whether its holder is another relay, which may do everything for those it serves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relay: bool,
}

impl Claims {
    /// The most grants a token has.
    pub const MAX_GRANTS: usize = 64;
    /// The most bytes that a subject or a token's id has.
    pub const MAX_NAME: usize = 256;

    /// Claims that grant nothing.
    pub fn new(subject: impl Into<String>, expires: UnixTime) -> Self {
        Self {
            subject: subject.into(),
            issuer: None,
            audience: Vec::new(),
            expires,
            not_before: None,
            issued_at: None,
            id: None,
            grants: Vec::new(),
            relay: false,
        }
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}
