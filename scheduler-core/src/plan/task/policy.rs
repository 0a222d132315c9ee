//! How late, overlapping and long runs of a task are treated, and the keys of `extra` that say so.

use std::time::Duration;

use super::TaskFault;
use crate::plan::{duration, trigger::Zone};

/// How late, overlapping, long and failing runs are treated: the configuration's defaults, which the job's own
/// [`JobOptions`] override, and which a row overrides in turn in `extra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A fire found later than this is recorded `missed`. 1 s or more.
    pub misfire_grace_time: Duration,
    /// Of several overdue fires only the newest runs.
    pub coalesce: bool,
    /// How many runs of the task may be open at once, 1 or more.
    pub max_instances: u32,
    /// What happens to a fire beyond `max_instances`.
    pub overlap: Overlap,
    /// A run is ended and recorded `timeout` after this; `None`: it may run for ever.
    pub timeout: Option<Duration>,
    /// How often a run that failed or timed out is tried again; `None`: never.
    pub retries: Option<u32>,
    /// How long a retry waits.
    pub backoff: Backoff,
    /// What becomes of a run whose node died.
    pub on_lost: OnLost,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            misfire_grace_time: Duration::from_secs(60),
            coalesce: true,
            max_instances: 1,
            overlap: Overlap::Skip,
            timeout: None,
            retries: None,
            backoff: Backoff::DEFAULT,
            on_lost: OnLost::Leave,
        }
    }
}

impl Policy {
    /// This policy where the job says nothing, the job's where it does.
    #[must_use]
    pub fn with(self, options: &JobOptions) -> Self {
        Self {
            misfire_grace_time: options.misfire_grace_time.unwrap_or(self.misfire_grace_time),
            coalesce: self.coalesce,
            max_instances: options.max_instances.unwrap_or(self.max_instances),
            overlap: options.overlap.unwrap_or(self.overlap),
            timeout: options.timeout.or(self.timeout),
            retries: options.retries.or(self.retries),
            backoff: options.backoff.unwrap_or(self.backoff),
            on_lost: options.on_lost.unwrap_or(self.on_lost),
        }
    }

    /// How many runs of the task may be open at once; `None`: any number.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        (self.overlap != Overlap::Allow).then_some(self.max_instances)
    }
}

/// What `#[job("name", …)]` says of every task of its job; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobOptions {
    /// As [`Policy::misfire_grace_time`].
    pub misfire_grace_time: Option<Duration>,
    /// As [`Policy::max_instances`].
    pub max_instances: Option<u32>,
    /// As [`Policy::overlap`].
    pub overlap: Option<Overlap>,
    /// As [`Policy::timeout`].
    pub timeout: Option<Duration>,
    /// As [`Policy::retries`].
    pub retries: Option<u32>,
    /// As [`Policy::backoff`].
    pub backoff: Option<Backoff>,
    /// As [`Policy::on_lost`].
    pub on_lost: Option<OnLost>,
}

impl JobOptions {
    /// A job that says nothing.
    pub const NONE: Self = Self {
        misfire_grace_time: None,
        max_instances: None,
        overlap: None,
        timeout: None,
        retries: None,
        backoff: None,
        on_lost: None,
    };
}

/// How long a retry waits: `from` after the first attempt, doubled with each further one, at most `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait. 1 ms to 366 days.
    pub from: Duration,
    /// The longest, `from` or more. 1 ms to 366 days.
    pub to: Duration,
}

impl Backoff {
    /// 10 s, 20 s, 40 s, … up to 10 min.
    pub const DEFAULT: Self = Self { from: Duration::from_secs(10), to: Duration::from_secs(600) };
}

/// `on_lost`: what becomes of a run whose node died or was stopped before the run had ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLost {
    /// It stays `lost` or `cancelled`: at most once.
    #[default]
    Leave,
    /// It is tried again: at least once.
    Retry,
}

/// `extra.overlap`: what happens to a fire whose task is still running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Recorded `skipped`.
    #[default]
    Skip,
    /// Waits until the task is free, however long; of several waiting only the newest runs.
    Queue,
    /// Runs at once; `max_instances` does not apply.
    Allow,
}

/// Reads the keys of `extra` that are ours; all others are the user's and are left alone. An empty `extra`
/// is an empty object.
pub(super) fn extra(text: &str, defaults: Policy) -> Result<(Policy, Option<Zone>), TaskFault> {
    if matches!(text.trim(), "" | "{}") {
        return Ok((defaults, None));
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)
        .map_err(|error| TaskFault::Extra { value: text.to_owned(), cause: error.to_string() })?;
    let key = |name: &str| object.get(name).filter(|value| !value.is_null());
    let mut policy = defaults;
    if let Some(value) = key("misfire_grace_time") {
        // Nothing is found in its own millisecond: less than this would mean that nothing ever runs.
        let grace = span("extra.misfire_grace_time", value)?;
        if grace < Duration::from_secs(1) {
            return Err(wrong("extra.misfire_grace_time", value, "1 s or more"));
        }
        policy.misfire_grace_time = grace;
    }
    if let Some(value) = key("timeout") {
        policy.timeout = Some(span("extra.timeout", value)?).filter(|span| !span.is_zero());
    }
    if let Some(value) = key("coalesce") {
        policy.coalesce =
            value.as_bool().ok_or_else(|| wrong("extra.coalesce", value, "true or false"))?;
    }
    if let Some(value) = key("max_instances") {
        policy.max_instances = value
            .as_u64()
            .filter(|count| (1..=10_000).contains(count))
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| wrong("extra.max_instances", value, "a whole number from 1 to 10000"))?;
    }
    if let Some(value) = key("overlap") {
        policy.overlap = match value.as_str() {
            Some("skip") => Overlap::Skip,
            Some("queue") => Overlap::Queue,
            Some("allow") => Overlap::Allow,
            _ => {
                return Err(wrong("extra.overlap", value, "\"skip\", \"queue\" or \"allow\""));
            }
        };
    }
    let zone = match key("timezone") {
        None => None,
        Some(value) => {
            let name = value.as_str().ok_or_else(|| {
                wrong("extra.timezone", value, "a zone name such as \"Europe/London\"")
            })?;
            Some(Zone::named(name)?)
        }
    };
    Ok((policy, zone))
}

