use bytes::{Bytes, BytesMut};

/// Bytes of a stream that do not make a whole field yet.
#[derive(Debug, Default)]
pub(crate) struct Accumulator(Bytes);

impl Accumulator {
    pub(crate) fn push(&mut self, data: Bytes) {
        if self.0.is_empty() {
            self.0 = data;
        } else if !data.is_empty() {
            // Unique after the first copy, so that single bytes are appended in place.
            let bytes = std::mem::take(&mut self.0);
            let mut bytes = bytes
                .try_into_mut()
                .unwrap_or_else(|b| BytesMut::from(b.as_ref()));
            bytes.extend_from_slice(&data);
            self.0 = bytes.freeze();
        }
    }

    pub(crate) const fn bytes(&self) -> &Bytes {
        &self.0
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn split_to(&mut self, len: usize) -> Bytes {
        self.0.split_to(len)
    }

    pub(crate) fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.0)
    }
}
