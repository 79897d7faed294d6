use bytes::Bytes;

use crate::{AuthToken, GroupOrder, Location, LocationFilter, Priority, TrackNamespace};

/// The parameters of a control message, typed; `None` means absent.
///
/// Times are milliseconds on the wire. Which message may carry which parameter is checked when
/// encoding and decoding. Draft 22, "Message Parameters".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters {
    /// 0x02: an object older than this many milliseconds need not be sent.
    pub object_delivery_timeout: Option<u64>,
    /// 0x03: authorization tokens, in order.
    pub auth_tokens: Vec<AuthToken>,
    /// 0x04: how long a relay may wait for the track to appear, milliseconds.
    pub rendezvous_timeout: Option<u64>,
    /// 0x06: a subgroup older than this many milliseconds need not be sent.
    pub subgroup_delivery_timeout: Option<u64>,
    /// 0x08: when the request expires, milliseconds from now; 0: never or unknown.
    pub expires: Option<u64>,
    /// 0x09: the largest object published so far.
    pub largest: Option<Location>,
    /// 0x0A: how long a relay may spend on filling a fetch, milliseconds.
    pub fill_timeout: Option<u64>,
    /// 0x10: whether objects are sent at all; absent: yes.
    pub forward: Option<bool>,
    /// 0x20: the subscriber's priority.
    pub subscriber_priority: Option<Priority>,
    /// 0x21: which objects.
    pub filter: Option<LocationFilter>,
    /// 0x22: the order of groups.
    pub group_order: Option<GroupOrder>,
    /// 0x23, draft 22: asks for a fill stream; the nested parameters.
    pub fill: Option<Box<Parameters>>,
    /// 0x25 to 0x29, draft 22: range filters, type and raw value, in ascending order of type.
    pub range_filters: Vec<(u64, Bytes)>,
    /// 0x32: asks the publisher to start a group larger than this one (0: any).
    pub new_group_request: Option<u64>,
    /// 0x34: replaces the prefix of a namespace subscription.
    pub namespace_prefix: Option<TrackNamespace>,
    /// 0x35, draft 22: whether the answer carries track properties; absent: yes.
    pub include_properties: Option<bool>,
}

impl Parameters {
    /// The most range filters that are accepted; the draft names no number.
    pub const MAX_RANGE_FILTERS: usize = 64;
}
