use crate::varint::{Reader, encode_varint};
use crate::{
    DecodeError, Draft, EncodeError, Fetch, FetchOk, FetchRange, FullTrackName, GroupId, Location,
    LocationFilter, MessageType, ObjectId, Parameters, Properties, Publish, RequestId, Subscribe,
    SubscribeOk, TrackAlias, TrackStatus,
};

impl Subscribe {
    pub(crate) fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_varint(self.request_id.0, out);
        self.track.encode(out);
        self.parameters.encode(draft, MessageType::Subscribe, out)
    }

    pub(crate) fn decode(draft: Draft, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request_id: RequestId(reader.varint()?),
            track: FullTrackName::decode(reader)?,
            parameters: Parameters::decode(draft, MessageType::Subscribe, reader)?,
        })
    }
}

impl SubscribeOk {
    pub(crate) fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_varint(self.track_alias.0, out);
        self.parameters
            .encode(draft, MessageType::SubscribeOk, out)?;
        self.track_properties.encode_track(out)
    }

    pub(crate) fn decode(draft: Draft, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            track_alias: TrackAlias(reader.varint()?),
            parameters: Parameters::decode(draft, MessageType::SubscribeOk, reader)?,
            track_properties: Properties::decode_track(reader)?,
        })
    }
}

impl Publish {
    pub(crate) fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_varint(self.request_id.0, out);
        self.track.encode(out);
        encode_varint(self.track_alias.0, out);
        self.parameters.encode(draft, MessageType::Publish, out)?;
        self.track_properties.encode_track(out)
    }

    pub(crate) fn decode(draft: Draft, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request_id: RequestId(reader.varint()?),
            track: FullTrackName::decode(reader)?,
            track_alias: TrackAlias(reader.varint()?),
            parameters: Parameters::decode(draft, MessageType::Publish, reader)?,
            track_properties: Properties::decode_track(reader)?,
        })
    }
}

impl TrackStatus {
    pub(crate) fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_varint(self.request_id.0, out);
        self.track.encode(out);
        self.parameters.encode(draft, MessageType::TrackStatus, out)
    }

    pub(crate) fn decode(draft: Draft, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            request_id: RequestId(reader.varint()?),
            track: FullTrackName::decode(reader)?,
            parameters: Parameters::decode(draft, MessageType::TrackStatus, reader)?,
        })
    }
}

impl Fetch {
    pub(crate) fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_varint(self.request_id.0, out);
        match draft {
            Draft::D18 => self.encode_18(out),
            Draft::D22 => self.encode_22(out),
        }
    }

    fn encode_18(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match &self.range {
            FetchRange::Standalone { track, start, end } => {
                check_range(*start, *end).map_err(|()| BACKWARDS_ENCODE)?;
                encode_varint(fetch_type::STANDALONE, out);
                track.encode(out);
                start.encode(out);
                encode_varint(end.0.0, out);
                encode_varint(end_object_to_18(end.1)?, out);
            }
            FetchRange::RelativeJoining { request_id, groups } => {
                encode_varint(fetch_type::RELATIVE_JOINING, out);
                encode_varint(request_id.0, out);
                encode_varint(*groups, out);
            }
            FetchRange::AbsoluteJoining { request_id, group } => {
                encode_varint(fetch_type::ABSOLUTE_JOINING, out);
                encode_varint(request_id.0, out);
                encode_varint(group.0, out);
            }
            FetchRange::Filtered { .. } => {
                let what = "fetch without an absolute range";
                return Err(EncodeError::NotInDraft {
                    what,
                    draft: Draft::D18,
                });
            }
        }
        self.parameters.encode(Draft::D18, MessageType::Fetch, out)
    }

    fn encode_22(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match &self.range {
            FetchRange::Standalone { track, start, end } => {
                if self.parameters.filter.is_some() {
                    let detail = "a standalone fetch has its range in the range field";
                    return Err(EncodeError::Invalid {
                        field: "filter",
                        detail,
                    });
                }
                let mut parameters = self.parameters.clone();
                parameters.filter = Some(match end.1 {
                    Some(object) => {
                        let end = Location {
                            group: end.0,
                            object,
                        };
                        LocationFilter::AbsoluteRange { start: *start, end }
                    }
                    None => LocationFilter::AbsoluteGroups {
                        start: *start,
                        end: end.0,
                    },
                });
                track.encode(out);
                parameters.encode(Draft::D22, MessageType::Fetch, out)
            }
            FetchRange::Filtered { track } => {
                track.encode(out);
                self.parameters.encode(Draft::D22, MessageType::Fetch, out)
            }
            FetchRange::RelativeJoining { .. } | FetchRange::AbsoluteJoining { .. } => {
                Err(EncodeError::NotInDraft {
                    what: "joining fetch",
                    draft: Draft::D22,
                })
            }
        }
    }

    pub(crate) fn decode(draft: Draft, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let request_id = RequestId(reader.varint()?);
        match draft {
            Draft::D18 => {
                let range = FetchRange::decode_18(reader)?;
                let parameters = Parameters::decode(draft, MessageType::Fetch, reader)?;
                Ok(Self {
                    request_id,
                    range,
                    parameters,
                })
            }
            Draft::D22 => {
                let track = FullTrackName::decode(reader)?;
                let mut parameters = Parameters::decode(draft, MessageType::Fetch, reader)?;
                let range = FetchRange::from_filter(track, &mut parameters);
                Ok(Self {
                    request_id,
                    range,
                    parameters,
                })
            }
        }
    }
}

