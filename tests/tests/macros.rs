//! What `#[job]` accepts and registers, and what it says of what it refuses.
//!
//! Each file in `ui/fail` is one mistake with the message it yields; after a change of messages,
//! `TRYBUILD=overwrite cargo test -p tests --test macros` writes them anew. The files in `ui/pass`
//! are modules of this test, so they are compiled under the lints of the workspace, and run.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jobs as _;
use scheduler_core::Args;
use scheduler_core::job::{
    Backoff, Body, Context, ContextParts, Invocation, JobDescriptor, JobOptions, JobResult, OnLost,
    Overlap, error_chain,
};
use scheduler_core::plan::duration;
use scheduler_core::registry::Registry;

#[path = "../ui/pass/left_out.rs"]
mod left_out;
#[path = "../ui/pass/names.rs"]
mod names;
#[path = "../ui/pass/options.rs"]
mod options;
#[path = "../ui/pass/parameters.rs"]
mod parameters;
#[path = "../ui/pass/results.rs"]
mod results;

#[test]
fn every_mistake_has_its_message() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

#[track_caller]
fn job(name: &str) -> &'static JobDescriptor {
    let registry = Registry::linked().expect("the names of all linked jobs differ");
    let nearest = registry.nearest(name, 3);
    registry
        .get(name)
        .unwrap_or_else(|| panic!("job {name:?} is not linked, nearest are {nearest:?}"))
}

async fn run(name: &str) -> JobResult {
    run_with(name, "1, two").await
}

async fn run_with(name: &str, args: &str) -> JobResult {
    let invocation = Invocation {
        task_key: Arc::from("the key"),
        args: Args::parse(args),
        context: Context::new(ContextParts { execution_id: 812, ..ContextParts::default() }),
    };
    match job(name).body {
        Body::Async(body) => body(invocation).await,
        Body::Blocking(body) => body(invocation),
    }
}

#[test]
fn the_jobs_of_the_jobs_crate_are_linked_by_naming_the_crate() {
    for (name, function, file) in [
        ("test_cron", "jobs::cron::test_cron::test_cron", "cron/test_cron.rs"),
        ("test_date", "jobs::date::test_date::test_date", "date/test_date.rs"),
        (
            "test_interval",
            "jobs::interval::test_interval::test_interval",
            "interval/test_interval.rs",
        ),
    ] {
        let job = job(name);
        assert_eq!(job.function, function);
        assert!(job.file.ends_with(file), "{}", job.file);
    }
}

#[test]
fn a_descriptor_names_the_line_of_the_function_not_of_the_attribute() {
    let job = job("two lines below");
    let source = include_str!("../ui/pass/names.rs");
    let index = usize::try_from(job.line).expect("a line number") - 1;
    let line = source.lines().nth(index).expect("a line of the file");
    assert!(line.contains("fn below_its_attribute"), "line {}: {line}", job.line);
    assert_eq!(job.function, "macros::names::below_its_attribute");
}

