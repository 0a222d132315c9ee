//! The harness shows what the program does: the same rows at the same instants give the same executions.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Timelike as _, Utc};
use scheduler_core::{
    Args, Context, JobResult, anyhow, clock, job,
    store::{Desk as _, ExecutionFilter, ExecutionRow, NewTask, TaskSelection},
    testing::{Harness, Row},
};

use crate::{
    process::{QUICK, Running},
    program,
    support::{Home, row, within},
};

/// Sleeps as many milliseconds as its argument says, unless it is asked to stop.
#[job("sleeps")]
async fn sleeps(_task_key: &str, args: Args, ctx: Context) -> JobResult {
    let span = Duration::from_millis(args.get(0).unwrap_or("0").parse()?);
    tokio::select! {
        () = tokio::time::sleep(span) => Ok(()),
        () = ctx.cancelled() => anyhow::bail!("asked to stop"),
    }
}

/// Fails until the attempt that its argument names.
#[job("fails_until")]
async fn fails_until(_task_key: &str, args: Args, ctx: Context) -> JobResult {
    let good: u32 = args.get(0).unwrap_or("1").parse()?;
    ctx.note("attempt", ctx.attempt());
    anyhow::ensure!(ctx.attempt() >= good, "attempt {} of {good}", ctx.attempt());
    Ok(())
}

/// Takes two numbers.
#[job("adds")]
async fn adds(_task_key: &str, (a, b): (i64, i64), _ctx: Context) {
    tracing::info!(sum = a + b);
}

/// Rows of which something different becomes, on a grid whose instants lie 200 ms or more from every end of a run.
/// `begin` is a full second, that of their creation.
fn rows(begin: DateTime<Utc>) -> Vec<NewTask> {
    let with = |key: &str, func: &str, spec: &str, args: &str, extra: &str| NewTask {
        args: args.to_owned(),
        extra: extra.to_owned(),
        ..row(key, func, "interval", spec)
    };
    let second_before = (begin - TimeDelta::seconds(1)).format("%Y-%m-%d %H:%M:%S").to_string();
    let retried = r#"{"retries": 2, "backoff": "300ms..400ms"}"#;
    vec![
        with("steady", "fails_until", "500ms", "1", "{}"),
        with("skips", "sleeps", "1s", "2300", "{}"),
        with("queues", "sleeps", "1s", "1600", r#"{"overlap": "queue"}"#),
        with("beside", "sleeps", "1s", "1600", r#"{"max_instances": 2}"#),
        with("times_out", "sleeps", "2500ms", "60000", r#"{"timeout": "700ms"}"#),
        NewTask {
            extra: r#"{"misfire_grace_time": 1}"#.to_owned(),
            ..row("too_late", "sleeps", "date", &second_before)
        },
        NewTask {
            args: "3".to_owned(),
            extra: retried.to_owned(),
            ..row("flaky", "fails_until", "date", "now")
        },
        NewTask {
            args: "9".to_owned(),
            extra: retried.to_owned(),
            ..row("hopeless", "fails_until", "date", "now")
        },
        row("unknown", "no_such_job", "interval", "1s"),
        with("misfit", "adds", "1s", "1,many", "{}"),
        NewTask { is_enabled: false, ..row("off", "sleeps", "interval", "1s") },
    ]
}

/// How long the scheduler is at work before it is asked to stop.
const SPAN: TimeDelta = TimeDelta::milliseconds(6_400);

/// One line for each execution: what does not depend on how fast a machine is.
fn line(key: &str, execution: &ExecutionRow, begin: DateTime<Utc>) -> String {
    let fire = execution.scheduled_at.map(|at| (at - begin).num_milliseconds());
    let extra: serde_json::Value = serde_json::from_str(&execution.extra).unwrap();
    let of = |name: &str| extra.get(name).cloned().unwrap_or_default();
    let (status, attempt, source) = (&execution.status, execution.attempt, &execution.source);
    let why = [of("err"), of("count"), of("attempt")].map(|value| value.to_string()).join(" ");
    format!("{key} {fire:?} {status} attempt {attempt} {source} {why}")
}

#[test]
fn the_harness_and_the_program_give_the_same_executions_for_the_same_rows_and_instants() {
    let home = Home::migrated(QUICK);
    let mut scheduler = Running::spawn(&mut program::command(&home, &["run"]));
    scheduler.says(&["the table is read"]);
    // Early in a second: no fire lies between the writing of the rows and their reading. And in one after that of the
    // migration, which opens the window of every row.
    let ready_at = clock::wall();
    let written_at = within(Duration::from_secs(3), "the beginning of a second", || {
        let now = clock::wall();
        let is_early = now.nanosecond() < 150_000_000;
        (now.timestamp() > ready_at.timestamp() && is_early).then_some(now)
    });
    let begin = written_at.with_nanosecond(0).unwrap();
    home.store(async |store| {
        for row in rows(begin) {
            store.add(&row).await.unwrap();
        }
    });
    within(Duration::from_secs(10), "the end of the recording", || {
        (clock::wall() >= written_at + SPAN).then_some(())
    });
    scheduler.signal("TERM");
    assert_eq!(scheduler.ends_within(Duration::from_secs(5)), 0);
    let recorded = home.store(async |store| {
        let tasks = store.tasks(TaskSelection::All).await.unwrap();
        assert!(tasks.iter().all(|task| task.row.created_at == Some(begin)), "{tasks:#?}");
        let filter = ExecutionFilter::newest(10_000);
        store.executions(filter).await.unwrap()
    });
    let mut recorded: Vec<String> =
        recorded.iter().map(|row| line(row.task_key.as_deref().unwrap(), row, begin)).collect();
    recorded.sort();

    // As in the recording, the scheduler is at work before the rows are written.
    let before = Duration::from_secs(5);
    let start = (written_at - before).to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut harness = Harness::new(&start, "UTC").common(|common| {
        common.sync_interval = Duration::from_millis(100);
        common.lease = Duration::from_secs(1);
        common.shutdown_timeout = Duration::from_millis(500);
    });
    harness.advance(before);
    let rows = rows(begin);
    for row in &rows {
        harness.insert(Row::from(row.clone()));
    }
    harness.advance(SPAN.to_std().unwrap());
    harness.stop();
    let mut replayed: Vec<String> = rows
        .iter()
        .flat_map(|row| {
            harness.rows(&row.task_key).into_iter().map(move |execution| (row, execution))
        })
        .map(|(row, execution)| line(&row.task_key, &execution, begin))
        .collect();
    replayed.sort();
    assert_eq!(replayed, recorded);

    // That it is worth comparing.
    for status in ["success", "fail", "timeout", "missed", "skipped"] {
        assert!(recorded.iter().any(|line| line.contains(status)), "{status} in {recorded:#?}");
    }
    assert!(recorded.iter().any(|line| line.contains("attempt 3 retry")), "{recorded:#?}");
}
