//! The batch socket on the loopback interface.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use parvis_quic::{
    Ecn, Transmit,
    udp::{BatchSocket, SocketOptions},
};

fn bound(ip: impl Into<std::net::IpAddr>) -> (BatchSocket, SocketAddr) {
    let socket =
        BatchSocket::bind(SocketAddr::new(ip.into(), 0), &SocketOptions::default()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn to(destination: SocketAddr, size: usize, segment_size: Option<usize>) -> Transmit {
    Transmit {
        destination,
        ecn: None,
        size,
        segment_size,
        src_ip: None,
    }
}

/// Receives until so many datagrams have come.
fn receive(socket: &mut BatchSocket, count: usize) -> Vec<parvis_quic::udp::Received> {
    let mut received = Vec::new();
    while received.len() < count {
        socket.wait(Some(Duration::from_secs(5)), None).unwrap();
        let got = socket.receive(|datagram| received.push(datagram)).unwrap();
        assert!(got > 0, "only {} of {count} came", received.len());
    }
    received
}

#[test]
fn a_sweep_of_trains_and_single_datagrams_arrives_whole() {
    let (mut sender, from) = bound(Ipv4Addr::LOCALHOST);
    let mut receivers = [bound(Ipv4Addr::LOCALHOST), bound(Ipv4Addr::LOCALHOST)];
    for round in 0..3_u8 {
        for (_, address) in &receivers {
            let train: Vec<u8> = (0..12_100).map(|i| (i / 1200) as u8 + round).collect();
            sender.queue(&to(*address, train.len(), Some(1200)), &train);
            sender.queue(&to(*address, 50, None), &[99; 50]);
            sender.queue(&to(*address, 3000, Some(1000)), &[77; 3000]);
        }
        assert!(sender.flush().unwrap());
        for (receiver, _) in &mut receivers {
            let received = receive(receiver, 11 + 1 + 3);
            let lengths: Vec<usize> = received.iter().map(|d| d.data.len()).collect();
            assert_eq!(lengths[..11], [vec![1200; 10], vec![100]].concat());
            assert_eq!(lengths[11..], [50, 1000, 1000, 1000]);
            for (index, datagram) in received.iter().take(11).enumerate() {
                assert!(
                    datagram
                        .data
                        .iter()
                        .all(|byte| *byte == index as u8 + round)
                );
                assert_eq!(datagram.from, from);
            }
        }
    }
}

#[test]
fn congestion_marks_travel() {
    let (mut sender, _) = bound(Ipv4Addr::LOCALHOST);
    let (mut receiver, address) = bound(Ipv4Addr::LOCALHOST);
    for ecn in [None, Some(Ecn::Ect0), Some(Ecn::Ce)] {
        sender.queue(
            &Transmit {
                ecn,
                ..to(address, 2000, Some(1000))
            },
            &[1; 2000],
        );
    }
    assert!(sender.flush().unwrap());
    let marks: Vec<Option<Ecn>> = receive(&mut receiver, 6).iter().map(|d| d.ecn).collect();
    let (ect0, ce) = (Some(Ecn::Ect0), Some(Ecn::Ce));
    assert_eq!(marks, [None, None, ect0, ect0, ce, ce]);
}

#[test]
fn an_answer_leaves_from_the_address_that_was_asked() {
    let (mut server, address) = bound(Ipv4Addr::UNSPECIFIED);
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let asked = SocketAddr::from(([127, 0, 0, 2], address.port()));
    client.send_to(b"hello", asked).unwrap();
    let received = receive(&mut server, 1);
    assert_eq!(received[0].local_ip, Some(asked.ip()));
    let transmit = Transmit {
        src_ip: received[0].local_ip,
        ..to(client.local_addr().unwrap(), 2, None)
    };
    server.queue(&transmit, b"hi");
    assert!(server.flush().unwrap());
    let mut buf = [0; 10];
    assert_eq!(client.recv_from(&mut buf).unwrap(), (2, asked));
}

#[test]
fn ipv6_works_alike() {
    let Ok(mut receiver) = BatchSocket::bind(
        SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 0),
        &SocketOptions::default(),
    ) else {
        return;
    };
    let (mut sender, _) = bound(Ipv6Addr::LOCALHOST);
    let ecn = Some(Ecn::Ect0);
    let transmit = Transmit {
        ecn,
        ..to(receiver.local_addr().unwrap(), 2500, Some(1000))
    };
    sender.queue(&transmit, &[5; 2500]);
    assert!(sender.flush().unwrap());
    let received = receive(&mut receiver, 3);
    assert_eq!(received[2].data.len(), 500);
    assert_eq!(received[0].ecn, ecn);
}

#[test]
fn a_datagram_that_cannot_be_sent_does_not_hold_up_the_others() {
    let (mut sender, _) = bound(Ipv4Addr::LOCALHOST);
    let (mut receiver, address) = bound(Ipv4Addr::LOCALHOST);
    // Not reachable from a socket that is bound to the loopback interface.
    let nowhere = SocketAddr::from(([192, 0, 2, 1], 9));
    sender.queue(&to(nowhere, 3, None), b"one");
    sender.queue(&to(address, 3, None), b"two");
    sender.queue(&to(nowhere, 2500, Some(1000)), &[0; 2500]);
    sender.queue(&to(address, 5, None), b"three");
    assert!(sender.flush().unwrap());
    let received = receive(&mut receiver, 2);
    assert_eq!(received[0].data, b"two"[..]);
    assert_eq!(received[1].data, b"three"[..]);
}

#[test]
fn what_the_kernel_refuses_is_kept_and_sent_later() {
    let options = SocketOptions {
        send_buffer: 1,
        ..SocketOptions::default()
    };
    let mut sender = BatchSocket::bind("127.0.0.1:0".parse().unwrap(), &options).unwrap();
    let (mut receiver, address) = bound(Ipv4Addr::LOCALHOST);
    for index in 0..200_u8 {
        sender.queue(&to(address, 1000, None), &[index; 1000]);
    }
    let mut received = Vec::new();
    while !sender.flush().unwrap() {
        assert!(sender.is_blocked());
        receiver
            .receive(|datagram| received.push(datagram.data[0]))
            .unwrap();
        sender.wait(Some(Duration::from_secs(1)), None).unwrap();
    }
    while received.len() < 200 {
        received.extend(
            receive(&mut receiver, 1)
                .iter()
                .map(|datagram| datagram.data[0]),
        );
    }
    assert_eq!(received, (0..200).collect::<Vec<u8>>());
}

#[test]
fn a_wake_up_ends_the_waiting() {
    use std::{io::Write, os::fd::AsFd};
    let (socket, _) = bound(Ipv4Addr::LOCALHOST);
    let (reader, mut writer) = std::io::pipe().unwrap();
    assert!(
        !socket
            .wait(Some(Duration::from_millis(1)), Some(reader.as_fd()))
            .unwrap()
    );
    writer.write_all(b"!").unwrap();
    assert!(socket.wait(None, Some(reader.as_fd())).unwrap());
}

#[test]
fn a_port_is_shared_from_the_moment_its_socket_says_so() {
    let shared = SocketOptions {
        share_port: true,
        ..SocketOptions::default()
    };
    let (first, address) = bound(Ipv4Addr::LOCALHOST);
    assert!(BatchSocket::bind(address, &shared).is_err());
    first.share_port().unwrap();
    let second = BatchSocket::bind(address, &shared).unwrap();
    assert_eq!(second.local_addr().unwrap(), address);
    assert!(BatchSocket::bind(address, &SocketOptions::default()).is_err());
}