/// A span in `extra`: a number of whole seconds, or a text such as `"90s"`; at most a year and a day.
fn span(column: &'static str, value: &serde_json::Value) -> Result<Duration, TaskFault> {
    const LONGEST: Duration = Duration::from_secs(366 * 86_400);
    value
        .as_u64()
        .map(Duration::from_secs)
        .or_else(|| value.as_str().and_then(duration::parse))
        .filter(|span| *span <= LONGEST)
        .ok_or_else(|| {
            wrong(column, value, "whole seconds or a duration such as \"90s\", at most 366 days")
        })
}

fn wrong(column: &'static str, value: &serde_json::Value, expected: &'static str) -> TaskFault {
    let value = match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    TaskFault::Value { column, value, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str) -> (Policy, Option<Zone>) {
        extra(text, Policy::default()).expect("it reads")
    }

    #[track_caller]
    fn refuses(text: &str, words: &str) {
        let error = extra(text, Policy::default()).expect_err("it is refused").to_string();
        assert!(error.contains(words), "{text}: {error}");
    }

    #[test]
    fn an_empty_extra_and_the_users_own_keys_change_nothing() {
        for text in
            ["", " ", "{}", r#"{"owner": "ops", "nested": {"timeout": 0}}"#, r#"{"timeout": null}"#]
        {
            assert_eq!(reads(text), (Policy::default(), None), "{text}");
        }
    }

    #[test]
    fn each_key_reads_at_both_ends_of_its_range() {
        let second = Duration::from_secs(1);
        assert_eq!(reads(r#"{"misfire_grace_time": 1}"#).0.misfire_grace_time, second);
        let longest = reads(r#"{"misfire_grace_time": "366d"}"#).0.misfire_grace_time;
        assert_eq!(longest, 366 * 86_400 * second);
        assert_eq!(reads(r#"{"timeout": 0}"#).0.timeout, None, "zero is none");
        assert_eq!(reads(r#"{"timeout": "1500ms"}"#).0.timeout, Some(Duration::from_millis(1500)));
        assert!(!reads(r#"{"coalesce": false}"#).0.coalesce);
        assert_eq!(reads(r#"{"max_instances": 1}"#).0.max_instances, 1);
        assert_eq!(reads(r#"{"max_instances": 10000}"#).0.max_instances, 10_000);
        assert_eq!(reads(r#"{"overlap": "allow"}"#).0.overlap, Overlap::Allow);
        assert_eq!(reads(r#"{"timezone": "Asia/Shanghai"}"#).1, Zone::named("Asia/Shanghai").ok());
    }

    #[test]
    fn a_wrong_value_is_refused_with_the_key_the_value_and_what_was_expected() {
        refuses(r#"{"misfire_grace_time": "999ms"}"#, "expected 1 s or more");
        refuses(
            r#"{"misfire_grace_time": -1}"#,
            "extra.misfire_grace_time \"-1\" is not valid, expected",
        );
        refuses(r#"{"misfire_grace_time": "367d"}"#, "extra.misfire_grace_time \"367d\"");
        refuses(r#"{"timeout": 1.5}"#, "extra.timeout \"1.5\"");
        refuses(r#"{"coalesce": 1}"#, "extra.coalesce \"1\" is not valid, expected true or false");
        refuses(r#"{"max_instances": 0}"#, "expected a whole number from 1 to 10000");
        refuses(r#"{"max_instances": 10001}"#, "expected a whole number from 1 to 10000");
        refuses(r#"{"max_instances": "2"}"#, "extra.max_instances \"2\"");
        refuses(r#"{"overlap": "wait"}"#, "extra.overlap \"wait\" is not valid, expected \"skip\"");
        refuses(r#"{"timezone": "Europe/Londn"}"#, "timezone \"Europe/Londn\"");
        refuses(r#"{"timezone": 8}"#, "extra.timezone \"8\"");
    }

    #[test]
    fn what_is_no_json_object_is_refused_and_so_is_what_is_too_deep() {
        for text in ["not json", "[]", "\"x\"", "1", "{\"a\": 1"] {
            refuses(text, "expected a JSON object");
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        refuses(&deep, "expected a JSON object");
    }
}