#[tokio::test]
async fn a_job_is_given_what_is_in_the_row_and_in_the_execution() {
    for name in ["borrowed key", "owned key", "renamed types", "args"] {
        run(name).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
}

#[test]
fn args_as_they_stand_in_the_row_fit_every_job_that_takes_them() {
    assert_eq!((job("borrowed key").check_args)(&Args::parse("any, 'thing")), Ok(()));
}

#[tokio::test]
async fn a_job_is_given_its_args_in_the_type_it_names() {
    for (name, args) in [
        ("no args", ""),
        ("one number", "7"),
        ("optional text", ""),
        ("list", "1, two"),
        ("tuple", "1, two"),
        ("tuple", r#"[1, "two", null]"#),
        ("json", "1, two"),
        ("struct", "1, two, plain"),
        ("struct", r#"{"to": "two", "copies": 1}"#),
        ("enum", "glossy"),
    ] {
        run_with(name, args).await.unwrap_or_else(|error| panic!("{name}: {args}: {error:#}"));
    }
}

#[tokio::test]
async fn args_that_do_not_fit_are_refused_before_the_job_and_by_it() {
    for (name, args, expected) in [
        ("no args", "1", "there is 1 value, expected none"),
        ("one number", "x", r#"value 1 is "x", expected i64"#),
        ("tuple", "256, two", r#"value 1 is "256", expected u8"#),
        ("struct", "1", "value 2 (to) is missing"),
        ("struct", r#"{"copies": 1, "to": 2}"#, "to is 2, expected a string"),
        ("enum", "matt", r#"value 1 is "matt", expected `plain` or `glossy`"#),
    ] {
        let checked = (job(name).check_args)(&Args::parse(args)).expect_err(name);
        let ran = run_with(name, args).await.expect_err(name);
        assert_eq!(
            (checked.to_string(), ran.to_string()),
            (expected.to_owned(), expected.to_owned())
        );
    }
}

#[tokio::test]
async fn a_job_that_returns_nothing_or_ok_succeeds() {
    for name in ["returns nothing", "returns success"] {
        run(name).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
}

#[tokio::test]
async fn an_error_is_told_with_its_causes_and_one_without_causes_by_its_text() {
    const WITH_CAUSE: &str = "no recipient: empty list";
    for (name, text) in [
        ("returns anyhow", WITH_CAUSE),
        ("returns anyhow spelt out", WITH_CAUSE),
        ("returns its own error", WITH_CAUSE),
        ("returns a shared error", WITH_CAUSE),
        ("returns a boxed error", WITH_CAUSE),
        ("returns a boxed error that is send", WITH_CAUSE),
        ("returns a boxed error that is send and sync", WITH_CAUSE),
        ("returns an error that is not send", WITH_CAUSE),
        ("returns an error of std", "no recipient"),
        ("returns a string", "no recipient"),
        ("returns a static text", "no recipient"),
        ("returns a borrowed text", "the key"),
        ("returns what only displays", "no recipient"),
        ("blocks and fails", "no recipient"),
    ] {
        let error = run(name).await.expect_err(name);
        assert_eq!(error_chain(&error), text, "{name}");
    }
}

#[tokio::test]
async fn an_error_that_may_change_threads_stays_the_error_that_it_is() {
    let error = run("returns an error of std").await.expect_err("it fails");
    assert!(error.is::<io::Error>());
    let error = run("returns its own error").await.expect_err("it fails");
    assert_eq!(error.downcast_ref(), Some(&results::NO_RECIPIENT));
    let error = run("returns a boxed error that is send and sync").await.expect_err("it fails");
    assert_eq!(error.root_cause().downcast_ref(), Some(&results::EmptyList));
}

#[tokio::test]
async fn the_function_stays_callable_as_written() {
    let ctx = Context::new(ContextParts::default());
    let result = results::returns_its_own_error("key", Args::parse(""), ctx).await;
    assert_eq!(result, Err(results::NO_RECIPIENT));
}

#[tokio::test]
async fn a_name_may_be_as_long_as_its_column_and_need_not_be_ascii() {
    run(names::LONGEST).await.expect("a job that succeeds");
    run("发送报告").await.expect("a job that succeeds");
}

#[tokio::test]
async fn a_function_may_carry_two_names() {
    run("first name").await.expect("a job that succeeds");
    run("second name").await.expect("a job that succeeds");
}

#[test]
fn a_function_that_is_configured_out_is_not_registered() {
    let registry = Registry::linked().expect("the names of all linked jobs differ");
    assert!(registry.get("left in").is_some());
    assert!(registry.get("left out above").is_none());
    assert!(registry.get("left out below").is_none());
}

#[test]
fn a_job_without_options_says_nothing() {
    assert_eq!(job("returns nothing").options, JobOptions::NONE);
}

#[test]
fn every_option_reads_at_both_ends_of_its_range() {
    let day = Duration::from_secs(86_400);
    let one_ms = Duration::from_millis(1);
    assert_eq!(
        job("lowest options").options,
        JobOptions {
            misfire_grace_time: Some(Duration::from_secs(1)),
            max_instances: Some(1),
            overlap: Some(Overlap::Skip),
            timeout: Some(one_ms),
            retries: Some(0),
            backoff: Some(Backoff { from: one_ms, to: one_ms }),
            on_lost: Some(OnLost::Leave),
        }
    );
    assert_eq!(
        job("highest options").options,
        JobOptions {
            misfire_grace_time: Some(366 * day),
            max_instances: Some(10_000),
            overlap: Some(Overlap::Allow),
            timeout: Some(366 * day),
            retries: Some(1_000),
            backoff: Some(Backoff { from: 366 * day, to: 366 * day }),
            on_lost: None,
        }
    );
}

#[test]
fn all_options_together_and_those_that_a_macro_writes_are_read() {
    let secs = Duration::from_secs;
    assert_eq!(
        job("every option").options,
        JobOptions {
            misfire_grace_time: Some(secs(300)),
            max_instances: Some(2),
            overlap: Some(Overlap::Queue),
            timeout: Some(secs(30)),
            retries: Some(3),
            backoff: Some(Backoff { from: secs(1), to: secs(60) }),
            on_lost: Some(OnLost::Retry),
        }
    );
    let one_wait = Backoff { from: secs(10), to: secs(10) };
    assert_eq!(job("one wait").options.backoff, Some(one_wait));
    let options = job("written by a macro").options;
    assert_eq!((options.timeout, options.retries), (Some(secs(5_400)), Some(3)));
}

#[tokio::test]
async fn a_function_under_blocking_has_a_blocking_body_and_any_other_an_async_one() {
    assert!(matches!(job("blocks").body, Body::Blocking(_)));
    assert!(matches!(job("every option").body, Body::Blocking(_)));
    assert!(matches!(job("one wait").body, Body::Async(_)));
    run("blocks").await.expect("a job that succeeds");
}

/// Declares a job for each text, which is its `timeout`, and gives the texts and what became of them.
macro_rules! timeouts {
    ($($name:literal: $text:literal,)*) => {
        [$({
            #[scheduler_core::job($name, timeout = $text)]
            async fn timed(_: &str, _: Args, _: Context) {}
            ($text, job($name).options.timeout)
        }),*]
    };
}

#[test]
fn the_attribute_and_a_rows_extra_read_the_same_durations_alike() {
    let accepted = timeouts! {
        "digits": "5",
        "digits with blanks": "\t5 ",
        "zeros": "007",
        "seconds": "90s",
        "milliseconds": "250ms",
        "nanoseconds": "1000001ns",
        "sum": "1h30m",
        "sum with blanks": " 1 hour  30 minutes 15 seconds 250 millis",
        "sum in any order": "1s1d1s",
        "fraction": "1.5h",
        "month": "1month",
        "one millisecond": "1ms",
        "a year and a day": "366d",
    };
    for (text, timeout) in accepted {
        assert!(timeout.is_some(), "{text:?}");
        assert_eq!(timeout, duration::parse(text), "{text:?}");
    }
}

#[test]
fn what_the_attribute_refuses_as_a_duration_a_rows_extra_refuses_too() {
    let refused = include_str!("../ui/fail/option_duration_not_readable.rs");
    let texts: Vec<&str> = refused
        .lines()
        .filter_map(|line| line.split_once("timeout = \"")?.1.strip_suffix("\")]"))
        .collect();
    assert!(texts.len() > 10, "{texts:?}");
    for text in texts {
        assert_eq!(duration::parse(text), None, "{text:?}");
    }
}

#[test]
fn a_descriptor_shows_the_type_of_the_args_as_it_is_written() {
    assert_eq!(job("optional text").args, "Option<String>");
    assert_eq!(job("tuple").args, "(u8, String, Option<String>)");
}
