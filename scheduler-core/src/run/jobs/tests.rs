//! What becomes of the two kinds of jobs: how they end, what they say of it, and when they leave their place.

use std::{sync::Barrier, time::Duration};

use super::*;
use crate::{
    job::{JobDescriptor, JobFuture, JobOptions, JobResult},
    plan::{Now, lease::Lease, machine_clock::MachineClock},
};

fn registry(body: Body) -> Arc<Registry> {
    let descriptor = JobDescriptor {
        name: "job",
        function: "tests::job",
        file: "tests.rs",
        line: 1,
        args: "Args",
        options: JobOptions::NONE,
        body,
        check_args: |_| Ok(()),
    };
    Arc::new(Registry::of([&*Box::leak(Box::new(descriptor))]).unwrap())
}

/// Jobs of one kind, on the runtime of the test and by a clock that starts at the epoch.
fn jobs(body: Body) -> Jobs {
    jobs_on(Handle::current(), body)
}

fn jobs_on(threads: Handle, body: Body) -> Jobs {
    let clock = Clock::stepped(DateTime::UNIX_EPOCH);
    let jobs = Jobs::new(registry(body), threads, clock, Arc::default(), Arc::default());
    jobs.begin_under(renewed(Duration::ZERO));
    jobs
}

fn run(execution_id: ExecutionId) -> Run {
    Run {
        execution_id,
        task_id: 1,
        task_key: "key".into(),
        job: "job".into(),
        args: "1,2".into(),
        trace_id: "trace".into(),
        extra: r#"{"retries_on_lost":3}"#.to_owned(),
        scheduled_at: DateTime::UNIX_EPOCH,
        attempt: 1,
        timeout: None,
        term: 1,
    }
}

/// What a node may count on whose only renewal began at `renewed` of the test's clock.
fn renewed(renewed: Duration) -> Trust {
    let mut lease = Lease::new(Duration::from_secs(30));
    lease.renewed(renewed, renewed);
    Trust::new(lease, compared())
}

/// The clocks of the test's machine: both began together.
fn compared() -> MachineClock {
    let mut machine = MachineClock::default();
    machine.compared(Now { wall: DateTime::UNIX_EPOCH, mono: Duration::ZERO });
    machine
}

/// What the only job that runs said at its end.
async fn end(jobs: &mut Jobs) -> Ended {
    let mut ended = jobs.ended().await.expect("a job runs");
    assert_eq!(ended.len(), 1);
    ended.remove(0)
}

async fn result_of(body: Body) -> Result<(), String> {
    let mut jobs = jobs(body);
    jobs.start(vec![run(7)]);
    end(&mut jobs).await.result
}

#[tokio::test]
async fn a_job_ends_with_what_its_function_says_whichever_its_kind() {
    fn fails() -> JobResult {
        Err(anyhow::anyhow!("refused").context("not sent"))
    }
    let failed = Err("not sent: refused".to_owned());
    assert_eq!(result_of(Body::Async(|_| Box::pin(async { Ok(()) }))).await, Ok(()));
    assert_eq!(result_of(Body::Async(|_| Box::pin(async { fails() }))).await, failed);
    assert_eq!(result_of(Body::Blocking(|_| Ok(()))).await, Ok(()));
    assert_eq!(result_of(Body::Blocking(|_| fails())).await, failed);
}

#[tokio::test]
async fn a_panic_is_an_error_with_its_text_whichever_the_kind() {
    fn slips() -> JobResult {
        panic!("slipped")
    }
    let panicked = Err("panicked: slipped".to_owned());
    assert_eq!(result_of(Body::Async(|_| Box::pin(async { slips() }))).await, panicked);
    assert_eq!(result_of(Body::Blocking(|_| slips())).await, panicked);
}

#[tokio::test]
async fn a_job_that_is_not_compiled_in_is_a_bug_of_ours_and_said() {
    let mut jobs = jobs(Body::Blocking(|_| Ok(())));
    jobs.start(vec![Run { job: "other".into(), ..run(7) }]);
    let ended = end(&mut jobs).await;
    assert_eq!(ended.result, Err("bug: job \"other\" is not compiled in".to_owned()));
    assert!(
        ended.started_at.is_some(),
        "it is a run that failed, not one that may be tried by others"
    );
}

