use bytes::Bytes;

use crate::{
    AuthToken, Draft, GroupOrder, HopPath, Location, LocationFilter, MessageType, Priority,
    TrackNamespace,
};

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
    /// 0x40B57, where both sides offered RELAY_HOPS: the relays that word of a namespace passed.
    pub hop_path: Option<HopPath>,
    /// 0x40B58, where both sides offered RELAY_HOPS: what subscribing by that path costs.
    pub route_cost: Option<u64>,
}

impl Parameters {
    /// The most range filters that are accepted; the draft names no number.
    pub const MAX_RANGE_FILTERS: usize = 64;

    /// Drops the parameters that `message` may not carry in `draft`.
    pub fn retain_allowed(&mut self, message: MessageType, draft: Draft) {
        fn keep<T>(field: &mut Option<T>, allowed: bool) {
            if !allowed {
                *field = None;
            }
        }
        let allows = |parameter| message.allows(parameter, draft);
        keep(
            &mut self.object_delivery_timeout,
            allows(kind::OBJECT_DELIVERY_TIMEOUT),
        );
        if !allows(AuthToken::TYPE) {
            self.auth_tokens.clear();
        }
        keep(
            &mut self.rendezvous_timeout,
            allows(kind::RENDEZVOUS_TIMEOUT),
        );
        keep(
            &mut self.subgroup_delivery_timeout,
            allows(kind::SUBGROUP_DELIVERY_TIMEOUT),
        );
        keep(&mut self.expires, allows(kind::EXPIRES));
        keep(&mut self.largest, allows(kind::LARGEST_OBJECT));
        keep(&mut self.fill_timeout, allows(kind::FILL_TIMEOUT));
        keep(&mut self.forward, allows(kind::FORWARD));
        keep(
            &mut self.subscriber_priority,
            allows(kind::SUBSCRIBER_PRIORITY),
        );
        keep(&mut self.filter, allows(kind::LOCATION_FILTER));
        keep(&mut self.group_order, allows(kind::GROUP_ORDER));
        keep(&mut self.fill, allows(kind::FILL_PARAMETERS));
        self.range_filters.retain(|(filter, _)| allows(*filter));
        keep(&mut self.new_group_request, allows(kind::NEW_GROUP_REQUEST));
        keep(
            &mut self.namespace_prefix,
            allows(kind::TRACK_NAMESPACE_PREFIX),
        );
        keep(
            &mut self.include_properties,
            allows(kind::INCLUDE_PROPERTIES),
        );
        keep(&mut self.hop_path, allows(kind::HOP_PATH));
        keep(&mut self.route_cost, allows(kind::ROUTE_COST));
    }
}

/// Parameter types. draft-ietf-moq-transport-22, "Message Parameters".
pub(crate) mod kind {
    pub(crate) const OBJECT_DELIVERY_TIMEOUT: u64 = 0x02;
    pub(crate) const RENDEZVOUS_TIMEOUT: u64 = 0x04;
    pub(crate) const SUBGROUP_DELIVERY_TIMEOUT: u64 = 0x06;
    pub(crate) const EXPIRES: u64 = 0x08;
    pub(crate) const LARGEST_OBJECT: u64 = 0x09;
    pub(crate) const FILL_TIMEOUT: u64 = 0x0A;
    pub(crate) const FORWARD: u64 = 0x10;
    pub(crate) const SUBSCRIBER_PRIORITY: u64 = 0x20;
    pub(crate) const LOCATION_FILTER: u64 = 0x21;
    pub(crate) const GROUP_ORDER: u64 = 0x22;
    pub(crate) const FILL_PARAMETERS: u64 = 0x23;
    pub(crate) const FIRST_RANGE_FILTER: u64 = 0x25;
    pub(crate) const LAST_RANGE_FILTER: u64 = 0x29;
    pub(crate) const NEW_GROUP_REQUEST: u64 = 0x32;
    pub(crate) const TRACK_NAMESPACE_PREFIX: u64 = 0x34;
    pub(crate) const INCLUDE_PROPERTIES: u64 = 0x35;
    /// draft-lcurley-moq-cluster-00, "Namespace Advertisements".
    pub(crate) const HOP_PATH: u64 = 0x40B57;
    pub(crate) const ROUTE_COST: u64 = 0x40B58;
    /// Those that FILL_PARAMETERS may hold.
    pub(crate) const IN_FILL: [u64; 8] = [0x0A, 0x20, 0x21, 0x22, 0x25, 0x26, 0x27, 0x28];
}
