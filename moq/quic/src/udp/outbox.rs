use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
};

use quinn_udp::UdpSocketState;

use crate::{Ecn, Transmit, packet::MAX_TRAIN_BYTES};

/// Bytes after which a sweep is interrupted to send.
const FULL: usize = 1 << 20;

/// Datagrams and trains that wait for one system call.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    trains: Vec<Train>,
    /// Trains before this one are sent.
    sent: usize,
    max_segments: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Train {
    pub(super) to: SocketAddr,
    pub(super) start: usize,
    pub(super) len: usize,
    pub(super) segment: Option<u16>,
    pub(super) ecn: Option<Ecn>,
    pub(super) src_ip: Option<IpAddr>,
}

/// How far an attempt to send came.
pub(super) enum Progress {
    /// The first so many trains went out.
    Sent(usize),
    /// The kernel's buffer is full.
    Blocked,
    /// The first train cannot be sent as a train.
    NoTrains,
    /// The first train cannot be sent at all; a lost packet like any other.
    Unsendable(io::Error),
    /// The socket is broken.
    Failed(io::Error),
}

impl Outbox {
    pub(super) fn new(max_segments: usize) -> Self {
        Self {
            bytes: Vec::new(),
            trains: Vec::new(),
            sent: 0,
            max_segments,
        }
    }

    pub(super) const fn max_segments(&self) -> usize {
        self.max_segments
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() + MAX_TRAIN_BYTES > FULL
    }

    pub(super) fn push(&mut self, transmit: &Transmit, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let train = Train {
            to: transmit.destination,
            start,
            len: bytes.len(),
            segment: transmit.segment_size.map(|segment| segment as u16),
            ecn: transmit.ecn,
            src_ip: transmit.src_ip,
        };
        self.trains.push(train);
        if self.max_segments == 1 {
            self.split(self.trains.len() - 1, 1);
        } else if bytes.len() > MAX_TRAIN_BYTES {
            self.split(self.trains.len() - 1, MAX_TRAIN_BYTES);
        }
    }

    /// Sends; whether everything went out.
    pub(super) fn flush(&mut self, socket: &UdpSocket, state: &UdpSocketState) -> io::Result<bool> {
        while self.sent < self.trains.len() {
            match send(socket, state, &self.bytes, &self.trains[self.sent..]) {
                Progress::Sent(count) => self.sent += count,
                Progress::Blocked => return Ok(false),
                Progress::Failed(error) => return Err(error),
                Progress::NoTrains => {
                    tracing::info!("the network takes no trains of datagrams; sending singly");
                    self.max_segments = 1;
                    for index in (self.sent..self.trains.len()).rev() {
                        self.split(index, 1);
                    }
                }
                Progress::Unsendable(error) => {
                    let to = self.trains[self.sent].to;
                    tracing::debug!(%error, %to, "a datagram cannot be sent");
                    self.sent += 1;
                }
            }
        }
        self.bytes.clear();
        self.trains.clear();
        self.sent = 0;
        Ok(true)
    }

    /// Makes trains of at most so many bytes of one, or single datagrams.
    fn split(&mut self, index: usize, most: usize) {
        let train = self.trains[index];
        let Some(segment) = train.segment.map(usize::from) else {
            return;
        };
        let segment = segment.max(1);
        let step = (most / segment).max(1) * segment;
        let parts = (0..train.len).step_by(step).map(|offset| {
            let len = step.min(train.len - offset);
            Train {
                start: train.start + offset,
                len,
                segment: train.segment.filter(|_| len > segment),
                ..train
            }
        });
        self.trains.splice(index..=index, parts.collect::<Vec<_>>());
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn send(socket: &UdpSocket, _state: &UdpSocketState, bytes: &[u8], trains: &[Train]) -> Progress {
    super::mmsg::send(socket, bytes, trains)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn send(socket: &UdpSocket, state: &UdpSocketState, bytes: &[u8], trains: &[Train]) -> Progress {
    let train = &trains[0];
    let transmit = quinn_udp::Transmit {
        destination: train.to,
        ecn: train.ecn.map(Ecn::to_udp),
        contents: &bytes[train.start..train.start + train.len],
        segment_size: train.segment.map(usize::from),
        src_ip: train.src_ip,
    };
    match state.try_send(socket.into(), &transmit) {
        Ok(()) => Progress::Sent(1),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Progress::Blocked,
        Err(_) if train.segment.is_some() && state.max_gso_segments() == 1 => Progress::NoTrains,
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Progress::Failed(error),
        Err(error) => Progress::Unsendable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transmit(size: usize, segment_size: Option<usize>) -> Transmit {
        let destination = SocketAddr::from(([127, 0, 0, 1], 1));
        Transmit {
            destination,
            ecn: None,
            size,
            segment_size,
            src_ip: None,
        }
    }

    fn lengths(outbox: &Outbox) -> Vec<(usize, Option<u16>)> {
        outbox
            .trains
            .iter()
            .map(|train| (train.len, train.segment))
            .collect()
    }

    #[test]
    fn without_offload_a_train_becomes_its_datagrams() {
        let mut outbox = Outbox::new(1);
        outbox.push(&transmit(2500, Some(1000)), &[0; 2500]);
        outbox.push(&transmit(10, None), &[0; 10]);
        assert_eq!(
            lengths(&outbox),
            [(1000, None), (1000, None), (500, None), (10, None)]
        );
    }

    #[test]
    fn a_train_longer_than_the_kernel_takes_is_split() {
        let mut outbox = Outbox::new(64);
        outbox.push(&transmit(66_000, Some(1100)), &vec![0; 66_000]);
        assert_eq!(lengths(&outbox), [(64_900, Some(1100)), (1100, None)]);
        outbox.push(&transmit(60_000, Some(1100)), &vec![0; 60_000]);
        assert_eq!(lengths(&outbox)[2..], [(60_000, Some(1100))]);
    }
}
