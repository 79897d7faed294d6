use bytes::Bytes;

use crate::parameters::kind;
use crate::varint::{Reader, encode_prefixed, encode_varint};
use crate::{
    AuthToken, DecodeError, Draft, EncodeError, GroupOrder, HopPath, Location, LocationFilter,
    MessageType, Parameters, Priority, TrackNamespace,
};

impl Parameters {
    /// Appends the number of parameters and each of them.
    pub(crate) fn encode(
        &self,
        draft: Draft,
        message: MessageType,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        self.write(
            Scope {
                draft,
                place: Place::Message(message),
            },
            out,
        )
    }

    /// Reads what [`Self::encode`] writes.
    pub(crate) fn decode(
        draft: Draft,
        message: MessageType,
        reader: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        Self::read(
            Scope {
                draft,
                place: Place::Message(message),
            },
            reader,
        )
    }

    fn write(&self, scope: Scope, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut writer = Writer {
            scope,
            count: 0,
            previous: 0,
            body: Vec::new(),
        };
        writer.varint(kind::OBJECT_DELIVERY_TIMEOUT, self.object_delivery_timeout)?;
        for token in &self.auth_tokens {
            encode_prefixed(&token.to_bytes(), writer.begin(AuthToken::TYPE)?);
        }
        writer.varint(kind::RENDEZVOUS_TIMEOUT, self.rendezvous_timeout)?;
        writer.varint(
            kind::SUBGROUP_DELIVERY_TIMEOUT,
            self.subgroup_delivery_timeout,
        )?;
        writer.varint(kind::EXPIRES, self.expires)?;
        if let Some(largest) = self.largest {
            largest.encode(writer.begin(kind::LARGEST_OBJECT)?);
        }
        writer.varint(kind::FILL_TIMEOUT, self.fill_timeout)?;
        writer.u8(kind::FORWARD, self.forward.map(u8::from))?;
        writer.u8(
            kind::SUBSCRIBER_PRIORITY,
            self.subscriber_priority.map(|priority| priority.0),
        )?;
        if let Some(filter) = &self.filter {
            filter.encode(scope.draft, writer.begin(kind::LOCATION_FILTER)?)?;
        }
        writer.u8(kind::GROUP_ORDER, self.group_order.map(group_order_to_u8))?;
        if let Some(fill) = &self.fill {
            let mut nested = Vec::new();
            let body = writer.begin(kind::FILL_PARAMETERS)?;
            fill.write(
                Scope {
                    place: Place::Fill,
                    ..scope
                },
                &mut nested,
            )?;
            encode_prefixed(&nested, body);
        }
        for (filter, value) in &self.range_filters {
            if !is_range_filter(*filter) || *filter < writer.previous {
                let detail = "types from 0x25 to 0x29 in ascending order were expected";
                return Err(EncodeError::Invalid {
                    field: "range_filters",
                    detail,
                });
            }
            encode_prefixed(value, writer.begin(*filter)?);
        }
        writer.varint(kind::NEW_GROUP_REQUEST, self.new_group_request)?;
        if let Some(prefix) = &self.namespace_prefix {
            prefix.encode(writer.begin(kind::TRACK_NAMESPACE_PREFIX)?);
        }
        writer.u8(
            kind::INCLUDE_PROPERTIES,
            self.include_properties.map(u8::from),
        )?;
        if let Some(path) = &self.hop_path {
            encode_prefixed(&path.to_bytes(), writer.begin(kind::HOP_PATH)?);
        }
        writer.varint(kind::ROUTE_COST, self.route_cost)?;
        encode_varint(writer.count, out);
        out.append(&mut writer.body);
        Ok(())
    }

    fn read(scope: Scope, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut parameters = Self::default();
        let count = reader.varint()?;
        let mut previous = 0_u64;
        for index in 0..count {
            let delta = reader.varint()?;
            let parameter = previous.checked_add(delta).ok_or(DecodeError::Invalid {
                field: "a message parameter",
                detail: "its type exceeds 64 bits",
            })?;
            previous = parameter;
            if !scope.allows(parameter) {
                let message = scope.name();
                return Err(DecodeError::UnexpectedParameter { parameter, message });
            }
            if index > 0 && delta == 0 && !may_repeat(parameter) {
                return Err(DecodeError::DuplicateParameter(parameter));
            }
            parameters.read_one(parameter, scope, reader)?;
        }
        Ok(parameters)
    }

