use crate::{
    DecodeError, HopId,
    varint::{Reader, encode_varint},
};

/// The way that word of a namespace has gone: its publisher first, the relay that tells it last.
///
/// draft-lcurley-moq-cluster-00, "HOP_PATH Parameter".
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HopPath(Vec<HopId>);

impl HopPath {
    /// The most hops of a path: one that is longer is a loop that nobody noticed.
    pub const MAX_HOPS: usize = 32;

    /// A path of one publisher that has no name.
    pub fn unknown() -> Self {
        Self(vec![HopId(0)])
    }

    /// The path through these hops; `None`: there are none or too many, or one comes twice.
    pub fn new(hops: impl IntoIterator<Item = HopId>) -> Option<Self> {
        let hops: Vec<HopId> = hops.into_iter().take(Self::MAX_HOPS + 1).collect();
        let mut named: Vec<HopId> = hops.iter().copied().filter(|hop| hop.0 != 0).collect();
        let count = named.len();
        named.sort_unstable();
        named.dedup();
        let fits = !hops.is_empty() && hops.len() <= Self::MAX_HOPS && named.len() == count;
        fits.then_some(Self(hops))
    }

    /// The hops, the publisher first.
    pub fn hops(&self) -> &[HopId] {
        &self.0
    }

    /// Whether the way leads through a relay. 0 is no relay.
    pub fn contains(&self, hop: HopId) -> bool {
        hop.0 != 0 && self.0.contains(&hop)
    }

    /// The way on through another relay; `None`: that would be a loop, or too long.
    pub fn then(&self, hop: HopId) -> Option<Self> {
        Self::new(self.0.iter().copied().chain([hop]))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for hop in &self.0 {
            encode_varint(hop.0, &mut out);
        }
        out
    }

    pub(crate) fn from_reader(mut value: Reader<'_>) -> Result<Self, DecodeError> {
        let mut hops = Vec::new();
        while !value.is_empty() && hops.len() <= Self::MAX_HOPS {
            hops.push(HopId(value.varint()?));
        }
        Self::new(hops).ok_or(DecodeError::Invalid {
            field: "HOP_PATH",
            detail: "from 1 to 32 hops were expected, none twice",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(hops: &[u64]) -> Option<HopPath> {
        HopPath::new(hops.iter().copied().map(HopId))
    }

    #[test]
    fn a_path_has_no_loop_and_an_end() {
        assert!(path(&[]).is_none());
        assert!(path(&[1, 2, 1]).is_none());
        assert!(path(&[0, 0, 1]).is_some(), "0 is nobody in particular");
        assert!(path(&[0; 33]).is_none());
    }

    #[test]
    fn it_grows_hop_by_hop_and_never_through_the_same() {
        let grown = HopPath::unknown().then(HopId(7)).unwrap();
        assert_eq!(Some(&grown), path(&[0, 7]).as_ref());
        assert!(grown.contains(HopId(7)) && !grown.contains(HopId(0)));
        assert!(grown.then(HopId(7)).is_none());
    }

    #[test]
    fn bytes_come_back() {
        let path = path(&[0, 5, 1 << 40]).unwrap();
        let bytes = path.to_bytes().into();
        let read = HopPath::from_reader(Reader::new(&bytes, "HOP_PATH"));
        assert_eq!(read.unwrap(), path);
    }
}
