#![no_main]
//! Streams of an HTTP/3 client: the first byte says which, the second how many bytes it brings.

use libfuzzer_sys::fuzz_target;
use parvis_quic::http3::{Http3, Options, Output};
use parvis_session::StreamId;
use parvis_wire::Draft;

fuzz_target!(|data: &[u8]| {
    let options = Options {
        drafts: Draft::ALL.to_vec(),
        default_draft: Draft::D18,
    };
    let mut server = Http3::server(options.into());
    let mut rest = data;
    while let [id, len, tail @ ..] = rest {
        let id = StreamId(u64::from(id & 0x1e));
        let (mut bytes, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = tail;
        if server.wants(id).is_none() {
            server.opened(id);
        }
        while !bytes.is_empty()
            && let Some(most) = server.wants(id)
        {
            let (now, later) = bytes.split_at(most.min(bytes.len()));
            server.data(id, now);
            bytes = later;
        }
        if len % 8 == 7 {
            server.ended(id, (len % 16 == 7).then_some(0x10c));
        }
    }
    let mut failed = false;
    while let Some(output) = server.poll() {
        failed |= matches!(output, Output::Fail { .. });
        assert!(!failed || !matches!(output, Output::Open { .. }));
    }
});
