//! Time in a simulation: whole milliseconds of one true clock.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Milliseconds since 1970 in true time, or a span of them.
pub(super) type Ms = i64;

/// As the scheduler writes it.
#[must_use]
pub(super) fn utc(at: Ms) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at).unwrap_or_default()
}

/// A span as the scheduler takes it; a negative one is none.
#[must_use]
pub(super) fn span(span: Ms) -> Duration {
    Duration::from_millis(u64::try_from(span).unwrap_or(0))
}

/// A span in whole milliseconds, rounded up.
#[must_use]
pub(super) fn ms(span: Duration) -> Ms {
    Ms::try_from(span.as_micros().div_ceil(1_000)).unwrap_or(Ms::MAX / 4)
}