/// What becomes of a job that was started and comes to its first step `late`, after the node has been trusted with `trust`.
async fn begun(body: Body, trust: Option<Trust>, late: Duration) -> Ended {
    let mut jobs = jobs(body);
    jobs.start(vec![run(7)]);
    trust.into_iter().for_each(|trust| jobs.begin_under(trust));
    tokio::time::advance(late).await;
    end(&mut jobs).await
}

fn works(_: Invocation) -> JobFuture {
    Box::pin(async { Ok(()) })
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_first_step_comes_after_the_lease_is_over_never_begins() {
    let second = Duration::from_secs(1);
    let body = Body::Async(works);
    assert!(begun(body, None, 24 * second).await.started_at.is_some());
    let over = begun(body, None, 25 * second).await;
    assert_eq!((over.started_at, over.result), (None, Err(lease::OVER.to_owned())));
    let renewed_in_time = Some(renewed(20 * second));
    assert!(begun(body, renewed_in_time, 44 * second).await.started_at.is_some());
    let mut lease = Lease::new(30 * second);
    for at in [0, 40] {
        lease.renewed(at * second, at * second);
    }
    let ended = begun(body, Some(Trust::new(lease, compared())), 41 * second).await;
    assert_eq!(ended.started_at, None, "it was claimed in an earlier term");
}

#[tokio::test(start_paused = true)]
async fn nor_does_one_whose_machine_slept_and_its_monotonic_clock_with_it() {
    for (slept, begins) in [(24, true), (25, false)] {
        let mut jobs = jobs(Body::Async(works));
        jobs.start(vec![run(7)]);
        jobs.clock.step(TimeDelta::seconds(slept));
        assert_eq!(end(&mut jobs).await.started_at.is_some(), begins, "{slept} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_begins_and_ends_by_the_clock_it_was_given() {
    fn three_seconds(_: Invocation) -> JobFuture {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            Ok(())
        })
    }
    let mut jobs = jobs(Body::Async(three_seconds));
    tokio::time::advance(Duration::from_secs(10)).await;
    jobs.start(vec![run(7)]);
    let ended = end(&mut jobs).await;
    assert_eq!(ended.started_at, DateTime::from_timestamp_millis(10_000));
    // The timer of the runtime is a millisecond coarse.
    assert_eq!(ended.finished_at.timestamp(), 13);
}

#[tokio::test]
async fn a_blocking_job_holds_no_worker() {
    // Only both together get past it, and the runtime of this test has one worker.
    static BOTH: Barrier = Barrier::new(2);
    let mut jobs = jobs(Body::Blocking(|_| {
        BOTH.wait();
        Ok(())
    }));
    jobs.start(vec![run(7), run(8)]);
    let mut ended = Vec::new();
    while let Some(more) = jobs.ended().await {
        ended.extend(more);
    }
    assert!(ended.iter().all(|ended| ended.result.is_ok() && ended.started_at.is_some()));
    assert_eq!(ended.len(), 2);
}

#[tokio::test]
async fn a_blocking_job_that_is_given_up_keeps_its_place_until_its_thread_returns() {
    static BEGAN: Barrier = Barrier::new(2);
    static MAY_RETURN: Barrier = Barrier::new(2);
    let mut jobs = jobs(Body::Blocking(|invocation| {
        BEGAN.wait();
        MAY_RETURN.wait();
        assert!(invocation.context.is_cancelled(), "it was told");
        Ok(())
    }));
    jobs.start(vec![run(7)]);
    BEGAN.wait();
    jobs.abort(&[7]);
    tokio::time::timeout(Duration::from_millis(50), jobs.ended()).await.unwrap_err();
    let mut outcome = [outcome(7)];
    jobs.complete(&mut outcome);
    assert!(outcome[0].started_at.is_some(), "it is known when it began, though it has not ended");
    MAY_RETURN.wait();
    assert_eq!(end(&mut jobs).await.result, Ok(()));
    assert!(jobs.ended().await.is_none());
}

#[tokio::test]
async fn a_blocking_job_that_is_given_up_while_it_waits_for_a_thread_never_begins() {
    static MAY_RETURN: Barrier = Barrier::new(2);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let threads = builder.worker_threads(1).max_blocking_threads(1).build().unwrap();
    let body = Body::Blocking(|_| {
        MAY_RETURN.wait();
        Ok(())
    });
    let mut jobs = jobs_on(threads.handle().clone(), body);
    jobs.start(vec![run(7), run(8)]);
    jobs.abort(&[8]);
    MAY_RETURN.wait();
    let mut ended = Vec::new();
    while let Some(more) = jobs.ended().await {
        ended.extend(more);
    }
    ended.sort_by_key(|ended| ended.execution_id);
    assert_eq!(ended[0].result, Ok(()));
    assert_eq!(ended[1].result, Err("ended by the scheduler".to_owned()));
    assert_eq!(ended[1].started_at, None);
    threads.shutdown_background();
}

#[tokio::test]
async fn an_async_job_that_is_given_up_ends_at_its_next_await() {
    let mut jobs = jobs(Body::Async(|_| Box::pin(std::future::pending())));
    jobs.start(vec![run(7)]);
    tokio::task::yield_now().await;
    jobs.abort(&[7]);
    assert_eq!(end(&mut jobs).await.result, Err("ended by the scheduler".to_owned()));
}

#[tokio::test]
async fn what_a_job_noted_is_told_while_it_runs_and_when_it_ended_or_was_given_up() {
    fn body(invocation: Invocation) -> JobFuture {
        Box::pin(async move {
            invocation.context.note("sent", 7);
            tokio::task::yield_now().await;
            invocation.context.progress(1, 2);
            std::future::pending().await
        })
    }
    let mut jobs = jobs(Body::Async(body));
    jobs.start(vec![run(7)]);
    tokio::task::yield_now().await;
    let noted = jobs.noted();
    let extra: Vec<&str> = noted.iter().map(|noted| noted.extra.as_str()).collect();
    assert_eq!(extra, [r#"{"retries_on_lost":3,"sent":7}"#], "beside what the claim wrote");
    assert_eq!(jobs.noted(), [], "nothing new");
    tokio::task::yield_now().await;
    assert_eq!(jobs.noted().len(), 1);
    let mut outcome = [outcome(7)];
    jobs.complete(&mut outcome);
    assert_eq!(
        outcome[0].extra,
        r#"{"progress":{"done":1,"total":2},"reason":"given up","sent":7}"#
    );
    jobs.abort(&[7]);
    assert_eq!(end(&mut jobs).await.notes["sent"], 7);
}

#[tokio::test]
async fn both_kinds_run_inside_the_span_of_their_run() {
    fn in_span() -> JobResult {
        let name = tracing::Span::current().metadata().map(tracing::Metadata::name);
        anyhow::ensure!(name == Some("run"), "inside {name:?}");
        Ok(())
    }
    crate::telemetry::listen_on_every_thread();
    assert_eq!(result_of(Body::Async(|_| Box::pin(async { in_span() }))).await, Ok(()));
    assert_eq!(result_of(Body::Blocking(|_| in_span())).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_the_start_plus_the_timeout_and_none_without() {
    fn body(invocation: Invocation) -> JobResult {
        anyhow::bail!("{:?}", invocation.context.deadline().map(|at| at.timestamp_millis()))
    }
    for (timeout, deadline) in [
        (None, "None"),
        (Some(Duration::from_millis(2_500)), "Some(12500)"),
        (Some(Duration::MAX), "None"),
    ] {
        let mut jobs = jobs(Body::Blocking(body));
        tokio::time::advance(Duration::from_secs(10)).await;
        jobs.start(vec![Run { timeout, ..run(7) }]);
        assert_eq!(end(&mut jobs).await.result, Err(deadline.to_owned()), "{timeout:?}");
    }
}

fn outcome(execution_id: ExecutionId) -> Outcome {
    Outcome {
        execution_id,
        task_id: 1,
        trace_id: "trace".into(),
        status: crate::plan::execution::Status::Timeout,
        extra: r#"{"reason":"given up"}"#.to_owned(),
        started_at: None,
        finished_at: DateTime::UNIX_EPOCH,
        retry: None,
    }
}
