use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer, de::Error};

/// Reads "1500ms", "10s", "2m 30s".
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    if text.trim() == "0" {
        return Ok(Duration::ZERO);
    }
    humantime::parse_duration(text).map_err(|_| {
        format!(
            "`{text}` is not a duration: write a number and a unit, as in `500ms`, `10s` or `2m`"
        )
    })
}

/// Reads "64KiB", "8MiB", "1GB" or plain bytes.
pub(super) fn size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|_| {
        format!(
            "`{text}` is not a size: write bytes, or a number and a unit, as in `512KiB` or `8MiB`"
        )
    })
}

pub(super) fn deserialize_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Bytes as a number, or what [`size`] reads.
pub(super) fn deserialize_size<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ByteSize, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Size {
        Bytes(u64),
        Text(String),
    }
    match Size::deserialize(deserializer)? {
        Size::Bytes(bytes) => Ok(ByteSize(bytes)),
        Size::Text(text) => size(&text).map_err(D::Error::custom),
    }
}
