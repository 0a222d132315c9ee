//! How jobs see the clock of the harness.

use std::{net::TcpListener, time::Duration};

use scheduler_core::{
    Args, Context, JobResult, anyhow, job,
    testing::{Harness, Row},
};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

use crate::Seen;

/// Reads all that the server at its argument sends, for 5 s at most.
#[job("reads")]
async fn reads(_task_key: &str, args: Args, ctx: Context) -> JobResult {
    let read = async {
        let mut server = TcpStream::connect(args.get(0).unwrap_or_default()).await?;
        let mut text = String::new();
        server.read_to_string(&mut text).await?;
        anyhow::Ok(text)
    };
    let text = tokio::time::timeout(Duration::from_secs(5), read).await??;
    ctx.note("read", text);
    Ok(())
}

/// Holds its thread, and says its deadline.
#[job("computes", blocking)]
fn computes(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    let deadline = ctx.deadline().map(|deadline| deadline.to_rfc3339());
    ctx.state::<std::sync::Arc<Seen>>()?.say(deadline.unwrap_or_default());
    Ok(())
}

#[test]
fn a_server_that_answers_is_waited_for_while_the_clock_stands_still() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = server.local_addr().expect("a port").to_string();
    std::thread::spawn(move || {
        use std::io::Write as _;
        while let Ok((mut client, _)) = server.accept() {
            let _ = client.write_all(b"hello");
        }
    });
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC").with_real_io();
    scheduler.insert(Row::interval("reads", "reads", "60").args(&address));
    scheduler.advance(Duration::from_secs(120));
    scheduler.check("reads", &["12:01:00 success", "12:02:00 success"]);
    let read = &scheduler.executions("reads")[0];
    assert_eq!((&read.extra["read"], read.finished_at), (&"hello".into(), read.started_at));
}

#[test]
fn a_server_that_never_answers_runs_into_the_time_out_of_the_job_at_once() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = server.local_addr().expect("a port").to_string();
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::interval("reads", "reads", "60").args(&address));
    scheduler.advance(Duration::from_secs(70));
    scheduler.check("reads", &["12:01:00 fail"]);
    let read = &scheduler.executions("reads")[0];
    assert_eq!(read.reason.as_deref(), Some("deadline has elapsed"));
    assert_eq!(read.finished_at, Some(crate::at("2026-01-01T12:01:05Z")));
}

#[test]
fn a_blocking_job_runs_too_and_knows_its_deadline() {
    let seen = std::sync::Arc::new(Seen::default());
    let mut scheduler =
        Harness::new("2026-01-01 12:00:00", "UTC").state(std::sync::Arc::clone(&seen));
    scheduler.insert(Row::interval("computes", "computes", "60").extra(r#"{"timeout": "30s"}"#));
    scheduler.advance(Duration::from_secs(60));
    scheduler.check("computes", &["12:01:00 success"]);
    assert_eq!(*seen.0.lock().expect("no job panics here"), ["2026-01-01T12:01:30+00:00"]);
}

#[test]
fn what_a_job_left_behind_goes_on_with_the_clock() {
    let seen = std::sync::Arc::new(Seen::default());
    let mut scheduler =
        Harness::new("2026-01-01 12:00:00", "UTC").state(std::sync::Arc::clone(&seen));
    scheduler.insert(Row::date("leaves", "leaves", "2026-01-01 12:01:00"));
    scheduler.advance(Duration::from_secs(149));
    assert!(seen.0.lock().expect("no job panics here").is_empty());
    scheduler.advance(Duration::from_secs(1));
    assert_eq!(*seen.0.lock().expect("no job panics here"), ["90 s later"]);
}

/// Leaves work behind.
#[job("leaves")]
async fn leaves(_task_key: &str, _args: Args, ctx: Context) -> JobResult {
    let seen = std::sync::Arc::clone(ctx.state::<std::sync::Arc<Seen>>()?);
    ctx.spawn(async move {
        tokio::time::sleep(Duration::from_secs(90)).await;
        seen.say("90 s later");
    });
    Ok(())
}

#[test]
fn a_state_that_is_not_registered_fails_the_run_and_says_where_it_belongs() {
    let mut scheduler = Harness::new("2026-01-01 12:00:00", "UTC");
    scheduler.insert(Row::interval("leaves", "leaves", "60"));
    scheduler.advance(Duration::from_secs(60));
    let reason = scheduler.executions("leaves")[0].reason.clone().unwrap_or_default();
    assert!(reason.contains("Seen") && reason.contains("App::state"), "{reason}");
}
