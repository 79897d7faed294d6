use std::io::{self, Read};

/// Reads until the buffer is full or the input ends; says how much there was.
pub(crate) fn fill<R: Read>(input: &mut R, buffer: &mut [u8]) -> Result<usize, io::Error> {
    let mut got = 0;
    while got < buffer.len() {
        match input.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
