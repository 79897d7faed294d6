//! Which of the sockets that share a port the kernel gives a packet to.

use std::io;

use nix::{
    libc::{sock_filter, sock_fprog},
    sys::socket::{setsockopt, sockopt::AttachReusePortCbpf},
};

use super::BatchSocket;
use crate::connection_ids::LENGTH;

// Classic BPF: linux/filter.h.
const LOAD_BYTE: u16 = 0x30;
const JUMP_IF_BITS: u16 = 0x45;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN_LOADED: u16 = 0x16;
const RETURN: u16 = 0x06;

impl BatchSocket {
    /// Tells the kernel to give packets to the socket whose number, in the order in which the
    /// sockets of this port were bound, their connection id begins with (see
    /// [`id_prefix`](crate::id_prefix)), and those of newcomers to socket `newcomers`.
    ///
    /// count: how many sockets share the port.
    pub fn steer(&self, newcomers: u8, count: u8) -> io::Result<()> {
        let mut program = program(newcomers, count);
        let program = sock_fprog {
            len: program.len() as u16,
            filter: program.as_mut_ptr(),
        };
        Ok(setsockopt(&self.socket, AttachReusePortCbpf, &program)?)
    }
}

/// RFC 8999: the first byte tells long headers from short ones; a long one has its connection id's
/// length in byte 5 and the id behind it, a short one the id from byte 1. Numbers that no socket
/// has leave the choice to the kernel.
fn program(newcomers: u8, count: u8) -> [sock_filter; 10] {
    let step = |code, k: u32, jt, jf| sock_filter { code, jt, jf, k };
    [
        step(LOAD_BYTE, 0, 0, 0),
        step(JUMP_IF_BITS, 0x80, 2, 0),
        step(LOAD_BYTE, 1, 0, 0),
        step(RETURN_LOADED, 0, 0, 0),
        // A newcomer's own choice of an id may look like one of ours: then it goes there.
        step(LOAD_BYTE, 5, 0, 0),
        step(JUMP_IF_EQUAL, LENGTH as u32, 0, 3),
        step(LOAD_BYTE, 6, 0, 0),
        step(JUMP_IF_AT_LEAST, count.into(), 1, 0),
        step(RETURN_LOADED, 0, 0, 0),
        step(RETURN, newcomers.into(), 0, 0),
    ]
}
