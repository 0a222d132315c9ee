//! The keys of `extra` that say how a task is treated. All others are the user's.

use std::{ops::RangeInclusive, time::Duration};

use super::{Backoff, Field, JobOptions, OnLost, Overlap, Policy, TaskFault, policy::LONGEST};
use crate::plan::{
    duration,
    trigger::Zone,
    words::{nearest, quote},
};

/// All keys that [`extra`] reads.
const KEYS: [&str; 10] = [
    "misfire_grace_time",
    "timeout",
    "coalesce",
    "max_instances",
    "overlap",
    "retries",
    "backoff",
    "on_lost",
    "delay",
    "timezone",
];

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
        let grace = span("misfire_grace_time", value)?;
        if grace < Duration::from_secs(1) {
            return Err(wrong("misfire_grace_time", value, "1 s or more"));
        }
        policy.misfire_grace_time = grace;
    }
    if let Some(value) = key("timeout") {
        policy.timeout = Some(span("timeout", value)?).filter(|span| !span.is_zero());
    }
    if let Some(value) = key("coalesce") {
        policy.coalesce =
            value.as_bool().ok_or_else(|| wrong("coalesce", value, "true or false"))?;
    }
    if let Some(value) = key("max_instances") {
        let expected = "a whole number from 1 to 10000";
        policy.max_instances = count("max_instances", value, 1..=10_000, expected)?;
    }
    if let Some(value) = key("overlap") {
        policy.overlap = overlap(value)?;
    }
    if let Some(value) = key("retries") {
        let expected = "a whole number from 0 to 1000";
        policy.retries = Some(count("retries", value, 0..=1_000, expected)?);
    }
    if let Some(value) = key("backoff") {
        policy.backoff = backoff(value)?;
    }
    if let Some(value) = key("on_lost") {
        policy.on_lost = on_lost(value)?;
    }
    if let Some(value) = key("delay") {
        policy.delay = span("delay", value)?;
    }
    let zone = match key("timezone") {
        None => None,
        Some(value) => {
            let name = value
                .as_str()
                .ok_or_else(|| wrong("timezone", value, "a zone name such as \"Europe/London\""))?;
            Some(Zone::named(name)?)
        }
    };
    Ok((policy, zone))
}

/// A key of a row's `extra` that is left alone as the user's own, and resembles one of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "extra has the key {}, which the scheduler does not read: was {nearest:?} meant?",
    quote(key)
)]
pub struct DoubtfulKey {
    /// As written.
    pub key: String,
    /// What was probably meant.
    pub nearest: &'static str,
}

/// The keys of `extra` that were probably meant to be one of ours; none where it is no JSON object.
#[must_use]
pub fn doubtful_keys(extra: &Field) -> Vec<DoubtfulKey> {
    let Some(text) = extra.as_deref().ok().filter(|text| text.len() > "{}".len()) else {
        return Vec::new();
    };
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).unwrap_or_default();
    let doubtful = |key: String| {
        let nearest = nearest(&key, KEYS, 1).pop()?;
        Some(DoubtfulKey { key, nearest })
    };
    let keys = object.into_iter().map(|(key, _)| key);
    keys.filter(|key| !KEYS.contains(&key.as_str())).filter_map(doubtful).collect()
}

