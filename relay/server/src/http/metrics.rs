use std::fmt::Error;

use parvis_forwarding::DropReason as ForwardingDrop;
use parvis_session::DropReason as SessionDrop;
use parvis_wire::RequestErrorCode;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};

use crate::{
    ClosedBy, HandshakeFailure, Limit, Stats,
    shard::Report,
    stats::{Histogram, label},
};

pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Writes what a relay counted as OpenMetrics.
pub(super) fn encode(stats: &Stats, report: Report) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("parvis_relay");
    registry.register_collector(Box::new(Snapshot {
        stats: *stats,
        report,
    }));
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Snapshot {
    stats: Stats,
    report: Report,
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut out = Out(encoder);
        self.gauges(&mut out)?;
        self.counters(&mut out)?;
        self.families(&mut out)?;
        let Report { rtt, queue_age, .. } = &self.report;
        out.histogram(
            "session_rtt",
            "Round-trip times: each session's, at each scrape and at its end",
            rtt,
        )?;
        out.histogram(
            "session_queue_age",
            "Age of the oldest object bytes that wait for each session, at each scrape",
            queue_age,
        )
    }
}

impl Snapshot {
    fn gauges(&self, out: &mut Out<'_>) -> Result<(), Error> {
        let Self { stats, report } = self;
        out.gauge("sessions", "Sessions there are", stats.sessions)?;
        out.gauge("half_open", "Handshakes under way", stats.half_open)?;
        out.gauge(
            "namespaces",
            "Namespaces that sessions publish",
            stats.namespaces,
        )?;
        out.gauge("tracks", "Tracks that sessions publish", stats.tracks)?;
        out.gauge(
            "subscriptions",
            "Subscriptions, those of threads to each other among them",
            stats.subscriptions,
        )?;
        out.gauge(
            "streams",
            "Open streams to subscribers, those of threads to each other among them",
            stats.streams,
        )?;
        out.bytes(
            "cache",
            "Cached objects, metadata included",
            stats.cache_bytes,
        )?;
        out.bytes(
            "queued",
            "Objects that wait for sessions",
            report.queued_bytes,
        )?;
        out.seconds(
            "queue_oldest_age",
            "Age of the oldest object bytes that wait for any session",
            report.oldest.as_secs_f64(),
        )
    }

    fn counters(&self, out: &mut Out<'_>) -> Result<(), Error> {
        let stats = &self.stats;
        for (name, help, count) in [
            (
                "sessions_opened",
                "Sessions there have been",
                stats.sessions_opened,
            ),
            (
                "objects_received",
                "Objects that publishers sent",
                stats.objects_in,
            ),
            (
                "objects_sent",
                "Objects that went to subscribers",
                stats.objects_out,
            ),
            (
                "udp_datagrams_received",
                "UDP datagrams that came",
                stats.datagrams_in,
            ),
            (
                "udp_datagrams_moved",
                "UDP datagrams that came to another thread than their connection's",
                stats.datagrams_moved,
            ),
            ("turns", "How often a thread woke up", stats.turns),
        ] {
            out.counter(name, help, None, count)?;
        }
        for (name, help, count) in [
            (
                "received",
                "Objects that publishers sent, headers included",
                stats.bytes_in,
            ),
            (
                "sent",
                "Objects that went to subscribers, headers included",
                stats.bytes_out,
            ),
        ] {
            out.counter(name, help, Some(&Unit::Bytes), count)?;
        }
        Ok(())
    }

    fn families(&self, out: &mut Out<'_>) -> Result<(), Error> {
        let stats = &self.stats;
        let sessions = SessionDrop::ALL.map(|r| (label(r), stats.drops.by_session(r)));
        let forwarding = ForwardingDrop::ALL.map(|r| (label(r), stats.drops.by_forwarding(r)));
        let threads = [("thread_behind".to_owned(), stats.drops.between_threads())];
        out.family(
            "drops",
            "Streams, datagrams, objects and cached groups that were dropped",
            "reason",
            sessions.into_iter().chain(forwarding).chain(threads),
        )?;
        out.family(
            "limits_hit",
            "How often somebody ran into a limit",
            "limit",
            Limit::ALL.map(|limit| (label(limit), stats.limit(limit))),
        )?;
        let codes = RequestErrorCode::ALL.iter();
        let other = (
            "other".to_owned(),
            stats.refused(RequestErrorCode::Other(u64::MAX)),
        );
        out.family(
            "requests_refused",
            "Requests, and updates of requests, that were refused",
            "code",
            codes
                .map(|code| (label(*code), stats.refused(*code)))
                .chain([other]),
        )?;
        out.family(
            "handshakes_failed",
            "Handshakes that came to nothing",
            "reason",
            HandshakeFailure::ALL.map(|reason| (label(reason), stats.handshakes_failed(reason))),
        )?;
        out.family(
            "sessions_closed",
            "Sessions that are over, by who ended them",
            "by",
            ClosedBy::ALL.map(|by| (label(by), stats.closed_by(by))),
        )
    }
}

/// Writes one family after the other.
struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: usize) -> Result<(), Error> {
        let gauge = ConstGauge::new(value as u64);
        gauge.encode(
            self.0
                .encode_descriptor(name, help, None, MetricType::Gauge)?,
        )
    }

    fn bytes(&mut self, name: &str, help: &str, value: usize) -> Result<(), Error> {
        let gauge = ConstGauge::new(value as u64);
        let unit = Some(&Unit::Bytes);
        gauge.encode(
            self.0
                .encode_descriptor(name, help, unit, MetricType::Gauge)?,
        )
    }

    fn seconds(&mut self, name: &str, help: &str, value: f64) -> Result<(), Error> {
        let gauge = ConstGauge::new(value);
        let unit = Some(&Unit::Seconds);
        gauge.encode(
            self.0
                .encode_descriptor(name, help, unit, MetricType::Gauge)?,
        )
    }

    fn counter(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        value: u64,
    ) -> Result<(), Error> {
        let counter = ConstCounter::new(value);
        counter.encode(
            self.0
                .encode_descriptor(name, help, unit, MetricType::Counter)?,
        )
    }

    /// A counter for each value of a label.
    fn family(
        &mut self,
        name: &str,
        help: &str,
        key: &str,
        counts: impl IntoIterator<Item = (String, u64)>,
    ) -> Result<(), Error> {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, count) in counts {
            let labels = [(key, value)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) -> Result<(), Error> {
        let unit = Some(&Unit::Seconds);
        let mut out = self
            .0
            .encode_descriptor(name, help, unit, MetricType::Histogram)?;
        out.encode_histogram::<NoLabelSet>(
            histogram.sum(),
            histogram.count(),
            &histogram.buckets(),
            None,
        )
    }
}
