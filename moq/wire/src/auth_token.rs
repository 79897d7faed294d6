use bytes::Bytes;

use crate::DecodeError;
use crate::varint::{Reader, encode_varint};

/// The value of an AUTHORIZATION TOKEN parameter or option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthToken {
    /// Forgets an alias.
    Delete {
        /// The alias.
        alias: u64,
    },
    /// Gives a token an alias and uses it.
    Register {
        /// The alias.
        alias: u64,
        /// The token's type; 0: agreed out of band.
        kind: u64,
        /// The token.
        value: Bytes,
    },
    /// Uses a registered token.
    UseAlias {
        /// The alias.
        alias: u64,
    },
    /// Uses a token without registering it.
    UseValue {
        /// The token's type; 0: agreed out of band.
        kind: u64,
        /// The token.
        value: Bytes,
    },
}

impl AuthToken {
    /// The parameter and option type.
    pub(crate) const TYPE: u64 = 0x03;
    /// The most tokens that one message may carry here; the draft names no number.
    pub(crate) const MAX_PER_MESSAGE: usize = 64;

    /// The structure, without a length.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let mut value = Vec::new();
        match self {
            Self::Delete { alias } => encode_alias(DELETE, *alias, &mut value),
            Self::Register {
                alias,
                kind,
                value: token,
            } => {
                encode_alias(REGISTER, *alias, &mut value);
                encode_varint(*kind, &mut value);
                value.extend_from_slice(token);
            }
            Self::UseAlias { alias } => encode_alias(USE_ALIAS, *alias, &mut value),
            Self::UseValue { kind, value: token } => {
                encode_varint(USE_VALUE, &mut value);
                encode_varint(*kind, &mut value);
                value.extend_from_slice(token);
            }
        }
        value.into()
    }

    /// Reads one more token of a message.
    pub(crate) fn push(bytes: &Bytes, tokens: &mut Vec<Self>) -> Result<(), DecodeError> {
        let (got, limit) = (tokens.len() as u64 + 1, Self::MAX_PER_MESSAGE as u64);
        if got > limit {
            return Err(DecodeError::TooLong {
                what: "the list of tokens",
                got,
                limit,
            });
        }
        tokens.push(Self::decode(bytes)?);
        Ok(())
    }

    /// Reads the structure, which fills `bytes`.
    fn decode(bytes: &Bytes) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, "an authorization token");
        let token = Self::read(&mut reader);
        let token = token.map_err(|_| DecodeError::KeyValueFormatting(Self::TYPE))?;
        if reader.is_empty() {
            Ok(token)
        } else {
            Err(DecodeError::KeyValueFormatting(Self::TYPE))
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.varint()? {
            DELETE => Self::Delete {
                alias: reader.varint()?,
            },
            REGISTER => {
                let (alias, kind) = (reader.varint()?, reader.varint()?);
                Self::Register {
                    alias,
                    kind,
                    value: reader.rest(),
                }
            }
            USE_ALIAS => Self::UseAlias {
                alias: reader.varint()?,
            },
            USE_VALUE => Self::UseValue {
                kind: reader.varint()?,
                value: reader.rest(),
            },
            _ => return Err(DecodeError::KeyValueFormatting(Self::TYPE)),
        })
    }
}

fn encode_alias(kind: u64, alias: u64, out: &mut Vec<u8>) {
    encode_varint(kind, out);
    encode_varint(alias, out);
}

const DELETE: u64 = 0;
const REGISTER: u64 = 1;
const USE_ALIAS: u64 = 2;
const USE_VALUE: u64 = 3;