impl JobOptions {
    /// The keys of `extra` that say the same.
    #[must_use]
    pub fn as_extra(&self) -> serde_json::Map<String, serde_json::Value> {
        let span = |span: Duration| duration::show(span).into();
        let overlap = |overlap: Overlap| match overlap {
            Overlap::Skip => "skip".into(),
            Overlap::Queue => "queue".into(),
            Overlap::Allow => "allow".into(),
        };
        let on_lost = |on_lost: OnLost| match on_lost {
            OnLost::Leave => "leave".into(),
            OnLost::Retry => "retry".into(),
        };
        let keys = [
            ("timeout", self.timeout.map(span)),
            ("retries", self.retries.map(Into::into)),
            ("backoff", self.backoff.map(|backoff| backoff.to_string().into())),
            ("max_instances", self.max_instances.map(Into::into)),
            ("overlap", self.overlap.map(overlap)),
            ("misfire_grace_time", self.misfire_grace_time.map(span)),
            ("on_lost", self.on_lost.map(on_lost)),
        ];
        keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

fn overlap(value: &serde_json::Value) -> Result<Overlap, TaskFault> {
    match value.as_str() {
        Some("skip") => Ok(Overlap::Skip),
        Some("queue") => Ok(Overlap::Queue),
        Some("allow") => Ok(Overlap::Allow),
        _ => Err(wrong("overlap", value, "\"skip\", \"queue\" or \"allow\"")),
    }
}

fn on_lost(value: &serde_json::Value) -> Result<OnLost, TaskFault> {
    match value.as_str() {
        Some("leave") => Ok(OnLost::Leave),
        Some("retry") => Ok(OnLost::Retry),
        _ => Err(wrong("on_lost", value, "\"leave\" or \"retry\"")),
    }
}

fn backoff(value: &serde_json::Value) -> Result<Backoff, TaskFault> {
    let seconds = value.as_u64().map(|secs| secs.to_string());
    let text = value.as_str().or(seconds.as_deref());
    text.and_then(Backoff::parse).ok_or_else(|| {
        wrong("backoff", value, "a span from 1 ms to 366 days, or two as in \"10s..10m\"")
    })
}

fn count(
    key: &'static str,
    value: &serde_json::Value,
    range: RangeInclusive<u32>,
    expected: &'static str,
) -> Result<u32, TaskFault> {
    let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
    count.filter(|count| range.contains(count)).ok_or_else(|| wrong(key, value, expected))
}

/// A span in `extra`: a number of whole seconds, or a text such as `"90s"`; at most a year and a day.
fn span(key: &'static str, value: &serde_json::Value) -> Result<Duration, TaskFault> {
    value
        .as_u64()
        .map(Duration::from_secs)
        .or_else(|| value.as_str().and_then(duration::parse))
        .filter(|span| *span <= LONGEST)
        .ok_or_else(|| {
            wrong(key, value, "whole seconds or a duration such as \"90s\", at most 366 days")
        })
}

fn wrong(key: &'static str, value: &serde_json::Value, expected: &'static str) -> TaskFault {
    let value = match value {
        serde_json::Value::String(text) => quote(text),
        serde_json::Value::Array(_) => "an array".to_owned(),
        serde_json::Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    };
    TaskFault::Key { key, value, expected }
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

    #[track_caller]
    fn check_doubtful(text: &str, expected: &[(&str, &str)]) {
        let doubtful = doubtful_keys(&Ok(text.to_owned()));
        let doubtful: Vec<_> =
            doubtful.iter().map(|doubt| (doubt.key.as_str(), doubt.nearest)).collect();
        assert_eq!(doubtful, expected, "{text}");
    }

    #[test]
    fn a_key_that_resembles_one_of_ours_is_doubtful_and_any_other_is_not() {
        check_doubtful(r#"{"retires": 3}"#, &[("retires", "retries")]);
        check_doubtful(
            r#"{"maxInstances": 2, "Timeout": 5}"#,
            &[("Timeout", "timeout"), ("maxInstances", "max_instances")],
        );
        check_doubtful(r#"{"owner": "ops", "delay": 60, "retry": 1, "time": 2}"#, &[]);
        for text in ["", "{}", "not json", "[1, 2]"] {
            check_doubtful(text, &[]);
        }
        let doubt = &doubtful_keys(&Ok(r#"{"a\nretries": 3, "retires": 3}"#.to_owned()))[0];
        assert_eq!(
            doubt.to_string(),
            r#"extra has the key "a\nretries", which the scheduler does not read: was "retries" meant?"#
        );
    }

    #[test]
    fn every_key_that_is_read_is_known() {
        for key in KEYS {
            assert!(extra(&format!("{{\"{key}\": [7]}}"), Policy::default()).is_err(), "{key}");
        }
    }

    #[test]
    fn each_key_reads_at_both_ends_of_its_range() {
        let second = Duration::from_secs(1);
        assert_eq!(reads(r#"{"misfire_grace_time": 1}"#).0.misfire_grace_time, second);
        let longest = reads(r#"{"misfire_grace_time": "366d"}"#).0.misfire_grace_time;
        assert_eq!(longest, 366 * 86_400 * second);
        assert_eq!(reads(r#"{"delay": "10m"}"#).0.delay, 600 * second);
        assert_eq!(reads(r#"{"timeout": 0}"#).0.timeout, None, "zero is none");
        assert_eq!(reads(r#"{"timeout": "1500ms"}"#).0.timeout, Some(Duration::from_millis(1500)));
        assert!(!reads(r#"{"coalesce": false}"#).0.coalesce);
        assert_eq!(reads(r#"{"max_instances": 1}"#).0.max_instances, 1);
        assert_eq!(reads(r#"{"max_instances": 10000}"#).0.max_instances, 10_000);
        assert_eq!(reads(r#"{"overlap": "allow"}"#).0.overlap, Overlap::Allow);
        assert_eq!(reads(r#"{"retries": 0}"#).0.retries, Some(0));
        assert_eq!(reads(r#"{"retries": 1000}"#).0.retries, Some(1_000));
        assert_eq!(reads(r#"{"on_lost": "retry"}"#).0.on_lost, OnLost::Retry);
        assert_eq!(reads(r#"{"on_lost": "leave"}"#).0.on_lost, OnLost::Leave);
        let from_to = |from, to| Backoff { from, to };
        let shortest = Duration::from_millis(1);
        assert_eq!(reads(r#"{"backoff": "1ms..366d"}"#).0.backoff, from_to(shortest, longest));
        assert_eq!(reads(r#"{"backoff": "1m"}"#).0.backoff, from_to(60 * second, 60 * second));
        assert_eq!(reads(r#"{"backoff": 5}"#).0.backoff, from_to(5 * second, 5 * second));
        assert_eq!(reads(r#"{"timezone": "Asia/Shanghai"}"#).1, Zone::named("Asia/Shanghai").ok());
    }

    #[test]
    fn the_row_overrides_the_job_and_the_job_the_configuration() {
        let second = Duration::from_secs(1);
        let options = JobOptions {
            retries: Some(5),
            timeout: Some(7 * second),
            overlap: Some(Overlap::Queue),
            misfire_grace_time: Some(9 * second),
            max_instances: Some(2),
            backoff: Backoff::parse("1s..2s"),
            on_lost: Some(OnLost::Retry),
        };
        let by_job = Policy::default().with(&options);
        let row = extra(r#"{"retries": 1, "timeout": 0, "max_instances": 3}"#, by_job);
        let expected = Policy {
            retries: Some(1),
            timeout: None,
            overlap: Overlap::Queue,
            misfire_grace_time: 9 * second,
            max_instances: 3,
            backoff: Backoff { from: second, to: 2 * second },
            on_lost: OnLost::Retry,
            coalesce: true,
            delay: 3_600 * second,
        };
        assert_eq!(row.map(|(policy, _)| policy), Ok(expected));
        let said = serde_json::Value::Object(options.as_extra()).to_string();
        assert_eq!(extra(&said, Policy::default()), Ok((by_job, None)), "what it says: {said}");
        let by_configuration = Policy { max_instances: 4, ..Policy::default() };
        assert_eq!(by_configuration.with(&JobOptions::NONE), by_configuration);
        let long = Some(3_600 * second);
        let by_configuration = Policy { timeout: long, retries: Some(9), ..by_configuration };
        let by_both = by_configuration.with(&options);
        assert_eq!((by_both.timeout, by_both.retries), (options.timeout, options.retries));
    }

    #[test]
    fn a_wrong_value_is_refused_with_the_key_the_value_and_what_was_expected() {
        refuses(r#"{"misfire_grace_time": "999ms"}"#, "expected 1 s or more");
        refuses(r#"{"misfire_grace_time": -1}"#, "extra.misfire_grace_time is -1, expected");
        refuses(r#"{"misfire_grace_time": "367d"}"#, "extra.misfire_grace_time is \"367d\"");
        refuses(r#"{"timeout": 1.5}"#, "extra.timeout is 1.5");
        refuses(r#"{"coalesce": 1}"#, "extra.coalesce is 1, expected true or false");
        refuses(r#"{"max_instances": 0}"#, "expected a whole number from 1 to 10000");
        refuses(r#"{"max_instances": 10001}"#, "expected a whole number from 1 to 10000");
        refuses(
            r#"{"max_instances": "2"}"#,
            "extra.max_instances is \"2\", expected a whole number",
        );
        refuses(r#"{"retries": -1}"#, "expected a whole number from 0 to 1000");
        refuses(r#"{"retries": 1001}"#, "expected a whole number from 0 to 1000");
        refuses(r#"{"on_lost": "again"}"#, "expected \"leave\" or \"retry\"");
        for backoff in ["\"0s\"", "0", "\"2m..1m\"", "\"1s..\"", "\"1s..367d\"", "true", "1.5"] {
            refuses(
                &format!("{{\"backoff\": {backoff}}}"),
                "expected a span from 1 ms to 366 days",
            );
        }
        refuses(r#"{"overlap": "wait"}"#, "extra.overlap is \"wait\", expected \"skip\"");
        refuses(r#"{"timezone": "Europe/Londn"}"#, "timezone \"Europe/Londn\"");
        refuses(r#"{"retries": [3]}"#, "extra.retries is an array, expected");
        refuses(r#"{"retries": {"times": 3}}"#, "extra.retries is an object, expected");
        refuses("{\"overlap\": \"a\u{9b}b\"}", r#"extra.overlap is "a\u{9b}b", expected"#);
        refuses(r#"{"timezone": 8}"#, "extra.timezone is 8, expected");
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
