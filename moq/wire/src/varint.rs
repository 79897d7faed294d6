use bytes::Bytes;

use crate::DecodeError;

/// Appends `value` in the fewest bytes. draft-ietf-moq-transport-22, "Variable-Length Integers".
pub fn encode_varint(value: u64, out: &mut Vec<u8>) {
    let len = varint_len(value);
    let bytes = value.to_be_bytes();
    if len == 9 {
        out.push(0xFF);
        out.extend_from_slice(&bytes);
        return;
    }
    let start = out.len();
    out.extend_from_slice(&bytes[8 - len..]);
    // len - 1 leading ones, then a zero.
    out[start] |= !(0xFF_u8 >> (len - 1));
}

/// How many bytes [`encode_varint`] appends: 1 to 9.
pub const fn varint_len(value: u64) -> usize {
    let bits = 64 - value.leading_zeros() as usize;
    match bits.div_ceil(7) {
        0 => 1,
        len if len > 9 => 9,
        len => len,
    }
}

/// Reads fields from the front of a buffer; slices share the buffer's memory.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    buffer: &'a Bytes,
    position: usize,
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `buffer`; `what` is what [`DecodeError::Truncated`] names.
    pub const fn new(buffer: &'a Bytes, what: &'static str) -> Self {
        Self {
            buffer,
            position: 0,
            what,
        }
    }

    /// How many bytes were read.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.buffer.len() - self.position
    }

    /// Whether no byte is left.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// Reads a variable-length integer; forms longer than needed are fine.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let rest = &self.buffer[self.position..];
        let first = *rest.first().ok_or(DecodeError::Truncated(self.what))?;
        if first < 0x80 {
            self.position += 1;
            return Ok(u64::from(first));
        }
        let len = first.leading_ones() as usize + 1;
        let bytes = rest.get(..len).ok_or(DecodeError::Truncated(self.what))?;
        let mut value = u64::from(u32::from(first) & (0x7F >> (len - 1)));
        for byte in &bytes[1..] {
            value = value << 8 | u64::from(*byte);
        }
        self.position += len;
        Ok(value)
    }

    /// Reads one byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        let byte = self
            .buffer
            .get(self.position)
            .ok_or(DecodeError::Truncated(self.what))?;
        self.position += 1;
        Ok(*byte)
    }

    /// Reads a big-endian 16-bit integer.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from(self.u8()?) << 8 | u16::from(self.u8()?))
    }

    /// Reads `len` bytes without copying them.
    pub fn bytes(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        if len > self.remaining() {
            return Err(DecodeError::Truncated(self.what));
        }
        let start = self.position;
        self.position += len;
        Ok(self.buffer.slice(start..self.position))
    }

    /// Reads a length of at most `limit`, then that many bytes; `what` is what is too long.
    pub fn prefixed(&mut self, what: &'static str, limit: usize) -> Result<Bytes, DecodeError> {
        let len = self.varint()?;
        if len > limit as u64 {
            return Err(DecodeError::TooLong {
                what,
                got: len,
                limit: limit as u64,
            });
        }
        self.bytes(len as usize)
    }

    /// Reads all that is left.
    pub fn rest(&mut self) -> Bytes {
        let start = self.position;
        self.position = self.buffer.len();
        self.buffer.slice(start..)
    }
}

/// Appends a length and the bytes.
pub(crate) fn encode_prefixed(bytes: &[u8], out: &mut Vec<u8>) {
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// `None` where the input ends too early, for parsers of streams that go on.
pub(crate) fn when_complete<T>(result: Result<T, DecodeError>) -> Result<Option<T>, DecodeError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(DecodeError::Truncated(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
