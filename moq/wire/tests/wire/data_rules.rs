//! What the drafts forbid in data headers is refused.

use bytes::Bytes;
use parvis_wire::{
    Datagram, DecodeError, Draft, FetchHeader, ObjectHeader, ObjectId, ObjectStatus, Properties,
    RequestId, StreamHeader,
};

use crate::hex;

#[test]
fn first_field_says_what_a_stream_carries() {
    for draft in Draft::ALL {
        let kind = |digits| StreamHeader::decode(draft, &hex(digits));
        assert_eq!(kind("af00 0000"), Ok(Some((StreamHeader::Control, 0))));
        let fetch = StreamHeader::Fetch(FetchHeader {
            request_id: RequestId(9),
        });
        assert_eq!(kind("05 09"), Ok(Some((fetch, 2))));
        assert_eq!(
            kind("f0132b3e28 0000"),
            Ok(Some((StreamHeader::Padding, 5)))
        );
        assert_eq!(kind(""), Ok(None));
        assert!(kind("f0132b3e29").is_err());
    }
}

#[test]
fn every_other_stream_type_is_refused() {
    let body = [1; 8];
    for kind in 0..0x80_u8 {
        let bytes = Bytes::from([&[kind][..], &body].concat());
        let is_subgroup = kind & 0x10 != 0 && kind & 0x06 != 0x06;
        let decoded = StreamHeader::decode(Draft::D22, &bytes);
        assert_eq!(decoded.is_ok(), is_subgroup || kind == 0x05, "{kind:#x}");
    }
    for digits in ["8080 01 01 01", "8110 01 01 01"] {
        assert!(StreamHeader::decode(Draft::D22, &hex(digits)).is_err());
    }
}

#[test]
fn object_ids_beyond_64_bits_are_refused() {
    let last = Some(ObjectId(u64::MAX));
    assert!(ObjectHeader::decode(&hex("00 01"), last, false).is_err());
    assert!(ObjectHeader::decode(&hex("01 01"), Some(ObjectId(u64::MAX - 1)), false).is_err());
    assert!(ObjectHeader::decode(&hex("00 01"), Some(ObjectId(u64::MAX - 1)), false).is_ok());
}

#[test]
fn object_id_must_grow() {
    let header = |id| ObjectHeader {
        id: ObjectId(id),
        properties: Properties::EMPTY,
        status: ObjectStatus::Normal,
        payload_len: 1,
    };
    for id in [0, 4, 5] {
        assert!(
            header(id)
                .encode(Some(ObjectId(5)), false, &mut Vec::new())
                .is_err()
        );
    }
    assert!(
        header(6)
            .encode(Some(ObjectId(5)), false, &mut Vec::new())
            .is_ok()
    );
}

#[test]
fn only_normal_objects_carry_payload_or_properties() {
    let header = |properties: &'static [u8], status, payload_len| ObjectHeader {
        id: ObjectId(0),
        properties: Properties::from_encoded(Bytes::from_static(properties)).expect("pairs"),
        status,
        payload_len,
    };
    let end = ObjectStatus::EndOfGroup;
    assert!(
        header(&[2, 0], end, 0)
            .encode(None, true, &mut Vec::new())
            .is_err()
    );
    assert!(
        header(&[], end, 1)
            .encode(None, true, &mut Vec::new())
            .is_err()
    );
    let unannounced = header(&[2, 0], ObjectStatus::Normal, 1);
    assert!(unannounced.encode(None, false, &mut Vec::new()).is_err());
    assert!(ObjectHeader::decode(&hex("00 02 0200 00 03"), None, true).is_err());
    assert!(ObjectHeader::decode(&hex("00 02 0200 00 00"), None, true).is_ok());
}

#[test]
fn status_that_is_not_assigned_is_refused() {
    for status in ["01", "02", "05", "ff ffffffffffffffff"] {
        assert!(ObjectHeader::decode(&hex(&format!("00 00 {status}")), None, false).is_err());
        assert!(Datagram::decode(&hex(&format!("2c 01 01 {status}"))).is_err());
    }
}

#[test]
fn every_other_datagram_type_is_refused() {
    for kind in 0..0x80_u8 {
        // Alias, group, object, priority, properties or status: enough for any layout.
        let bytes = Bytes::from(vec![kind, 1, 1, 1, 1, 2, 2, 0]);
        let known = kind & !0x2F == 0 && kind & 0x22 != 0x22;
        let refused = Err(DecodeError::Invalid {
            field: "a datagram",
            detail: "unknown datagram type",
        });
        assert_eq!(
            known || kind & 0x22 == 0x22 && kind & !0x2F == 0,
            Datagram::decode(&bytes) != refused
        );
        if !known {
            assert!(Datagram::decode(&bytes).is_err(), "{kind:#x}");
        }
    }
}

#[test]
fn datagram_must_not_contradict_itself() {
    assert!(
        Datagram::decode(&hex("0d 01 01 00")).is_err(),
        "properties of length 0"
    );
    assert!(
        Datagram::decode(&hex("2d 01 01 02 0200 03")).is_err(),
        "properties and a status"
    );
    assert!(
        Datagram::decode(&hex("2c 01 01 03 aa")).is_err(),
        "payload after a status"
    );
    assert!(
        Datagram::decode(&hex("2c 01 01 00 aa")).is_err(),
        "payload after status Normal"
    );
    let status = Datagram::decode(&hex("2c 01 01 03")).expect("a datagram");
    assert_eq!(status.status, ObjectStatus::EndOfGroup);
    let contradiction = Datagram {
        end_of_group: true,
        ..status
    };
    assert!(contradiction.encode(&mut Vec::new()).is_err());
}

#[test]
fn padding_datagram_is_recognised() {
    assert!(Datagram::is_padding(&hex("f0132b3e29 0000")));
    assert!(!Datagram::is_padding(&hex("00 01 01 00 80")));
    assert!(!Datagram::is_padding(&Bytes::new()));
}

#[test]
fn object_properties_share_the_buffer() {
    let bytes = hex("00 03 020304 01");
    let (header, _) = ObjectHeader::decode(&bytes, None, true)
        .expect("valid")
        .expect("whole");
    assert_eq!(header.properties.as_bytes().as_ptr(), bytes[2..].as_ptr());
}
