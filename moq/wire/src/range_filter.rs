use bytes::Bytes;

use crate::{
    ObjectId, Priority, Properties, PropertyValue, SubgroupId, encode_varint, varint::Reader,
};

/// The range filters of a request: which objects it wants, and of which tracks.
///
/// Filters of one set must all pass, and one set at least. draft-ietf-moq-transport-22, "Range
/// Filters".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RangeFilters(Vec<RangeFilter>);

/// One filter: values that are in one of its ranges pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeFilter {
    /// The set that it belongs to.
    pub set: u8,
    /// What is looked at.
    pub subject: FilterSubject,
    /// Inclusive ranges, in ascending order. The last one may end with `u64::MAX`, which is no
    /// end.
    pub ranges: Vec<(u64, u64)>,
}

/// What a range filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FilterSubject {
    /// 0x25: an object's subgroup.
    Subgroup,
    /// 0x26: an object's id.
    Object,
    /// 0x27: the publisher's priority.
    Priority,
    /// 0x28: a property of an object, of this even type.
    ObjectProperty(u64),
    /// 0x29: a property of the track, of this even type.
    TrackProperty(u64),
}

/// What filters look at of an object.
#[derive(Debug, Clone, Copy)]
pub struct FilteredObject<'a> {
    /// Its subgroup; `None`: it is a datagram.
    pub subgroup: Option<SubgroupId>,
    /// Its id.
    pub id: ObjectId,
    /// The publisher's priority.
    pub priority: Priority,
    /// Its properties.
    pub properties: &'a Properties,
}

