use bytes::Bytes;
use moqtap_codec::varint::{Moqt18, VarInt};
use parvis_wire::{DecodeError, Reader, encode_varint, varint_len};
use proptest::prelude::*;

use crate::hex;
use crate::strategies::int;

#[test]
fn examples_of_the_draft_decode() {
    let examples = [
        ("25", 37),
        ("8025", 37),
        ("bbbd", 15_293),
        ("ed7f3e7d", 226_442_877),
        ("faa1a0e403d8", 2_893_212_287_960),
        ("fc8998abc66bc0", 151_288_809_941_952),
        ("fefa318fa8e3ca11", 70_423_237_261_249_041),
        ("ffffffffffffffffff", u64::MAX),
    ];
    for (digits, value) in examples {
        let bytes = hex(digits);
        let mut reader = Reader::new(&bytes, "an integer");
        assert_eq!(reader.varint(), Ok(value), "{digits}");
        assert!(reader.is_empty());
    }
}

#[test]
fn length_grows_where_seven_more_bits_are_needed() {
    for len in 1..=8_usize {
        let first_of_next = 1_u64 << (7 * len);
        assert_eq!(varint_len(first_of_next - 1), len);
        assert_eq!(varint_len(first_of_next), len + 1);
    }
    assert_eq!(varint_len(0), 1);
    assert_eq!(varint_len(u64::MAX), 9);
}

#[test]
fn first_byte_says_how_many_follow() {
    for first in 0..=u8::MAX {
        let len = (first.leading_ones() as usize + 1).min(9);
        let bytes = Bytes::from(vec![first; len]);
        let mut reader = Reader::new(&bytes, "an integer");
        assert!(reader.varint().is_ok());
        assert!(reader.is_empty());
        let short = bytes.slice(..len - 1);
        let mut reader = Reader::new(&short, "an integer");
        assert_eq!(reader.varint(), Err(DecodeError::Truncated("an integer")));
    }
}

#[test]
fn failed_read_of_bytes_reads_nothing() {
    let bytes = Bytes::from_static(b"abc");
    let mut reader = Reader::new(&bytes, "a field");
    assert_eq!(reader.bytes(4), Err(DecodeError::Truncated("a field")));
    assert_eq!(reader.bytes(3), Ok(bytes.clone()));
    assert_eq!(reader.u8(), Err(DecodeError::Truncated("a field")));
}

#[test]
fn length_beyond_its_limit_is_refused_before_the_bytes_arrive() {
    let bytes = hex("ff ffffffffffffffff");
    let mut reader = Reader::new(&bytes, "a field");
    let limit = DecodeError::TooLong {
        what: "it",
        got: u64::MAX,
        limit: 9,
    };
    assert_eq!(reader.prefixed("it", 9), Err(limit));
}

proptest! {
    #[test]
    fn integer_comes_back_and_the_oracle_agrees(value in int()) {
        let mut ours = Vec::new();
        encode_varint(value, &mut ours);
        prop_assert_eq!(ours.len(), varint_len(value));
        let mut theirs = Vec::new();
        VarInt::from_u64_moqt(value).encode_moqt::<Moqt18>(&mut theirs);
        prop_assert_eq!(&ours, &theirs);
        let bytes = Bytes::from(ours);
        prop_assert_eq!(Reader::new(&bytes, "an integer").varint(), Ok(value));
    }

    #[test]
    fn longer_forms_mean_the_same(value in 0_u64..1 << 14) {
        for len in 3..=8_usize {
            let mut bytes = value.to_be_bytes()[8 - len..].to_vec();
            bytes[0] |= !(0xFF_u8 >> (len - 1));
            let bytes = Bytes::from(bytes);
            prop_assert_eq!(Reader::new(&bytes, "an integer").varint(), Ok(value));
        }
    }
}
