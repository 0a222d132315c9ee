//! Decides whether a call that failed is worth another attempt, and when.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use reqwest::StatusCode;

use super::HttpError;

/// How often a call is repeated at most, unless the job says otherwise.
pub const RETRIES: usize = 3;

/// 60 s: a server that asks for a longer wait is not asked again in this run.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);

/// The wait before each repetition: 0.2 s, doubled with each up to 10 s, and up to twice that by chance.
pub(super) fn waits(retries: usize) -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(SHORTEST)
        .with_max_delay(LONGEST)
        .with_factor(2.0)
        .with_jitter()
        .with_max_times(retries)
        .build()
}

/// How long to wait before the call is made again; `None` where that is not safe or not asked for. `wait` is what our own
/// patience says.
pub(super) fn wait_after(
    failure: &HttpError,
    is_idempotent: bool,
    wait: Duration,
) -> Option<Duration> {
    match failure {
        HttpError::Connect { .. } => Some(wait),
        HttpError::Broken { .. } => is_idempotent.then_some(wait),
        HttpError::Status { status, retry_after, .. } if is_idempotent && may_pass(*status) => {
            let wait = wait.max(retry_after.unwrap_or_default());
            (*retry_after <= Some(MAX_RETRY_AFTER)).then_some(wait)
        }
        _ => None,
    }
}

/// Whether the server itself says that another attempt may do.
fn may_pass(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, Url};

    use super::*;
    use crate::job::http::Call;

    fn answered(status: u16, retry_after: Option<u64>) -> HttpError {
        HttpError::Status {
            call: call(),
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: retry_after.map(Duration::from_secs),
            body: Box::default(),
        }
    }

    fn call() -> Call {
        Call::free(&Method::GET, &Url::parse("http://localhost").unwrap())
    }

    /// In seconds, where our own patience says one.
    #[track_caller]
    fn check(failure: &HttpError, idempotent: Option<u64>, other: Option<u64>) {
        let wait = |is_idempotent| {
            let wait = wait_after(failure, is_idempotent, Duration::from_secs(1));
            wait.map(|wait| wait.as_secs())
        };
        assert_eq!((wait(true), wait(false)), (idempotent, other), "{failure}");
    }

    #[test]
    fn what_a_server_has_had_is_repeated_only_if_that_is_safe_and_may_help() {
        for status in [429, 502, 503, 504] {
            check(&answered(status, None), Some(1), None);
        }
        for status in [301, 400, 401, 404, 408, 409, 500, 501, 505] {
            check(&answered(status, None), None, None);
        }
        check(&HttpError::Timeout { call: call(), after: TIMEOUT }, None, None);
        check(&HttpError::Deadline { call: call() }, None, None);
        check(&HttpError::Stopped { call: call() }, None, None);
        check(&HttpError::TooLong { call: call(), max_bytes: 1 }, None, None);
    }

    const TIMEOUT: Duration = Duration::from_secs(30);

    #[test]
    fn what_the_server_asks_for_is_waited_for_up_to_a_minute_and_never_cut_short() {
        check(&answered(429, Some(0)), Some(1), None);
        check(&answered(429, Some(7)), Some(7), None);
        check(&answered(503, Some(60)), Some(60), None);
        check(&answered(503, Some(61)), None, None);
        check(&answered(500, Some(1)), None, None);
    }

    #[test]
    fn waits_double_up_to_ten_seconds_and_chance_doubles_them_at_most() {
        for seed in 0..100 {
            fastrand::seed(seed);
            let waits: Vec<Duration> = waits(8).collect();
            assert_eq!(waits.len(), 8);
            for (at, wait) in waits.iter().enumerate() {
                let least = SHORTEST.saturating_mul(1 << at).min(LONGEST);
                assert!((least..=least * 2).contains(wait), "seed {seed}, wait {at}: {wait:?}");
            }
        }
        assert_eq!(waits(0).count(), 0);
    }
}
