//! Posts a notice to a webhook of `[app.webhooks]`: typed arguments, settings, a declared request, a time-out and
//! retries.
//!
//! ```sql
//! INSERT INTO task (task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status, extra)
//! VALUES ('standup', '', 'post_notice', 'cron', '0 9 * * MON-FRI', '{"to": "team", "text": "Stand-up!"}', 1, 'ready', '{}');
//! ```

use std::{collections::BTreeMap, time::Duration};

use scheduler_core::{Context, JobResult, Request, anyhow::Context as _, job};
use serde::Deserialize;

/// A row's `args`: `{"to": "team", "text": "Stand-up!"}`, or `team, Stand-up!`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    /// One of the names under `[app.webhooks.urls]`. An address never comes from a row.
    to: String,
    text: String,
}

/// `[app.webhooks]` in `common.toml`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Webhooks {
    /// Name and address of each webhook.
    urls: BTreeMap<String, String>,
    /// How long one call may take. Default 10 s.
    timeout_secs: u64,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { urls: BTreeMap::new(), timeout_secs: 10 }
    }
}

/// What a webhook is sent. Its whole address is a secret of the settings, so no error shows more of it than the host.
#[derive(Request)]
#[request(POST, "", idempotent)]
struct Post<'a> {
    #[request(json)]
    text: &'a str,
}

#[job("post_notice", timeout = "1m", retries = 3, backoff = "5s..5m")]
async fn post_notice(_task_key: &str, notice: Notice, ctx: Context) -> JobResult {
    let Webhooks { urls, timeout_secs } = ctx.config::<Webhooks>()?;
    let url = urls.get(&notice.to).with_context(|| {
        let known: Vec<&str> = urls.keys().map(String::as_str).collect();
        format!(
            "to {:?} is no name under [app.webhooks.urls], expected one of {known:?}",
            notice.to
        )
    })?;
    let http = ctx.http().timeout(Duration::from_secs(*timeout_secs));
    let answer = http.send_to(url, &Post { text: &notice.text }).await?;
    ctx.note("http_status", answer.status().as_u16());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use scheduler_core::{
        plan::execution::Status,
        testing::{Harness, Row},
    };
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{body_json, header_regex, method},
    };

    use super::*;

    /// A scheduler without rows whose webhook `team` is at `url`.
    fn scheduler(url: &str) -> Harness {
        let urls = BTreeMap::from([("team".to_owned(), url.to_owned())]);
        Harness::new("2026-03-02 08:00:00", "Europe/London")
            .config(Webhooks { urls, ..Webhooks::default() })
    }

    /// The same with one row, due at 09:00 on working days, and real time for its calls.
    fn standup(url: &str) -> Harness {
        let mut scheduler = scheduler(url).with_real_io();
        scheduler.insert(
            Row::cron("standup", "post_notice", "0 9 * * MON-FRI")
                .args(r#"{"to": "team", "text": "Stand-up!"}"#),
        );
        scheduler
    }

    /// A webhook that answers with these statuses, one after the other.
    async fn webhook(statuses: &[u16]) -> MockServer {
        let server = MockServer::start().await;
        for status in statuses {
            let answer = ResponseTemplate::new(*status);
            Mock::given(method("POST")).respond_with(answer).up_to_n_times(1).mount(&server).await;
        }
        server
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Runtime::new().unwrap().block_on(future)
    }

    #[test]
    fn a_notice_is_posted_once_on_a_working_day_with_its_key() {
        let server = block_on(async {
            let server = MockServer::start().await;
            let is_notice = Mock::given(method("POST"))
                .and(header_regex("Idempotency-Key", "^1:1772442000000:"))
                .and(body_json(serde_json::json!({ "text": "Stand-up!" })));
            is_notice.respond_with(ResponseTemplate::new(204)).expect(1).mount(&server).await;
            server
        });
        let mut scheduler = standup(&server.uri());
        scheduler.advance_to("2026-03-02 12:00:00");
        scheduler.check("standup", &["2026-03-02 09:00:00 success"]);
        assert_eq!(scheduler.executions("standup")[0].extra["http_status"], 204);
        block_on(server.verify());
    }

    #[test]
    fn a_webhook_that_is_busy_is_asked_again_with_the_same_key() {
        // What is busy is asked again in the same run, what is broken by the next attempt.
        let server = block_on(webhook(&[503, 429, 500, 200]));
        let mut scheduler = standup(&server.uri());
        scheduler.advance_to("2026-03-02 09:10:00");
        scheduler.check("standup", &["09:00:00 fail", "09:00:00 success attempt 2"]);
        let calls = block_on(server.received_requests()).unwrap();
        let keys: Vec<_> = calls.iter().map(|call| &call.headers["Idempotency-Key"]).collect();
        assert_eq!(keys.len(), 4);
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }

    #[test]
    fn an_error_tells_neither_the_address_nor_the_text() {
        let mut scheduler = standup("http://127.0.0.1:1/secret-token");
        scheduler.advance_to("2026-03-02 09:00:00");
        let reason = scheduler.executions("standup")[0].reason.clone().unwrap();
        assert!(reason.starts_with("POST http://127.0.0.1:1: no connection"), "{reason}");
        assert!(!reason.contains("secret-token") && !reason.contains("Stand-up"), "{reason}");
    }

    /// A webhook that takes the call and never answers, by the clock of the test.
    fn silent() -> (TcpListener, Harness) {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.local_addr().unwrap());
        let mut scheduler = scheduler(&url);
        scheduler.insert(Row::cron("standup", "post_notice", "0 9 * * *").args("team, Stand-up!"));
        (server, scheduler)
    }

    #[test]
    fn a_webhook_that_never_answers_costs_its_time_out_and_no_more() {
        let (_server, mut scheduler) = silent();
        scheduler.advance_to("2026-03-02 09:00:10");
        scheduler.check("standup", &["09:00:00 fail"]);
        let run = &scheduler.executions("standup")[0];
        assert_eq!(run.finished_at.map(|at| (at - run.scheduled_at).num_seconds()), Some(10));
    }

    #[test]
    fn a_stop_does_not_wait_for_the_webhook() {
        let (_server, mut scheduler) = silent();
        scheduler.advance_to("2026-03-02 09:00:01");
        let asked_at = scheduler.now();
        scheduler.stop();
        assert_eq!(scheduler.now(), asked_at, "at once");
        let run = &scheduler.executions("standup")[0];
        assert_eq!(run.status, Status::Fail);
        let reason = run.reason.as_deref().unwrap_or_default();
        assert!(reason.ends_with("the run was asked to stop before the answer was complete"));
        scheduler.restart();
        scheduler.run_until_idle();
        let last = scheduler.executions("standup").pop().map(|run| run.attempt);
        assert_eq!(last, Some(4), "the retries survive the stop");
    }

    #[test]
    fn a_row_without_a_text_is_rejected_before_it_is_due() {
        let mut scheduler = Harness::new("2026-03-02 08:00:00", "UTC");
        scheduler.insert(Row::cron("mute", "post_notice", "0 9 * * *").args("team"));
        let rejection = scheduler.rejection("mute").unwrap_or_default();
        assert!(
            rejection.ends_with("do not fit job \"post_notice\": value 2 (text) is missing"),
            "{rejection}"
        );
    }
}
