use parvis_wire::Priority;

/// The place of a stream among those that want to send; the least goes first.
///
/// draft-ietf-moq-transport-22, "Scheduling Algorithm".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SendOrder {
    class: Class,
    subscriber: u8,
    publisher: u8,
    /// How many groups behind the most urgent open one of its subscription. Groups of different
    /// tracks are not comparable by number, but these distances keep each track's order and let
    /// tracks of equal priority share.
    group_distance: u64,
    subgroup: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Control,
    Request,
    Data,
}

const GROUP_BITS: u32 = 10;
const SUBGROUP_BITS: u32 = 5;

impl SendOrder {
    pub(crate) const CONTROL: Self = Self::above_data(Class::Control);
    pub(crate) const REQUEST: Self = Self::above_data(Class::Request);

    const fn above_data(class: Class) -> Self {
        Self {
            class,
            subscriber: 0,
            publisher: 0,
            group_distance: 0,
            subgroup: 0,
        }
    }

    pub(crate) const fn data(
        subscriber: Priority,
        publisher: Priority,
        group_distance: u64,
        subgroup: u64,
    ) -> Self {
        Self {
            class: Class::Data,
            subscriber: subscriber.0,
            publisher: publisher.0,
            group_distance,
            subgroup,
        }
    }

    /// Both priorities, for what is dropped first: the greatest.
    pub(crate) const fn importance(self) -> (u8, u8) {
        (self.subscriber, self.publisher)
    }

    /// The stream priority of a transport that sends higher numbers first. Distances too large
    /// for their bits share the last place.
    pub(crate) fn transport_priority(self) -> i32 {
        let clamp = |value: u64, bits: u32| value.min((1 << bits) - 1) as u32;
        match self.class {
            Class::Control => i32::MAX,
            Class::Request => i32::MAX - 1,
            Class::Data => {
                let place = u32::from(self.subscriber) << (8 + GROUP_BITS + SUBGROUP_BITS)
                    | u32::from(self.publisher) << (GROUP_BITS + SUBGROUP_BITS)
                    | clamp(self.group_distance, GROUP_BITS) << SUBGROUP_BITS
                    | clamp(self.subgroup, SUBGROUP_BITS);
                (i64::from(i32::MAX) - 2 - i64::from(place)) as i32
            }
        }
    }
}
