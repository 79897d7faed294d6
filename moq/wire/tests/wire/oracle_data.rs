//! Data headers and objects against the crate moqtap-codec.

use bytes::Bytes;
use moqtap_codec::{draft18, draft22};
use parvis_wire::{
    Datagram, Draft, FetchCursor, FetchHeader, FetchObject, GroupOrder, ObjectHeader, ObjectStatus,
    RequestId, StreamHeader, SubgroupHeader, SubgroupIdMode,
};
use proptest::prelude::*;

use crate::data_strategies::{datagram, fetch_stream, objects, subgroup_header};
use crate::oracle::integer;
use crate::strategies::int;

macro_rules! agree {
    ($module:ident, $draft:expr, $oracle:ident) => {
        mod $module {
            use $oracle::data_stream as theirs;

            use super::*;

            proptest! {
                #[test]
                fn subgroup_streams_agree(
                    (header, objects) in subgroup_header().prop_flat_map(|header| {
                        (Just(header), objects(header.has_properties))
                    })
                ) {
                    let ours = encode_subgroup(&header, &objects);
                    let mut input = &ours[..];
                    let their_header = theirs::SubgroupHeader::decode(&mut input).expect("valid");
                    check_subgroup(&header, their_header.track_alias.into_inner(),
                        their_header.group_id.into_inner(), their_header.subgroup_id.into_inner(),
                        their_header.publisher_priority)?;
                    prop_assert_eq!(their_header.is_end_of_group(), header.end_of_group);
                    prop_assert_eq!(their_header.is_first_object(), header.first_object);
                    let mut bytes = Vec::new();
                    their_header.encode_checked(&mut bytes).expect("encodes");
                    let mut reader = theirs::SubgroupObjectReader::new(&their_header);
                    let mut writer = theirs::SubgroupObjectReader::new(&their_header);
                    for (header, payload) in &objects {
                        let object = reader.read_object(&mut input).expect("valid");
                        prop_assert_eq!(object.object_id.into_inner(), header.id.0);
                        prop_assert_eq!(&object.extension_headers, header.properties.as_bytes());
                        prop_assert_eq!(&object.payload, payload);
                        prop_assert_eq!(object.status() as u64, status(header.status));
                        writer.write_object(&object, &mut bytes).expect("encodes");
                    }
                    prop_assert!(input.is_empty());
                    prop_assert_eq!(bytes, ours);
                }

                #[test]
                fn datagrams_agree(datagram in datagram()) {
                    let mut ours = Vec::new();
                    datagram.encode(&mut ours).expect("the datagram has an encoding");
                    let decoded = theirs::DatagramHeader::decode_object(&mut &ours[..]);
                    let (header, payload) = decoded.expect("valid");
                    prop_assert_eq!(header.track_alias.into_inner(), datagram.track_alias.0);
                    prop_assert_eq!(header.group_id.into_inner(), datagram.location.group.0);
                    prop_assert_eq!(header.object_id.into_inner(), datagram.location.object.0);
                    prop_assert_eq!(header.publisher_priority, datagram.priority.map(|p| p.0));
                    prop_assert_eq!(header.is_end_of_group(), datagram.end_of_group);
                    prop_assert_eq!(&header.properties, datagram.properties.as_bytes());
                    prop_assert_eq!(header.status() as u64, status(datagram.status));
                    prop_assert_eq!(&payload, &datagram.payload);
                    let mut bytes = Vec::new();
                    header.encode_checked(&mut bytes).expect("encodes");
                    bytes.extend(payload);
                    prop_assert_eq!(bytes, ours);
                }

                #[test]
                fn damaged_datagrams_get_the_same_verdict(
                    datagram in datagram(),
                    at in any::<prop::sample::Index>(),
                    byte in any::<u8>(),
                ) {
                    let mut bytes = Vec::new();
                    datagram.encode(&mut bytes).expect("the datagram has an encoding");
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                    let theirs = theirs::DatagramHeader::decode_object(&mut &bytes[..]);
                    let ours = Datagram::decode(&Bytes::from(bytes.clone()));
                    // We leave the pairs inside the properties to who reads them.
                    let ours = ours.ok().filter(|ours| is_well_formed(&ours.properties));
                    let canonical = ours.as_ref().map(|ours| {
                        let mut out = Vec::new();
                        ours.encode(&mut out).expect("the datagram has an encoding");
                        out
                    });
                    // The oracle reads some integers only in their shortest form.
                    if canonical.is_none_or(|canonical| canonical == bytes) || theirs.is_ok() {
                        prop_assert_eq!(ours.is_some(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
                    }
                }

                #[test]
                fn fetch_streams_agree(
                    id in int(),
                    (descending, stream) in any::<bool>().prop_flat_map(|descending| {
                        (Just(descending), fetch_stream($draft, order(descending)))
                    })
                ) {
                    let header = FetchHeader { request_id: RequestId(id) };
                    let ours = encode_fetch($draft, order(descending), header, &stream);
                    let mut input = &ours[..];
                    let their_header = theirs::FetchHeader::decode(&mut input).expect("valid");
                    prop_assert_eq!(their_header.request_id.into_inner(), id);
                    let their_order = match descending {
                        true => theirs::GroupOrder::Descending,
                        false => theirs::GroupOrder::Ascending,
                    };
                    let mut bytes = Vec::new();
                    their_header.encode(&mut bytes);
                    let mut reader = theirs::FetchObjectReader::new(their_order);
                    let mut writer = theirs::FetchObjectWriter::new(their_order);
                    for (entry, payload) in &stream {
                        let frame = reader.read_object_header(&mut input).expect("valid");
                        let place = entry.location();
                        prop_assert_eq!(frame.group_id, place.group.0);
                        prop_assert_eq!(frame.object_id, place.object.0);
                        let is_end = !matches!(entry, FetchObject::Object { .. });
                        prop_assert_eq!(frame.header.end_of_range().is_some(), is_end);
                        if let FetchObject::Object { subgroup, priority, payload_len, .. } = entry {
                            prop_assert_eq!(frame.subgroup_id, subgroup.map(|id| id.0));
                            prop_assert_eq!(frame.publisher_priority, Some(priority.0));
                            prop_assert_eq!(frame.header.payload_length.into_inner(), *payload_len);
                        }
                        writer.write_object_header(&frame, &mut bytes).expect("encodes");
                        bytes.extend(payload);
                        prop_assert_eq!(&input[..payload.len()], payload);
                        input = &input[payload.len()..];
                    }
                    prop_assert!(input.is_empty());
                    prop_assert_eq!(bytes, ours);
                }
            }

            #[test]
            fn stream_types_agree() {
                for kind in 0..0x80_u8 {
                    let bytes = Bytes::from(vec![kind, 1, 1, 1, 1]);
                    let ours = StreamHeader::decode($draft, &bytes);
                    let ours = matches!(ours, Ok(Some((StreamHeader::Subgroup(_), _))));
                    let theirs = theirs::SubgroupHeader::decode(&mut &bytes[..]).is_ok();
                    assert_eq!(ours, theirs, "{kind:#x}");
                }
            }
        }
    };
}

agree!(agree_18, Draft::D18, draft18);
agree!(agree_22, Draft::D22, draft22);

fn encode_subgroup(header: &SubgroupHeader, objects: &[(ObjectHeader, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    header.encode(&mut out);
    let mut previous = None;
    for (object, payload) in objects {
        object
            .encode(previous, header.has_properties, &mut out)
            .expect("it has an encoding");
        out.extend(payload);
        previous = Some(object.id);
    }
    out
}

fn encode_fetch(
    draft: Draft,
    order: GroupOrder,
    header: FetchHeader,
    stream: &[(FetchObject, Vec<u8>)],
) -> Vec<u8> {
    let mut out = Vec::new();
    header.encode(&mut out);
    let mut cursor = FetchCursor::new(draft, order);
    for (entry, payload) in stream {
        entry
            .encode(&mut cursor, &mut out)
            .expect("it has an encoding");
        out.extend(payload);
    }
    out
}

fn check_subgroup(
    header: &SubgroupHeader,
    track_alias: u64,
    group: u64,
    subgroup: u64,
    priority: Option<u8>,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(track_alias, header.track_alias.0);
    prop_assert_eq!(group, header.group.0);
    let expected = match header.subgroup {
        SubgroupIdMode::Explicit(id) => id.0,
        SubgroupIdMode::Zero | SubgroupIdMode::FirstObject => 0,
    };
    prop_assert_eq!(subgroup, expected);
    prop_assert_eq!(priority, header.priority.map(|priority| priority.0));
    Ok(())
}

fn order(descending: bool) -> GroupOrder {
    if descending {
        GroupOrder::Descending
    } else {
        GroupOrder::Ascending
    }
}

const fn status(status: ObjectStatus) -> u64 {
    match status {
        ObjectStatus::Normal => 0,
        ObjectStatus::EndOfGroup => 3,
        ObjectStatus::EndOfTrack => 4,
    }
}

/// The oracle also parses immutable properties, which must not hold others of their kind.
fn is_well_formed(properties: &parvis_wire::Properties) -> bool {
    use parvis_wire::{Properties, PropertyValue};
    let immutable = |properties: &Properties| -> Option<Vec<Bytes>> {
        let pairs = properties.decode().ok()?.into_iter();
        let inner = pairs
            .filter(|pair| pair.kind == 0x0B)
            .map(|pair| match pair.value {
                PropertyValue::Bytes(bytes) => bytes,
                PropertyValue::Integer(_) => Bytes::new(),
            });
        Some(inner.collect())
    };
    let Some(blocks) = immutable(properties) else {
        return false;
    };
    blocks.into_iter().all(|block| {
        let block = Properties::from_encoded(block);
        block.is_ok_and(|block| immutable(&block).is_some_and(|inner| inner.is_empty()))
    })
}

#[test]
fn oracle_reads_a_longest_integer() {
    assert_eq!(integer(u64::MAX).into_inner(), u64::MAX);
}
