use bytes::Bytes;
use parvis_wire::{
    DecodeError, FullTrackName, NameError, Reader, TrackName, TrackNamespace, encode_varint,
};
use proptest::prelude::*;

use crate::hex;
use crate::strategies::track;

proptest! {
    #[test]
    fn full_name_comes_back_as_it_was(track in track()) {
        let mut out = Vec::new();
        track.encode(&mut out);
        let bytes = Bytes::from(out);
        let mut reader = Reader::new(&bytes, "a name");
        prop_assert_eq!(FullTrackName::decode(&mut reader), Ok(track));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn prefix_and_suffix_join_to_the_namespace(track in track(), at in any::<prop::sample::Index>()) {
        let fields = track.namespace().fields();
        let prefix = &fields[..at.index(fields.len() + 1)];
        let prefix = TrackNamespace::new(prefix.to_vec()).expect("a prefix");
        prop_assert!(track.namespace().starts_with(&prefix));
        let suffix = track.namespace().strip_prefix(&prefix).expect("a suffix");
        prop_assert_eq!(&prefix.join(&suffix).expect("a namespace"), track.namespace());
    }
}

#[test]
fn namespace_of_33_fields_is_refused_unread() {
    let decoded = decode_namespace(&hex("21"));
    assert_eq!(
        decoded,
        Err(DecodeError::Name(NameError::TooManyFields(33)))
    );
    assert_eq!(
        TrackNamespace::new(vec!["x"; 33]),
        Err(NameError::TooManyFields(33))
    );
}

#[test]
fn empty_field_is_refused() {
    let decoded = decode_namespace(&hex("02 01 61 00"));
    assert_eq!(decoded, Err(DecodeError::Name(NameError::EmptyField)));
}

#[test]
fn empty_namespace_is_a_namespace() {
    assert_eq!(decode_namespace(&hex("00")), Ok(TrackNamespace::default()));
}

#[test]
fn namespace_and_name_share_4096_bytes() {
    let namespace = TrackNamespace::new(vec![vec![1_u8; 2048], vec![2; 2000]]).expect("4048 bytes");
    let name = |len| TrackName(Bytes::from(vec![3; len]));
    assert!(FullTrackName::new(namespace.clone(), name(48)).is_ok());
    let too_long = FullTrackName::new(namespace.clone(), name(49));
    assert_eq!(too_long, Err(NameError::TooLong(4097)));

    let mut out = Vec::new();
    namespace.encode(&mut out);
    name(49).encode(&mut out);
    let bytes = Bytes::from(out);
    let decoded = FullTrackName::decode(&mut Reader::new(&bytes, "a name"));
    assert_eq!(decoded, Err(DecodeError::Name(NameError::TooLong(4097))));
}

#[test]
fn claimed_length_beyond_the_limit_is_refused_unread() {
    let mut out = vec![1];
    encode_varint(u64::MAX, &mut out);
    assert!(matches!(
        decode_namespace(&out.into()),
        Err(DecodeError::TooLong { .. })
    ));
}

#[test]
fn name_slices_share_the_buffer() {
    let bytes = hex("01 03 616263");
    let namespace = decode_namespace(&bytes).expect("a namespace");
    assert_eq!(namespace.fields()[0].as_ptr(), bytes[2..].as_ptr());
}

fn decode_namespace(bytes: &Bytes) -> Result<TrackNamespace, DecodeError> {
    TrackNamespace::decode(&mut Reader::new(bytes, "a namespace"))
}