    fn read_one(
        &mut self,
        parameter: u64,
        scope: Scope,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        match parameter {
            kind::OBJECT_DELIVERY_TIMEOUT => self.object_delivery_timeout = Some(reader.varint()?),
            AuthToken::TYPE => {
                let token = reader.prefixed("an authorization token", MAX_VALUE_BYTES)?;
                AuthToken::push(&token, &mut self.auth_tokens)?;
            }
            kind::RENDEZVOUS_TIMEOUT => self.rendezvous_timeout = Some(reader.varint()?),
            kind::SUBGROUP_DELIVERY_TIMEOUT => {
                self.subgroup_delivery_timeout = Some(reader.varint()?);
            }
            kind::EXPIRES => self.expires = Some(reader.varint()?),
            kind::LARGEST_OBJECT => self.largest = Some(Location::decode(reader)?),
            kind::FILL_TIMEOUT => self.fill_timeout = Some(reader.varint()?),
            kind::FORWARD => self.forward = Some(flag("FORWARD", reader.u8()?)?),
            kind::SUBSCRIBER_PRIORITY => self.subscriber_priority = Some(Priority(reader.u8()?)),
            kind::LOCATION_FILTER => {
                self.filter = Some(LocationFilter::decode(scope.draft, reader)?);
            }
            kind::GROUP_ORDER => self.group_order = Some(group_order_from_u8(reader.u8()?)?),
            kind::FILL_PARAMETERS => {
                let value = reader.prefixed("FILL_PARAMETERS", MAX_VALUE_BYTES)?;
                self.fill = Some(Box::new(read_fill(scope, &value)?));
            }
            kind::FIRST_RANGE_FILTER..=kind::LAST_RANGE_FILTER => {
                let value = reader.prefixed("a range filter", MAX_VALUE_BYTES)?;
                let (got, limit) = (self.range_filters.len() + 1, Self::MAX_RANGE_FILTERS);
                if got > limit {
                    let (got, limit) = (got as u64, limit as u64);
                    return Err(DecodeError::TooLong {
                        what: "the range filters",
                        got,
                        limit,
                    });
                }
                self.range_filters.push((parameter, value));
            }
            kind::NEW_GROUP_REQUEST => self.new_group_request = Some(reader.varint()?),
            kind::TRACK_NAMESPACE_PREFIX => {
                self.namespace_prefix = Some(TrackNamespace::decode(reader)?);
            }
            kind::INCLUDE_PROPERTIES => {
                self.include_properties = Some(flag("INCLUDE_PROPERTIES", reader.u8()?)?);
            }
            kind::HOP_PATH => {
                let value = reader.prefixed("HOP_PATH", MAX_VALUE_BYTES)?;
                self.hop_path = Some(HopPath::from_reader(Reader::new(&value, "HOP_PATH"))?);
            }
            kind::ROUTE_COST => self.route_cost = Some(reader.varint()?),
            _ => {
                let message = scope.name();
                return Err(DecodeError::UnexpectedParameter { parameter, message });
            }
        }
        Ok(())
    }
}

fn read_fill(outer: Scope, value: &Bytes) -> Result<Parameters, DecodeError> {
    let mut reader = Reader::new(value, "FILL_PARAMETERS");
    let fill = Parameters::read(
        Scope {
            place: Place::Fill,
            ..outer
        },
        &mut reader,
    )?;
    if reader.is_empty() {
        Ok(fill)
    } else {
        Err(DecodeError::LengthMismatch("FILL_PARAMETERS"))
    }
}

/// Where parameters stand: it decides which of them are allowed.
#[derive(Clone, Copy)]
struct Scope {
    draft: Draft,
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    Message(MessageType),
    /// Inside FILL_PARAMETERS.
    Fill,
}

impl Scope {
    fn allows(self, parameter: u64) -> bool {
        match self.place {
            Place::Message(message) => message.allows(parameter, self.draft),
            Place::Fill => kind::IN_FILL.contains(&parameter),
        }
    }

    const fn name(self) -> &'static str {
        match self.place {
            Place::Message(message) => message.name(),
            Place::Fill => "FILL_PARAMETERS",
        }
    }
}

struct Writer {
    scope: Scope,
    count: u64,
    previous: u64,
    body: Vec<u8>,
}

impl Writer {
    /// Writes the type; the value goes to the end of what is returned.
    fn begin(&mut self, parameter: u64) -> Result<&mut Vec<u8>, EncodeError> {
        if !self.scope.allows(parameter) {
            let message = self.scope.name();
            return Err(EncodeError::UnexpectedParameter { parameter, message });
        }
        encode_varint(parameter - self.previous, &mut self.body);
        self.previous = parameter;
        self.count += 1;
        Ok(&mut self.body)
    }

    fn varint(&mut self, parameter: u64, value: Option<u64>) -> Result<(), EncodeError> {
        if let Some(value) = value {
            encode_varint(value, self.begin(parameter)?);
        }
        Ok(())
    }

    fn u8(&mut self, parameter: u64, value: Option<u8>) -> Result<(), EncodeError> {
        if let Some(value) = value {
            self.begin(parameter)?.push(value);
        }
        Ok(())
    }
}

const fn may_repeat(parameter: u64) -> bool {
    parameter == AuthToken::TYPE || is_range_filter(parameter)
}

const fn is_range_filter(parameter: u64) -> bool {
    matches!(
        parameter,
        kind::FIRST_RANGE_FILTER..=kind::LAST_RANGE_FILTER
    )
}

const fn flag(field: &'static str, value: u8) -> Result<bool, DecodeError> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Invalid {
            field,
            detail: "0 or 1 was expected",
        }),
    }
}

const fn group_order_to_u8(order: GroupOrder) -> u8 {
    match order {
        GroupOrder::Ascending => 1,
        GroupOrder::Descending => 2,
    }
}

const fn group_order_from_u8(value: u8) -> Result<GroupOrder, DecodeError> {
    match value {
        1 => Ok(GroupOrder::Ascending),
        2 => Ok(GroupOrder::Descending),
        _ => Err(DecodeError::Invalid {
            field: "GROUP_ORDER",
            detail: "1 or 2 was expected",
        }),
    }
}

const MAX_VALUE_BYTES: usize = 65535;
