use chrono::TimeDelta;

use super::*;
use crate::plan::{
    claim::Origin,
    task::{Catalog, JobOptions, JobRefusal, Policy, Reader, TaskRow},
    trigger::CronDialect,
};

struct AnyJob;

impl Catalog for AnyJob {
    fn accepts(&self, _job: &str, _args: &str) -> Result<JobOptions, JobRefusal> {
        Ok(JobOptions::NONE)
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("the test writes instants that parse")
}

/// 12:`minute`:`second` on the day of these tests, in London: UTC.
fn noon(minute: u32, second: u32) -> DateTime<Utc> {
    at(&format!("2026-01-10T12:{minute:02}:{second:02}Z"))
}

fn task(spec: &str, extra: &str) -> Task {
    let text = |text: &str| Ok(text.to_owned());
    let row = TaskRow {
        id: 4,
        task_key: text("report"),
        description: text(""),
        execute_func: text("job"),
        trigger: text("cron"),
        spec: text(spec),
        args: text(""),
        is_valid: text("1"),
        status: text("ready"),
        extra: text(extra),
        created_at: Some(noon(0, 0)),
        updated_at: Some(noon(0, 0)),
    };
    let zone = Zone::named("Europe/London").expect("it is bundled");
    Reader::new(CronDialect::Standard, zone, Policy::default(), Box::new(AnyJob))
        .read(&row)
        .expect("the row is right")
}

fn execution(id: i64, scheduled_at: DateTime<Utc>, status: Status) -> ExecutionRow {
    let has_begun = matches!(status, Status::Success | Status::Fail);
    ExecutionRow {
        id,
        task_id: 4,
        task_key: None,
        status: status.as_str().to_owned(),
        extra: "{}".to_owned(),
        trace_id: "t".to_owned(),
        created_at: Some(scheduled_at),
        scheduled_at: Some(scheduled_at),
        attempt: 1,
        source: "schedule".to_owned(),
        node_id: Some("a:1".to_owned()),
        started_at: has_begun.then_some(scheduled_at),
        finished_at: status.is_terminal().then(|| scheduled_at + TimeDelta::seconds(90)),
    }
}

fn with_extra(row: ExecutionRow, extra: &str) -> ExecutionRow {
    ExecutionRow { extra: extra.to_owned(), ..row }
}

/// A node that was up from minute to minute, silent since.
fn node(id: &str, from: u32, to: u32, has_left: bool) -> NodeRow {
    NodeRow {
        id: id.to_owned(),
        started_at: noon(from, 0),
        heartbeat_at: noon(to, 0),
        left_at: has_left.then(|| noon(to, 0)),
        silent_for: Duration::from_secs(60 * u64::from(59 - to)),
        card: None,
    }
}

/// What is known of 12:`minute` when nothing is recorded of it.
fn nothing_of<'a>(minute: u32, task: &'a Task, nodes: &'a [NodeRow]) -> Facts<'a> {
    let row = Row {
        state: State::Enabled,
        task: Some(task),
        created_at: Some(noon(0, 0)),
        edited_at: Some(noon(0, 0)),
    };
    Facts {
        at: noon(minute, 0),
        row: Some(row),
        pause: None,
        adopted_at: noon(0, 0),
        here: &[],
        next: None,
        before: &[],
        waiting: &[],
        nodes,
        lease: Duration::from_secs(30),
        zone: &task.zone,
    }
}

/// At 12:59.
#[track_caller]
fn check(facts: &Facts<'_>, answer: &str, because: &[&str]) {
    let why = why(facts, noon(59, 0));
    let found: Vec<&str> = why.because.iter().map(String::as_str).collect();
    assert_eq!((why.answer.as_str(), &found[..]), (answer, because));
}

#[test]
fn an_instant_that_ran_names_its_execution_and_each_attempt() {
    let task = task("* * * * *", "{}");
    let failed = with_extra(execution(7, noon(10, 0), Status::Fail), r#"{"err": "no route"}"#);
    let again = ExecutionRow {
        attempt: 2,
        source: "retry".to_owned(),
        ..execution(9, noon(10, 0), Status::Success)
    };
    let both = [failed.clone(), again];
    check(
        &Facts { here: &both, ..nothing_of(10, &task, &[]) },
        "success",
        &[
            "execution 7 ran on node a:1 from 2026-01-10T12:10:00+00:00 for 1m30s: fail: no route",
            "execution 9, attempt 2, ran on node a:1 from 2026-01-10T12:10:00+00:00 for 1m30s: success",
        ],
    );
    let waits = [Request {
        origin: Origin::Retry,
        task_id: 4,
        scheduled_at: noon(10, 0),
        attempt: 2,
        due_at: noon(59, 30),
        args: None,
    }];
    check(
        &Facts { here: &[failed], waiting: &waits, ..nothing_of(10, &task, &[]) },
        "fail",
        &[
            "execution 7 ran on node a:1 from 2026-01-10T12:10:00+00:00 for 1m30s: fail: no route",
            "attempt 2 waits, and is due at 2026-01-10T12:59:30+00:00",
        ],
    );
}

#[test]
fn an_open_run_says_where_it_runs_and_whether_that_node_lives() {
    let task = task("* * * * *", "{}");
    let open = [execution(7, noon(58, 0), Status::Todo)];
    let is_open = "execution 7 is open on node a:1 since 2026-01-10T12:58:00+00:00 (1m)";
    let living = [node("a:1", 0, 59, false)];
    check(&Facts { here: &open, ..nothing_of(58, &task, &living) }, "todo", &[is_open]);
    let dead = [node("a:1", 0, 57, false)];
    check(
        &Facts { here: &open, ..nothing_of(58, &task, &dead) },
        "todo",
        &[
            is_open,
            "that node was heard of last at 2026-01-10T12:57:00+00:00: the next scheduler that looks records the \
             execution as lost, 30s after that at the earliest",
        ],
    );
}

#[test]
fn a_skipped_instant_names_the_run_that_was_in_its_way() {
    let task = task("* * * * *", "{}");
    let skipped = [with_extra(
        execution(8, noon(10, 0), Status::Skipped),
        r#"{"reason": "an earlier run of the task is still open"}"#,
    )];
    let accounts = "execution 8 accounts for it: skipped: an earlier run of the task is still open";
    let before =
        |status, end| ExecutionRow { finished_at: end, ..execution(6, noon(9, 0), status) };
    for (run, sentence) in [
        (
            before(Status::Success, Some(noon(10, 20))),
            "execution 6 of 2026-01-10T12:09:00+00:00 still ran on node a:1; it ended at 2026-01-10T12:10:20+00:00: success",
        ),
        (
            before(Status::Todo, None),
            "execution 6 of 2026-01-10T12:09:00+00:00 still ran on node a:1; it is open still",
        ),
        (before(Status::Success, Some(noon(9, 59))), "which run that was is not known any more"),
    ] {
        let facts = Facts { here: &skipped, before: &[run], ..nothing_of(10, &task, &[]) };
        check(&facts, "skipped", &[accounts, sentence]);
    }
}

/// A row that stands for 12:10 to 12:20.
fn missed() -> ExecutionRow {
    with_extra(
        execution(8, noon(20, 0), Status::Missed),
        r#"{"reason": "found too late", "count": 11, "first": "2026-01-10T12:10:00Z", "last": "2026-01-10T12:20:00Z"}"#,
    )
}

#[test]
fn a_missed_instant_says_who_was_up_then() {
    let task = task("* * * * *", "{}");
    let missed = missed();
    let stands = "execution 8 stands for it and 10 more: found too late";
    let both = [node("a:1", 0, 9, true), node("b:2", 21, 59, false)];
    let died = [node("a:1", 0, 9, false), node("b:2", 21, 59, false)];
    let up = [node("a:1", 0, 59, false)];
    for (nodes, sentence) in [
        (
            &both[..],
            "no scheduler was up from 2026-01-10T12:09:00+00:00, when node a:1 stopped, until 2026-01-10T12:21:00+00:00, \
             when node b:2 started",
        ),
        (
            &died[..],
            "no scheduler was up from 2026-01-10T12:09:00+00:00, when node a:1 was heard of last, until \
             2026-01-10T12:21:00+00:00, when node b:2 started",
        ),
        (&both[..1], "no scheduler was up from 2026-01-10T12:09:00+00:00, when node a:1 stopped"),
        (&both[1..], "no scheduler was up until 2026-01-10T12:21:00+00:00, when node b:2 started"),
        (&[], "no scheduler is known to have been up at any time near it"),
        (
            &up[..],
            "up then: node a:1; it was frozen, cut off from the database, full or off by its clock, which its log says",
        ),
    ] {
        let facts = Facts { next: Some(&missed), ..nothing_of(15, &task, nodes) };
        check(&facts, "missed", &[stands, sentence]);
    }
}

#[test]
fn where_fires_wait_for_each_other_a_missed_one_names_the_run_that_it_waited_for() {
    let up = [node("a:1", 0, 59, false)];
    let missed = missed();
    let stands = "execution 8 stands for it and 10 more: found too late";
    let long = ExecutionRow {
        finished_at: Some(noon(19, 0)),
        ..execution(6, noon(9, 0), Status::Success)
    };
    let held = "execution 6 of 2026-01-10T12:09:00+00:00 still ran on node a:1; it ended at 2026-01-10T12:19:00+00:00: \
                success";
    let nodes = "up then: node a:1; it was frozen, cut off from the database, full or off by its clock, which its log \
                 says";
    for (extra, sentence) in
        [(r#"{"overlap": "queue"}"#, held), (r#"{"overlap": "allow"}"#, nodes), ("{}", nodes)]
    {
        let task = task("* * * * *", extra);
        let before = std::slice::from_ref(&long);
        let facts = Facts { next: Some(&missed), before, ..nothing_of(15, &task, &up) };
        check(&facts, "missed", &[stands, sentence]);
    }
    let task = task("* * * * *", r#"{"overlap": "queue"}"#);
    let short = [ExecutionRow { finished_at: Some(noon(14, 0)), ..long }];
    let facts = Facts { next: Some(&missed), before: &short, ..nothing_of(15, &task, &up) };
    check(&facts, "missed", &[stands, nodes]);
}

#[test]
fn a_missed_row_stands_for_nothing_before_its_first_instant_or_off_the_schedule() {
    let task = task("*/5 * * * *", "{}");
    let missed = missed();
    let before = Facts { next: Some(&missed), ..nothing_of(5, &task, &[]) };
    assert_ne!(why(&before, noon(59, 0)).answer, Answer::Recorded(Status::Missed));
    let between = Facts { next: Some(&missed), ..nothing_of(12, &task, &[]) };
    assert_eq!(why(&between, noon(59, 0)).answer, Answer::NotDue);
}

#[test]
fn what_is_not_recorded_is_answered_from_the_row() {
    let task = task("* * * * *", "{}");
    let up = [node("a:1", 0, 59, false)];
    let base = nothing_of(30, &task, &up);
    let row = base.row.expect("it is there");
    let edited = |state, minute| Row { state, edited_at: Some(noon(minute, 0)), ..row };
    let cases: [(Facts<'_>, &str, &str); 6] = [
        (
            Facts { row: Some(edited(State::Disabled, 20)), ..base },
            "disabled",
            "the row is disabled: is_valid is 0, and so since 2026-01-10T12:20:00+00:00 at the latest",
        ),
        (
            Facts { row: Some(edited(State::Rejected("args is \"x\""), 20)), ..base },
            "rejected",
            "the row is rejected, and so since 2026-01-10T12:20:00+00:00 at the latest: args is \"x\"",
        ),
        (
            Facts { row: Some(edited(State::Enabled, 40)), ..base },
            "edited_since",
            "the row is enabled now, and was edited at 2026-01-10T12:40:00+00:00, after this instant, which was not \
             accounted for by then: it was disabled or rejected, or had another spec, or the instant waited and the edit has \
             ended that; the history of edits tells more",
        ),
        (
            Facts { row: Some(Row { created_at: Some(noon(31, 0)), ..row }), ..base },
            "younger",
            "the row was made later, at 2026-01-10T12:31:00+00:00",
        ),
        (
            Facts { adopted_at: noon(31, 0), ..base },
            "younger",
            "the scheduler came to this database later, at 2026-01-10T12:31:00+00:00",
        ),
        (
            Facts { row: None, ..base },
            "gone",
            "the row is deleted, and nothing of this instant is recorded",
        ),
    ];
    for (facts, answer, sentence) in cases {
        check(&facts, answer, &[sentence]);
    }
}

#[test]
fn a_pause_is_told_with_who_wanted_it_until_when_and_why() {
    let task = task("* * * * *", "{}");
    let base = nothing_of(30, &task, &[]);
    let row = Row { state: State::Disabled, edited_at: Some(noon(20, 0)), ..base.row.unwrap() };
    let off =
        "the row is disabled: is_valid is 0, and so since 2026-01-10T12:20:00+00:00 at the latest";
    let pause = Paused { at: noon(20, 0), until: None, reason: "stock-taking", author: "ada" };
    let paused = |pause| Facts { row: Some(row), pause: Some(pause), ..base };
    for (pause, sentence) in [
        (
            pause,
            "it was paused by \"ada\" at 2026-01-10T12:20:00+00:00, until somebody enables it: stock-taking",
        ),
        (
            Paused { until: Some(noon(40, 0)), reason: "", author: "", ..pause },
            "it was paused at 2026-01-10T12:20:00+00:00, until 2026-01-10T12:40:00+00:00",
        ),
        (
            Paused { until: Some(noon(25, 0)), ..pause },
            "it was paused by \"ada\" at 2026-01-10T12:20:00+00:00, until 2026-01-10T12:25:00+00:00, when it is enabled \
             again, before this instant: stock-taking",
        ),
    ] {
        check(&paused(pause), "paused", &[sentence, off]);
    }
    check(&Facts { pause: None, ..paused(pause) }, "disabled", &[off]);
    let over = Paused { until: Some(noon(25, 0)), ..pause };
    assert_eq!(why(&paused(over), noon(21, 0)).answer, Answer::NotYet, "it fires again by then");
    assert_eq!(why(&paused(pause), noon(21, 0)).answer, Answer::Paused);
}

#[test]
fn an_instant_that_is_due_says_what_it_waits_for() {
    let minutely = task("* * * * *", "{}");
    let up = [node("a:1", 0, 59, false)];
    check(
        &nothing_of(58, &minutely, &up),
        "overdue",
        &["due for 1m, and not claimed yet", "up: node a:1; its log says what keeps it"],
    );
    let down = [node("a:1", 0, 9, false)];
    check(
        &nothing_of(58, &minutely, &down),
        "overdue",
        &[
            "due for 1m, and not claimed yet",
            "no scheduler is up; node a:1 was heard of last at 2026-01-10T12:09:00+00:00",
        ],
    );
    let queued = task("* * * * *", r#"{"overlap": "queue"}"#);
    let before = [execution(6, noon(57, 0), Status::Todo)];
    check(
        &Facts { before: &before, ..nothing_of(58, &queued, &up) },
        "waiting",
        &[
            "due for 1m, and waits its turn (overlap is \"queue\"): execution 6 is open on node a:1 since \
           2026-01-10T12:57:00+00:00 (2m)",
        ],
    );
    let ahead = Facts { at: at("2026-01-10T13:30:00Z"), ..nothing_of(0, &minutely, &up) };
    check(&ahead, "not_yet", &["it fires in 31m, unless the row is edited until then"]);
}

#[test]
fn an_instant_that_the_schedule_does_not_have_names_its_neighbours_and_changed_clocks() {
    let hourly = task("0 * * * *", "{}");
    check(
        &nothing_of(30, &hourly, &[]),
        "not_due",
        &[
            "cron \"0 * * * *\" has no such instant: the one before is 2026-01-10T12:00:00+00:00, the one after \
           2026-01-10T13:00:00+00:00",
        ],
    );
    let young = nothing_of(30, &hourly, &[]);
    let row = Row { created_at: Some(noon(31, 0)), ..young.row.unwrap() };
    check(
        &Facts { row: Some(row), ..young },
        "younger",
        &["the row was made later, at 2026-01-10T12:31:00+00:00"],
    );
    let daily = task("30 1 * * *", "{}");
    let spring = Facts { at: at("2026-03-29T01:30:00Z"), ..nothing_of(0, &daily, &[]) };
    check(
        &spring,
        "not_due",
        &[
            "cron \"30 1 * * *\" has no such instant: the one before is 2026-03-29T02:00:00+01:00, the one after \
             2026-03-30T01:30:00+01:00",
            "the clocks of Europe/London went forward by 1h at 2026-03-29T02:00:00+01:00: the times between did not exist, \
             and what is due at a fixed time then fires there",
        ],
    );
    let autumn = Facts { at: at("2026-10-25T01:30:00Z"), ..nothing_of(0, &daily, &[]) };
    check(
        &autumn,
        "not_due",
        &[
            "cron \"30 1 * * *\" has no such instant: the one before is 2026-10-25T01:30:00+01:00, the one after \
             2026-10-26T01:30:00+00:00",
            "the clocks of Europe/London went back by 1h at 2026-10-25T01:00:00+00:00: what comes twice fires once, the \
             first time",
        ],
    );
}

#[test]
fn an_instant_before_one_that_is_accounted_for_was_accounted_for_too() {
    let task = task("* * * * *", "{}");
    let next = execution(9, noon(30, 0), Status::Success);
    check(
        &Facts { next: Some(&next), ..nothing_of(10, &task, &[]) },
        "removed",
        &[
            "a later instant, 2026-01-10T12:30:00+00:00, is accounted for, so this one was, too: its record was removed, \
             by [retention] or by hand",
        ],
    );
}
