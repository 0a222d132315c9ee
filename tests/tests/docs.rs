//! The code in `docs/jobs.md` is code that compiles and whose tests pass.

#[path = "docs/send_report.rs"]
mod send_report;

/// The first Rust block after `heading`.
fn block<'d>(document: &'d str, heading: &str) -> &'d str {
    let after = document.split_once(heading).expect("the heading is there").1;
    let block = after.split_once("```rust\n").expect("a block follows").1;
    block.split_once("```").expect("the block ends").0
}

#[test]
fn the_job_that_is_written_in_ten_minutes_is_the_one_above() {
    let document = include_str!("../../docs/jobs.md");
    let (job, tests) = include_str!("docs/send_report.rs")
        .split_once("#[cfg(test)]")
        .expect("the file has its tests at the end");
    assert_eq!(block(document, "### 1. Write it"), format!("{}\n", job.trim_end()));
    assert_eq!(block(document, "### 2. Test it"), format!("#[cfg(test)]{tests}"));
}
