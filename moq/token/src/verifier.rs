use jsonwebtoken::{
    Algorithm, Header, TokenData, Validation, decode, decode_header,
    errors::{Error, ErrorKind},
};
use parvis_wire::TrackNamespace;

use crate::{Access, Claims, KeySet, Refusal, Scope, UnixTime, ring_provider};

/// What a token must say beside a signature of a trusted key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Who must have issued it; `None`: whoever has a trusted key.
    pub issuer: Option<String>,
    /// Whom it must be for; `None`: it must be for nobody in particular.
    pub audience: Option<String>,
    /// By how many seconds the issuer's clock may differ.
    pub leeway: u64,
    /// The least number of fields of a granted prefix: those that name a room.
    pub least_prefix: usize,
    /// The namespaces in and under which publishing may be granted by a prefix: for services that
    /// speak to everybody, such as a meeting's authority. Elsewhere it is granted in an exact
    /// namespace only.
    pub publish_under: Vec<TrackNamespace>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            leeway: 5,
            least_prefix: 2,
            publish_under: Vec::new(),
        }
    }
}

/// Tells which tokens are good.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: KeySet,
    rules: Rules,
}

impl Verifier {
    /// The largest token that is looked at.
    pub const MAX_TOKEN: usize = 8 * 1024;

    /// Trusts these keys under these rules.
    pub fn new(keys: KeySet, rules: Rules) -> Self {
        ring_provider::install();
        Self { keys, rules }
    }

    /// The keys.
    pub const fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// What a token allows at this time, or why it is refused.
    pub fn verify(&self, token: &[u8], now: UnixTime) -> Result<Access, Refusal> {
        if token.len() > Self::MAX_TOKEN {
            return Err(Refusal::TooLarge {
                limit: Self::MAX_TOKEN,
                got: token.len(),
            });
        }
        let header = decode_header(token).map_err(|error| refusal(&error))?;
        if let Some(name) = forbidden(&header) {
            return Err(Refusal::ForbiddenHeader(name));
        }
        let id = header.kid.as_deref().ok_or(Refusal::NoKeyId)?;
        let key = self.keys.find(id).ok_or(Refusal::UnknownKey)?;
        if header.alg != key.algorithm {
            return Err(Refusal::WrongAlgorithm);
        }
        let TokenData { claims, .. } =
            decode::<Claims>(token, &key.decoding, &signature_only(key.algorithm))
                .map_err(|error| refusal(&error))?;
        self.check(claims, now)
    }

    fn check(&self, claims: Claims, now: UnixTime) -> Result<Access, Refusal> {
        let malformed = |why: &str| Err(Refusal::Malformed(why.to_owned()));
        let Rules {
            issuer,
            audience,
            leeway,
            least_prefix,
            publish_under,
        } = &self.rules;
        if issuer.is_some() && claims.issuer != *issuer {
            return Err(Refusal::WrongIssuer);
        }
        // RFC 7519, 4.1.3: a token that names its audience is for nobody else.
        let for_us = match audience {
            Some(audience) => claims.audience.contains(audience),
            None => claims.audience.is_empty(),
        };
        if !for_us {
            return Err(Refusal::WrongAudience);
        }
        if claims.subject.is_empty() || claims.subject.len() > Claims::MAX_NAME {
            return malformed("the subject is empty or too long");
        }
        if claims
            .id
            .as_ref()
            .is_some_and(|id| id.len() > Claims::MAX_NAME)
        {
            return malformed("the token's id is too long");
        }
        if claims.grants.len() > Claims::MAX_GRANTS {
            return malformed("too many grants");
        }
        let expires = claims.expires.plus(*leeway);
        if now >= expires {
            return Err(Refusal::Expired(claims.expires));
        }
        if let Some(begin) = claims.not_before
            && now.plus(*leeway) < begin
        {
            return Err(Refusal::TooEarly(begin));
        }
        for grant in &claims.grants {
            let mut allowed = publish_under.iter();
            if let Some(prefix) = grant.publishes_under()
                && !allowed.any(|allowed| prefix.starts_with(allowed))
            {
                return Err(Refusal::PublishUnderPrefix);
            }
            if let Scope::Prefix(prefix) = grant.scope()
                && prefix.fields().len() < *least_prefix
            {
                return Err(Refusal::PrefixTooShort {
                    least: *least_prefix,
                    got: prefix.fields().len(),
                });
            }
        }
        Ok(Access {
            subject: claims.subject,
            id: claims.id,
            issued_at: claims.issued_at,
            expires,
            grants: claims.grants,
            relay: claims.relay,
        })
    }
}

/// The library's own checks of claims read the clock.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// A key that comes with the token says nothing, and what is critical is not understood.
fn forbidden(header: &Header) -> Option<&'static str> {
    [
        ("jwk", header.jwk.is_some()),
        ("jku", header.jku.is_some()),
        ("x5u", header.x5u.is_some()),
        ("x5c", header.x5c.is_some()),
        ("crit", header.crit.is_some()),
        ("enc", header.enc.is_some()),
        ("zip", header.zip.is_some()),
    ]
    .into_iter()
    .find_map(|(name, is_there)| is_there.then_some(name))
}

fn refusal(error: &Error) -> Refusal {
    match error.kind() {
        ErrorKind::InvalidSignature => Refusal::BadSignature,
        ErrorKind::InvalidAlgorithm => Refusal::WrongAlgorithm,
        _ => Refusal::Malformed(error.to_string()),
    }
}
