//! The code in `docs/jobs.md` is code that compiles and whose tests pass.

#[path = "docs/send_mail.rs"]
mod send_mail;
#[path = "docs/send_report.rs"]
mod send_report;

/// The first Rust block after `heading`.
fn block<'d>(document: &'d str, heading: &str) -> &'d str {
    let after = document.split_once(heading).expect("the heading is there").1;
    let block = after.split_once("```rust\n").expect("a block follows").1;
    block.split_once("```").expect("the block ends").0
}

/// The job stands after the first heading, its tests after the second.
#[track_caller]
fn check(source: &str, job_heading: &str, tests_heading: &str) {
    let document = include_str!("../../docs/jobs.md");
    let (job, tests) =
        source.split_once("#[cfg(test)]").expect("the file has its tests at the end");
    assert_eq!(block(document, job_heading), format!("{}\n", job.trim_end()));
    assert_eq!(block(document, tests_heading), format!("#[cfg(test)]{tests}"));
}

#[test]
fn the_job_that_is_written_in_ten_minutes_is_the_one_above() {
    check(include_str!("docs/send_report.rs"), "### 1. Write it", "### 2. Test it");
}

#[test]
fn the_job_that_calls_over_http_is_the_one_above() {
    check(include_str!("docs/send_mail.rs"), "### Declare a request", "### Test a call");
}
