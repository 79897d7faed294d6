use bytes::{Bytes, BytesMut};
use parvis_forwarding::{Input, PeerId, RequestRef, SubgroupEnd, UpstreamStream};
use parvis_quic::udp::Received;
use parvis_wire::{
    GroupId, ObjectHeader, ObjectId, ObjectStatus, Properties, ResetCode, SubgroupHeader,
    SubgroupIdMode, TrackAlias,
};

use super::{
    link::{Batch, Links},
    waker,
};

const PEER: PeerId = PeerId(0);
const MIB: usize = 1 << 20;

fn pair() -> (Links, Links) {
    let wakers: Vec<_> = (0..2).map(|_| waker().unwrap().0).collect();
    let mut mesh = Links::mesh(&wakers).into_iter();
    (mesh.next().unwrap(), mesh.next().unwrap())
}

fn subgroup(stream: u64) -> Input {
    let header = SubgroupHeader {
        track_alias: TrackAlias(0),
        group: GroupId(0),
        subgroup: SubgroupIdMode::Zero,
        priority: None,
        has_properties: false,
        end_of_group: false,
        first_object: true,
    };
    let (request, stream) = (RequestRef::Ours(1), UpstreamStream(stream));
    Input::Subgroup {
        peer: PEER,
        request,
        stream,
        header,
    }
}

fn object(stream: u64, bytes: usize) -> Input {
    Input::Object {
        peer: PEER,
        stream: UpstreamStream(stream),
        header: ObjectHeader {
            id: ObjectId(0),
            properties: Properties::EMPTY,
            status: ObjectStatus::Normal,
            payload_len: bytes as u64,
        },
        raw: Bytes::from(vec![0; bytes]),
        header_len: 0,
    }
}

fn end(stream: u64) -> Input {
    Input::SubgroupEnd {
        peer: PEER,
        stream: UpstreamStream(stream),
        end: SubgroupEnd::Finished,
    }
}

fn cut(stream: u64) -> Input {
    Input::SubgroupEnd {
        peer: PEER,
        stream: UpstreamStream(stream),
        end: SubgroupEnd::Reset(ResetCode::TooFarBehind),
    }
}

fn send(links: &mut Links, input: Input) {
    links.to(1).unwrap().input(input);
}

fn inputs(batches: Vec<Batch>) -> Vec<Input> {
    batches.into_iter().flat_map(|batch| batch.inputs).collect()
}

#[test]
fn a_turn_is_one_batch_in_order() {
    let (mut one, mut two) = pair();
    send(&mut one, subgroup(1));
    send(&mut one, object(1, 100));
    send(&mut one, end(1));
    one.flush();

    let batches = two.receive();
    assert_eq!(batches.len(), 1);
    assert_eq!(inputs(batches), [subgroup(1), object(1, 100), end(1)]);
    assert!(two.receive().is_empty());
}

#[test]
fn a_shard_has_no_link_to_itself_or_to_nobody() {
    let (mut one, _) = pair();
    assert!(one.to(0).is_none());
    assert!(one.to(2).is_none());
    assert_eq!(one.others(), [1]);
}

#[test]
fn streams_of_a_full_link_are_cut_off_once_and_new_ones_wait_for_room() {
    let (mut one, mut two) = pair();
    send(&mut one, subgroup(1));
    send(&mut one, object(1, 17 * MIB));
    send(&mut one, object(1, 1));
    send(&mut one, object(1, 1));
    send(&mut one, subgroup(2));
    send(&mut one, object(2, 1));
    send(&mut one, end(2));
    one.flush();
    assert_eq!(one.dropped(), 2);
    assert_eq!(
        inputs(two.receive()),
        [subgroup(1), object(1, 17 * MIB), cut(1)]
    );

    // There is room again. The first stream stays cut off until it ends.
    send(&mut one, object(1, 1));
    send(&mut one, end(1));
    send(&mut one, subgroup(1));
    send(&mut one, object(1, 1));
    one.flush();
    assert_eq!(inputs(two.receive()), [subgroup(1), object(1, 1)]);
    assert_eq!(one.dropped(), 2);
}

#[test]
fn packets_of_a_full_link_are_lost_like_any_other() {
    let (mut one, mut two) = pair();
    let packet = |bytes| Received {
        from: "127.0.0.1:1".parse().unwrap(),
        local_ip: None,
        ecn: None,
        data: BytesMut::zeroed(bytes),
    };
    one.to(1).unwrap().packet(packet(17 * MIB));
    one.to(1).unwrap().packet(packet(1));
    one.flush();

    assert_eq!(one.dropped(), 1);
    assert_eq!(two.receive()[0].packets.len(), 1);
}

#[test]
fn batches_without_room_stay_and_go_together_later() {
    let (mut one, mut two) = pair();
    for stream in 0..100 {
        send(&mut one, end(stream));
        one.flush();
    }
    assert!(one.is_stuck());
    assert_eq!(two.receive().len(), 64);
    one.flush();
    assert!(!one.is_stuck());

    let rest = inputs(two.receive());
    assert_eq!(rest.len(), 36);
    assert_eq!(rest[35], end(99));
}

#[test]
fn a_wake_up_is_seen_once_however_often_it_was_given() {
    use std::{os::fd::AsFd, time::Duration};

    use parvis_quic::udp::{BatchSocket, SocketOptions};

    let (waker, mut wakeups) = waker().unwrap();
    let addr = "127.0.0.1:0".parse().unwrap();
    let socket = BatchSocket::bind(addr, &SocketOptions::default()).unwrap();
    waker.wake();
    waker.clone().wake();

    let is_woken = |wakeups: &waker::Wakeups| {
        socket
            .wait(Some(Duration::ZERO), Some(wakeups.as_fd()))
            .unwrap()
    };
    assert!(is_woken(&wakeups));
    wakeups.clear();
    assert!(!is_woken(&wakeups));
    waker.wake();
    assert!(is_woken(&wakeups));
}
