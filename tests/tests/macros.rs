//! What `#[job]` accepts and registers, and what it says of what it refuses.
//!
//! Each file in `ui/fail` is one mistake with the message it yields; after a change of messages,
//! `TRYBUILD=overwrite cargo test -p tests --test macros` writes them anew. The files in `ui/pass`
//! are modules of this test, so they are compiled under the lints of the workspace, and run.

use std::sync::Arc;

use jobs as _;
use scheduler_core::Args;
use scheduler_core::job::{Body, Context, ContextParts, Invocation, JobDescriptor, JobResult};
use scheduler_core::registry::Registry;

#[path = "../ui/pass/left_out.rs"]
mod left_out;
#[path = "../ui/pass/names.rs"]
mod names;
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
async fn every_form_of_result_becomes_success_or_the_error() {
    for name in ["returns nothing", "returns success"] {
        run(name).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
    for name in ["returns anyhow", "returns its own error"] {
        let error = run(name).await.expect_err(name);
        assert_eq!(error.to_string(), "no recipient", "{name}");
    }
}

#[tokio::test]
async fn the_function_stays_callable_as_written() {
    let ctx = Context::new(ContextParts::default());
    let result = results::returns_its_own_error("key", Args::parse(""), ctx).await;
    assert_eq!(result, Err(results::NoRecipient));
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
