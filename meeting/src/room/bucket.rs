use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::UnixMillis;

/// A rate: full at first, and filled again at so many a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Bucket {
    /// Thousandths that are left.
    level: u64,
    at: UnixMillis,
}

impl Bucket {
    /// Takes one of `burst`, or says how long there is none.
    pub(super) fn take(&mut self, rate: u32, burst: u32, now: UnixMillis) -> Result<(), Duration> {
        let rate = u64::from(rate.max(1));
        let elapsed = now.0.saturating_sub(self.at.0);
        let most = u64::from(burst.max(1)) * 1000;
        self.level = self
            .level
            .saturating_add(elapsed.saturating_mul(rate))
            .min(most);
        self.at = self.at.max(now);
        if self.level < 1000 {
            let millis = (1000 - self.level).div_ceil(rate);
            return Err(Duration::from_millis(millis));
        }
        self.level -= 1000;
        Ok(())
    }
}
