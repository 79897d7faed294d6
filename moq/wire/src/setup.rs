use bytes::Bytes;

use crate::varint::{Reader, encode_varint};
use crate::{AuthToken, DecodeError, Draft, EncodeError, HopId, Property, PropertyValue};

/// The first message on each side's control stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setup {
    /// The URI path, from the client on raw QUIC.
    pub path: Option<String>,
    /// The URI authority, from the client on raw QUIC.
    pub authority: Option<String>,
    /// How many bytes of token aliases the sender remembers.
    pub max_auth_token_cache_size: Option<u64>,
    /// How many ranges the peer may filter one request by; draft 22, left out in 18.
    pub max_filter_ranges: Option<u64>,
    /// How many REQUEST_UPDATEs the peer may have outstanding; draft 22, left out in 18.
    pub max_request_updates: Option<u64>,
    /// Tokens for the whole session.
    pub auth_tokens: Vec<AuthToken>,
    /// Name and version of the sender.
    pub implementation: Option<String>,
    /// The sender's name among relays: it says which way word of a namespace has gone, and wants
    /// to be told. draft-lcurley-moq-cluster-00.
    pub relay_hops: Option<HopId>,
    /// Options this crate does not know, in ascending order of type; those past the first
    /// [`Self::MAX_UNKNOWN`] of a message are ignored.
    pub unknown: Vec<Property>,
}

impl Setup {
    /// The most unknown options that are kept.
    pub const MAX_UNKNOWN: usize = 32;

    pub(crate) fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut options = Vec::with_capacity(8);
        let text = |kind, value: &Option<String>| {
            value
                .as_ref()
                .map(|value| Property::bytes(kind, Bytes::copy_from_slice(value.as_bytes())))
        };
        let integer = |kind, value: Option<u64>| value.map(|value| Property::integer(kind, value));
        options.extend(text(PATH, &self.path));
        for token in &self.auth_tokens {
            options.push(Property::bytes(AuthToken::TYPE, token.to_bytes()));
        }
        options.extend(integer(
            MAX_AUTH_TOKEN_CACHE_SIZE,
            self.max_auth_token_cache_size,
        ));
        options.extend(text(AUTHORITY, &self.authority));
        if draft == Draft::D22 {
            options.extend(integer(MAX_FILTER_RANGES, self.max_filter_ranges));
        }
        options.extend(text(IMPLEMENTATION, &self.implementation));
        if draft == Draft::D22 {
            options.extend(integer(MAX_REQUEST_UPDATES, self.max_request_updates));
        }
        if let Some(hop) = self.relay_hops {
            let mut value = Vec::new();
            encode_varint(hop.0, &mut value);
            options.push(Property::bytes(RELAY_HOPS, value.into()));
        }
        for option in &self.unknown {
            if is_known(draft, option.kind) {
                let detail = "an option with a field of its own";
                return Err(EncodeError::Invalid {
                    field: "unknown",
                    detail,
                });
            }
            options.push(option.clone());
        }
        options.sort_by_key(|option| option.kind);
        let mut previous = 0;
        for (index, option) in options.into_iter().enumerate() {
            if index > 0 && option.kind == previous && option.kind != AuthToken::TYPE {
                let detail = "an option must not repeat";
                return Err(EncodeError::Invalid {
                    field: "unknown",
                    detail,
                });
            }
            if !option.is_encodable() {
                let detail = "the value does not fit the type";
                return Err(EncodeError::Invalid {
                    field: "a setup option",
                    detail,
                });
            }
            option.write(&mut previous, out);
        }
        Ok(())
    }

    pub(crate) fn decode(draft: Draft, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut setup = Self::default();
        let mut kind = 0;
        while !reader.is_empty() {
            let option = Property::read(reader, &mut kind)?;
            match (option.kind, &option.value) {
                (PATH, PropertyValue::Bytes(path)) => {
                    once(
                        &mut setup.path,
                        kind,
                        utf8(path).ok_or(DecodeError::MalformedPath)?,
                    )?;
                }
                (AUTHORITY, PropertyValue::Bytes(authority)) => {
                    let authority = utf8(authority).ok_or(DecodeError::MalformedAuthority)?;
                    once(&mut setup.authority, kind, authority)?;
                }
                (IMPLEMENTATION, PropertyValue::Bytes(name)) => {
                    let name = String::from_utf8_lossy(name).into_owned();
                    once(&mut setup.implementation, kind, name)?;
                }
                (RELAY_HOPS, PropertyValue::Bytes(value)) => {
                    let mut value = Reader::new(value, "RELAY_HOPS");
                    let hop = HopId(value.varint()?);
                    if !value.is_empty() {
                        return Err(DecodeError::LengthMismatch("RELAY_HOPS"));
                    }
                    once(&mut setup.relay_hops, kind, hop)?;
                }
                (AuthToken::TYPE, PropertyValue::Bytes(token)) => {
                    AuthToken::push(token, &mut setup.auth_tokens)?;
                }
                (MAX_AUTH_TOKEN_CACHE_SIZE, PropertyValue::Integer(size)) => {
                    once(&mut setup.max_auth_token_cache_size, kind, *size)?;
                }
                (MAX_FILTER_RANGES, PropertyValue::Integer(ranges)) if draft == Draft::D22 => {
                    once(&mut setup.max_filter_ranges, kind, *ranges)?;
                }
                (MAX_REQUEST_UPDATES, PropertyValue::Integer(updates)) if draft == Draft::D22 => {
                    once(&mut setup.max_request_updates, kind, *updates)?;
                }
                _ if setup.unknown.len() < Self::MAX_UNKNOWN => setup.unknown.push(option),
                _ => {}
            }
        }
        Ok(setup)
    }
}

fn is_known(draft: Draft, kind: u64) -> bool {
    match kind {
        PATH
        | AuthToken::TYPE
        | MAX_AUTH_TOKEN_CACHE_SIZE
        | AUTHORITY
        | IMPLEMENTATION
        | RELAY_HOPS => true,
        MAX_FILTER_RANGES | MAX_REQUEST_UPDATES => draft == Draft::D22,
        _ => false,
    }
}

fn once<T>(field: &mut Option<T>, kind: u64, value: T) -> Result<(), DecodeError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(DecodeError::DuplicateParameter(kind)),
    }
}

fn utf8(bytes: &Bytes) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

const PATH: u64 = 0x01;
const MAX_AUTH_TOKEN_CACHE_SIZE: u64 = 0x04;
const AUTHORITY: u64 = 0x05;
const MAX_FILTER_RANGES: u64 = 0x06;
const IMPLEMENTATION: u64 = 0x07;
const MAX_REQUEST_UPDATES: u64 = 0x08;
const RELAY_HOPS: u64 = 0x40B55;
