use bytes::Bytes;

use crate::{DecodeError, Properties, Property};

pub(crate) fn decode(_bytes: &Bytes) -> Result<Vec<Property>, DecodeError> {
    Ok(Vec::new())
}

pub(crate) fn encode(_properties: Vec<Property>) -> Properties {
    Properties::EMPTY
}
