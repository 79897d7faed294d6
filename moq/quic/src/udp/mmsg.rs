use std::{
    io::IoSlice,
    net::{IpAddr, UdpSocket},
    os::fd::AsRawFd,
};

use nix::{
    cmsg_space,
    errno::Errno,
    libc,
    sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg},
};

use super::outbox::{Progress, Train};

/// Messages per system call.
const MAX_MESSAGES: usize = 256;

/// What all messages of one `sendmmsg` have in common.
struct Shared {
    segment: Option<u16>,
    tos: Option<u8>,
    v6: bool,
    src_ip: Option<IpAddr>,
    count: usize,
}

/// Sends as many trains from the front as one system call can.
pub(super) fn send(socket: &UdpSocket, bytes: &[u8], trains: &[Train]) -> Progress {
    let shared = shared(trains);
    let trains = &trains[..shared.count];
    let slices: Vec<[IoSlice<'_>; 1]> = trains
        .iter()
        .map(|train| [IoSlice::new(&bytes[train.start..train.start + train.len])])
        .collect();
    let to: Vec<Option<SockaddrStorage>> =
        trains.iter().map(|train| Some(train.to.into())).collect();
    let (v4_info, v6_info) = source(shared.src_ip);
    let tclass = shared.tos.map(i32::from);
    let mut control = Vec::with_capacity(3);
    let mut space = 0;
    if let Some(segment) = &shared.segment {
        control.push(ControlMessage::UdpGsoSegments(segment));
        space += cmsg_space!(u16).capacity();
    }
    if let (Some(tclass), true) = (&tclass, shared.v6) {
        control.push(ControlMessage::Ipv6TClass(tclass));
        space += cmsg_space!(i32).capacity();
    } else if let Some(tos) = &shared.tos {
        control.push(ControlMessage::Ipv4Tos(tos));
        space += cmsg_space!(u8).capacity();
    }
    if let Some(info) = &v4_info {
        control.push(ControlMessage::Ipv4PacketInfo(info));
        space += cmsg_space!(libc::in_pktinfo).capacity();
    }
    if let Some(info) = &v6_info {
        control.push(ControlMessage::Ipv6PacketInfo(info));
        space += cmsg_space!(libc::in6_pktinfo).capacity();
    }
    // The kernel refuses spare room, so the headers are made to measure.
    let space = (space > 0).then(|| Vec::with_capacity(space));
    let mut headers = MultiHeaders::preallocate(trains.len(), space);
    let sent = sendmmsg(
        socket.as_raw_fd(),
        &mut headers,
        &slices,
        &to,
        &control,
        MsgFlags::empty(),
    )
    .map(Iterator::count);
    match sent {
        Ok(count) => Progress::Sent(count),
        Err(Errno::EAGAIN) => Progress::Blocked,
        Err(Errno::EINTR) => Progress::Sent(0),
        Err(Errno::EIO | Errno::EINVAL) if trains[0].segment.is_some() => Progress::NoTrains,
        Err(errno @ (Errno::EBADF | Errno::ENOTSOCK | Errno::EFAULT)) => {
            Progress::Failed(errno.into())
        }
        Err(errno) => Progress::Unsendable(errno.into()),
    }
}

/// How many trains from the front can share their control messages, and which.
///
/// A single datagram may travel with a segment size that is not smaller than itself: the kernel
/// then sends it as it is. So only trains of different segment sizes have to part.
fn shared(trains: &[Train]) -> Shared {
    let first = &trains[0];
    let mut segment = first.segment;
    let mut largest_single = 0;
    let mut count = 0;
    for train in trains.iter().take(MAX_MESSAGES) {
        if train.ecn != first.ecn
            || train.src_ip != first.src_ip
            || train.to.is_ipv6() != first.to.is_ipv6()
        {
            break;
        }
        match (segment, train.segment) {
            (Some(shared), Some(own)) if shared != own => break,
            (Some(shared), None) if train.len > usize::from(shared) => break,
            (None, Some(own)) if largest_single > usize::from(own) => break,
            (None, own @ Some(_)) => segment = own,
            _ => {}
        }
        if train.segment.is_none() {
            largest_single = largest_single.max(train.len);
        }
        count += 1;
    }
    Shared {
        segment,
        tos: first.ecn.map(crate::Ecn::bits),
        v6: first.to.is_ipv6(),
        src_ip: first.src_ip,
        count,
    }
}

fn source(ip: Option<IpAddr>) -> (Option<libc::in_pktinfo>, Option<libc::in6_pktinfo>) {
    match ip {
        None => (None, None),
        Some(IpAddr::V4(ip)) => {
            let ipi_spec_dst = libc::in_addr {
                s_addr: u32::from_ne_bytes(ip.octets()),
            };
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst,
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            (Some(info), None)
        }
        Some(IpAddr::V6(ip)) => {
            let ipi6_addr = libc::in6_addr {
                s6_addr: ip.octets(),
            };
            (
                None,
                Some(libc::in6_pktinfo {
                    ipi6_addr,
                    ipi6_ifindex: 0,
                }),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn train(len: usize, segment: Option<u16>) -> Train {
        let to = SocketAddr::from(([127, 0, 0, 1], 1));
        Train {
            to,
            start: 0,
            len,
            segment,
            ecn: None,
            src_ip: None,
        }
    }

    #[test]
    fn single_datagrams_travel_with_trains_that_they_fit() {
        let trains = [train(100, None), train(5000, Some(1452)), train(1452, None)];
        assert_eq!(shared(&trains).count, 3);
        assert_eq!(shared(&trains).segment, Some(1452));
    }

    #[test]
    fn trains_of_different_segments_part() {
        assert_eq!(
            shared(&[train(5000, Some(1452)), train(5000, Some(1200))]).count,
            1
        );
        assert_eq!(
            shared(&[train(1300, None), train(5000, Some(1200))]).count,
            1
        );
        assert_eq!(
            shared(&[train(5000, Some(1200)), train(1300, None)]).count,
            1
        );
    }
}
