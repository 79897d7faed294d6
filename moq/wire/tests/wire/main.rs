//! Tests of the wire format through its public API, some against an independent codec.

mod data;
mod data_rules;
mod data_strategies;
mod fetch_rules;
mod limits;
mod message_strategies;
mod messages;
mod mutation;
mod names;
mod oracle;
mod oracle_data;
mod oracle_parameters;
mod parameters;
mod properties;
mod range_filters;
mod snapshots;
mod strategies;
mod varint;

use bytes::Bytes;
use parvis_wire::{DecodeError, Draft, Message};
use proptest::prelude::ProptestConfig;

/// This many cases, or what `PROPTEST_CASES` says if that is more.
fn at_least(cases: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: config.cases.max(cases),
        ..config
    }
}

/// Encodes a message that must have an encoding.
fn encode(draft: Draft, message: &Message) -> Bytes {
    let mut out = Vec::new();
    message
        .encode(draft, &mut out)
        .expect("the message has an encoding");
    out.into()
}

/// Decodes a message that must be whole and alone.
fn decode(draft: Draft, bytes: &Bytes) -> Result<Message, DecodeError> {
    let (message, len) = Message::decode(draft, bytes)?.expect("the message is whole");
    assert_eq!(len, bytes.len());
    Ok(message)
}

/// A message of this type with this body.
fn frame(code: u64, body: &[u8]) -> Bytes {
    let mut out = Vec::new();
    parvis_wire::encode_varint(code, &mut out);
    out.extend((body.len() as u16).to_be_bytes());
    out.extend(body);
    out.into()
}

/// Bytes from hexadecimal digits; spaces are for the reader.
fn hex(digits: &str) -> Bytes {
    let digits: Vec<u32> = digits
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}