impl FetchRange {
    fn decode_18(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.varint()? {
            fetch_type::STANDALONE => {
                let track = FullTrackName::decode(reader)?;
                let start = Location::decode(reader)?;
                let group = GroupId(reader.varint()?);
                let end = (group, end_object_from_18(reader.varint()?));
                check_range(start, end).map_err(|()| DecodeError::Invalid {
                    field: "FETCH",
                    detail: "the end must not be before the start",
                })?;
                Self::Standalone { track, start, end }
            }
            fetch_type::RELATIVE_JOINING => Self::RelativeJoining {
                request_id: RequestId(reader.varint()?),
                groups: reader.varint()?,
            },
            fetch_type::ABSOLUTE_JOINING => Self::AbsoluteJoining {
                request_id: RequestId(reader.varint()?),
                group: GroupId(reader.varint()?),
            },
            _ => {
                let detail = "a fetch type from 1 to 3 was expected";
                return Err(DecodeError::Invalid {
                    field: "FETCH",
                    detail,
                });
            }
        })
    }

    /// Takes an absolute range out of `parameters`; any other filter stays there.
    fn from_filter(track: FullTrackName, parameters: &mut Parameters) -> Self {
        let (start, end) = match parameters.filter {
            Some(LocationFilter::AbsoluteRange { start, end }) => {
                (start, (end.group, Some(end.object)))
            }
            Some(LocationFilter::AbsoluteGroups { start, end }) => (start, (end, None)),
            _ => return Self::Filtered { track },
        };
        parameters.filter = None;
        Self::Standalone { track, start, end }
    }
}

impl FetchOk {
    pub(crate) fn encode(&self, draft: Draft, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(u8::from(self.end_of_track));
        encode_varint(self.end.group.0, out);
        encode_varint(
            match draft {
                // u64::MAX wraps to 0, which says "the whole group".
                Draft::D18 => self.end.object.0.wrapping_add(1),
                Draft::D22 => self.end.object.0,
            },
            out,
        );
        self.parameters.encode(draft, MessageType::FetchOk, out)?;
        self.track_properties.encode_track(out)
    }

    pub(crate) fn decode(draft: Draft, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let end_of_track = match reader.u8()? {
            0 => false,
            1 => true,
            _ => {
                let detail = "End Of Track must be 0 or 1";
                return Err(DecodeError::Invalid {
                    field: "FETCH_OK",
                    detail,
                });
            }
        };
        let mut end = Location::decode(reader)?;
        if draft == Draft::D18 {
            end.object = ObjectId(end.object.0.wrapping_sub(1));
        }
        Ok(Self {
            end_of_track,
            end,
            parameters: Parameters::decode(draft, MessageType::FetchOk, reader)?,
            track_properties: Properties::decode_track(reader)?,
        })
    }
}

/// Draft 18 says the object after the last one, or 0 for the whole group.
fn end_object_to_18(object: Option<ObjectId>) -> Result<u64, EncodeError> {
    let Some(object) = object else { return Ok(0) };
    let detail = "draft 18 cannot end at the largest object id";
    object.0.checked_add(1).ok_or(EncodeError::Invalid {
        field: "end",
        detail,
    })
}

fn end_object_from_18(value: u64) -> Option<ObjectId> {
    value.checked_sub(1).map(ObjectId)
}

fn check_range(start: Location, end: (GroupId, Option<ObjectId>)) -> Result<(), ()> {
    let in_order = match end.1 {
        Some(object) => {
            Location {
                group: end.0,
                object,
            } >= start
        }
        None => end.0 >= start.group,
    };
    if in_order { Ok(()) } else { Err(()) }
}

const BACKWARDS_ENCODE: EncodeError = EncodeError::Invalid {
    field: "end",
    detail: "it must not be before the start",
};

/// Draft 18's fetch types.
mod fetch_type {
    pub(super) const STANDALONE: u64 = 1;
    pub(super) const RELATIVE_JOINING: u64 = 2;
    pub(super) const ABSOLUTE_JOINING: u64 = 3;
}
