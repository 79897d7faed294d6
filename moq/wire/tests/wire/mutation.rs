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
        let theirs = draft18::message::ControlMessage::decode(&mut &bytes[..]);
        let canonical = theirs.ok().map(|message| {
            let mut out = Vec::new();
            message.encode(&mut out).expect("the oracle encodes it");
            out
        });
        same_verdict(Draft::D18, &bytes, canonical)?;
    }

    #[test]
    fn damaged_message_of_draft_22_gets_the_oracles_verdict(
        message in message(Draft::D22),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let bytes = damage(&encode(Draft::D22, &message), at, byte);
        let theirs = draft22::message::ControlMessage::decode(&mut &bytes[..]);
        let canonical = theirs.ok().map(|message| {
            let mut out = Vec::new();
            message.encode(&mut out).expect("the oracle encodes it");
            out
        });
        same_verdict(Draft::D22, &bytes, canonical)?;
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

/// canonical: what the oracle encodes after it decoded `bytes`; `None`: it refused them.
fn same_verdict(
    draft: Draft,
    bytes: &Bytes,
    canonical: Option<Vec<u8>>,
) -> Result<(), TestCaseError> {
    match (Message::decode(draft, bytes), canonical) {
        (Ok(Some((message, _))), Some(canonical)) => {
            let canonical = decode(draft, &canonical.into()).expect("canonical bytes");
            prop_assert_eq!(
                canonical_properties(message),
                canonical_properties(canonical)
            );
        }
        // The oracle says "incomplete" as an error.
        (Err(_) | Ok(None), None) => {}
        (Ok(Some((message, _))), None) => {
            // Draft 18's own number for PUBLISH_OK.
            prop_assert!(
                bytes[0] == 0x1E && draft == Draft::D18,
                "only we accept {message:?}"
            );
        }
        (ours, Some(_)) => prop_assert!(is_stricter(&ours), "only the oracle accepts: {ours:?}"),
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
