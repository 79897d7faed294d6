use std::time::Instant;

use bytes::Bytes;
use parvis_session::{RequestKey, Session, StreamId, SubgroupOptions};
use parvis_wire::{GroupId, ObjectHeader, ObjectId, ObjectStatus, Properties, SubgroupIdMode};

use super::PublicationKind;

/// What one object of a published track carries.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub properties: Properties,
    pub payload: Bytes,
}

/// Opens the stream of a group.
pub(super) fn open(
    key: RequestKey,
    group: GroupId,
    kind: PublicationKind,
    session: &mut Session,
    now: Instant,
) -> Option<StreamId> {
    let options = SubgroupOptions {
        group,
        subgroup: SubgroupIdMode::Zero,
        priority: None,
        has_properties: kind != PublicationKind::State,
        end_of_group: true,
        first_object: true,
    };
    match session.open_subgroup(key, &options, now) {
        Ok(stream) => Some(stream),
        Err(error) => {
            tracing::debug!(%key, %group, %error, "a group is not sent");
            None
        }
    }
}

/// Writes an object; returns whether the stream took it.
pub(super) fn write(
    stream: StreamId,
    id: ObjectId,
    object: &Object,
    session: &mut Session,
    now: Instant,
) -> bool {
    let header = ObjectHeader {
        id,
        properties: object.properties.clone(),
        status: ObjectStatus::Normal,
        payload_len: object.payload.len() as u64,
    };
    session
        .write_object(stream, &header, object.payload.clone(), now)
        .is_ok()
}
