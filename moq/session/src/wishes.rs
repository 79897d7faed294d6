use std::time::Duration;

use parvis_wire::{GroupOrder, Parameters, Priority, Properties, PropertyValue};

use crate::scheduler::{FlowKind, FlowOptions};

/// What the subscriber wants of sending, from the parameters of its messages.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    priority: Option<Priority>,
    group_order: Option<GroupOrder>,
    object_timeout: Option<u64>,
    subgroup_timeout: Option<u64>,
}

impl Wishes {
    pub(crate) fn of(parameters: &Parameters) -> Self {
        let mut wishes = Self::default();
        wishes.apply(parameters);
        wishes
    }

    /// Takes over what a message says; the rest stays.
    pub(crate) fn apply(&mut self, parameters: &Parameters) {
        self.priority = parameters.subscriber_priority.or(self.priority);
        self.group_order = parameters.group_order.or(self.group_order);
        self.object_timeout = parameters.object_delivery_timeout.or(self.object_timeout);
        self.subgroup_timeout = parameters
            .subgroup_delivery_timeout
            .or(self.subgroup_timeout);
    }

    pub(crate) const fn group_order(&self) -> Option<GroupOrder> {
        self.group_order
    }

    /// The longest of the timeouts.
    pub(crate) fn longest_timeout(&self, track: &TrackDefaults) -> Duration {
        let object = shorter(self.object_timeout, track.object_timeout);
        let subgroup = shorter(self.subgroup_timeout, track.subgroup_timeout);
        object.max(subgroup).unwrap_or_default()
    }

    pub(crate) fn options(&self, track: &TrackDefaults, kind: FlowKind) -> FlowOptions {
        FlowOptions {
            subscriber_priority: self.priority.unwrap_or_default(),
            publisher_priority: track.priority,
            group_order: self.group_order.unwrap_or(track.group_order),
            object_timeout: shorter(self.object_timeout, track.object_timeout),
            subgroup_timeout: shorter(self.subgroup_timeout, track.subgroup_timeout),
            wanted_object_timeout: shorter(self.object_timeout, None),
            wanted_subgroup_timeout: shorter(self.subgroup_timeout, None),
            kind,
        }
    }
}

/// What the publisher wants, from the track's properties.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TrackDefaults {
    priority: Priority,
    group_order: GroupOrder,
    object_timeout: Option<u64>,
    subgroup_timeout: Option<u64>,
}

impl TrackDefaults {
    pub(crate) fn of(properties: &Properties) -> Self {
        let mut track = Self::default();
        for property in properties.iter().map_while(Result::ok) {
            let PropertyValue::Integer(value) = property.value else {
                continue;
            };
            match property.kind {
                OBJECT_DELIVERY_TIMEOUT => track.object_timeout = Some(value),
                SUBGROUP_DELIVERY_TIMEOUT => track.subgroup_timeout = Some(value),
                DEFAULT_PUBLISHER_PRIORITY => {
                    track.priority = Priority(u8::try_from(value).unwrap_or(u8::MAX));
                }
                DEFAULT_PUBLISHER_GROUP_ORDER if value == 2 => {
                    track.group_order = GroupOrder::Descending;
                }
                _ => {}
            }
        }
        track
    }
}

/// The shorter of two timeouts in milliseconds, of which 0 is none.
fn shorter(one: Option<u64>, other: Option<u64>) -> Option<Duration> {
    let millis = one
        .into_iter()
        .chain(other)
        .filter(|millis| *millis > 0)
        .min()?;
    // An hour is as good as none and keeps arithmetic on instants in range.
    Some(Duration::from_millis(millis.min(3_600_000)))
}

/// Property types. draft-ietf-moq-transport-22, "MOQT Properties".
const OBJECT_DELIVERY_TIMEOUT: u64 = 0x02;
const SUBGROUP_DELIVERY_TIMEOUT: u64 = 0x06;
const DEFAULT_PUBLISHER_PRIORITY: u64 = 0x0E;
const DEFAULT_PUBLISHER_GROUP_ORDER: u64 = 0x22;