/// Range filters that cannot be applied; the request is rejected with INVALID_FILTER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a range filter {0}")]
pub struct InvalidFilter(&'static str);

impl RangeFilters {
    /// Filters from the raw parameters, [`Parameters::range_filters`](crate::Parameters); those
    /// without a value are none.
    pub fn decode(parameters: &[(u64, Bytes)]) -> Result<Self, InvalidFilter> {
        let mut filters: Vec<RangeFilter> = Vec::new();
        for (parameter, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
            let filter = RangeFilter::decode(*parameter, value)?;
            let key = (filter.set, filter.subject);
            if filters
                .iter()
                .any(|other| (other.set, other.subject) == key)
            {
                return Err(InvalidFilter("came twice"));
            }
            filters.push(filter);
        }
        Ok(Self(filters))
    }

    /// These filters after a REQUEST_UPDATE with those parameters: a type that it names is
    /// replaced, or removed if it has no value there.
    pub fn updated(&self, parameters: &[(u64, Bytes)]) -> Result<Self, InvalidFilter> {
        let named = |filter: &&RangeFilter| {
            let code = filter.subject.code();
            parameters.iter().all(|(parameter, _)| *parameter != code)
        };
        let mut filters: Vec<RangeFilter> = self.0.iter().filter(named).cloned().collect();
        filters.extend(Self::decode(parameters)?.0);
        Ok(Self(filters))
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many ranges there are in all.
    pub fn ranges(&self) -> usize {
        self.0.iter().map(|filter| filter.ranges.len()).sum()
    }

    /// Whether an object passes, tracks apart.
    pub fn pass(&self, object: &FilteredObject<'_>) -> bool {
        self.0.is_empty()
            || self
                .sets()
                .any(|set| self.of_set(set).all(|filter| filter.passes(object)))
    }

    /// The filters for objects of a track with these properties; `None`: the track itself does
    /// not pass.
    pub fn select(&self, track: &Properties) -> Option<Self> {
        if self.0.is_empty() {
            return Some(Self::default());
        }
        let is_of_track =
            |filter: &&RangeFilter| matches!(filter.subject, FilterSubject::TrackProperty(_));
        let mut selected = None;
        for set in self.sets() {
            let mut tracks = self.of_set(set).filter(is_of_track);
            if !tracks.all(|filter| filter.passes_track(track)) {
                continue;
            }
            let rest = self.of_set(set).filter(|filter| !is_of_track(filter));
            let rest: Vec<RangeFilter> = rest.cloned().collect();
            if rest.is_empty() {
                // Every object of such a track passes.
                return Some(Self::default());
            }
            selected.get_or_insert_with(Vec::new).extend(rest);
        }
        selected.map(Self)
    }

    fn sets(&self) -> impl Iterator<Item = u8> + '_ {
        let numbered = self.0.iter().enumerate();
        numbered.filter_map(|(index, filter)| {
            let is_first = self.0[..index].iter().all(|other| other.set != filter.set);
            is_first.then_some(filter.set)
        })
    }

    fn of_set(&self, set: u8) -> impl Iterator<Item = &RangeFilter> {
        self.0.iter().filter(move |filter| filter.set == set)
    }
}

impl RangeFilter {
    /// The filter as a raw parameter.
    pub fn encode(&self) -> (u64, Bytes) {
        let mut out = vec![self.set];
        if let FilterSubject::ObjectProperty(kind) | FilterSubject::TrackProperty(kind) =
            self.subject
        {
            encode_varint(kind, &mut out);
        }
        let mut before = 0;
        for (start, end) in &self.ranges {
            encode_varint(start.saturating_sub(before), &mut out);
            if *end != u64::MAX {
                encode_varint(end.saturating_sub(*start), &mut out);
            }
            before = *end;
        }
        (self.subject.code(), out.into())
    }

    fn decode(parameter: u64, value: &Bytes) -> Result<Self, InvalidFilter> {
        let short = |_| InvalidFilter("is too short");
        let mut reader = Reader::new(value, "a range filter");
        let set = reader.u8().map_err(short)?;
        let subject = match parameter {
            0x25 => FilterSubject::Subgroup,
            0x26 => FilterSubject::Object,
            0x27 => FilterSubject::Priority,
            0x28 => FilterSubject::ObjectProperty(even(reader.varint().map_err(short)?)?),
            0x29 => FilterSubject::TrackProperty(even(reader.varint().map_err(short)?)?),
            _ => return Err(InvalidFilter("is of no known type")),
        };
        let mut ranges = Vec::new();
        let mut before = 0_u64;
        while !reader.is_empty() {
            let start = before.checked_add(reader.varint().map_err(short)?);
            let start = start.ok_or(OVERFLOW)?;
            let end = if reader.is_empty() {
                u64::MAX
            } else {
                let end = start.checked_add(reader.varint().map_err(short)?);
                end.ok_or(OVERFLOW)?
            };
            let largest = if end == u64::MAX { start } else { end };
            if subject == FilterSubject::Priority && largest > u64::from(u8::MAX) {
                return Err(InvalidFilter("names a priority beyond 255"));
            }
            ranges.push((start, end));
            before = end;
        }
        Ok(Self {
            set,
            subject,
            ranges,
        })
    }

    fn passes(&self, object: &FilteredObject<'_>) -> bool {
        let value = match self.subject {
            FilterSubject::Subgroup => object.subgroup.map(|subgroup| subgroup.0),
            FilterSubject::Object => Some(object.id.0),
            FilterSubject::Priority => Some(u64::from(object.priority.0)),
            FilterSubject::ObjectProperty(kind) => integer(object.properties, kind),
            FilterSubject::TrackProperty(_) => return true,
        };
        value.is_some_and(|value| self.contains(value))
    }

    fn passes_track(&self, track: &Properties) -> bool {
        match self.subject {
            FilterSubject::TrackProperty(kind) => {
                integer(track, kind).is_some_and(|value| self.contains(value))
            }
            _ => true,
        }
    }

    fn contains(&self, value: u64) -> bool {
        let mut ranges = self.ranges.iter();
        ranges.any(|(start, end)| (*start..=*end).contains(&value))
    }
}

impl FilterSubject {
    /// The type of its parameter.
    pub const fn code(self) -> u64 {
        match self {
            Self::Subgroup => 0x25,
            Self::Object => 0x26,
            Self::Priority => 0x27,
            Self::ObjectProperty(_) => 0x28,
            Self::TrackProperty(_) => 0x29,
        }
    }
}

const OVERFLOW: InvalidFilter = InvalidFilter("exceeds 64 bits");

fn even(kind: u64) -> Result<u64, InvalidFilter> {
    if kind.is_multiple_of(2) {
        Ok(kind)
    } else {
        Err(InvalidFilter("names a property that is no integer"))
    }
}

fn integer(properties: &Properties, kind: u64) -> Option<u64> {
    match properties.find(kind) {
        Ok(Some(PropertyValue::Integer(value))) => Some(value),
        _ => None,
    }
}
