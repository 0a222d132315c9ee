//! The same client under the harness, in the tests of job authors.

use scheduler_core::{
    Context, JobResult, Request, job,
    testing::{Harness, Row},
};
use wiremock::{MockServer, ResponseTemplate};

use crate::support::{answers, received, silent};

/// Where the API is.
struct Api(String);

#[derive(Request)]
#[request(GET, "/reports/{name}", answer = u64)]
struct CountPages<'a> {
    #[request(path)]
    name: &'a str,
}

#[job("count_pages", timeout = "1m")]
async fn count_pages(_task_key: &str, name: String, ctx: Context) -> JobResult {
    let api = ctx.config::<Api>()?;
    let pages = ctx.http().send_to(&api.0, &CountPages { name: &name }).await?;
    ctx.note("pages", pages);
    Ok(())
}

fn scheduler(url: &str) -> Harness {
    Harness::new("2026-03-02 08:00:00", "UTC").config(Api(url.to_owned()))
}

#[test]
fn a_job_calls_a_test_server_and_a_busy_one_again_in_the_same_run() {
    // Its runtime stays, or the server would end with it.
    let runtime = tokio::runtime::Runtime::new().expect("the system gives a runtime");
    let server: MockServer = runtime.block_on(async {
        let busy = || ResponseTemplate::new(503).insert_header("retry-after", "20");
        answers([busy(), busy(), ResponseTemplate::new(200).set_body_string("12")]).await
    });
    let mut scheduler = scheduler(&server.uri()).with_real_io();
    scheduler.insert(Row::cron("report", "count_pages", "0 9 * * *").args("daily"));
    scheduler.advance_to("2026-03-02 09:00:00");
    scheduler.check("report", &["09:00:00 success"]);
    assert_eq!(scheduler.executions("report")[0].extra["pages"], 12);
    let calls = runtime.block_on(received(&server));
    assert_eq!(calls.len(), 3);
    for call in &calls {
        assert_eq!(call.url.path(), "/reports/daily");
        let trace_id = call.headers["x-trace-id"].to_str().expect("it is text");
        assert!(call.headers["traceparent"].to_str().expect("it is text").contains(trace_id));
    }
}

#[job("count_pages_blocking", blocking)]
fn count_pages_blocking(_task_key: &str, name: String, ctx: Context) -> JobResult {
    let (api, http) = (ctx.config::<Api>()?, ctx.http());
    let request = CountPages { name: &name };
    let pages = tokio::runtime::Handle::current().block_on(http.send_to(&api.0, &request))?;
    ctx.note("pages", pages);
    Ok(())
}

#[test]
fn a_blocking_job_calls_by_the_handle_of_its_runtime() {
    let runtime = tokio::runtime::Runtime::new().expect("the system gives a runtime");
    let server: MockServer = runtime.block_on(async {
        let pages = ResponseTemplate::new(200).set_body_string("12");
        answers([ResponseTemplate::new(503), pages]).await
    });
    let mut scheduler = scheduler(&server.uri());
    scheduler.insert(Row::cron("report", "count_pages_blocking", "0 9 * * *").args("daily"));
    scheduler.advance_to("2026-03-02 09:00:00");
    scheduler.check("report", &["09:00:00 success"]);
    assert_eq!(scheduler.executions("report")[0].extra["pages"], 12);
}

#[test]
fn a_server_that_hangs_costs_half_a_minute_by_the_clock_of_the_test() {
    let (_server, url) = silent();
    let mut scheduler = scheduler(&url);
    scheduler.insert(Row::cron("report", "count_pages", "0 9 * * *").args("daily"));
    scheduler.advance_to("2026-03-02 09:00:50");
    scheduler.check("report", &["09:00:00 fail"]);
    let run = &scheduler.executions("report")[0];
    assert_eq!(run.finished_at.map(|at| (at - run.scheduled_at).num_seconds()), Some(30));
    let reason = format!("GET /reports/{{name}} at {url}: no answer within 30s");
    assert_eq!(run.reason.as_deref(), Some(reason.as_str()));
}

#[test]
fn a_stop_does_not_wait_for_a_server_that_hangs() {
    let (_server, url) = silent();
    let mut scheduler = scheduler(&url);
    scheduler.insert(Row::cron("report", "count_pages", "0 9 * * *").args("daily"));
    scheduler.advance_to("2026-03-02 09:00:01");
    let asked_at = scheduler.now();
    scheduler.stop();
    assert_eq!(scheduler.now(), asked_at, "at once");
}
