//! Mails the daily report.

use scheduler_core::{Context, JobResult, anyhow, job};

#[derive(serde::Deserialize)]
struct Report {
    to: String,
    pages: Option<u64>,
}

#[job("send_report", timeout = "30s", retries = 3, backoff = "10s..5m")]
async fn send_report(task_key: &str, report: Report, ctx: Context) -> JobResult {
    let pages = report.pages.unwrap_or(1);
    for page in 0..pages {
        if ctx.is_cancelled() {
            anyhow::bail!("stopped before page {page}");
        }
        render(page).await?;
        ctx.progress(page + 1, pages);
    }
    ctx.note("pages", pages);
    tracing::info!(task_key, report.to, pages, "report sent");
    Ok(())
}

/// Takes two seconds a page.
async fn render(_page: u64) -> anyhow::Result<()> {
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use scheduler_core::testing::{Act, Harness, Row};

    #[test]
    fn the_report_is_sent_once_in_the_night_in_which_the_clocks_change() {
        let mut scheduler = Harness::new("2026-03-28 12:00:00", "Europe/London");
        scheduler.insert(Row::cron("report", "send_report", "30 1 * * *").args("ops@example.org"));
        scheduler.advance_to("2026-03-29 12:00:00");
        // 01:30 does not exist in that night: it is sent right after the gap.
        scheduler.check("report", &["2026-03-29 02:00:00 success"]);
    }

    #[test]
    fn an_hour_without_a_scheduler_is_one_row() {
        let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
        scheduler.insert(Row::cron("report", "send_report", "*/10 * * * *").args("ops, 2"));
        scheduler.advance_to("2026-01-01 12:15:00");
        scheduler.crash();
        scheduler.advance_to("2026-01-01 13:15:00");
        scheduler.restart();
        scheduler.advance_to("2026-01-01 13:25:00");
        scheduler.check("report", &["12:10:00 success", "13:10:00 missed", "13:20:00 success"]);
        assert_eq!(scheduler.executions("report")[1].extra["count"], 6);
    }

    #[test]
    fn a_report_that_is_not_done_when_the_next_is_due_is_finished_first() {
        let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
        scheduler.insert(Row::interval("report", "send_report", "10").args("ops, 12"));
        scheduler.advance(Duration::from_secs(35));
        scheduler.check("report", &["12:00:10 success", "12:00:20 skipped", "12:00:30 skipped"]);
    }

    #[test]
    fn a_mail_server_that_fails_is_tried_again() {
        let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
        scheduler.insert(Row::cron("report", "send_report", "1 12 * * *").args("ops"));
        scheduler.next_run("report", Act::fails("no mail server"));
        scheduler.advance_to("2026-01-01 12:01:00");
        scheduler.run_until_idle();
        scheduler.check("report", &["12:01:00 fail", "12:01:00 success attempt 2"]);
    }
}
