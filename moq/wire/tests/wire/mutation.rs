//! Damaged bytes are refused, never a panic, and the oracle refuses the same ones.

use bytes::Bytes;
use moqtap_codec::{draft18, draft22};
use parvis_wire::{
    Datagram, Draft, FetchCursor, FetchObject, GroupOrder, Message, ObjectHeader, Properties,
    StreamHeader,
};
use proptest::prelude::*;

use crate::message_strategies::message;
use crate::{at_least, decode, encode};

proptest! {
    #![proptest_config(at_least(3000))]

    #[test]
    fn damaged_message_of_draft_18_gets_the_oracles_verdict(
        message in message(Draft::D18),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let bytes = damage(&encode(Draft::D18, &message), at, byte);
        let theirs = match draft18::message::ControlMessage::decode(&mut &bytes[..]) {
            Err(_) => Verdict::Refused,
            Ok(message) => {
                let mut out = Vec::new();
                match message.encode(&mut out) {
                    Ok(()) => Verdict::Accepted(out.into()),
                    Err(_) => Verdict::ReadOnly,
                }
            }
        };
        same_verdict(Draft::D18, &bytes, theirs)?;
    }

    #[test]
    fn damaged_message_of_draft_22_gets_the_oracles_verdict(
        message in message(Draft::D22),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let bytes = damage(&encode(Draft::D22, &message), at, byte);
        let theirs = match draft22::message::ControlMessage::decode(&mut &bytes[..]) {
            Err(_) => Verdict::Refused,
            Ok(message) => {
                let mut out = Vec::new();
                match message.encode(&mut out) {
                    Ok(()) => Verdict::Accepted(out.into()),
                    Err(_) => Verdict::ReadOnly,
                }
            }
        };
        same_verdict(Draft::D22, &bytes, theirs)?;
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let bytes = Bytes::from(bytes);
        for draft in Draft::ALL {
            let _ = Message::decode(draft, &bytes);
            let _ = StreamHeader::decode(draft, &bytes);
            for order in [GroupOrder::Ascending, GroupOrder::Descending] {
                let mut cursor = FetchCursor::new(draft, order);
                let mut rest = bytes.clone();
                while let Ok(Some((_, len))) = FetchObject::decode(&rest, &mut cursor) {
                    rest = rest.slice(len..);
                }
            }
        }
        let _ = Datagram::decode(&bytes);
        let _ = Properties::from_encoded(bytes.clone());
        let (mut rest, mut previous) = (bytes, None);
        while let Ok(Some((header, len))) = ObjectHeader::decode(&rest, previous, true) {
            previous = Some(header.id);
            rest = rest.slice(len..);
        }
    }
}

fn damage(bytes: &Bytes, at: prop::sample::Index, byte: u8) -> Bytes {
    let mut bytes = bytes.to_vec();
    let at = at.index(bytes.len());
    bytes[at] = byte;
    bytes.into()
}

/// What the oracle thinks of some bytes.
enum Verdict {
    Refused,
    /// It reads what it does not write, such as a repeated unknown option.
    ReadOnly,
    /// And this is how it writes the message.
    Accepted(Bytes),
}

fn same_verdict(draft: Draft, bytes: &Bytes, theirs: Verdict) -> Result<(), TestCaseError> {
    match (Message::decode(draft, bytes), theirs) {
        (Ok(Some((message, _))), Verdict::Accepted(canonical)) => {
            let canonical = decode(draft, &canonical).expect("canonical bytes");
            prop_assert_eq!(
                canonical_properties(message),
                canonical_properties(canonical)
            );
        }
        // The oracle says "incomplete" as an error.
        (Err(_) | Ok(None), Verdict::Refused) | (Ok(Some(_)), Verdict::ReadOnly) => {}
        (Ok(Some((message, _))), Verdict::Refused) => {
            // Draft 18's own number for PUBLISH_OK.
            prop_assert!(
                bytes[0] == 0x1E && draft == Draft::D18,
                "only we accept {message:?}"
            );
        }
        (ours, Verdict::Accepted(_) | Verdict::ReadOnly) => {
            prop_assert!(is_stricter(&ours), "only the oracle accepts: {ours:?}");
        }
    }
    Ok(())
}

/// The oracle shortens integers inside properties, which we keep byte for byte.
fn canonical_properties(mut message: Message) -> Message {
    let properties = match &mut message {
        Message::RequestOk(ok) => &mut ok.track_properties,
        Message::SubscribeOk(ok) => &mut ok.track_properties,
        Message::Publish(publish) => &mut publish.track_properties,
        Message::FetchOk(ok) => &mut ok.track_properties,
        _ => return message,
    };
    *properties = Properties::encode(properties.decode().expect("valid properties"));
    message
}

/// We want text to be UTF-8, and End Of Track to be a flag.
fn is_stricter(ours: &Result<Option<(Message, usize)>, parvis_wire::DecodeError>) -> bool {
    use parvis_wire::DecodeError;
    match ours {
        Err(DecodeError::MalformedPath | DecodeError::MalformedAuthority) => true,
        Err(DecodeError::Invalid { field, .. }) => *field == "a URI" || *field == "FETCH_OK",
        _ => false,
    }
}
