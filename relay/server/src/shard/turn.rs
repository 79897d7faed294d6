use std::io;

use parvis_forwarding::{Input, Quota};
use parvis_quic::{ConnectionEvent, id_prefix, udp::BatchSocket};

use super::Shard;
use crate::Limit;

/// The relay's name of each of the forwarder's limits.
pub(super) const QUOTAS: [(Limit, Quota); Quota::ALL.len()] = [
    (Limit::Namespaces, Quota::Namespaces),
    (Limit::Tracks, Quota::Published),
    (Limit::Subscriptions, Quota::Subscriptions),
    (Limit::Prefixes, Quota::Prefixes),
];

impl Shard {
    /// Takes everything that has come, lets sessions and forwarder work on it, and sends what they
    /// have for the network and for other shards, once.
    pub(super) fn turn(&mut self, socket: &mut BatchSocket) -> io::Result<()> {
        self.receive(socket)?;
        self.work();
        socket.send_all(&mut self.endpoint, self.now)?;
        Ok(())
    }

    /// The part of a turn between receiving and sending.
    pub(super) fn work(&mut self) {
        self.stats.turns += 1;
        self.take_batches();
        self.endpoint.handle_timeout(self.now);
        self.expire_tokens();
        if self
            .forwarder
            .poll_timeout()
            .is_some_and(|timeout| timeout <= self.now)
        {
            self.forwarder.handle_timeout(self.now);
            self.drain_forwarder();
        }
        self.advance_phase();
        self.advance_upstream();
        while let Some((key, event)) = self.endpoint.poll() {
            match event {
                ConnectionEvent::Connected { draft, remote, .. } => {
                    self.connected(key, remote, draft);
                }
                ConnectionEvent::Session(event) => self.session_event(key, event),
                ConnectionEvent::Closed { reason } => self.closed(key, &reason),
            }
        }
        // First: whoever has got an object finds it counted.
        self.publish_stats();
        self.links.flush();
    }

    /// Tells the forwarder something and does what it wants done.
    pub(super) fn feed(&mut self, input: Input) {
        self.forwarder.handle(input, self.now);
        self.drain_forwarder();
    }

    pub(super) fn drain_forwarder(&mut self) {
        loop {
            while let Some(output) = self.forwarder.poll() {
                self.carry_out(output);
            }
            // What could not be carried out.
            let Some(input) = self.inputs.pop_front() else {
                return;
            };
            self.forwarder.handle(input, self.now);
        }
    }

    fn receive(&mut self, socket: &mut BatchSocket) -> io::Result<()> {
        let Self {
            endpoint,
            links,
            stats,
            ..
        } = self;
        let (now, index) = (self.now, self.index);
        let received = socket.receive(|packet| {
            if let Some(prefix) = id_prefix(&packet.data)
                && prefix != index
                && let Some(link) = links.to(prefix.into())
            {
                stats.datagrams_moved += 1;
                link.packet(packet);
            } else {
                endpoint.handle_datagram(
                    now,
                    packet.from,
                    packet.local_ip,
                    packet.ecn,
                    packet.data,
                );
            }
        })?;
        self.stats.datagrams_in += received as u64;
        Ok(())
    }

    fn take_batches(&mut self) {
        for batch in self.links.receive() {
            for packet in batch.packets {
                self.endpoint.handle_datagram(
                    self.now,
                    packet.from,
                    packet.local_ip,
                    packet.ecn,
                    packet.data,
                );
            }
            for input in batch.inputs {
                self.feed(input);
            }
            for session in batch.surplus {
                self.expel_surplus(session);
            }
        }
    }

    pub(super) fn publish_stats(&mut self) {
        let forwarding = self.forwarder.stats();
        self.stats.half_open = self.endpoint.half_open();
        self.stats.namespaces = forwarding.namespaces;
        self.stats.tracks = forwarding.tracks;
        self.stats.subscriptions = forwarding.subscriptions;
        self.stats.streams = forwarding.streams;
        self.stats.cache_bytes = forwarding.cache_bytes;
        for (limit, quota) in QUOTAS {
            self.stats.limits[limit as usize] =
                forwarding.refused(quota) + self.subject_refusals[quota as usize];
        }
        for reason in parvis_forwarding::DropReason::ALL {
            self.stats.drops.forwarding[reason as usize] = forwarding.dropped(reason);
        }
        self.stats.drops.link = self.links.dropped();
        self.shared.publish(&self.stats);
    }
}
