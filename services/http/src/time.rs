//! Times and durations as the API writes them.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat};
use parvis_meeting::{ErrorKind, UnixMillis};

use crate::{ApiError, invitation::time};

/// As in `2027-03-01T09:00:00Z`.
pub(crate) fn rfc3339(at: UnixMillis) -> String {
    time(at).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Reads a time with its zone, of this millennium.
pub(crate) fn parse_time(text: &str) -> Result<UnixMillis, ApiError> {
    let parsed = DateTime::parse_from_rfc3339(text).ok();
    let millis = parsed.and_then(|time| u64::try_from(time.timestamp_millis()).ok());
    millis
        .filter(|millis| *millis < 32_503_680_000_000)
        .map(UnixMillis)
        .ok_or_else(|| {
            ApiError::because(
                ErrorKind::Malformed,
                "a time is as in 2027-03-01T09:00:00+01:00, after 1970 and before 3000",
            )
        })
}

/// As in `45m`: the largest unit that leaves no rest.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "m")] {
        if seconds >= unit && seconds.is_multiple_of(unit) {
            return format!("{}{name}", seconds / unit);
        }
    }
    format!("{seconds}s")
}

/// Reads a number and a unit, of ten years at most.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, ApiError> {
    let malformed = || {
        ApiError::because(
            ErrorKind::Malformed,
            "a duration is a number and a unit, as in 90s, 45m, 2h or 30d, ten years at most",
        )
    };
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(malformed()),
    };
    let number: u64 = number.parse().map_err(|_| malformed())?;
    let seconds = number.checked_mul(unit).filter(|s| *s <= 3650 * 86_400);
    seconds.map(Duration::from_secs).ok_or_else(malformed)
}

#[cfg(test)]
mod tests;
